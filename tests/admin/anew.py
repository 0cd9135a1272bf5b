"""A store whose reports are sealed to a former epoch, and what is needed to look at each byte of it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import json
import os
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from admin import ceremony, epochs, openers, reseal
from admin.ceremony import TEAM, Made
from admin.members import Opener
from admin.progress import Progress
from seal import HybridIdentity, open_bytes, seal_chunks
from seal.padding import pad_tail
from storage import database, manifest, roles, submission
from storage.blobs import Blobs
from storage.bodies import read_body
from storage.manifest import Manifest, SeenSerial
from storage.members import RECOVERY
from storage.secrets import ProcessSecret
from storage.submission import Given, SealedFile
from tests.conftest import Database

NOW = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


@dataclass
class Store:
    """The ceremony's keys, the database as keeper, bot and superuser, and the sealed files."""

    made: Made
    database: Database
    folder: Path
    keeper: asyncpg.Connection
    bot: asyncpg.Connection
    superuser: asyncpg.Connection  # whom no trigger holds
    blobs: Blobs
    manifest: Manifest
    secret: ProcessSecret = field(default_factory=lambda: ProcessSecret(bytes(range(32))))

    @property
    def public(self) -> Any:
        return self.made.ceremony_key.public_key()

    @property
    def recovery(self) -> Opener:
        return Opener(RECOVERY, self.made.recovery)

    # ---- what the bot does ----------------------------------------------------------------------

    async def file(self, data: bytes, compartment: str = TEAM) -> SealedFile:
        """As intake keeps a file: padded, sealed, complete."""
        key = self.manifest.compartments[compartment]

        async def padded() -> AsyncIterator[bytes]:
            yield data
            yield bytes(pad_tail(len(data)))

        stored = await self.blobs.put(seal_chunks(padded(), [key.key()]))
        meta = {
            "name": "house.jpg", "mime": "image/jpeg", "kind": "photo", "step": "photo", "length": len(data),
            "sha256": hashlib.sha256(data).hexdigest(), "salt": os.urandom(32).hex(), "compartment": compartment,
            "epoch": key.epoch,
        }  # fmt: skip
        return SealedFile(uuid.uuid4(), stored.name, stored.sha256, stored.size, key.epoch, meta)

    async def takes(
        self, words: str, *files: SealedFile, form: str = "family", waiting_room: bool = False
    ) -> uuid.UUID:
        """A report, as intake submits it."""
        name = self.manifest.compartment_of(form)
        given = Given(
            form, 1, "normal", {"language": "en", "answers": {"words": words}}, files, answer_here=False,
            address=0, waiting_room=waiting_room,
        )  # fmt: skip
        to = (name, self.manifest.compartments[name])
        draft = uuid.uuid4()
        receipt = await submission.submit(self.bot, draft, given, to=to, secret=self.secret, now=NOW)
        return receipt.report

    async def adds_to(self, report: uuid.UUID, words: str, *files: SealedFile) -> None:
        content = {"language": "en", "answers": {"words": words}}
        key = self.manifest.compartments[TEAM]
        await submission.add(self.bot, report, content, files, key=key, now=NOW)

    # ---- what the keepers of the keys do --------------------------------------------------------

    async def rotates(self, *names: str) -> None:
        """A new epoch of these compartments, or of all."""
        seen = SeenSerial(self.folder / "seen")
        signer = self.made.ceremony_key
        self.manifest = await epochs.rotate(self.keeper, names, signer=signer, seen=seen, now=NOW)

    async def keys(self) -> reseal.Keys:
        return await reseal.keys_of(self.keeper, self.manifest, self.recovery, NOW)

    async def reseals(
        self, opener: Opener | None = None, blobs: Blobs | None = None, told: io.StringIO | None = None
    ) -> reseal.Outcome:
        """What the command does between its settings and what it says."""
        clock = itertools.count()
        async with database.pool(self.database.url(roles.KEEPER), size=reseal.CONNECTIONS) as connections:
            async with connections.acquire() as connection:
                keys = await reseal.keys_of(connection, self.manifest, opener or self.recovery, NOW)
            work = reseal.Resealing(
                connections, blobs or self.blobs, self.manifest, keys, actor="recovery", now=lambda: NOW
            )
            with Progress(await work.due(), told or io.StringIO(), lambda: float(next(clock))) as progress:
                return await work.run(progress)

    async def identity(self, compartment: str) -> HybridIdentity:
        """The team identity of the present epoch, alone."""
        held = await openers.held(self.keeper, self.manifest, compartment, self.recovery, NOW)
        return held[self.manifest.compartments[compartment].epoch]

    # ---- what stands in the store ---------------------------------------------------------------

    async def plain_bodies(self, keys: Mapping[str, Sequence[HybridIdentity]]) -> dict[uuid.UUID, bytes]:
        """Every body's plaintext, byte for byte; its row, hash and place are checked."""
        rows = await self.superuser.fetch(
            "SELECT b.*, r.compartment FROM bodies b JOIN reports r ON r.id = b.report"
        )
        opened = {}
        for row in rows:
            assert hashlib.sha256(row["sealed"]).digest() == row["ciphertext_sha256"]
            plain = open_bytes(row["sealed"], keys[row["compartment"]])
            content = read_body(["report", "addition"], row["id"], row["number"], plain)
            assert content["report"] == str(row["report"])
            opened[row["id"]] = plain
        return opened

    async def plain_files(self, keys: Mapping[str, Sequence[HybridIdentity]]) -> dict[uuid.UUID, bytes]:
        """Every file's plaintext with its padding; blob and row are compared."""
        rows = await self.superuser.fetch(
            "SELECT f.*, r.compartment AS home FROM files f JOIN reports r ON r.id = f.report"
        )
        opened = {}
        for row in rows:
            sealed = b"".join([chunk async for chunk in self.blobs.get(row["blob"])])
            assert (len(sealed), hashlib.sha256(sealed).digest()) == (
                row["sealed_size"],
                row["ciphertext_sha256"],
            )
            opened[row["id"]] = open_bytes(sealed, keys[row["home"]])
        return opened

    async def present(self) -> dict[str, list[HybridIdentity]]:
        """By compartment, the identity of the present epoch and no other."""
        return {name: [await self.identity(name)] for name in self.manifest.compartments}

    async def every_epoch(self) -> dict[str, list[HybridIdentity]]:
        """By compartment, every identity of every compartment: a file may wait for its own."""
        all_of_them = [team for teams in (await self.keys()).values() for team in teams.values()]
        return dict.fromkeys(self.manifest.compartments, all_of_them)

    async def leaves(self, kind: str) -> list[dict[str, Any]]:
        rows = await self.superuser.fetch("SELECT leaf FROM custody_leaves ORDER BY id")
        told = [json.loads(row["leaf"]) for row in rows]
        return [leaf for leaf in told if leaf["kind"] == kind]

    async def blob_names(self) -> set[str]:
        later = datetime(2100, 1, 1, tzinfo=UTC)
        return {name async for name, _ in self.blobs.list_older_than(later)}

    async def named_blobs(self) -> set[str]:
        return {row["blob"] for row in await self.superuser.fetch("SELECT blob FROM files")}


@contextlib.asynccontextmanager
async def opened_store(at: Database, folder: Path) -> AsyncIterator[Store]:
    """A store after its ceremony."""
    urls = (at.url(roles.KEEPER), at.url(roles.BOT), at.superuser_url)
    keeper, bot, superuser = connections = [await asyncpg.connect(url) for url in urls]
    await superuser.execute("SET session_replication_role = replica")
    made = ceremony.make(NOW.date())
    await ceremony.keep(keeper, made, NOW)
    first = await manifest.newest(keeper, made.ceremony_key.public_key(), SeenSerial(folder / "seen"))
    yield Store(made, at, folder, keeper, bot, superuser, Blobs.open(str(folder / "blobs")), first)
    for connection in connections:
        await connection.close()
