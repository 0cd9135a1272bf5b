"""The key ceremony, held once: it makes the keys that everything else is trusted by.

Two secrets leave the machine on paper: the *ceremony key* signs manifests, the *recovery identity* opens
every team identity. There is a *team identity* for each compartment, sealed to recovery alone until members are
added. What a child writes of itself, and where a child is now, have compartments of their own. Nothing is kept
in the store before both papers are written, and nothing is overwritten when a ceremony was held before.

    made = make(today)
    await keep(connection, made, now)
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import asyncpg
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from admin.errors import AdminError
from admin.keys import seal_team_identity
from flows import forms
from seal import HybridIdentity, HybridRecipient, SealError, parse_identities, parse_recipient
from storage import custody, manifest, members
from storage.database import Connection
from storage.manifest import Compartment, Manifest, SeenSerial, Signed
from storage.members import RECOVERY, TeamKey

TEAM, CHILD, WHEREABOUTS = "team", "child", "whereabouts"
COMPARTMENTS = (TEAM, CHILD, WHEREABOUTS)
VALID_FOR = timedelta(days=365)  # a manifest; one that has expired still takes reports
_APART = {"child": CHILD, "with_me": WHEREABOUTS}  # by form; all others go to the team
CEREMONY_FILE, RECOVERY_FILE = "ceremony-key.txt", "recovery.txt"

_CEREMONY_PAPER = """\
Dodomu: the CEREMONY KEY. Secret.

Who has it decides to whose keys reports are sealed. It is needed to add a member and once a year to
renew the list of keys (the manifest); never to read a report.
Print this file, check the print, lock it away apart from the recovery identity, then delete the file.

"""
_RECOVERY_PAPER = """\
# Dodomu: the RECOVERY IDENTITY. Secret.
#
# Who has it and a copy of the database opens every report. It is needed when nobody's passphrase is left,
# and to add the first member.
# Print this file, check the print, lock it away apart from the ceremony key, then delete the file.
# It is an age identity: the public `age` tool (1.3 or later) opens with it what is sealed to recovery.
#
# public key: {recipient}
"""


class CeremonyError(AdminError):
    """The ceremony cannot be held, or one of its files is not what it should be."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a ceremony makes."""

    manifest: Manifest
    signed: Signed = field(repr=False)
    ceremony_key: Ed25519PrivateKey = field(repr=False)
    recovery: HybridIdentity = field(repr=False)
    teams: Mapping[str, HybridIdentity] = field(repr=False)  # by compartment
    team_keys: Sequence[TeamKey] = field(repr=False)

    @property
    def ceremony_public_hex(self) -> str:
        """For DODOMU_CEREMONY_KEY: 64 hexadecimal digits."""
        return self.ceremony_key.public_key().public_bytes_raw().hex()


def make(today: date, relay: HybridRecipient | None = None) -> Made:
    """Makes the keys and the first manifest, which names no member yet. Replies are sealed to `relay`, the bot's."""
    ceremony_key = Ed25519PrivateKey.generate()
    recovery = HybridIdentity.generate()
    teams = {name: HybridIdentity.generate() for name in COMPARTMENTS}
    first = Manifest(
        serial=1,
        expires=today + VALID_FOR,
        recovery=str(recovery.recipient),
        compartments={
            name: Compartment(epoch=1, recipient=str(team.recipient)) for name, team in teams.items()
        },
        members={},
        routing=routing(),
        relay=str(relay) if relay else "",
    )
    return Made(
        first,
        manifest.sign(first, ceremony_key),
        ceremony_key,
        recovery,
        teams,
        [seal_team_identity(team, name, 1, RECOVERY, first.recovery) for name, team in teams.items()],
    )


def routing() -> dict[str, str]:
    """To which compartment each form's reports go, for every form of this version."""
    return {form.name: _APART.get(form.name, TEAM) for form in forms.every()}


async def refuse_second(connection: Connection) -> None:
    """Raises CeremonyError when a ceremony was held in this store."""
    if await connection.fetchval("SELECT EXISTS (SELECT 1 FROM manifests)"):
        raise CeremonyError("A key ceremony was already held for this database. It is held once.")


async def keep(connection: Connection, made: Made, now: datetime) -> None:
    """Keeps the manifest and the sealed team identity, with their leaves; CeremonyError if one was held."""
    try:
        async with connection.transaction():
            await refuse_second(connection)
            await keep_manifest(connection, made.manifest, made.signed, now)
            for key in made.team_keys:
                await members.put_team_key(connection, key)
            act = custody.leaf("ceremony", at=now, actor="keeper", obj=made.ceremony_public_hex)
            await custody.write(connection, act)
    except asyncpg.UniqueViolationError:
        raise CeremonyError("Another key ceremony was held at the same moment; that one counts.") from None


