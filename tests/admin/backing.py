"""A store with reports in it, its backups, and empty places to bring them back to."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from admin import backup, backup_checks, ceremony, restore
from admin.backup_checks import Checked
from admin.backup_places import Folder, Place
from admin.ceremony import TEAM, Made
from admin.keys import open_team_identity
from seal import HybridIdentity, seal_chunks
from storage import roles, submission
from storage.blobs import Blobs
from storage.bodies import open_body
from storage.erasures import NAME, Ledger
from storage.manifest import Manifest, SeenSerial
from storage.members import TeamKey
from storage.secrets import ProcessSecret
from storage.submission import Given, Receipt, SealedFile
from tests.conftest import TEMPLATE, Database

RELAY = HybridIdentity.generate()
HOUR = timedelta(hours=1)
CHAT = bytes(range(32))


async def _of(data: bytes) -> AsyncIterator[bytes]:
    yield data


@dataclass
class Backed:
    """A backup, and where its file is."""

    path: Path
    name: str
    sha256: bytes
    size: int
    shredded: int
    removed: list[str]


@dataclass
class Store:
    """A team's store: its keys, its database as keeper and bot, its sealed files, its backups."""

    made: Made
    database: Database
    folder: Path
    keeper: asyncpg.Connection
    bot: asyncpg.Connection
    superuser: asyncpg.Connection
    blobs: Blobs
    now: datetime
    said: list[str] = field(default_factory=list)
    secret: ProcessSecret = field(default_factory=lambda: ProcessSecret(bytes(range(32))))

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.folder / "ledger" / NAME)

    @property
    def public(self) -> Any:
        return self.made.ceremony_key.public_key()

    async def file(self, data: bytes) -> SealedFile:
        key = self.made.manifest.compartments[TEAM]
        stored = await self.blobs.put(seal_chunks(_of(data), [key.key()]))
        meta = {
            "name": "house.jpg", "mime": "image/jpeg", "kind": "photo", "step": "photo", "length": len(data),
            "sha256": hashlib.sha256(data).hexdigest(), "salt": os.urandom(32).hex(), "compartment": TEAM,
            "epoch": 1,
        }  # fmt: skip
        return SealedFile(uuid.uuid4(), stored.name, stored.sha256, stored.size, 1, meta)

    async def takes(self, words: str, *files: bytes, answer_here: bool = False) -> Receipt:
        """A report, as intake submits it."""
        given = Given(
            "family", 1, "normal", {"language": "en", "answers": {"words": words}},
            [await self.file(data) for data in files], answer_here=answer_here, address=5_000_001, chat=CHAT,
            push="Europe/Kyiv", lang="uk",
        )  # fmt: skip
        to = (TEAM, self.made.manifest.compartments[TEAM])
        return await submission.submit(self.bot, uuid.uuid4(), given, to=to, secret=self.secret, now=self.now)

    async def shreds(self, report: uuid.UUID) -> None:
        """As `shred_due` leaves a report; without its 14 days and two people, and its ledger."""
        rows = await self.superuser.fetch("DELETE FROM files WHERE report = $1 RETURNING blob", report)
        for table in ("bodies", "threads", "replies"):
            await self.superuser.execute(f"DELETE FROM {table} WHERE report = $1", report)
        for row in rows:
            await self.blobs.delete(row["blob"])

    async def reseals(self, report: uuid.UUID) -> str:
        """Another blob in the place of a file's; the name of the one of before, which is left."""
        (new,) = [await self.file(b"sealed anew")]
        before = await self.superuser.fetchval("SELECT blob FROM files WHERE report = $1", report)
        await self.superuser.execute(
            "UPDATE files SET blob = $2, ciphertext_sha256 = $3, sealed_size = $4, key_epoch = 2 WHERE report = $1",
            report, new.blob, new.ciphertext_sha256, new.sealed_size,
        )  # fmt: skip
        return str(before)

    async def backs_up(
        self,
        *,
        at: datetime | None = None,
        blobs: Blobs | None = None,
        folder: Path | None = None,
        to: Place | None = None,
        **other: Any,
    ) -> Backed:
        """With a connection of its own, as the command does."""
        self.backups.mkdir(exist_ok=True)
        terms = backup.Terms(
            **{
                "ceremony_key": self.public,
                "seen": SeenSerial(self.folder / "seen"),
                "now": at or self.now,
                "keep": timedelta(days=30),
            }
            | other
        )
        connection = await asyncpg.connect(self.database.url(roles.KEEPER))
        try:
            made = await backup.make(
                connection,
                blobs or self.blobs,
                self.ledger,
                to or Folder(folder or self.backups),
                terms,
                self.said.append,
            )
        finally:
            await connection.close()
        path = (folder or self.backups) / made.name
        return Backed(path, made.name, made.sha256, made.size, made.shredded, made.removed)

    def checks(self, path: Path, recovery: HybridIdentity | None = None) -> Checked:
        return backup_checks.check(path, recovery or self.made.recovery, self.public, self.said.append)


