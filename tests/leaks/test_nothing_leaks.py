"""The database with its WAL, the blobs and all logs at DEBUG, copied by somebody without a key, tell nothing."""

import asyncio
import contextlib
import hashlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from rehearsal.driver import Person
from rehearsal.server import Rehearsal
from storage import local, roles, setup
from storage.blobs import Blobs
from tests.conftest import PASSWORDS, Database
from tests.leaks.needles import Needle, forms, search
from tests.line import stories
from tests.line.kit import TOKEN, Team

PROJECT = Path(__file__).parents[2]
START_WITHIN_S = 60
GREETING = "Please choose a language."

# What people tell: invented, and found nowhere else by chance.
SAID = {
    "a child": "Kvitoslava Nezabudko",
    "a child at first": "Kvitoslawa",
    "a child in Cyrillic": "Мирослава Вигаданко-Тиха",
    "a place": "інтернат за річкою Бистриця-Небувала",
    "a village": "Vyhadanka-Zarichna",
    "a date": "the second week of September 2022",
    "urgent words": "їх вивозять автобусом о п'ятій до Неіснівська",
    "words before a language": "I write from the cellar of Prymarna street",
    "a child's own words": "my own room number is four hundred and eleven",
    "an early file's caption": "picture of the gate at Lisova Vyhadka",
    "a caption": "she stands third from the left near the poplar",
    "words kept beside": "neighbour Zachariia saw the grey minibus",
    "words erased": "the nurse was called Pelahiia Erasynska",
    "words hidden": "Bohdanko Skhovanyi",
    "forwarded words": "seen yesterday near Kazkove-on-Don",
    "poison": "a poisoned message about Otruienko",
    "a forwarder": "Vsevolod Pereslanyi",
}
NAMES = {
    "first": "Zenobiia-Amaliia",
    "second": "Ahapiia-Vira",
    "third": "Teofil-Khoma",
    "fourth": "Yarema-Ostap",
}
FILES = {
    "dozvil-na-vyizd-kvitoslavy.pdf": b"%PDF-1.4 invented: a permission signed by Hlafira Pidpysna ",
    "список класу 7-Б Вигаданка.xlsx": "учениця Мирослава Вигаданко-Тиха, 7-Б клас. ".encode() * 9,
    "erased-letter-from-grandmother.txt": b"the grandmother of Lysaveta Stertenko writes ",
    "gate-photo-of-the-camp.jpg": b"not even a picture of the gate in Brama-Nova ",
    "late-certificate.pdf": b"a certificate of Tymofii Zapizniuk, on its way for long ",
}
VOICE = b"OggS the voice of Oksana Holosna "
POINT = (47.123456, 35.987654)


@dataclass
class House:
    """A whole line of its own, with processes for the bot and the keeper, whose every output is kept."""

    folder: Path
    database: Database
    rehearsal: Rehearsal
    team: Team
    learned: list[Needle] = field(default_factory=list)

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def kept(self) -> list[Path]:
        """What somebody with the disk of the store could copy. Not the bot's own secrets: they stand elsewhere."""
        postgres = self.folder / "postgres"
        return [postgres / "data", postgres / "log", self.folder / "line" / "blobs", self.logs]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "DODOMU_BOT_TOKEN": TOKEN,
            "DODOMU_API_BASE": self.rehearsal.url,
            "DODOMU_STATE": str(self.folder / "line"),
            "DODOMU_CEREMONY_KEY": self.team.ceremony.public_key().public_bytes_raw().hex(),
            "DODOMU_BOT_DATABASE_URL": self.database.url(roles.BOT),
            "DODOMU_KEEPER_DATABASE_URL": self.database.url(roles.KEEPER),
            "DODOMU_LOG_LEVEL": "DEBUG",
            "PYTHONASYNCIODEBUG": "1",  # asyncio itself would tell most then
        }

    def person(self, which: str) -> Person:
        return self.rehearsal.person(NAMES[which], language="en")

    async def starts(self, name: str, *command: str) -> asyncio.subprocess.Process:
        with (self.logs / f"{name}.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", *command, cwd=PROJECT, env=self.environment, stdout=log, stderr=log
            )

    @contextlib.asynccontextmanager
    async def process(self, name: str, *command: str) -> AsyncIterator[None]:
        """A process of the line; asked to stop at the end."""
        process = await self.starts(name, *command)
        try:
            yield
        finally:
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 30) == 0

    async def asks(self, question: str) -> Any:
        connection = await asyncpg.connect(self.database.superuser_url)
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    (tmp_path / "logs").mkdir()
    with local.acquire(tmp_path / "postgres") as server:
        await setup.prepare(server.superuser_url(), "dodomu", PASSWORDS)
        database = Database(server, "dodomu")
        team = Team(database)
        await team.holds_ceremony()
        async with Rehearsal([TOKEN]) as rehearsal:
            rehearsal.driver.timeout_s = 90
            yield House(tmp_path, database, rehearsal, team)


