"""A thread between team and reporter: where an answer may be brought, and what the team writes to it.

    linked = await linked(connection, chat)                # whose report this chat may add to; None: a new report
    await open_thread(connection, report, chat=…, address=…, push="Europe/Kyiv", lang="uk", secret=…)
    await write_reply(session, report, "…", member=me, key=signing_key, manifest=manifest, now=now)

The address is sealed under the bot's own secret and stands only while the reporter allows answers here; with it
goes the chat's keyed hash. Of a row of version 1 the sealed value is the address alone.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import custody
from storage.database import Connection, Database
from storage.errors import WithdrawnError
from storage.manifest import Manifest
from storage.replies import Reply, compose
from storage.secrets import ProcessSecret, Row
from storage.tables import custody_leaves, replies, reports

VERSION = 2
_PUT = """INSERT INTO threads (id, report, version, sealed, chat) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (report) DO UPDATE SET id = excluded.id, version = excluded.version, sealed = excluded.sealed,
chat = excluded.chat, ends_on = NULL"""
_LINKED = """SELECT r.id, r.compartment FROM threads t JOIN reports r ON r.id = t.report
WHERE t.chat = $1 AND r.withdrawn_hour IS NULL ORDER BY t.place DESC LIMIT 1"""
_ENDING = """UPDATE threads t SET ends_on = $1 FROM reports r
WHERE r.id = t.report AND r.status = 'closed' AND t.ends_on IS NULL"""
_GOING_ON = """UPDATE threads t SET ends_on = NULL FROM reports r
WHERE r.id = t.report AND r.status <> 'closed' AND t.ends_on IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class Thread:
    """Where to: the chat's `address`; `push` is the IANA zone in whose day one word may come, or ""; `lang`."""

    address: int = field(repr=False)
    push: str = ""
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Linked:
    """A report that a chat may add to without words."""

    report: uuid.UUID
    compartment: str


# ---- the bot's side ---------------------------------------------------------------------------------


def seal_thread(thread: uuid.UUID, report: uuid.UUID, to: Thread, secret: ProcessSecret) -> bytes:
    """The sealed value of a thread's row, at `VERSION`."""
    plain = {"address": to.address, "push": to.push, "lang": to.lang}
    return secret.seal(Row("threads", thread.bytes + report.bytes, VERSION), json.dumps(plain).encode())


def read_thread(row: Any, secret: ProcessSecret) -> Thread:
    """The thread in a row (id, report, version, sealed); SwappedRowError if it is not what was written there."""
    plain = secret.open(Row("threads", row["id"].bytes + row["report"].bytes, row["version"]), row["sealed"])
    value = json.loads(plain)
    return Thread(value) if isinstance(value, int) else Thread(**value)


async def open_thread(
    connection: Connection,
    report: uuid.UUID,
    *,
    chat: bytes,
    address: int,
    push: str,
    lang: str,
    secret: ProcessSecret,
) -> None:
    """From now on an answer may come to this chat; what was said before of this report's chat is replaced."""
    thread = uuid.uuid4()
    sealed = seal_thread(thread, report, Thread(address, push, lang), secret)
    await connection.execute(_PUT, thread, report, VERSION, sealed, chat)


async def end_thread(connection: Connection, report: uuid.UUID) -> None:
    """No answer here any more: address and link go; only the return words remain."""
    await connection.execute("DELETE FROM threads WHERE report = $1", report)


async def linked(connection: Connection, chat: bytes) -> Linked | None:
    """The newest report that this chat is linked to."""
    row = await connection.fetchrow(_LINKED, chat)
    return Linked(row["id"], row["compartment"]) if row else None


async def end_closed(database: Database, today: date, after: timedelta) -> int:
    """Ends the threads of reports that stay closed for this long; how many ended."""
    await database.execute(_GOING_ON)
    await database.execute(_ENDING, today + after)
    return len(await database.fetch("DELETE FROM threads WHERE ends_on <= $1 RETURNING 1", today))


# ---- the team's side --------------------------------------------------------------------------------


async def write_reply(
    session: AsyncConnection,
    report: uuid.UUID,
    text: str,
    *,
    member: uuid.UUID,
    key: Ed25519PrivateKey,
    manifest: Manifest,
    now: datetime,
) -> uuid.UUID:
    """Keeps a signed reply with its leaf, in the caller's transaction, and the report waits for its reporter.

    Whether this member may is asked before. Raises WithdrawnError, NoRelayError, ValueError (`replies.compose`).
    """
    row = (
        await session.execute(
            sa.select(reports.c.compartment, reports.c.withdrawn_hour)
            .where(reports.c.id == report)
            .with_for_update()
        )
    ).one()
    if row.withdrawn_hour is not None:
        raise WithdrawnError("this report was withdrawn: nobody can be answered")
    last = sa.select(sa.func.coalesce(sa.func.max(replies.c.number), 0)).where(replies.c.report == report)
    reply = compose(
        report,
        1 + int(await session.scalar(last) or 0),
        text,
        member=member,
        key=key,
        # The team's own copy is the same file: a thread can be read again at the desk.
        to=[manifest.relay_key(), manifest.compartments[row.compartment].key()],
        now=now,
    )
    await session.execute(
        sa.insert(replies).values(
            id=reply.id, report=report, number=reply.number, member=member, sealed=reply.sealed,
            signature=reply.signature, written_hour=custody.hour(now),
        )
    )  # fmt: skip
    await session.execute(sa.update(reports).where(reports.c.id == report).values(waiting=True))
    leaf = custody.leaf(
        "reply",
        at=now,
        actor=str(member),
        obj=str(report),
        reply=str(reply.id),
        number=reply.number,
        ciphertext_sha256=reply.ciphertext_sha256.hex(),
    )
    await session.execute(sa.insert(custody_leaves).inline().values(leaf=leaf))
    return reply.id


async def written(session: AsyncConnection, report: uuid.UUID) -> Sequence[Reply]:
    """A report's replies, oldest first; `replies.open_reply` opens them with the team's identity."""
    columns = replies.c
    rows = await session.execute(
        sa.select(
            columns.id, columns.report, columns.number, columns.member, columns.sealed, columns.signature,
            columns.written_hour, columns.read_hour, columns.told_at,
        ).where(columns.report == report).order_by(columns.number)
    )  # fmt: skip
    return [Reply(*row) for row in rows.all()]
