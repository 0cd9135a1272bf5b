"""The keeper signs the log's head again and again, and only ever of one log: what goes on from its last checkpoint.

    log = Log.at(state, origin)                        # its key, made once: STATE/keeper/log-key
    job = Checkpoints(log, places, authorities, roots, every=timedelta(hours=1))
    await job.round(connections, now)                  # makes what is due, publishes, has stamped

Whoever can change the database can also change the checkpoints in it; so the last one that was signed stands in a
file beside the key as well. Nothing that fails here holds up anything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import aiohttp
import asyncpg
import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from admin.custody_settings import CustodySettings
from admin.publishing import UNPUBLISHED, Place, replace
from admin.timestamps import Authority, TimestampError
from storage import checkpoints, custody, merkle, notes, proofs, secrets
from storage.checkpoints import SIGNING_LOCK, Head, Kept
from storage.database import Connection
from storage.errors import (
    ForgedNoteError,
    ForkError,
    MalformedNoteError,
    MissingTilesError,
    UnsignedNoteError,
)
from storage.manifest import Manifest
from storage.notes import Checkpoint, Signer
from storage.refusals import Refusal, refused

FOLDER, KEY, LAST = "keeper", "log-key", "last-checkpoint"
OBJECT = "log"  # what a refusal of the log's names
_TIMEOUT_S = 20  # for one publication or time stamp

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Log:
    """The log's name and key, and the last checkpoint that this key signed."""

    signer: Signer
    last: Path

    @classmethod
    def at(cls, state: Path, origin: str) -> Self:
        """From the state folder; the key is made the first time."""
        folder = state / FOLDER
        return cls(Signer(origin, log_key(folder / KEY)), folder / LAST)

    @property
    def vkey(self) -> str:
        """What others check checkpoints with (a C2SP note verifier key); the manifest names it."""
        return self.signer.vkey

    def signed_last(self) -> Head | None:
        """The head in the file. Raises LogError when the file is not what this key signed."""
        try:
            note = self.last.read_bytes()
        except FileNotFoundError:
            return None
        return _head(notes.verify(note, [self.vkey]))


def log_key(path: Path) -> Ed25519PrivateKey:
    """The key in that file, 32 bytes that only its user reads; made once, on the disk before first use."""
    return Ed25519PrivateKey.from_private_bytes(secrets.read_or_make(path))


async def make(connection: Connection, of: Log, now: datetime) -> Kept | None:
    """Signs the log's head and keeps it; None when nothing is new. Raises ForkError, ForgedNoteError."""
    async with connection.transaction(isolation="repeatable_read"):
        size = await checkpoints.log_size(connection)
        kept = await checkpoints.newest(connection)
        known = [head for head in (of.signed_last(), _claimed(kept, of)) if head is not None]
        head = Head(0, merkle.EMPTY)
        for before in sorted(known, key=lambda one: one.size) or [head]:
            head = await checkpoints.check_growth(connection, before, size)
        if size == 0 or (kept is not None and kept.size == size):
            return None
        note = notes.sign(Checkpoint(of.signer.name, size, head.root).text(), of.signer)
        replace(of.last, note)  # before anybody else can know of it
        made = Kept(size, note)
        await checkpoints.keep(connection, made, now)
    return made


def _claimed(kept: Kept | None, of: Log) -> Head | None:
    """What the newest checkpoint in the database says.

    One that another key signed (a former one's, before the state folder was lost) binds like one's own: it can only
    keep us from signing. One that is forged in our name is told.
    """
    if kept is None:
        return None
    try:
        text = notes.verify(kept.note, [of.vkey])
    except UnsignedNoteError:
        text = kept.note.decode().rpartition("\n\n")[0] + "\n"
    head = _head(text)
    if head.size != kept.size:
        raise ForgedNoteError("the last checkpoint stands in another's place")
    return head


def _head(text: str) -> Head:
    checkpoint = Checkpoint.parse(text)
    return Head(checkpoint.size, checkpoint.root)


