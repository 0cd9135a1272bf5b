"""The desk: the queue by the clock, who holds a report; every act with its custody leaf in one transaction.

    desk = Desk(engine(url), now=clock, holds=timedelta(minutes=30))
    page = await desk.page(["team"], View.OPEN, me, after=None)
    await desk.claim(page.rows[0].id, me)

One member holds a report at a time: `locked_by` until `locked_until`, renewed on use. `assignee` is who took it last
and stays when a lock lapses. Nothing here opens anything.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as QueueFullError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage import attendance, custody, desk_thread, manifest, retention, returning, triage
from storage.database import UNAVAILABLE
from storage.desk_material import FileRow, Material, SealedRow, material_of
from storage.desk_queue import RANK, Key, Page, Row, View, call_signs, one_row, page_rows, runs
from storage.errors import ConflictError, StorageError
from storage.manifest import Manifest, SeenSerial
from storage.refusals import Refusal
from storage.setup import sqlalchemy_url
from storage.tables import bodies, custody_leaves, reports
from storage.triage import Status, Step

__all__ = [
    "Desk",
    "FileRow",
    "HeldError",
    "Key",
    "Material",
    "NoSuchReportError",
    "Page",
    "Row",
    "SealedRow",
    "View",
    "Who",
    "engine",
    "unavailable",
]

POOL_SIZE = 8  # connections a process (DESIGN: ≤ 8)


class NoSuchReportError(StorageError):
    """There is no such report in the compartments of this member."""


class HeldError(ConflictError):
    """Someone else holds this report; `holder` is their call sign."""

    def __init__(self, holder: str) -> None:
        super().__init__("someone else holds this report")
        self.holder = holder


@dataclass(frozen=True, slots=True)
class Who:
    """Who acts, and the compartments whose team key they hold."""

    member: uuid.UUID
    compartments: tuple[str, ...]


def engine(url: str, *, size: int = POOL_SIZE) -> AsyncEngine:
    """A process's engine. Parameters are never shown in errors."""
    return create_async_engine(
        sqlalchemy_url(url),
        hide_parameters=True,
        pool_size=size,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"command_timeout": 30, "timeout": 10},
    )


