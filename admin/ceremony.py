"""The key ceremony, held once: it makes the keys that everything else is trusted by.

Two secrets leave the machine on paper (`admin.papers`): the *ceremony key* signs manifests, the *recovery identity*
opens every team identity. There is a *team identity* for each compartment, sealed to recovery alone until members are
added. What a child writes of itself, and where a child is now, have compartments of their own. Nothing is kept
in the store before both papers are written, and nothing is overwritten when a ceremony was held before.

    made = make(today)
    await keep(connection, made, now)        # or offline: admin.offline, then keep() on the server
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admin.keys import seal_team_identity
from admin.papers import CEREMONY_FILE, RECOVERY_FILE, CeremonyError, read_ceremony_key, read_recovery
from flows import forms
from seal import HybridIdentity, HybridRecipient, SealError, parse_recipient
from storage import custody, manifest, members
from storage.database import Connection
from storage.manifest import Compartment, Manifest, Signed
from storage.members import RECOVERY, TeamKey

__all__ = [
    "CEREMONY_FILE",
    "COMPARTMENTS",
    "RECOVERY_FILE",
    "CeremonyError",
    "Made",
    "Public",
    "keep",
    "keep_manifest",
    "make",
    "read_ceremony_key",
    "read_recovery",
    "read_relay",
    "refuse_second",
    "routing",
]

TEAM, CHILD, WHEREABOUTS = "team", "child", "whereabouts"
COMPARTMENTS = (TEAM, CHILD, WHEREABOUTS)
VALID_FOR = timedelta(days=365)  # a manifest; one that has expired still takes reports
_APART = {"child": CHILD, "with_me": WHEREABOUTS}  # by form; all others go to the team


@dataclass(frozen=True, slots=True)
class Public:
    """What of a ceremony the store keeps: the signed manifest, and the team identities sealed to recovery."""

    manifest: Manifest
    signed: Signed = field(repr=False)
    ceremony_public_hex: str  # for DODOMU_CEREMONY_KEY: 64 hexadecimal digits
    team_keys: Sequence[TeamKey] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Made(Public):
    """All that a ceremony makes."""

    ceremony_key: Ed25519PrivateKey = field(repr=False)
    recovery: HybridIdentity = field(repr=False)
    teams: Mapping[str, HybridIdentity] = field(repr=False)  # by compartment


def make(today: date, relay: HybridRecipient | None = None, *, log: str = "") -> Made:
    """Makes the keys and the first manifest, which names no member yet.

    Replies are sealed to `relay`, the bot's; `log` is the verifier key of the custody log (C2SP signed-note).
    """
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
        log=log,
    )
    return Made(
        manifest=first,
        signed=manifest.sign(first, ceremony_key),
        ceremony_public_hex=ceremony_key.public_key().public_bytes_raw().hex(),
        team_keys=[
            seal_team_identity(team, name, 1, RECOVERY, first.recovery) for name, team in teams.items()
        ],
        ceremony_key=ceremony_key,
        recovery=recovery,
        teams=teams,
    )


def routing() -> dict[str, str]:
    """To which compartment each form's reports go, for every form of this version."""
    return {form.name: _APART.get(form.name, TEAM) for form in forms.every()}


async def refuse_second(connection: Connection) -> None:
    """Raises CeremonyError when a ceremony was held in this store."""
    if await connection.fetchval("SELECT EXISTS (SELECT 1 FROM manifests)"):
        raise CeremonyError("A key ceremony was already held for this database. It is held once.")


async def keep(connection: Connection, made: Public, now: datetime) -> None:
    """Keeps the manifest and the sealed team identities, with their leaves; CeremonyError if one was held."""
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