@dataclass(frozen=True, slots=True)
class Cosigned:
    """Whose cosignatures were new, for the checkpoint of this size."""

    size: int
    witnesses: Sequence[str]


async def take_cosignatures(
    connection: Connection, note: bytes, vkeys: Sequence[str], now: datetime
) -> Cosigned:
    """Keeps the lines of these witnesses, if they are of a checkpoint that is kept.

    Raises MalformedNoteError, ForgedNoteError (told by a leaf too), UnsignedNoteError when none of them signed it.
    """
    try:
        checkpoint = await _kept(connection, note)
        found = sorted(notes.cosigners(note, vkeys))
    except ForgedNoteError:
        await refused(connection, Refusal.CHECKPOINT, obj=OBJECT, actor="keeper", now=now)
        raise
    if not found:
        raise UnsignedNoteError("none of the witnesses whom we know has signed this note")
    new = [
        name
        for name in found
        if await checkpoints.keep_cosignature(connection, checkpoint.size, name, _line_of(note, name, vkeys))
    ]
    return Cosigned(checkpoint.size, new)


async def _kept(connection: Connection, note: bytes) -> Kept:
    """The checkpoint that this note is of, word for word."""
    head, parted, _ = note.rpartition(b"\n\n")
    size = Checkpoint.parse(f"{head.decode(errors='replace')}\n").size
    kept = await checkpoints.of_size(connection, size)
    if kept is None or not parted or not kept.note.startswith(head + b"\n\n"):
        raise ForgedNoteError("this is no checkpoint that the keeper made")
    return kept


def _line_of(note: bytes, name: str, vkeys: Sequence[str]) -> bytes:
    """The line of one witness, alone valid below the same text."""
    head, parted, below = note.rpartition(b"\n\n")
    lines = [line for line in below.splitlines() if line.startswith(f"— {name} ".encode())]
    return next(line for line in lines if name in notes.cosigners(head + parted + line + b"\n", vkeys))


def _named_in(manifest: bytes) -> str:
    """The log's key in a manifest's bytes, which nobody has verified: only good for a warning."""
    try:
        return Manifest.model_validate_json(manifest).log
    except ValidationError:
        return ""