def unavailable(error: Exception) -> bool:
    """Whether this says that the database is down, restarting or cut off: wait and try again."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return isinstance(error, (*UNAVAILABLE, QueueFullError))


class Desk:
    """Reads and acts as the console's role. `holds` is how long a lock lasts without use."""

    def __init__(self, database: AsyncEngine, *, now: Callable[[], datetime], holds: timedelta) -> None:
        self._database = database
        self._now = now
        self._holds = holds

    async def page(self, who: Who, view: View, *, after: Key | None = None, size: int = 50) -> Page:
        """One page of the queue. At most three statements, however long the queue."""
        async with self._database.connect() as connection:
            return await page_rows(connection, who.member, who.compartments, view, after, size, self._now())

    async def comes_in(self, who: Who) -> None:
        """Somebody looks at the queue: whoever writes to the line need not be told that nobody does."""
        async with self._database.begin() as connection:
            await attendance.opened(connection, who.compartments, self._now())

    async def report(self, report: uuid.UUID, who: Who) -> Row:
        """One report's clear columns. NoSuchReportError when it is not in this member's compartments."""
        async with self._database.connect() as connection:
            return await self._row(connection, report, who)

    # ---- who holds it -------------------------------------------------------------------------------

    async def claim(self, report: uuid.UUID, who: Who) -> None:
        """Takes a report that nobody holds; its clock stops. HeldError when someone else does."""
        async with self._database.begin() as connection:
            await self._claim(connection, await self._locked(connection, report, who), who)

    async def claim_next(self, who: Who) -> uuid.UUID | None:
        """Takes the first report by the clock that nobody is just taking; None when there is none."""
        first = (
            sa.select(reports.c.id)
            .where(
                reports.c.compartment.in_(who.compartments),
                runs(room=False),
            )
            .order_by(reports.c.due_at, RANK, reports.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        async with self._database.begin() as connection:
            report: uuid.UUID | None = await connection.scalar(first)
            if report is not None:
                await self._claim(connection, await self._locked(connection, report, who), who)
        return report

    async def let_in(self, who: Who, report: uuid.UUID | None = None) -> int:
        """Lets one report, or all that wait, out of the waiting room into the queue; how many. Clocks go on."""
        waiting = (
            sa.update(reports)
            .where(reports.c.compartment.in_(who.compartments), runs(room=True))
            .values(waiting_room=False)
            .returning(reports.c.id)
        )
        if report is not None:
            waiting = waiting.where(reports.c.id == report)
        async with self._database.begin() as connection:
            found = (await connection.scalars(waiting)).all()
            leaves = [
                custody.leaf("let in", at=self._now(), actor=str(who.member), obj=str(one)) for one in found
            ]
            if leaves:
                await connection.execute(
                    sa.insert(custody_leaves).inline(), [{"leaf": leaf} for leaf in leaves]
                )
        return len(found)

    async def release(self, report: uuid.UUID, who: Who) -> None:
        """Puts a report back: nobody holds it, and its clock runs again from now."""
        async with self._database.begin() as connection:
            row = await self._locked(connection, report, who)
            self._must_hold(row, who)
            await self._set(
                connection,
                report,
                assignee=None,
                locked_by=None,
                locked_until=None,
                due_at=None if row.status == Status.CLOSED else triage.due(self._now(), row.urgency),
            )
            await self._tell(connection, "released", row, who)

    async def take_over(self, report: uuid.UUID, who: Who) -> None:
        """Takes a report out of someone's hands. Whether `who` may is asked before (a lead)."""
        async with self._database.begin() as connection:
            row = await self._locked(connection, report, who)
            if row.held_by(self._now()) in (None, who.member):
                await self._claim(connection, row, who)
                return
            await self._set(connection, report, assignee=who.member, due_at=None, **self._lock(who))
            await self._tell(connection, "taken over", row, who, before=str(row.holder))

    async def change(self, report: uuid.UUID, step: Step, why: str, seen: Status, who: Who) -> None:
        """Changes a report's status. The one who does it holds it from then on, except when it is closed.

        ConflictError: it is no longer in the status that was seen. RefusedStepError: `storage.triage.TABLE`.
        """
        async with self._database.begin() as connection:
            row = await self._locked(connection, report, who)
            self._must_be_free(row, who)
            if row.status != seen:
                raise ConflictError("the report's status changed meanwhile")
            status = triage.after(row.status, step, why)
            closed = status == Status.CLOSED
            lock = {"locked_by": None, "locked_until": None} if closed else self._lock(who)
            await self._set(
                connection,
                report,
                status=status,
                closed_reason=why if closed else None,
                assignee=who.member,
                due_at=None,
                **lock,
            )
            await self._tell(connection, "status", row, who, before=row.status, after=status, why=why)
            if row.withdrawn_hour is None:
                await returning.end_agreements(connection, report, who.member, self._now())

    # ---- what is said to the reporter, and the end of what was withdrawn ----------------------------

    async def signed(self, ceremony_key: Ed25519PublicKey, seen: SeenSerial) -> Manifest:
        """The newest manifest. Raises ManifestError when it cannot be trusted."""
        async with self._database.connect() as connection:
            return await manifest.newest(await _driver(connection), ceremony_key, seen)

    async def thread(self, report: uuid.UUID, who: Who) -> desk_thread.Thread:
        """The replies to a report, sealed, and who agreed that it be shredded."""
        async with self._database.connect() as connection:
            await self._row(connection, report, who)
            return await desk_thread.thread_of(connection, report)

    async def answer(
        self, report: uuid.UUID, text: str, *, by: desk_thread.Writer, to: Manifest, seen: int, who: Who
    ) -> uuid.UUID:
        """Writes to the reporter, as the one who holds the report. Raises as `storage.desk_thread.answer`."""
        async with self._database.begin() as connection:
            row = await self._locked(connection, report, who)
            self._must_hold(row, who)
            reply = await desk_thread.answer(
                connection, row, text, by=by, manifest=to, seen=seen, now=self._now()
            )
            await self._set(connection, report, **self._lock(who))
            return reply

    async def agree_to_shred(self, report: uuid.UUID, who: Who) -> None:
        """Agrees that a report be shredded. Whether `who` may is asked before."""
        async with self._database.begin() as connection:
            row = await self._locked(connection, report, who)
            await desk_thread.agree_to_shred(connection, row, who.member, self._now())

    async def hold(self, report: uuid.UUID, why: str, who: Who) -> None:
        """Holds a report against shredding. Whether `who` may is asked before. ConflictError: it is held already."""
        async with self._database.begin() as connection:
            await self._locked(connection, report, who)
            await retention.hold(connection, report, why, who.member, self._now())
            await returning.end_agreements(connection, report, who.member, self._now())

    async def lift(self, report: uuid.UUID, who: Who) -> None:
        """Lifts the hold. Whether `who` may is asked before. ConflictError: it is not held."""
        async with self._database.begin() as connection:
            await self._locked(connection, report, who)
            await retention.lift(connection, report, who.member, self._now())

    async def take_back(self, report: uuid.UUID, who: Who) -> None:
        """Takes that agreement back, until the keeper has done it."""
        async with self._database.begin() as connection:
            row = await self._locked(connection, report, who)
            await desk_thread.take_back(connection, row, who.member, self._now())

    # ---- what is opened -----------------------------------------------------------------------------

    async def material(self, report: uuid.UUID, who: Who) -> Material:
        """Everything sealed of one report, and its rows of files."""
        async with self._database.connect() as connection:
            return await material_of(connection, await self._row(connection, report, who))

    async def opened(self, report: uuid.UUID, who: Who, *, bodies_read: int) -> None:
        """Tells that a report was opened; it is read, unless something was added since."""
        async with self._database.begin() as connection:
            row = await self._locked(connection, report, who)
            # A statement of its own, after the lock: it sees an addition that committed meanwhile.
            count = sa.select(sa.func.count()).select_from(bodies).where(bodies.c.report == report)
            if await connection.scalar(count) == bodies_read:
                await self._set(connection, report, unread=False)
            await self._tell(connection, "opened", row, who, bodies=bodies_read)

    async def used(self, report: uuid.UUID, who: Who) -> None:
        """Renews the lock of the one who holds a report and works with it."""
        async with self._database.begin() as connection:
            await connection.execute(
                sa.update(reports)
                .where(
                    reports.c.id == report,
                    reports.c.locked_by == who.member,
                    reports.c.locked_until > self._now(),
                )
                .values(locked_until=self._now() + self._holds)
            )

    async def took_out(self, kind: str, report: uuid.UUID, file: FileRow, who: Who) -> None:
        """Tells that a file was "previewed" or "downloaded"."""
        async with self._database.begin() as connection:
            row = await self._locked(connection, report, who)
            await self._tell(
                connection, kind, row, who, file=str(file.id), ciphertext_sha256=file.ciphertext_sha256.hex()
            )

    async def refused(self, what: Refusal, obj: str, who: Who) -> None:
        """Tells that something was not as it should be, and was not shown."""
        async with self._database.begin() as connection:
            leaf = custody.leaf("refused", at=self._now(), actor=str(who.member), obj=obj, what=what.value)
            await connection.execute(sa.insert(custody_leaves).inline().values(leaf=leaf))

    async def history(self, report: uuid.UUID) -> list[dict[str, Any]]:
        """The acts on a report, oldest first, as their leaves tell them; each with its actor's call sign, if any."""
        async with self._database.connect() as connection:
            leaves = await custody.history(await _driver(connection), str(report))
            actors = {leaf["actor"]: _member(leaf["actor"]) for leaf in leaves}
            signs = await call_signs(connection, [member for member in actors.values() if member])
        names = {actor: signs.get(member) for actor, member in actors.items() if member}
        return [{**leaf, "call_sign": names.get(leaf["actor"])} for leaf in leaves]

    # ---- steps of the above -------------------------------------------------------------------------

    async def _claim(self, connection: AsyncConnection, row: Row, who: Who) -> None:
        self._must_be_free(row, who)
        status = triage.after(row.status, Step.CLAIM, None)
        already = row.held_by(self._now()) == who.member
        await self._set(
            connection, row.id, status=status, assignee=who.member, due_at=None, waiting_room=False,
            **self._lock(who),
        )  # fmt: skip
        if not already:
            await self._tell(connection, "claimed", row, who)

    async def _row(self, connection: AsyncConnection, report: uuid.UUID, who: Who) -> Row:
        row = await one_row(connection, report, who.compartments, lock=False)
        if row is None:
            raise NoSuchReportError("no such report here")
        return row

    async def _locked(self, connection: AsyncConnection, report: uuid.UUID, who: Who) -> Row:
        """The report's row, locked to the end of the transaction: what is decided on it stays true."""
        row = await one_row(connection, report, who.compartments, lock=True)
        if row is None:
            raise NoSuchReportError("no such report here")
        return row

    def _must_be_free(self, row: Row, who: Who) -> None:
        if row.held_by(self._now()) not in (None, who.member):
            raise HeldError(row.holder_sign or "")

    def _must_hold(self, row: Row, who: Who) -> None:
        self._must_be_free(row, who)
        if row.assignee != who.member:
            raise ConflictError("only who holds a report can put it back or answer")

    def _lock(self, who: Who) -> dict[str, Any]:
        return {"locked_by": who.member, "locked_until": self._now() + self._holds}

    @staticmethod
    async def _set(connection: AsyncConnection, report: uuid.UUID, **values: Any) -> None:
        await connection.execute(sa.update(reports).where(reports.c.id == report).values(**values))

    async def _tell(self, connection: AsyncConnection, kind: str, row: Row, who: Who, **facts: Any) -> None:
        leaf = custody.leaf(kind, at=self._now(), actor=str(who.member), obj=str(row.id), **facts)
        await connection.execute(sa.insert(custody_leaves).inline().values(leaf=leaf))


def _member(actor: str) -> uuid.UUID | None:
    """Whose leaf it is; None for one that a process wrote."""
    try:
        return uuid.UUID(actor)
    except ValueError:
        return None


async def _driver(connection: AsyncConnection) -> Any:
    """Asyncpg's own connection, for a read that `storage` does in plain SQL."""
    return (await connection.get_raw_connection()).driver_connection