async def until(true: Callable[[], Awaitable[bool]], within_s: float = 60) -> None:
    async with asyncio.timeout(within_s):
        while not await true():  # noqa: ASYNC110 - what a database holds sets no event
            await asyncio.sleep(0.05)


# ---- what people do ---------------------------------------------------------------------------------


async def tells_everything(house: House) -> None:
    """Names, dates, places, an edit, a point, an album with a caption, a file, a voice, words kept beside; sent."""
    person = house.person("first")
    await stories.begins(person)
    await person.sends(SAID["words kept beside"])
    await person.sees("Your words are kept.")
    await stories.tells_the_core(person, name=SAID["a child"])
    await person.taps("Back")
    await person.sees("When was the child taken?")
    await person.sends(SAID["a date"])
    await person.shares_location(*POINT)
    await person.sends_album([stories.picture("teal"), stories.picture("olive")], SAID["a caption"])
    await person.sees("files: 2")
    name, content = next(iter(FILES.items()))
    await person.sends_file(name, content)
    await person.sees("files: 3")
    await person.sends_voice(VOICE)
    await person.sees("files: 4")
    await person.taps("Done")
    await stories.shares(person)
    await learns(house, await stories.sends_it(person))


async def hides_and_erases(house: House) -> None:
    """Hidden, asked for with wrong words, brought back, sent; then another begun with a file and erased."""
    person = house.person("second")
    await stories.begins(person)
    await stories.tells_the_core(person, name=SAID["words hidden"])
    await person.taps("Hide")
    words = (await person.sees_popup("To come back")).partition("write here: ")[2].partition(".")[0]
    house.learned.append(Needle("the words to come back to a draft", words))
    await person.sees(GREETING)
    await person.sends("lantern river")
    await person.sends(words)
    await person.sees("send as many as you have")
    name, content = list(FILES.items())[1]
    await person.sends_file(name, content, caption=SAID["a child in Cyrillic"])
    await person.sees("files: 1")
    await person.taps("Done")
    await stories.shares(person, answer="No, I will come with the words")
    await learns(house, await stories.sends_it(person))
    await person.taps("I have the words, clear this chat")
    await stories.begins(person)
    await stories.tells_the_core(person, name=SAID["words erased"])
    name, content = list(FILES.items())[2]
    await person.sends_file(name, content)
    await person.sees("files: 1")
    await person.sends("erase")
    await person.sees(GREETING)
    await person.sees_only(1)


async def is_under_18(house: House) -> None:
    person = house.person("third")
    await person.sends(SAID["words before a language"])
    name, content = list(FILES.items())[3]
    await person.sends_file(name, content, caption=SAID["an early file's caption"])
    await person.sends(SAID["a child's own words"])
    await person.is_heard()
    await person.taps("English")
    await person.taps("I am under 18")
    await person.sees("116 111")


