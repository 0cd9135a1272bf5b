"""The thread as the desk sees it, and the end of a report whose reporter withdrew it; in the caller's transaction.

    thread = await thread_of(session, report)          # thread.answers[0].call_sign, thread.agreements
    await answer(session, row, "…", by=Writer(me, key), manifest=signed, seen=0)

An answer is written for the thread that was seen: if somebody wrote meanwhile, it is not sent (ConflictError).
Agreeing that a report be shredded is possible 14 days after it was withdrawn, or 30 days before its time ends, and can
be taken back until it is done.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import returning, threads
from storage.desk_queue import Row, call_signs
from storage.errors import ConflictError, NotEndingError
from storage.manifest import Manifest
from storage.replies import Reply
from storage.retention import WARNED, HeldForGoodError
from storage.tables import bodies, shred_agreements

AGREE_AFTER = timedelta(days=14)  # since the withdrawal, which may have been under duress (FORMS.md)


class TooEarlyError(ConflictError):
    """A withdrawn report may be shredded 14 days after, another when its time ends; not before."""


class ShreddedError(ConflictError):
    """The report is shredded: nothing can be taken back."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply as it is kept, and its writer's call sign."""

    reply: Reply
    call_sign: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """Who agreed that a withdrawn report be shredded, and in which hour."""

    member: uuid.UUID
    call_sign: str
    hour: datetime


@dataclass(frozen=True, slots=True)
class Thread:
    """A report's replies, oldest first, and the agreements on its end."""

    answers: Sequence[Answer]
    agreements: Sequence[Agreement]


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, and the key they sign with."""

    member: uuid.UUID
    key: Ed25519PrivateKey = field(repr=False)


async def thread_of(session: AsyncConnection, report: uuid.UUID) -> Thread:
    """What was written to a report's reporter; still sealed (`storage.replies.read_reply`)."""
    replies = await threads.written(session, report)
    agreed = (
        await session.execute(
            sa.select(shred_agreements.c.member, shred_agreements.c.agreed_hour)
            .where(shred_agreements.c.report == report)
            .order_by(shred_agreements.c.agreed_hour, shred_agreements.c.member)
        )
    ).all()
    signs = await call_signs(session, {reply.member for reply in replies} | {row.member for row in agreed})
    return Thread(
        [Answer(reply, signs.get(reply.member, "")) for reply in replies],
        [Agreement(row.member, signs.get(row.member, ""), row.agreed_hour) for row in agreed],
    )


async def answer(
    session: AsyncConnection, row: Row, text: str, *, by: Writer, manifest: Manifest, seen: int, now: datetime
) -> uuid.UUID:
    """Writes to the reporter; `row` is locked, `seen` is how many replies the writer saw.

    Raises ConflictError, and what `storage.threads.write_reply` does.
    """
    if len(await threads.written(session, row.id)) != seen:
        raise ConflictError("somebody answered meanwhile")
    return await threads.write_reply(
        session, row.id, text, member=by.member, key=by.key, manifest=manifest, now=now
    )


def agree_from(row: Row) -> datetime | None:
    """From when on members may agree that a report be shredded; None for one that is to stay."""
    if row.withdrawn_hour is not None:
        return row.withdrawn_hour + AGREE_AFTER
    if row.retain_until is not None:
        return datetime.combine(row.retain_until, time(), UTC) - WARNED
    return None


async def agree_to_shred(session: AsyncConnection, row: Row, member: uuid.UUID, now: datetime) -> None:
    """One member agrees. Raises NotEndingError, TooEarlyError, HeldForGoodError, ShreddedError."""
    possible = agree_from(row)
    if possible is None:
        raise NotEndingError("only a report that was withdrawn, or whose time ends, can be shredded")
    if row.hold:
        raise HeldForGoodError("the report is held")
    if now < possible:
        raise TooEarlyError("its time has not come")
    await _must_be_there(session, row)
    await returning.agree_to_shred(session, row.id, member, now)


async def take_back(session: AsyncConnection, row: Row, member: uuid.UUID, now: datetime) -> None:
    """One member takes the agreement back. Raises ShreddedError."""
    await _must_be_there(session, row)
    await returning.take_back_agreement(session, row.id, member, now)


async def _must_be_there(session: AsyncConnection, row: Row) -> None:
    kept = sa.select(sa.exists().where(bodies.c.report == row.id))
    if not await session.scalar(kept):
        raise ShreddedError("the report is shredded")