@dataclass
class Checkpoints:
    """The keeper's job: one round at a time, by one keeper at a time."""

    log: Log
    places: Sequence[Place]
    authorities: Sequence[Authority]
    roots: Sequence[x509.Certificate]
    every: timedelta
    _due: datetime | None = None  # None: at once, for it has just started
    _incomplete: bool = False  # a part of the tree was missing
    _told: set[str] = field(default_factory=set)  # what is failing, and was said

    @classmethod
    def of(cls, settings: CustodySettings, state: Path) -> Self:
        """As the operator says. Raises SettingsError, SettingError, TimestampError."""
        return cls(
            Log.at(state, settings.log_origin),
            settings.places(),
            settings.authorities(),
            settings.roots(),
            timedelta(minutes=settings.checkpoint_minutes),
        )

    async def round(self, connections: asyncpg.Pool, now: datetime) -> None:
        """Makes what is due, publishes, has stamped. Whatever refuses is logged, and tried again."""
        async with connections.acquire() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", SIGNING_LOCK):
                return  # another keeper does it
            try:
                if self._due is None:
                    await self._say_if_unnamed(connection)
                if self._due is None or now >= self._due:
                    await self._make(connection, now)
                timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
                async with aiohttp.ClientSession(timeout=timeout) as session:
                    for place in self.places:
                        await self._publish(connection, session, place, now)
                    for authority in self.authorities:
                        await self._stamp(connection, session, authority)
            finally:
                await connection.execute("SELECT pg_advisory_unlock($1)", SIGNING_LOCK)

    async def _make(self, connection: Connection, now: datetime) -> None:
        async with connection.transaction():
            # Whoever is numbering at this moment is waited for: else what is there would wait for another hour.
            await connection.execute("SELECT pg_advisory_xact_lock($1)", custody.SEQUENCER_LOCK)
            while await custody.sequence(connection, whole=True):
                pass
        try:
            made = await make(connection, self.log, now)
        except MissingTilesError as missing:
            if not self._incomplete:
                self._incomplete = True
                return  # the next round: the sequencer of a store from before there were tiles is at it
            log.error("no checkpoint: the custody log was changed", fault=str(missing))
            await refused(connection, Refusal.LOG, obj=OBJECT, actor="keeper", now=now)
        except OSError as fault:
            log.error("no checkpoint: the state folder cannot be written", fault=type(fault).__name__)
        except ForkError as fork:
            log.error("no checkpoint: the custody log was changed", fault=str(fork))
            await refused(connection, Refusal.LOG, obj=OBJECT, actor="keeper", now=now)
        except (ForgedNoteError, MalformedNoteError, UnsignedNoteError) as forged:
            log.error("no checkpoint: the last one was changed", fault=str(forged))
            await refused(connection, Refusal.CHECKPOINT, obj=OBJECT, actor="keeper", now=now)
        else:
            if made:
                log.info("checkpoint made", size=made.size)
        self._incomplete = False
        self._due = now + self.every

    async def _say_if_unnamed(self, connection: Connection) -> None:
        body = await connection.fetchval("SELECT body FROM manifests ORDER BY serial DESC LIMIT 1")
        if body is not None and _named_in(body) != self.log.vkey:
            log.warning("the manifest does not name the log's key: run python -m admin custody name-log")
        if not self.places:
            log.warning("checkpoints are published nowhere: set DODOMU_CHECKPOINT_FOLDER, _URL or _CHANNEL")

    async def _publish(
        self, connection: Connection, session: aiohttp.ClientSession, place: Place, now: datetime
    ) -> None:
        for checkpoint in await checkpoints.unpublished(connection, place.name):
            if not await self._is_ours(connection, checkpoint):
                self._tell(
                    f"forged {checkpoint.size}", "a checkpoint was not published: it is not of this log"
                )
                continue
            try:
                await place.publish(session, checkpoint.size, checkpoint.note)
            except UNPUBLISHED as fault:
                self._tell(
                    place.name,
                    "a checkpoint could not be published",
                    place=place.name,
                    fault=type(fault).__name__,
                )
                return  # in their order
            await checkpoints.note_published(connection, checkpoint.size, place.name, now)
            self._told.discard(place.name)
            log.info("checkpoint published", place=place.name, size=checkpoint.size)

    async def _stamp(
        self, connection: Connection, session: aiohttp.ClientSession, authority: Authority
    ) -> None:
        checkpoint = await checkpoints.unstamped(connection, authority.name)
        if checkpoint is None or not await self._is_ours(connection, checkpoint):
            return
        try:
            token = await authority.stamp(session, checkpoint.note, self.roots)
        except (TimestampError, *UNPUBLISHED) as fault:
            self._tell(
                authority.name,
                "a checkpoint could not be stamped",
                authority=authority.name,
                fault=type(fault).__name__,
            )
            return
        await checkpoints.keep_timestamp(connection, checkpoint.size, authority.name, token)
        self._told.discard(authority.name)

    async def _is_ours(self, connection: Connection, checkpoint: Kept) -> bool:
        """Whether our key signed it and it is of the log as it stands: what is in a row may be anybody's."""
        try:
            head = _head(notes.verify(checkpoint.note, [self.log.vkey]))
            return head.size == checkpoint.size and head.root == await proofs.tree_head(connection, head.size)
        except (ForgedNoteError, MalformedNoteError, UnsignedNoteError):
            return False

    def _tell(self, key: str, event: str, **facts: str) -> None:
        """Once, until it is well again."""
        if key not in self._told:
            self._told.add(key)
            log.warning(event, **facts)