async def is_in_danger(house: House) -> None:
    """Critical words and a place that was edited; a message that cannot be read; a file that comes after sending."""
    person = house.person("fourth")
    own = await person.id()
    await stories.begins(person)
    await person.taps("My family, or in my care")
    await person.taps("About to be moved, or in danger")
    await person.sends(SAID["urgent words"])
    await person.taps("Add more")
    sent = await person.sends(SAID["a child at first"])
    with contextlib.suppress(Exception):  # the message may be gone before it is edited
        await person.edits(sent, SAID["a child in Cyrillic"])
    base = {
        "chat": {"id": own, "type": "private", "first_name": person.name},
        "from": {"id": own, "is_bot": False, "first_name": person.name, "language_code": "en"},
    }
    origin = {"type": "hidden_user", "sender_user_name": SAID["a forwarder"], "date": 1_700_000_000}
    await person.sends_raw(
        {
            "message": {
                **base,
                "message_id": 9001,
                "date": 1_700_000_000,
                "text": SAID["forwarded words"],
                "forward_origin": origin,
            }
        }
    )
    await person.sends_raw({"message": {**base, "message_id": 9002, "date": "never", "text": SAID["poison"]}})
    await person.sees("This message could not be read yet.")
    await person.sends_sticker()
    await person.is_heard()
    chat = [await house.rehearsal.driver.fault("server_error", method="file", chat=None)]
    name, content = list(FILES.items())[4]
    await person.sends_file(name, content)
    await person.sees("Kept.")
    await person.taps("Send now")
    await learns(house, await stories.sees_receipt(person))
    await house.rehearsal.driver.ask("DELETE", "faults", params={"id": str(chat[0]["id"])})


async def learns(house: House, receipt: stories.Receipt) -> None:
    house.learned.append(Needle("return words", receipt.words))
    house.learned.append(Needle("a receipt's code", receipt.code))


# ---- what is looked for --------------------------------------------------------------------------------


async def needles(house: House) -> list[Needle]:
    """Everything that people told or were told, who they are, and every secret of the line."""
    found = [Needle(what, words) for what, words in SAID.items()]
    found += [Needle("a person", name) for name in NAMES.values()]
    found += [Needle("a file's name", name) for name in FILES]
    found += [Needle(f"the content of {name}", content[:40]) for name, content in FILES.items()]
    found.append(Needle("a voice", VOICE))
    found += [Needle("a point", f"{degrees:.4f}"[:-1]) for degrees in POINT]
    for name, content in FILES.items():
        digest = hashlib.sha256(content)
        found.append(Needle(f"the SHA-256 of {name}", digest.digest()))
    for which in NAMES:
        own = await house.person(which).id()
        found += [Needle("a chat's id", str(own)), Needle("a chat's id, 8 bytes", own.to_bytes(8, "big"))]
        found.append(Needle("a chat's id, 8 bytes, little end first", own.to_bytes(8, "little")))
    found += [Needle("the bot's token", TOKEN), Needle("half of the token", TOKEN.partition(":")[2])]
    found += [Needle("a role's password", PASSWORDS[role]) for role in roles.LOGIN_ROLES]
    found.append(Needle("the team's identity", house.team.identity.reveal()))
    found.append(Needle("the ceremony key", house.team.ceremony.private_bytes_raw()))
    own = house.folder / "line" / "bot"
    found += [
        Needle("a secret of the bot", path.read_bytes())
        for path in (own / "secret", *(own / "days").iterdir())
    ]
    return found + house.learned


