"""A store whose acts are logged, the keeper's checkpoints of it, and somebody outside who verifies a dump."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from admin import manifests
from admin.checkpoints import Checkpoints, Log
from admin.custody_dump import dump
from admin.custody_findings import Findings
from admin.custody_heads import Trust
from admin.custody_verify import verify
from admin.publishing import Folder, Place
from seal import HybridIdentity
from storage import custody, database, roles, submission
from storage.manifest import Compartment
from storage.secrets import ProcessSecret
from storage.submission import Given

ORIGIN = "dodomu.example.org/custody"
KEY = Compartment(epoch=1, recipient=str(HybridIdentity.generate().recipient))
Connect = Callable[[str], Awaitable[asyncpg.Connection]]


@dataclass
class Keeping:
    """The store, with one keeper; each round is one of the keeper's, at a moment that moves."""

    team: Any
    database: Any
    folder: Path
    connect: Connect
    now: datetime
    places: list[Place] = field(default_factory=list)
    authorities: list[Any] = field(default_factory=list)
    roots: list[Any] = field(default_factory=list)
    reports: list[uuid.UUID] = field(default_factory=list)
    _job: Checkpoints | None = None
    _dumps: int = 0
    _connections: dict[str, asyncpg.Connection] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def published(self) -> Path:
        return self.folder / "published"

    @property
    def log(self) -> Log:
        return Log.at(self.state, ORIGIN)

    @property
    def job(self) -> Checkpoints:
        """The keeper's, which goes on until it is started anew."""
        if self._job is None:
            places = self.places or [Folder(self.published)]
            self._job = Checkpoints(self.log, places, self.authorities, self.roots, timedelta(hours=1))
        return self._job

    def starts_anew(self) -> None:
        self._job = None

    def moves(self, **by: float) -> None:
        self.now += timedelta(**by)

    async def by(self, role: str) -> asyncpg.Connection:
        """The one connection of a role, or the superuser's."""
        if role not in self._connections:
            self._connections[role] = await self.connect(role)
        return self._connections[role]

    async def takes_report(self, bot: asyncpg.Connection) -> uuid.UUID:
        given = Given(
            "seen", 1, "normal", {"answers": {"words": "at the station"}}, [], answer_here=False, address=1
        )
        async with bot.transaction():
            receipt = await submission.submit(
                bot, uuid.uuid4(), given, to=("team", KEY), secret=ProcessSecret(bytes(32)), now=self.now
            )
        self.reports.append(receipt.report)
        return receipt.report

    async def acts(self, count: int = 1) -> None:
        """So many reports, each opened by somebody."""
        bot, console = await self.by(roles.BOT), await self.by(roles.CONSOLE)
        for _ in range(count):
            report = await self.takes_report(bot)
            opened = custody.leaf("opened", at=self.now, actor=str(uuid.uuid4()), obj=str(report))
            await custody.write(console, opened)

    async def round(self, **later: float) -> None:
        """A round of the keeper, an hour later unless said."""
        self.moves(**(later or {"hours": 1}))
        async with database.pool(self.database.url(roles.KEEPER)) as connections:
            await self.job.round(connections, self.now)

    async def names_log(self) -> None:
        await manifests.name_log(
            self.team.connection,
            self.log.vkey,
            signer=self.team.made.ceremony_key,
            seen=self.team.seen(),
            now=self.now,
        )

    async def dumps(self) -> Path:
        self._dumps += 1
        out = self.folder / f"dump-{self._dumps}"
        await dump(self.team.connection, out, self.now)
        return out

    async def rows(self, query: str, *values: Any) -> list[Any]:
        superuser = await self.by("superuser")
        return list(await superuser.fetch(query, *values))

    async def meddles(self, *statements: str) -> None:
        """As a superuser, for whom no trigger holds."""
        superuser = await self.by("superuser")
        for statement in statements:
            await superuser.execute(statement)

    def trust(self, **more: Any) -> Trust:
        return Trust(ceremony_key=self.team.made.ceremony_key.public_key(), **more)

    def verifies(self, dumped: Path, *published: Path, **more: Any) -> Findings:
        return verify(dumped, list(published) or [self.published], self.trust(**more))


def faults(found: Findings) -> list[str]:
    return [fault.value for fault, _ in found.faults]


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def write(path: Path, content: Sequence[bytes]) -> None:
    path.write_bytes(b"".join(content))
