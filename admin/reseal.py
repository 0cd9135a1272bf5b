"""Everything in the store is sealed to the present epochs: opened, sealed anew, put in the old one's place.

    outcome = await Resealing(connections, blobs, manifest, keys, actor=…, now=now).run(progress)

A body's plaintext stays the same byte for byte, so what its receipt's leaf committed to still opens. Of a file the
listing in its body stays, and with it SHA-256 and length as received, against which every byte is held on the way.
Nothing takes an old one's place before it was opened with the new key. Each is done in one transaction with its leaf,
so this can be stopped in any way and run again, beside others and while the bot and the console work.
"""

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import asyncpg

from admin.console.originals import check, original
from admin.console.reading import File, RefusedError, keeps_promise, listed, opened, promises
from admin.openers import Opener, epochs_held
from admin.progress import Progress
from seal import HybridIdentity, open_bytes, seal_bytes, seal_chunks
from seal.padding import pad_tail
from seal.streams import STEP
from storage import backups, custody, resealing
from storage.blobs import BlobError, Blobs, Stored
from storage.database import Connection
from storage.manifest import Manifest
from storage.members import RECOVERY
from storage.refusals import Refusal, refused
from storage.resealing import DueBody, DueFile, Renewed, Target

WORKERS = 4  # while one waits for the database, others seal
CONNECTIONS = WORKERS + 1
_BODIES_AT_ONCE = 32  # a transaction
_FILES_AT_ONCE = 4  # a worker's share, one after the other
_CHANGED = frozenset({"tampered", "malformed", "swapped"})  # refusals that are on record

Keys = Mapping[str, Mapping[int, HybridIdentity]]
"""Team identities by compartment and epoch."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What was left as it was. `why` is a reason of `admin.console.reading.RefusedError`."""

    item: str
    id: uuid.UUID
    report: uuid.UUID
    why: str


@dataclass(slots=True)
class Outcome:
    """What came of it: how many were sealed anew, what was refused, how many are due all the same."""

    bodies: int = 0
    files: int = 0
    refused: dict[uuid.UUID, Refused] = field(default_factory=dict)
    left: int = 0


async def keys_of(connection: Connection, manifest: Manifest, opener: Opener, now: datetime) -> Keys:
    """Every team identity that the opener holds. Raises MemberError when one does not open as it should."""
    return {
        name: await epochs_held(connection, manifest, name, opener, now) for name in manifest.compartments
    }


def actor_of(opener: Opener) -> str:
    """How leaves name who opens."""
    return "recovery" if opener.holder == RECOVERY else str(opener.holder)