async def test_neither_store_nor_logs_tell_anything(house: House) -> None:
    faults = house.rehearsal.driver
    async with house.process("keeper", "admin", "keeper"), house.process("bot", "bot"):
        await house.person("first").id()
        for kind, fields in (
            ("too_many_requests", {"probability": 0.03, "retry_after_s": 1}),
            ("server_error", {"probability": 0.05}),
            ("cut", {"probability": 0.03}),
            ("duplicate", {"probability": 0.1}),
        ):
            await faults.fault(kind, **fields)
        async with asyncio.timeout(START_WITHIN_S * 3):
            async with asyncio.TaskGroup() as group:
                for story in (tells_everything, hides_and_erases, is_under_18, is_in_danger):
                    group.create_task(story(house))
        await faults.clear_faults()
        # What is still on its way arrives: files join their reports, and nothing waits to be sent.
        await until(lambda: _none(house, "SELECT count(*) FROM downloads"))
        await until(lambda: _none(house, "SELECT count(*) FROM outgoing WHERE not_before <= now()"))
        await until(
            lambda: _none(
                house, "SELECT count(*) FROM custody_leaves l LEFT JOIN custody_sequence s ON s.leaf = l.id"
                " WHERE s.leaf IS NULL"
            )
        )  # fmt: skip
    await shows_parked(house)
    reports = await house.team.reports()
    assert len(reports) == 3
    assert await house.asks("SELECT count(*) FROM parked") == 1
    await is_all_there(house, reports)

    await house.asks("CHECKPOINT")
    looked_for = await needles(house)
    hits = [hit for hit in search(house.kept, looked_for) if not may_stand(house, hit.what, hit.file)]
    assert hits == []
    # The code is the one thing that a reporter holds and the store knows, as `public_code`; no log does.
    assert {hit.what for hit in search([house.logs, house.folder / "postgres" / "log"], looked_for)} == set()
    assert sum(path.stat().st_size for path in house.logs.iterdir()) > 0

    await the_search_would_have_found_it(house)


async def _none(house: House, question: str) -> bool:
    return await house.asks(question) == 0


async def shows_parked(house: House) -> None:
    """The command that shows what was parked tells its shape only; its output is searched like a log."""
    process = await house.starts("parked", "bot", "parked", "--retry")
    assert await asyncio.wait_for(process.wait(), START_WITHIN_S) == 0
    assert "0 taken, 1 still parked" in (house.logs / "parked.log").read_text()


async def is_all_there(house: House, reports: list[dict[str, Any]]) -> None:
    """With the key all of it opens: it is sealed, not missing."""
    told = repr(reports)
    for what in (
        "a child",
        "a child in Cyrillic",
        "urgent words",
        "words hidden",
        "a caption",
        "forwarded words",
    ):
        assert SAID[what] in told, what
    blobs = Blobs.open(str(house.folder / "line" / "blobs"))
    entries = [
        file
        for report in reports
        for part in (report, *report["additions"])
        for file in part["files"]
        if file["name"]
    ]
    originals = {entry["name"]: await house.team.file(entry, blobs) for entry in entries}
    sent = {name: content for place, (name, content) in enumerate(FILES.items()) if place in {0, 1, 4}}
    assert originals == sent


def may_stand(house: House, what: str, file: str) -> bool:
    return what == "a receipt's code" and file.startswith(str(house.folder / "postgres" / "data"))


async def the_search_would_have_found_it(house: House) -> None:
    """One word is now written into the same database in every form, deleted again, and found in the same search."""
    planted = Needle("planted", "Пелагія Підкладена-Marker")
    connection = await asyncpg.connect(house.database.superuser_url)
    try:
        await connection.execute("CREATE TABLE planted (form text, value bytea)")
        await connection.executemany(
            "INSERT INTO planted VALUES ($1, $2)",
            [(form, b"before " + data + b" after") for form, data in forms(planted.value).items()],
        )
        await connection.execute("DELETE FROM planted")
        with contextlib.suppress(asyncpg.PostgresError):
            await connection.execute("SELECT $1::integer", planted.value)
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
    (house.folder / "line" / "blobs" / "planted").write_bytes(forms(planted.value)["plain"])
    hits = search(house.kept, [planted])
    assert {hit.form for hit in hits} == set(forms(planted.value))
    places = {Path(hit.file).relative_to(house.folder).parts[:3] for hit in hits}
    assert ("postgres", "data", "pg_wal") in places
    assert ("postgres", "data", "base") in places
    assert ("line", "blobs", "planted") in places
    # PostgreSQL's own log kept silent about a statement that failed with this word in it.
    assert search([house.folder / "postgres" / "log"], [planted]) == []