async def name_relay(
    connection: Connection,
    relay: HybridRecipient,
    *,
    signer: Ed25519PrivateKey,
    seen: SeenSerial,
    now: datetime,
) -> Manifest:
    """The next manifest, which names this relay identity, kept with its leaf. Raises ManifestError, CeremonyError."""
    before = await manifest.newest(connection, signer.public_key(), seen)
    after = before.model_copy(
        update={"serial": before.serial + 1, "expires": now.date() + VALID_FOR, "relay": str(relay)}
    )
    try:
        async with connection.transaction():
            await keep_manifest(connection, after, manifest.sign(after, signer), now)
    except asyncpg.UniqueViolationError:
        raise CeremonyError("Somebody else changed the manifest at the same moment. Try again.") from None
    return after


async def complete(
    connection: Connection, *, signer: Ed25519PrivateKey, seen: SeenSerial, now: datetime
) -> list[str]:
    """Makes the compartments and routes of this version that a store from before it lacks; the names of the new ones.

    New team identities are sealed to recovery alone: `admin.members.give`. What stands in the manifest stays as it is.
    Raises ManifestError, CeremonyError.
    """
    before = await manifest.newest(connection, signer.public_key(), seen)
    missing = {name: HybridIdentity.generate() for name in COMPARTMENTS if name not in before.compartments}
    routes = {**routing(), **before.routing}
    if not missing and routes == before.routing:
        return []
    new = {name: Compartment(epoch=1, recipient=str(team.recipient)) for name, team in missing.items()}
    after = before.model_copy(
        update={
            "serial": before.serial + 1,
            "expires": now.date() + VALID_FOR,
            "compartments": {**before.compartments, **new},
            "routing": routes,
        }
    )
    try:
        async with connection.transaction():
            for name, team in missing.items():
                key = seal_team_identity(team, name, 1, RECOVERY, before.recovery)
                await members.put_team_key(connection, key)
            await keep_manifest(connection, after, manifest.sign(after, signer), now)
    except asyncpg.UniqueViolationError:
        raise CeremonyError("Somebody else changed the manifest at the same moment. Try again.") from None
    return list(missing)


def read_relay(text: str) -> HybridRecipient:
    """The relay identity's public half, as `python -m bot relay` shows it."""
    try:
        recipient = parse_recipient(text.strip())
    except SealError:
        recipient = None
    if not isinstance(recipient, HybridRecipient):
        raise CeremonyError("This is not what `python -m bot relay` shows: a line that begins with age1pq1.")
    return recipient


async def keep_manifest(connection: Connection, of: Manifest, signed: Signed, now: datetime) -> None:
    """Adds a signed manifest and its leaf, in the caller's transaction."""
    await manifest.keep(connection, of, signed)
    sha256 = hashlib.sha256(signed.body).hexdigest()
    await custody.write(
        connection, custody.leaf("manifest", at=now, actor="keeper", obj=str(of.serial), sha256=sha256)
    )


# ---- the two papers ---------------------------------------------------------------------------------


@contextlib.contextmanager
def papers(made: Made, folder: Path) -> Iterator[tuple[Path, Path]]:
    """Writes both secrets, each readable by its user alone, and removes them if the ceremony is refused.

    Raises CeremonyError when one of the files is there already: nothing is overwritten. After any other
    fault they stay: the database may have kept what they belong to.
    """
    pem = made.ceremony_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    recovery = _RECOVERY_PAPER.format(recipient=made.recovery.recipient) + f"{made.recovery.reveal()}\n"
    texts = {CEREMONY_FILE: _CEREMONY_PAPER + pem, RECOVERY_FILE: recovery}
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CeremonyError(f"The folder {folder} cannot be made: {error.strerror}.") from None
    written: list[Path] = []
    try:
        for name, text in texts.items():
            write_private(folder / name, text)
            written.append(folder / name)
        yield folder / CEREMONY_FILE, folder / RECOVERY_FILE
    except CeremonyError:
        for path in written:
            path.unlink()
        raise


def write_private(path: Path, text: str) -> None:
    """A new file that only its user reads, on the disk when this returns. CeremonyError when it cannot be."""
    try:
        with open(path, "x", encoding="utf-8", opener=_private) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(path.parent, os.O_RDONLY)
    except FileExistsError:
        raise CeremonyError(
            f"{path} is there already; nothing is overwritten. Choose another folder."
        ) from None
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink()
        raise CeremonyError(f"{path} cannot be written: {error.strerror}.") from None
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_ceremony_key(path: Path) -> Ed25519PrivateKey:
    """The ceremony key in its file, with or without the words above it."""
    try:
        key = load_pem_private_key(_read(path).encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise CeremonyError(f"{path} is not a ceremony key, or was copied with a mistake.") from None
    return key


def read_recovery(path: Path) -> HybridIdentity:
    """The recovery identity in its file, with or without the words above it."""
    try:
        identities = parse_identities(_read(path))
    except SealError:
        identities = []
    if len(identities) != 1 or not isinstance(identities[0], HybridIdentity):
        raise CeremonyError(f"{path} is not a recovery identity, or was copied with a mistake.") from None
    return identities[0]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CeremonyError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        return ""  # then it is no key either


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
