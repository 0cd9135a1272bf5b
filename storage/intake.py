"""One update's transaction: the chat's row is locked, the update is taken once, and what it changes is kept whole.

    async with intake.take(update_id, chat_id) as visit:
        if visit is not None:              # None: this update was taken before
            visit.draft = …                # what the handlers decide, in memory
            visit.send(Outgoing(…))
    # committed: acknowledge to Telegram, then send

Nothing here is readable in the database: drafts, message ids, outgoing messages and downloads are sealed under
the day's secret; a chat is known by a keyed hash only.
"""

import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import structlog

from storage.custody import hour
from storage.database import UNAVAILABLE, Connection
from storage.errors import LapsedError, SwappedRowError
from storage.secrets import DaySealed, DaySecrets, ProcessSecret, Row

log = structlog.get_logger()

SWEEP_AFTER = timedelta(hours=46)  # Telegram lets a bot delete until 48 h; we sweep before 47 h, always
LEASE = timedelta(seconds=10)  # renewed while it is used: how long others wait for a process that died

# Takes the update if it is new (none: NULL), locks the chat's row and reads what the chat holds; the function is in
# the migrations. Its first row is 'open'; no row at all: the update was taken before.
_OPEN = "SELECT what, id, active, version, day, salt, sealed FROM open_chat($1, $2, $3, $4)"
_SET_ASIDE = "UPDATE drafts SET active = false WHERE id = ANY($1) AND active"
_PUT_DRAFT = """INSERT INTO drafts (id, chat, active, version, day, salt, sealed, expires_on)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET active = excluded.active,
version = excluded.version, day = excluded.day, salt = excluded.salt, sealed = excluded.sealed,
expires_on = excluded.expires_on"""
_PUT_IDS = """INSERT INTO message_ids (chat, version, day, salt, sealed, sweep_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (chat) DO UPDATE SET version = excluded.version, day = excluded.day, salt = excluded.salt,
sealed = excluded.sealed, sweep_at = excluded.sweep_at"""
_PUT_OUTGOING = """INSERT INTO outgoing (id, chat, version, day, salt, sealed, not_before, sender, leased_until)
VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8)"""
_PUT_BOTH = f"""WITH draft AS ({_PUT_DRAFT})
INSERT INTO outgoing (id, chat, version, day, salt, sealed, not_before, sender, leased_until)
VALUES ($9, $10, 1, $11, $12, $13, $14, $15, $16)"""  # noqa: S608 -- constants only
_PUT_DOWNLOAD = """INSERT INTO downloads (id, chat, version, day, salt, sealed, not_before, leased_until)
VALUES ($1, $2, 1, $3, $4, $5, $6, $7)"""


@dataclass(slots=True)
class Draft:
    """A report being given. `data` is JSON: the interview, what came before it, and its files.

    Or a visit with the seven words (`data["back"]`): alone, it is forgotten the next day.
    """

    id: uuid.UUID
    data: dict[str, Any]
    active: bool = True
    version: int = 0

    def expires_on(self, today: date, ttl: timedelta) -> date:
        """When it is forgotten, if it is not written again."""
        passing = "back" in self.data and not (self.data["early"] or self.data["files"])
        return today + (timedelta(days=1) if passing else ttl)


