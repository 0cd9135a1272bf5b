"""The queue as it is read: clear columns only, by the clock, page after page by key, never row by row.

First come reports whose clock runs, by `due_at`, then class; then those somebody has claimed, by class and hour.
A page costs the same wherever it stands in the queue: the index `reports_by_clock` is walked for each compartment.
What looks scripted stands apart, in the *waiting room*: by the same clock, in an index of its own, until a member
lets it in or claims it.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.tables import CLASSES, members, reports
from storage.triage import Status

RANK = sa.case({name: place for place, name in enumerate(CLASSES)}, value=reports.c["class"])
OVERDUE_SHOWN = 1000  # counted no further


class View(StrEnum):
    """What of the queue is shown."""

    OPEN = "open"
    MINE = "mine"
    CLOSED = "closed"
    WAITING_ROOM = "waiting_room"
    ENDING = "ending"


_BY_CLOCK = (View.OPEN, View.WAITING_ROOM)


@dataclass(frozen=True, slots=True)
class Row:
    """One report's clear columns, with the call signs of who is on it."""

    id: uuid.UUID
    desk_code: str
    form: str
    urgency: str
    status: Status
    closed_reason: str | None
    received_hour: datetime
    due_at: datetime | None
    unread: bool
    compartment: str
    assignee: uuid.UUID | None
    assignee_sign: str | None
    holder: uuid.UUID | None
    holder_sign: str | None
    locked_until: datetime | None
    withdrawn_hour: datetime | None
    retain_until: date | None  # its last day
    hold: bool

    def held_by(self, now: datetime) -> uuid.UUID | None:
        """Who holds it; None once the lock has lapsed."""
        return self.holder if self.locked_until is not None and self.locked_until > now else None


@dataclass(frozen=True, slots=True)
class Key:
    """Where a page ends: the sort key of its last row. `moment` is `due_at`, or the received hour once claimed."""

    claimed: bool
    moment: datetime
    rank: int
    id: uuid.UUID

    def __str__(self) -> str:
        return f"{int(self.claimed)}-{int(self.moment.timestamp())}-{self.rank}-{self.id.hex}"

    @classmethod
    def parse(cls, text: str) -> "Key | None":
        """A key as `str` wrote it; None for anything else."""
        try:
            claimed, moment, rank, report = text.split("-")
            return cls(
                claimed == "1",
                datetime.fromtimestamp(int(moment), UTC),
                int(rank) % len(CLASSES),
                uuid.UUID(hex=report),
            )
        except (ValueError, OverflowError, OSError):
            return None


@dataclass(frozen=True, slots=True)
class Room:
    """The waiting room in a line: how many reports, how many of them critical, and by when the first is due."""

    count: int
    critical: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and the key of the next page if there is one.

    `overdue`: how many clocks have run out, the waiting room's too (at most `OVERDUE_SHOWN` of each).
    """

    rows: Sequence[Row]
    after: Key | None
    overdue: int
    room: Room | None


async def page_rows(
    connection: AsyncConnection,
    member: uuid.UUID,
    compartments: Sequence[str],
    view: View,
    after: Key | None,
    size: int,
    now: datetime,
) -> Page:
    """One page; see `storage.desk.Desk.page`."""
    rows: list[Row] = []
    if view in _BY_CLOCK and (after is None or not after.claimed):
        rows += await _read(connection, _waiting(view, compartments, after, size + 1))
        after = None
    if len(rows) <= size and view != View.WAITING_ROOM:
        rows += await _read(connection, _others(member, compartments, view, after, size + 1 - len(rows)))
    more = len(rows) > size
    rows = rows[:size]
    overdue, count, critical, due_at = (await connection.execute(_sums(compartments, now))).one()
    room = Room(count, critical, due_at) if count else None
    return Page(rows, _key(rows[-1], view) if more else None, overdue, room)


async def one_row(
    connection: AsyncConnection, report: uuid.UUID, compartments: Sequence[str], *, lock: bool
) -> Row | None:
    """One report, if it is in these compartments; `lock` holds its row to the end of the transaction."""
    chosen = _columns(reports).where(reports.c.id == report, reports.c.compartment.in_(compartments))
    if lock:
        chosen = chosen.with_for_update(of=reports)
    return next(iter(await _read(connection, chosen)), None)


async def call_signs(connection: AsyncConnection, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The call signs of members, in one statement."""
    found = await connection.execute(
        sa.select(members.c.id, members.c.call_sign).where(members.c.id.in_(list(ids)))
    )
    return {row.id: row.call_sign for row in found}


def _columns(source: Any) -> sa.Select[Any]:
    """The columns of a `Row`, in its order, from the table or a part of it."""
    assignee, holder = members.alias("assignee_"), members.alias("holder_")
    c = source.c
    return sa.select(
        c.id, c.desk_code, c.form, c["class"], c.status, c.closed_reason, c.received_hour, c.due_at, c.unread,
        c.compartment, c.assignee, assignee.c.call_sign, c.locked_by, holder.c.call_sign, c.locked_until,
        c.withdrawn_hour, c.retain_until, c.hold,
    ).select_from(
        source.outerjoin(assignee, assignee.c.id == c.assignee).outerjoin(holder, holder.c.id == c.locked_by)
    )  # fmt: skip