class Meddling(Blobs):
    """A place of blobs at whose first reading something else happens in the store."""

    happens: Callable[[], Awaitable[None]] | None = None

    async def get(self, name: str) -> AsyncIterator[bytes]:
        happens, self.happens = self.happens, None
        if happens:
            await happens()
        async for chunk in super().get(name):
            yield chunk


@dataclass
class Elsewhere:
    """An empty place."""

    database: Database
    blobs: Blobs
    superuser: asyncpg.Connection

    async def restores(self, store: Store, path: Path, erased: Any = (), **other: Any) -> restore.Restored:
        """What the command does between its settings and what it says."""
        checked = other.get("checked") or store.checks(path)
        await restore.refuse_full(self.database.superuser_url, self.blobs)
        target = restore.Target(self.database.superuser_url, self.blobs)
        return await restore.restore(
            path, store.made.recovery, checked, target, erased, store.now + HOUR, store.said.append
        )

    async def counts(self, table: str) -> int:
        return int(await self.superuser.fetchval(f"SELECT count(*) FROM {table}"))

    async def blob_names(self, now: datetime) -> set[str]:
        return {name async for name, _ in self.blobs.list_older_than(now + timedelta(days=10_000))}


@contextlib.asynccontextmanager
async def new_database(like: Database) -> AsyncIterator[Database]:
    """One more on the same server, prepared and empty."""
    name = f"test_{uuid.uuid4().hex}"
    server = await asyncpg.connect(like.server.superuser_url())
    await server.execute(f"CREATE DATABASE {name} OWNER {roles.OWNER} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
    await server.execute(f"GRANT CONNECT ON DATABASE {name} TO {', '.join(roles.LOGIN_ROLES)}")
    try:
        yield Database(like.server, name)
    finally:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await server.close()


async def words_of(
    connection: asyncpg.Connection, holder: uuid.UUID, identity: HybridIdentity, now: Manifest
) -> set[str]:
    """What every report says, opened by one holder with what the database holds, and nothing else."""
    teams = {
        row["compartment"]: open_team_identity(TeamKey(**row), identity, now.compartments[row["compartment"]])
        for row in await connection.fetch("SELECT * FROM team_keys WHERE holder = $1", holder)
    }
    rows = await connection.fetch(
        "SELECT b.id, b.number, b.sealed, r.compartment FROM bodies b JOIN reports r ON r.id = b.report"
    )
    opened = [
        open_body(
            ["report", "addition"], row["id"], row["number"], row["sealed"], [teams[row["compartment"]]]
        )
        for row in rows
    ]
    return {content["answers"]["words"] for content in opened}


@contextlib.asynccontextmanager
async def opened_store(database: Database, folder: Path, now: datetime) -> AsyncIterator[Store]:
    """A store after its ceremony."""
    connections = [
        await asyncpg.connect(url)
        for url in (database.url(roles.KEEPER), database.url(roles.BOT), database.superuser_url)
    ]
    keeper, bot, superuser = connections
    await superuser.execute("SET session_replication_role = replica")  # no trigger, no foreign key
    made = ceremony.make(now.date(), RELAY.recipient)
    await ceremony.keep(keeper, made, now)
    blobs = Blobs.open(str(folder / "blobs"))
    yield Store(made, database, folder, keeper, bot, superuser, blobs, now)
    for connection in connections:
        await connection.close()