class Resealing:
    """One run. Compartments whose present epoch `keys` does not have are left as they are."""

    def __init__(
        self,
        connections: asyncpg.Pool,
        blobs: Blobs,
        manifest: Manifest,
        keys: Keys,
        *,
        actor: str,
        now: Callable[[], datetime],
    ) -> None:
        self._connections, self._blobs, self._manifest, self._keys = connections, blobs, manifest, keys
        self._actor, self._now = actor, now
        self._targets = [Target(name, of.epoch) for name, of in sorted(manifest.compartments.items())]
        self._outcome = Outcome()

    async def due(self) -> int:
        """How many bodies and files this run is to seal anew."""
        return await self._count(filter(self._holds, self._targets))

    async def _count(self, targets: Iterable[Target]) -> int:
        return sum([await resealing.count(self._connections, target) for target in targets])

    def _holds(self, target: Target) -> bool:
        return target.epoch in self._keys.get(target.compartment, {})

    async def run(self, progress: Progress) -> Outcome:
        """Walks through all that is due until a walk finds nothing to do. What another run has in hand is left."""
        done = -1
        while done != (done := self._outcome.bodies + self._outcome.files):
            await self._walk(progress)
        self._outcome.left = await self._count(self._targets) - len(self._outcome.refused)
        return self._outcome

    async def _walk(self, progress: Progress) -> None:
        pages, lock = self._pages(), asyncio.Lock()

        async def work() -> None:
            while True:
                async with lock:
                    page = await anext(pages, None)
                if page is None:
                    return
                target, due = page
                await self._bodies(target, [one for one in due if isinstance(one, DueBody)])
                for one in due:
                    if isinstance(one, DueFile):
                        await self._file(target, one)
                progress.advance(len(due))

        try:
            async with contextlib.aclosing(pages), asyncio.TaskGroup() as group:
                for _ in range(WORKERS):
                    group.create_task(work())
        except ExceptionGroup as faults:
            raise faults.exceptions[0] from None  # one is enough to stop for

    async def _pages(self) -> AsyncGenerator[tuple[Target, list[DueBody | DueFile]]]:
        """What is due, bodies first, a few at once; without what was refused already."""
        for target in filter(self._holds, self._targets):
            for find, limit in (
                (resealing.bodies_due, _BODIES_AT_ONCE),
                (resealing.files_due, _FILES_AT_ONCE),
            ):
                after = resealing.FIRST
                while page := await find(self._connections, target, after=after, limit=limit):
                    after = page[-1].row.id
                    yield target, [one for one in page if one.row.id not in self._outcome.refused]

    def _identities(self, compartment: str, epoch: int) -> list[HybridIdentity]:
        """All that we have, the likely one first."""
        by_place = {
            (name, number): team for name, teams in self._keys.items() for number, team in teams.items()
        }
        likely = by_place.pop((compartment, epoch), None)
        return [*([likely] if likely else []), *by_place.values()]

    # ---- bodies -------------------------------------------------------------------------------------

    async def _bodies(self, target: Target, due: Sequence[DueBody]) -> None:
        renewed = []
        for body in due:
            try:
                renewed.append(self._renewed(target, body, await self._promises(body.report)))
            except RefusedError as error:
                await self._refuse(Refused("body", body.row.id, body.report, error.reason))
            await asyncio.sleep(0)  # the others' turn
        done = await resealing.put_bodies(self._connections, renewed, target.epoch)
        self._outcome.bodies += len(done)

    async def _promises(self, report: uuid.UUID) -> Mapping[str, str]:
        async with self._connections.acquire() as connection:
            return promises(await custody.history(connection, str(report)))

    def _renewed(self, target: Target, due: DueBody, promised: Mapping[str, str]) -> Renewed:
        row = due.row
        plain, content = opened(row, due.report, self._identities(target.compartment, row.key_epoch))
        keeps_promise(content, promised)
        sealed = seal_bytes(plain, [self._manifest.compartments[target.compartment].key()])
        if open_bytes(sealed, [self._keys[target.compartment][target.epoch]]) != plain:
            raise RefusedError("malformed")
        sha256 = hashlib.sha256(sealed).digest()
        leaf = resealing.leaf(row, sha256, due.report, target, at=self._now(), actor=self._actor)
        return Renewed(row.id, row.ciphertext_sha256, sealed, sha256, leaf)

    # ---- files --------------------------------------------------------------------------------------

    async def _file(self, target: Target, due: DueFile) -> None:
        try:
            stored = await self._stored_anew(target, due)
        except RefusedError as error:
            if await resealing.stands(self._connections, due.row):  # else another run was faster
                await self._refuse(Refused("file", due.row.id, due.report, error.reason))
            return
        leaf = resealing.leaf(due.row, stored.sha256, due.report, target, at=self._now(), actor=self._actor)
        if await resealing.put_file(self._connections, due.row, stored, target, leaf):
            self._outcome.files += 1
            await self._delete(due.row.blob, when_unnamed=True)
        else:
            await self._delete(stored.name)

    async def _stored_anew(self, target: Target, due: DueFile) -> Stored:
        """The new blob: complete, on the disk, and opened once with the new key. RefusedError: there is none."""
        row, body = due.row, due.listed_by
        _, content = opened(body, due.report, self._identities(target.compartment, body.key_epoch))
        keeps_promise(content, await self._promises(due.report))
        entries = {entry["id"]: entry for entry in content.get("files", ())}
        if str(row.id) not in entries:
            raise RefusedError("swapped")
        entry = entries[str(row.id)]
        file = listed(entry, body.id, {row.id: row})
        identities = self._identities(row.compartment, row.key_epoch)
        to = [self._manifest.compartments[target.compartment].key()]
        stored = await self._blobs.put(seal_chunks(self._padded(file, identities), to))
        new_row = replace(
            row,
            blob=stored.name,
            ciphertext_sha256=stored.sha256,
            sealed_size=stored.size,
            key_epoch=target.epoch,
            compartment=target.compartment,
        )
        try:
            new = listed(entry, body.id, {row.id: new_row})
            await check(self._blobs, new, [self._keys[target.compartment][target.epoch]])
        except RefusedError:
            await self._delete(stored.name)
            raise
        return stored

    async def _padded(self, file: File, identities: Sequence[HybridIdentity]) -> AsyncGenerator[bytes]:
        async with contextlib.aclosing(original(self._blobs, file, identities)) as pieces:
            async for piece in pieces:
                yield piece
        left = pad_tail(file.length)
        while left:
            yield bytes(min(left, STEP))
            left -= min(left, STEP)

    async def _delete(self, blob: str, *, when_unnamed: bool = False) -> None:
        """What is not deleted here the keeper's sweep removes: a backup that is being made may still need it."""
        if when_unnamed and await backups.being_made(self._connections):
            return
        with contextlib.suppress(BlobError):
            await self._blobs.delete(blob)

    async def _refuse(self, what: Refused) -> None:
        self._outcome.refused[what.id] = what
        if what.why in _CHANGED:
            obj, now = str(what.id), self._now()
            await refused(self._connections, Refusal.SEALED_ROW, obj=obj, actor=self._actor, now=now)
