"""The other side of a thread, for stories: reports as they are kept after *Send*, and members who answer them."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from flows import returnwords
from rehearsal.driver import Person, Shown
from seal import HybridIdentity
from storage import custody, manifest, members, returning, roles, submission, threads
from storage.desk import engine
from storage.manifest import MemberKeys
from storage.members import Member
from tests.line.kit import Line, until_quiet

WAIT = "What comes next appears here by itself"


class Clock:
    """The bot's clock: it stands still until a test lets time pass."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def passes(line: Line, clock: Clock, time: timedelta) -> None:
    """Time passes at Telegram and at the bot."""
    clock.at += time
    line.rehearsal.clock.advance(time.total_seconds())


@dataclass(frozen=True)
class Report:
    """What a reporter carries home."""

    id: uuid.UUID
    numbers: tuple[int, ...]

    def words(self, lang: str = "en") -> str:
        return " ".join(returnwords.words(self.numbers, lang))


async def has_sent(
    line: Line, person: Person, *, answer_here: bool = False, push: str = "", form: str = "family"
) -> Report:
    """A report of this person, as it is kept after *Send*."""
    address = await person.id()
    given = submission.Given(
        form, 1, "normal", {"language": "en", "form": form, "form_version": 1, "answers": {"answers": []}}, (),
        answer_here=answer_here, address=address, chat=line.app.intake.chat(address), push=push, lang="en",
    )  # fmt: skip
    async with line.app.intake.connections.acquire() as connection, connection.transaction():
        kept = await submission.submit(
            connection,
            uuid.uuid4(),
            given,
            to=line.app.line.compartment(form),
            secret=line.app.intake.secret,
            now=line.app.intake.now(),
        )
    return Report(kept.report, kept.words)


@dataclass
class Desk:
    """Members of the team whom the manifest names, and the relay identity to which they write."""

    line: Line
    url: str
    signers: dict[uuid.UUID, Ed25519PrivateKey] = field(default_factory=dict)

    @classmethod
    async def opens(cls, line: Line, *, members_: int = 2) -> "Desk":
        desk = cls(line, line.team.database.url(roles.CONSOLE))
        keeper = await asyncpg.connect(line.team.database.url(roles.KEEPER))
        try:
            for number in range(members_):
                await desk._joins(keeper, f"member-{number}")
            relay = line.app.line.relay
            assert relay is not None
            named = {
                str(member): MemberKeys(
                    recipient=str(HybridIdentity.generate().recipient),
                    signing_key=key.public_key().public_bytes_raw().hex(),
                )
                for member, key in desk.signers.items()
            }
            before = line.app.trust.current()
            after = before.model_copy(
                update={"serial": before.serial + 1, "members": named, "relay": str(relay.recipient)}
            )
            await manifest.keep(keeper, after, manifest.sign(after, line.team.ceremony))
        finally:
            await keeper.close()
        await line.app.trust.read()
        return desk

    async def _joins(self, keeper: asyncpg.Connection, call_sign: str) -> None:
        member, key = uuid.uuid4(), Ed25519PrivateKey.generate()
        row = Member(
            member, call_sign, "analyst", "age1pq1", key.public_key().public_bytes_raw(), b"", b"", b"",
            totp_step=0, joined_hour=datetime.now(UTC), left_hour=None,
        )  # fmt: skip
        await members.add(keeper, row)
        self.signers[member] = key

    @property
    def swift(self) -> uuid.UUID:
        return next(iter(self.signers))

    async def refusals(self) -> list[tuple[str, str]]:
        """What was refused, as the log tells it: the word and the object."""
        connection = await asyncpg.connect(self.url)
        try:
            rows = await connection.fetch("SELECT leaf FROM custody_leaves ORDER BY id")
        finally:
            await connection.close()
        leaves = [json.loads(row["leaf"]) for row in rows]
        return [(leaf["what"], leaf["object"]) for leaf in leaves if leaf["kind"] == "refused"]

    async def answers(self, report: Report, text: str, key: Ed25519PrivateKey | None = None) -> uuid.UUID:
        """A reply by the first member; signed by another key, if given."""
        desk = engine(self.url)
        try:
            async with desk.begin() as session:
                return await threads.write_reply(
                    session,
                    report.id,
                    text,
                    member=self.swift,
                    key=key or self.signers[self.swift],
                    manifest=self.line.app.trust.current(),
                    now=self.line.app.intake.now(),
                )
        finally:
            await desk.dispose()

    async def agrees_to_shred(self, report: Report, member: uuid.UUID) -> None:
        desk = engine(self.url)
        try:
            async with desk.begin() as session:
                await returning.agree_to_shred(session, report.id, member, self.line.app.intake.now())
        finally:
            await desk.dispose()

    async def closes(self, report: Report) -> None:
        await self.sql(
            "UPDATE reports SET status = 'closed', closed_reason = 'no answer' WHERE id = $1", report.id
        )

    async def sql(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """As the superuser: what a story looks at, or lets happen at the desk."""
        connection = await asyncpg.connect(self.line.team.database.superuser_url)
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def acts(self, report: Report) -> list[str]:
        """The kinds of the custody leaves on a report, in order."""
        connection = await asyncpg.connect(self.line.team.database.superuser_url)
        try:
            return [leaf["kind"] for leaf in await custody.history(connection, str(report.id))]
        finally:
            await connection.close()


async def waits_for_the_answer(
    line: Line, clock: Clock, person: Person, time: timedelta = timedelta(seconds=5)
) -> None:
    await person.sees(WAIT)
    await until_quiet(line)
    passes(line, clock, time)
    await until_quiet(line)


async def comes_back(line: Line, clock: Clock, person: Person, words: str) -> None:
    await person.sends(words)
    await waits_for_the_answer(line, clock, person)


def other_words(report: Report) -> str:
    """Seven words of the list that belong to no report."""
    return " ".join(returnwords.words([(number + 1) % returnwords.COUNT for number in report.numbers], "en"))


async def presses(person: Person, message: int, data: str) -> None:
    """A tap with whatever data, as a client of one's own may send it."""
    own = await person.id()
    sender = {"id": own, "is_bot": False, "first_name": person.name, "language_code": "en"}
    await person.sends_raw(
        {
            "callback_query": {
                "id": uuid.uuid4().hex,
                "from": sender,
                "chat_instance": "1",
                "data": data,
                "message": {
                    "message_id": message,
                    "chat": {"id": own, "type": "private", "first_name": person.name},
                    "date": int(datetime.now(UTC).timestamp()),
                    "text": "-",
                },
            }
        }
    )
    await person.is_heard()


def buttons(card: Shown) -> list[str]:
    return [button.text for row in card.buttons for button in row]
