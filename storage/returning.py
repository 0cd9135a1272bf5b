"""Who comes back with the seven words, or from a chat that may be answered: what they may see, and may do.

    found = await find(connection, words_mac(secret, numbers))     # None: wrong, unknown or withdrawn, all the same
    await withdraw(connection, found.report, now)                  # frozen at once; shredded after 14 days by two

Words are found by equality of their keyed hash in one statement, whatever they are: nothing is told by its time.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import custody
from storage.database import Connection
from storage.errors import NotEndingError
from storage.replies import Reply
from storage.tables import custody_leaves, reports, shred_agreements

PublicStatus = Literal["received", "reading", "answer", "closed"]

_COLUMNS = """SELECT r.id, r.status, r.compartment, count(p.id) AS answers,
  count(p.id) FILTER (WHERE p.read_hour IS NULL) AS unread"""
_BY_WORDS = f"""{_COLUMNS} FROM receipts c JOIN reports r ON r.id = c.report LEFT JOIN replies p ON p.report = r.id
WHERE c.words_mac = $1 AND r.withdrawn_hour IS NULL GROUP BY r.id"""
# Of several threads in one chat the one with an unread answer, then the newest.
_BY_CHAT = f"""{_COLUMNS} FROM threads t JOIN reports r ON r.id = t.report LEFT JOIN replies p ON p.report = r.id
WHERE t.chat = $1 AND ($2::uuid IS NULL OR t.report = $2) AND r.withdrawn_hour IS NULL
GROUP BY r.id, t.place
ORDER BY bool_or(p.id IS NOT NULL AND p.read_hour IS NULL) DESC, t.place DESC LIMIT 1"""
_WITHDRAW = """UPDATE reports SET withdrawn_hour = $2, unread = true
WHERE id = $1 AND withdrawn_hour IS NULL RETURNING id"""


@dataclass(frozen=True, slots=True)
class Returned:
    """A report as its reporter may know it. `answers`: how many; `unread` of them."""

    report: uuid.UUID
    status: PublicStatus
    compartment: str
    answers: int
    unread: int


async def find(connection: Connection, words_mac: bytes) -> Returned | None:
    """The report of these words; None when they are wrong, unknown, or of a report that was withdrawn."""
    return _returned(await connection.fetchrow(_BY_WORDS, words_mac))


async def find_by_chat(
    connection: Connection, chat: bytes, report: uuid.UUID | None = None
) -> Returned | None:
    """The report whose answers may be read in this chat without words; `report`: this one alone."""
    return _returned(await connection.fetchrow(_BY_CHAT, chat, report))


def _returned(row: Any) -> Returned | None:
    if row is None:
        return None
    return Returned(
        row["id"],
        public_status(row["status"], unread=row["unread"] > 0),
        row["compartment"],
        row["answers"],
        row["unread"],
    )


def public_status(status: str, *, unread: bool) -> PublicStatus:
    """What a reporter is told of a report's status; never why it was closed, nor that it is linked."""
    if unread:
        return "answer"
    if status == "closed":
        return "closed"
    return "received" if status == "new" else "reading"


async def replies(connection: Connection, report: uuid.UUID) -> Sequence[Reply]:
    """All replies to a report, oldest first; not yet checked (`storage.replies.open_reply`)."""
    rows = await connection.fetch(
        "SELECT id, report, number, member, sealed, signature, written_hour, read_hour, told_at FROM replies"
        " WHERE report = $1 ORDER BY number",
        report,
    )
    return [Reply(*row.values()) for row in rows]


async def mark_read(connection: Connection, reply: uuid.UUID, now: datetime) -> None:
    """A reply was shown; the first time counts."""
    await connection.execute(
        "UPDATE replies SET read_hour = $2 WHERE id = $1 AND read_hour IS NULL", reply, custody.hour(now)
    )


async def withdraw(connection: Connection, report: uuid.UUID, now: datetime) -> bool:
    """Freezes a report at once, with its leaf; its thread ends. False when it was withdrawn before."""
    if await connection.fetchval(_WITHDRAW, report, custody.hour(now)) is None:
        return False
    await connection.execute("DELETE FROM threads WHERE report = $1", report)
    await custody.write(connection, custody.leaf("withdrawn", at=now, actor="bot", obj=str(report)))
    return True


# ---- the end of a withdrawn report ------------------------------------------------------------------


async def agree_to_shred(
    session: AsyncConnection, report: uuid.UUID, member: uuid.UUID, now: datetime
) -> None:
    """One member's agreement, with its leaf, in the caller's transaction; said again it changes nothing.

    Whether this member may is asked before. Raises NotEndingError. The database itself lets bodies and files
    go only when two members agreed, 14 days or the last day have passed, and the report is not held (migration 0006).
    """
    ends = sa.func.coalesce(reports.c.withdrawn_hour, reports.c.retain_until)
    if await session.scalar(sa.select(ends).where(reports.c.id == report).with_for_update()) is None:
        raise NotEndingError("only a report that was withdrawn, or whose time ends, can be shredded")
    mine = sa.select(shred_agreements.c.member).where(
        shred_agreements.c.report == report, shred_agreements.c.member == member
    )
    if await session.scalar(mine) is not None:
        return
    await session.execute(
        sa.insert(shred_agreements).values(report=report, member=member, agreed_hour=custody.hour(now))
    )
    leaf = custody.leaf("agreed to shred", at=now, actor=str(member), obj=str(report))
    await session.execute(sa.insert(custody_leaves).inline().values(leaf=leaf))


async def take_back_agreement(
    session: AsyncConnection, report: uuid.UUID, member: uuid.UUID, now: datetime
) -> bool:
    """Takes one member's agreement back, with its leaf; False when there is none. What is shredded stays shredded."""
    # As `shred_due` does: whoever has the report's row decides first.
    await session.execute(sa.select(reports.c.id).where(reports.c.id == report).with_for_update())
    gone = await session.execute(
        sa.delete(shred_agreements)
        .where(shred_agreements.c.report == report, shred_agreements.c.member == member)
        .returning(shred_agreements.c.member)
    )
    if gone.first() is None:
        return False
    leaf = custody.leaf("took back agreement", at=now, actor=str(member), obj=str(report))
    await session.execute(sa.insert(custody_leaves).inline().values(leaf=leaf))
    return True


async def end_agreements(session: AsyncConnection, report: uuid.UUID, by: uuid.UUID, now: datetime) -> None:
    """Ends what members agreed on, each with its leaf, because the report is taken up again or held, by `by`.

    So two people look at it anew before it is shredded. In the caller's transaction.
    """
    ended = await session.scalars(
        sa.delete(shred_agreements)
        .where(shred_agreements.c.report == report)
        .returning(shred_agreements.c.member)
    )
    for member in ended.all():
        leaf = custody.leaf(
            "took back agreement", at=now, actor=str(by), obj=str(report), agreed_by=str(member)
        )
        await session.execute(sa.insert(custody_leaves).inline().values(leaf=leaf))


async def shred(connection: Connection, now: datetime) -> list[str]:
    """Shreds what is due by the database's clock, with its leaves, in the caller's transaction; as the keeper.

    Returns the blobs to delete after the commit; who is cut off before leaves them to the sweeper.
    """
    blobs: list[str] = []
    for row in await connection.fetch("SELECT report, bodies, blobs FROM shred_due()"):
        blobs += row["blobs"]
        leaf = custody.leaf(
            "shredded",
            at=now,
            actor="keeper",
            obj=str(row["report"]),
            bodies=row["bodies"],
            files=len(row["blobs"]),
        )
        await custody.write(connection, leaf)
    return blobs
