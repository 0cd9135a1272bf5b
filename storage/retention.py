"""When a report's time ends: a policy by class and status gives it a last day; a hold stops that; two people end it.

    policy = parse('{"*/closed: hostile": 365}')
    await mark(connection, policy, now)                  # as the keeper: last days are set, and taken away again
    await hold(session, report, "court", by, now)        # as the desk: nothing of it is shredded until it is lifted

The last day is the day on which the policy was first seen to fit, and so many days; it goes when the report is taken
up again, and a changed policy changes no day that is set. The day alone ends nothing: 30 days before, the desk says so,
and the keeper shreds only when the day is past, two members agreed, and nothing holds it (migration 0006).
"""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import custody
from storage.database import Connection
from storage.errors import ConflictError
from storage.tables import CLASSES, CLOSED_REASONS, custody_leaves, reports

Policy = Mapping[str, int]
"""Days by "CLASS/STATUS" or "CLASS/closed: REASON"; "*" stands for every class. The closest one counts."""

DEFAULT: Policy = {"*/closed: out of scope": 365, "*/closed: hostile": 365}
WARNED = timedelta(days=30)  # before the last day
HOLDS = ("court", "investigation", "question")  # why a report is held
LONGEST = 36_500  # days
_PAGE = 500
_ENDING = ("linked", "closed", *(f"closed: {reason}" for reason in CLOSED_REASONS))


class PolicyError(ValueError):
    """The policy is not one; the text says which part, and what may stand there."""


class HeldForGoodError(ConflictError):
    """The report is held: it is not shredded until somebody lifts the hold."""


def parse(text: str) -> Policy:
    """A policy from JSON. Raises PolicyError."""
    try:
        given = json.loads(text)
    except ValueError:
        raise PolicyError("a JSON object is expected") from None
    if not isinstance(given, dict):
        raise PolicyError("a JSON object is expected")
    for key, days in given.items():
        urgency, _, status = key.partition("/")
        if urgency not in ("*", *CLASSES) or status not in _ENDING:
            raise PolicyError(
                f"expected CLASS/STATUS, CLASS one of *, {', '.join(CLASSES)}, STATUS one of {', '.join(_ENDING)}"
            )
        if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= LONGEST:
            raise PolicyError(f"a whole number of days, from 1 to {LONGEST}, is expected")
    return dict(given)


def days_for(policy: Policy, urgency: str, status: str, reason: str | None) -> int | None:
    """How many days a report stays; None: no end is set."""
    for kind in (f"{status}: {reason}", status):
        for who in (urgency, "*"):
            if (days := policy.get(f"{who}/{kind}")) is not None:
                return days
    return None


async def mark(connection: Connection, policy: Policy, now: datetime) -> int:
    """Sets last days, and takes those away that fit no more, each with its leaf; how many. As the keeper."""
    changed, after = 0, uuid.UUID(int=0)
    while rows := await connection.fetch(
        """SELECT id, "class", status, closed_reason, retain_until FROM reports
           WHERE id > $1 AND withdrawn_hour IS NULL AND (retain_until IS NOT NULL OR status = ANY($2))
           ORDER BY id LIMIT $3""",
        after,
        ["linked", "closed"],
        _PAGE,
    ):
        after = rows[-1]["id"]
        for row in rows:
            days = days_for(policy, row["class"], row["status"], row["closed_reason"])
            if (days is None) == (row["retain_until"] is None):
                continue  # as it should be: no end and none due, or an end that stands
            changed += await _set(connection, row["id"], row["status"], days, now)
    return changed


async def _set(
    connection: Connection, report: uuid.UUID, status: str, days: int | None, now: datetime
) -> bool:
    until = None if days is None else now.astimezone(UTC).date() + timedelta(days=days)
    async with connection.transaction():
        found = await connection.fetchval(
            """UPDATE reports SET retain_until = $2
               WHERE id = $1 AND status = $3 AND (retain_until IS NULL) = ($2::date IS NOT NULL) RETURNING true""",
            report,
            until,
            status,
        )
        if found:
            told = until.isoformat() if until else "no end"
            leaf = custody.leaf("retention", at=now, actor="keeper", obj=str(report), until=told)
            await custody.write(connection, leaf)
    return bool(found)


async def hold(session: AsyncConnection, report: uuid.UUID, why: str, by: uuid.UUID, now: datetime) -> None:
    """Holds a report, in the caller's transaction, with its leaf. ValueError for a reason that is none of `HOLDS`."""
    if why not in HOLDS:
        raise ValueError(f"a hold has one of these reasons: {', '.join(HOLDS)}")
    await _held(
        session, report, custody.leaf("hold set", at=now, actor=str(by), obj=str(report), why=why), held=True
    )


async def lift(session: AsyncConnection, report: uuid.UUID, by: uuid.UUID, now: datetime) -> None:
    """Lifts a hold, in the caller's transaction, with its leaf."""
    await _held(
        session, report, custody.leaf("hold lifted", at=now, actor=str(by), obj=str(report)), held=False
    )


async def _held(session: AsyncConnection, report: uuid.UUID, leaf: bytes, *, held: bool) -> None:
    changed = await session.execute(
        sa.update(reports)
        .where(reports.c.id == report, reports.c.hold != held)
        .values(hold=held)
        .returning(reports.c.id)
    )
    if changed.first() is None:
        raise ConflictError("somebody else changed the hold meanwhile")
    await session.execute(sa.insert(custody_leaves).inline().values(leaf=leaf))