@dataclass(slots=True)
class MessageIds:
    """What of ours and theirs stands in a chat: the card that is edited, and every id with its time (unix s).

    `albums`: by Telegram's id, of each album that a sent report has pictures of: [report, compartment, until (unix s)].
    `receipt`: the last receipt that got a card below it; no late tap on it takes it away.
    `asked`: when seven words were last written here, right or wrong (unix s): the next answer comes slower.
    """

    address: int | None = None
    card: int | None = None
    tag: str = ""
    ids: dict[int, float] = field(default_factory=dict)
    version: int = 0
    asked: list[float] = field(default_factory=list)
    receipt: int | None = None
    albums: dict[str, tuple[str, str, float]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it is sealed."""
        return {
            "address": self.address,
            "card": self.card,
            "tag": self.tag,
            "ids": sorted(self.ids.items()),
            "asked": self.asked,
            "receipt": self.receipt,
            "albums": dict(self.albums),
        }

    @property
    def sweep_at(self) -> datetime | None:
        """When the oldest message has to go; while none stands, when words written here are to be forgotten."""
        oldest = min(self.ids.values()) if self.ids else max(self.asked, default=None)
        return datetime.fromtimestamp(oldest, UTC) + SWEEP_AFTER if oldest is not None else None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One thing to do in a chat after the commit. JSON-able; `to` is the chat's address.

    show: {"text", "buttons", "tag"}: the card; edited in place unless `fresh`. None and `fresh`: the chat is swept,
    and no card that was asked for before is shown any more.
    delete: message ids to remove.  only_if: act only while the card carries this tag.
    beside: a receipt that stands, or is on its way, is not replaced by this card.
    """

    to: int
    show: dict[str, Any] | None = None
    fresh: bool = False
    delete: tuple[int, ...] = ()
    only_if: str = ""
    beside: bool = False

    def to_json(self) -> dict[str, Any]:
        """As it is sealed."""
        return {
            "to": self.to,
            "show": self.show,
            "fresh": self.fresh,
            "delete": self.delete,
            "only_if": self.only_if,
            "beside": self.beside,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Outgoing":
        """As it was sealed."""
        return cls(
            data["to"],
            data["show"],
            data["fresh"],
            tuple(data["delete"]),
            data["only_if"],
            data.get("beside", False),
        )


def together(several: Sequence[Outgoing]) -> Outgoing:
    """Several things for one chat as one: the last card is what counts, and everything deleted is deleted."""
    shown = [one for one in several if one.show is not None]
    return Outgoing(
        several[0].to,
        show=shown[-1].show if shown else None,
        fresh=any(one.fresh for one in (shown or several)),
        delete=tuple(dict.fromkeys(message for one in several for message in one.delete)),
        beside=bool(shown) and shown[-1].beside,
    )


@dataclass(slots=True)
class Queued:
    """An outgoing message as it is kept: its row and what to do."""

    id: uuid.UUID
    chat: bytes
    outgoing: Outgoing


class Visit:
    """What one update finds in its chat, and what it leaves there. Filled in memory, kept in one transaction."""

    def __init__(self, chat: bytes, address: int, connection: Connection) -> None:
        self.chat = chat
        self.address = address
        self.connection = connection
        self.draft: Draft | None = None
        self.hidden: list[Draft] = []
        self.messages = MessageIds()
        self.queue_is_empty = True
        self.may_send = True
        self.waiting_room = False  # what is sent now looks scripted
        self.queued: list[Queued] = []
        self.downloads: dict[uuid.UUID, dict[str, Any]] = {}
        self.outgoing: list[tuple[Outgoing, datetime | None]] = []
        self.changed: dict[uuid.UUID, Draft] = {}
        self.shredded: set[uuid.UUID] = set()
        self.ids_before: dict[str, Any] = {}

    def send(self, outgoing: Outgoing, *, at: datetime | None = None) -> None:
        """After the commit, or not before `at`."""
        self.outgoing.append((outgoing, at))

    def keep(self, draft: Draft) -> None:
        """Writes a draft anew at the end of this visit."""
        self.changed[draft.id] = draft

    def shred(self, draft: Draft) -> None:
        """Deletes a draft at the end of this visit."""
        self.changed.pop(draft.id, None)
        self.shredded.add(draft.id)
        if self.draft is draft:
            self.draft = None
        self.hidden = [other for other in self.hidden if other.id != draft.id]


class Intake:
    """Opens and keeps visits. Built once a process."""

    def __init__(
        self,
        connections: asyncpg.Pool,
        secret: ProcessSecret,
        days: DaySecrets,
        *,
        now: Callable[[], datetime],
        draft_ttl: timedelta,
    ) -> None:
        self.connections = connections
        self.secret = secret
        self.days = days
        self.now = now
        self.draft_ttl = draft_ttl
        self.process = uuid.uuid4()
        self.in_hand: set[uuid.UUID] = set()  # what this process is sending at this moment
        # Chats where something of this process may lie committed and unsent: nothing may be sent past it.
        self.unsure: set[bytes] = set()

    def chat(self, address: int) -> bytes:
        """A chat's name in the store: a keyed hash of its address."""
        return self.secret.mac("chat", str(address).encode())

    def update_mac(self, update_id: int) -> bytes:
        """An update's name in the store."""
        return self.secret.mac("update", str(update_id).encode())

    @contextlib.asynccontextmanager
    async def take(self, update_id: int, address: int) -> AsyncIterator[Visit | None]:
        """A visit for an update, once; None when it was taken before. Kept at the end unless it raises."""
        chat = self.chat(address)
        async with self._transaction(chat) as connection:
            visit = await self._open(connection, chat, address, self.update_mac(update_id))
            yield visit
            if visit is None:
                return
            await self._keep(visit)

    @contextlib.asynccontextmanager
    async def visit(self, chat: bytes, address: int) -> AsyncIterator[Visit]:
        """A visit that no update asked for: a finished download, a sweep."""
        async with self._transaction(chat) as connection:
            visit = await self._open(connection, chat, address)
            assert visit is not None, "no update was asked for"
            yield visit
            await self._keep(visit)

    @contextlib.asynccontextmanager
    async def _transaction(self, chat: bytes) -> AsyncIterator[Connection]:
        try:
            async with self.connections.acquire() as connection, connection.transaction():
                yield connection
        except UNAVAILABLE:
            self.unsure.add(chat)  # the connection may have ended after the commit
            raise

    async def _open(
        self, connection: Connection, chat: bytes, address: int, update_mac: bytes | None = None
    ) -> Visit | None:
        now = self.now()
        rows = await connection.fetch(_OPEN, chat, now, update_mac, hour(now))
        if not rows:
            return None
        visit = Visit(chat, address, connection)
        closed = []
        for row in rows[1:]:
            if row["what"] == "queued":
                visit.queue_is_empty = False
                # Only behind what this process is sending at this moment: nothing may pass what waits.
                visit.may_send = visit.may_send and row["id"] in self.in_hand
            elif row["what"] == "ids":
                visit.messages = self.open_ids(chat, row)
            else:
                draft = self._open_draft(chat, row)
                if draft is None:
                    closed.append(row["id"])
                elif draft.active:
                    visit.draft = draft
                else:
                    visit.hidden.append(draft)
        if closed:  # the chat goes on without them
            await connection.execute(_SET_ASIDE, closed)
        visit.ids_before = visit.messages.to_json()
        return visit

    def _open_draft(self, chat: bytes, row: Any) -> Draft | None:
        """A draft, or None: its lifetime is over, or the row is not what was written here."""
        try:
            plain = self.days.open(Row("drafts", row["id"].bytes + chat, row["version"]), day_sealed(row))
        except (LapsedError, SwappedRowError) as error:
            log.error("row_refused", table="drafts", row=str(row["id"]), error=type(error).__name__)
            return None
        return Draft(row["id"], json.loads(plain), row["active"], row["version"])

    def open_ids(self, chat: bytes, row: Any) -> MessageIds:
        """The message ids of a chat; none when the day's secret is gone, or the row is not what was written."""
        try:
            plain = json.loads(self.days.open(Row("message_ids", chat, row["version"]), day_sealed(row)))
        except (LapsedError, SwappedRowError) as error:
            log.error("row_refused", table="message_ids", error=type(error).__name__)
            return MessageIds(version=row["version"])
        return MessageIds(
            plain["address"],
            plain["card"],
            plain["tag"],
            {int(i): t for i, t in plain["ids"]},
            row["version"],
            plain.get("asked", []),
            plain.get("receipt"),
            plain.get("albums", {}),
        )

    async def _keep(self, visit: Visit) -> None:
        connection, today = visit.connection, self.now().date()
        if visit.shredded:
            await connection.execute("DELETE FROM drafts WHERE id = ANY($1)", list(visit.shredded))
        now_due = [outgoing for outgoing, at in visit.outgoing if at is None]
        if len(visit.changed) == 1 and now_due:  # nearly always: one answer, one card
            (draft,) = visit.changed.values()
            kept = self._sealed_draft(visit.chat, draft, today)
            sent = self._sealed_outgoing(visit, together(now_due), None, today)
            await connection.execute(_PUT_BOTH, *kept, *sent)
            now_due = []
        else:
            # The one that stops being active is written first: a chat has one active draft at any moment.
            for draft in sorted(visit.changed.values(), key=lambda d: d.active):
                await connection.execute(_PUT_DRAFT, *self._sealed_draft(visit.chat, draft, today))
        if visit.messages.to_json() != visit.ids_before:
            visit.messages.address = visit.address
            await self.put_ids(connection, visit.chat, visit.messages, today)
        for file, job in visit.downloads.items():
            value = self.days.seal(
                today, Row("downloads", file.bytes + visit.chat, 1), json.dumps(job).encode()
            )
            await connection.execute(
                _PUT_DOWNLOAD,
                file,
                visit.chat,
                value.day,
                value.salt,
                value.sealed,
                self.now(),
                self.now() + LEASE,
            )
        if now_due:
            sent = self._sealed_outgoing(visit, together(now_due), None, today)
            await connection.execute(_PUT_OUTGOING, *sent)
        for outgoing, at in visit.outgoing:
            if at is not None:
                await connection.execute(_PUT_OUTGOING, *self._sealed_outgoing(visit, outgoing, at, today))

    def _sealed_draft(self, chat: bytes, draft: Draft, today: date) -> tuple[Any, ...]:
        """A draft's columns, in the order of `_PUT_DRAFT`."""
        draft.version += 1
        plain = json.dumps(draft.data, ensure_ascii=False).encode()
        value = self.days.seal(today, Row("drafts", draft.id.bytes + chat, draft.version), plain)
        expires_on = draft.expires_on(today, self.draft_ttl)
        return draft.id, chat, draft.active, draft.version, value.day, value.salt, value.sealed, expires_on

    async def put_ids(self, connection: Connection, chat: bytes, messages: MessageIds, today: date) -> None:
        """Writes a chat's message ids anew."""
        messages.version += 1
        plain = json.dumps(messages.to_json()).encode()
        value = self.days.seal(today, Row("message_ids", chat, messages.version), plain)
        await connection.execute(
            _PUT_IDS, chat, messages.version, value.day, value.salt, value.sealed, messages.sweep_at
        )

    def _sealed_outgoing(
        self, visit: Visit, outgoing: Outgoing, at: datetime | None, today: date
    ) -> tuple[Any, ...]:
        """The columns of an outgoing message, in the order of `_PUT_OUTGOING`."""
        queued = Queued(uuid.uuid4(), visit.chat, outgoing)
        plain = json.dumps(outgoing.to_json(), ensure_ascii=False).encode()
        value = self.days.seal(today, Row("outgoing", queued.id.bytes + visit.chat, 1), plain)
        # Unless another process is sending in this chat: then it goes on with this when it is done.
        mine = at is None and visit.may_send
        if mine:
            visit.queued.append(queued)
        sender, leased_until = (self.process, self.now() + LEASE) if mine else (None, None)
        return (
            queued.id, visit.chat, value.day, value.salt, value.sealed, at or self.now(), sender, leased_until,
        )  # fmt: skip


def day_sealed(row: Any) -> DaySealed:
    """The day-sealed columns of a row."""
    return DaySealed(row["day"], row["salt"], row["sealed"])