async def _read(connection: AsyncConnection, query: sa.Select[Any]) -> list[Row]:
    rows = (await connection.execute(query)).all()
    return [Row(*(*row[:4], Status(row[4]), *row[5:])) for row in rows]


def runs(*, room: bool) -> sa.ColumnElement[bool]:
    """Reports whose clock runs, inside the waiting room or outside it; each has its index."""
    inside = reports.c.waiting_room if room else sa.not_(reports.c.waiting_room)
    return sa.and_(reports.c.status != Status.CLOSED, inside, reports.c.due_at.is_not(None))


def _waiting(view: View, compartments: Sequence[str], after: Key | None, limit: int) -> sa.Select[Any]:
    """Open reports whose clock runs: the first of each compartment by index, then the first of these."""
    team = sa.func.unnest(sa.cast(list(compartments), ARRAY(sa.Text))).table_valued("name", name="team")
    first = (
        sa.select(reports, RANK.label("rank"))
        .where(
            reports.c.compartment == team.c.name,
            runs(room=view == View.WAITING_ROOM),
        )
        .order_by(reports.c.due_at, sa.text("rank"), reports.c.id)
        .limit(limit)
    )
    if after is not None:
        first = first.where(
            reports.c.due_at >= after.moment,  # said again for the index, which knows nothing of the rank
            sa.tuple_(reports.c.due_at, RANK, reports.c.id) > sa.tuple_(after.moment, after.rank, after.id),
        )
    part = first.lateral("part")
    merged = (
        sa.select(part)
        .select_from(team.join(part, sa.true()))
        .order_by(part.c.due_at, part.c.rank, part.c.id)
        .limit(limit)
        .subquery("merged")
    )
    return _columns(merged).order_by(merged.c.due_at, merged.c.rank, merged.c.id)


def _others(
    member: uuid.UUID, compartments: Sequence[str], view: View, after: Key | None, limit: int
) -> sa.Select[Any]:
    """Reports whose clock stands: claimed ones by class, or a member's own; closed ones, the newest first."""
    closed = view in (View.CLOSED, View.ENDING)  # the newest first
    query = sa.select(reports, RANK.label("rank")).where(reports.c.compartment.in_(compartments))
    if view == View.ENDING:
        ends = reports.c.withdrawn_hour.is_not(None) | reports.c.retain_until.is_not(None) | reports.c.hold
        query = query.where(ends)
    else:
        query = query.where(
            reports.c.status == Status.CLOSED if closed else reports.c.status != Status.CLOSED
        )
    if view == View.OPEN:
        query = query.where(reports.c.due_at.is_(None))
    elif view == View.MINE:
        query = query.where(reports.c.assignee == member)
    if after is not None:
        if closed:
            key = sa.tuple_(reports.c.received_hour, reports.c.id) < sa.tuple_(after.moment, after.id)
        else:
            key = sa.tuple_(RANK, reports.c.received_hour, reports.c.id) > sa.tuple_(
                after.rank, after.moment, after.id
            )
        query = query.where(key)
    part = query.order_by(*_order(reports, RANK, closed=closed)).limit(limit).subquery("part")
    return _columns(part).order_by(*_order(part, part.c.rank, closed=closed))


def _order(source: Any, rank: Any, *, closed: bool) -> tuple[Any, ...]:
    if closed:
        return source.c.received_hour.desc(), source.c.id.desc()
    return rank, source.c.received_hour, source.c.id


def _sums(compartments: Sequence[str], now: datetime) -> sa.Select[int, int, int, datetime]:
    """How many clocks have run out, and the waiting room: how many, how many critical, the first due."""

    def late(*, room: bool) -> sa.ScalarSelect[Any]:
        some = (
            sa.select(sa.literal(1))
            .select_from(reports)
            .where(reports.c.compartment.in_(compartments), runs(room=room), reports.c.due_at <= now)
            .limit(OVERDUE_SHOWN)
            .subquery()
        )
        return sa.select(sa.func.count()).select_from(some).scalar_subquery()

    critical = sa.func.count().filter(reports.c["class"] == CLASSES[0])
    return sa.select(
        late(room=False) + late(room=True), sa.func.count(), critical, sa.func.min(reports.c.due_at)
    ).where(reports.c.compartment.in_(compartments), runs(room=True))


def _key(row: Row, view: View) -> Key:
    waiting = view in _BY_CLOCK and row.due_at is not None
    moment = row.due_at if waiting and row.due_at is not None else row.received_hour
    return Key(not waiting, moment, CLASSES.index(row.urgency), row.id)
