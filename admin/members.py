"""Adding a member: their keys enter a new manifest, signed by the ceremony key, all in one transaction.

    added = await add(connection, "swift", "analyst", signer=key, opener=Opener(RECOVERY, recovery), …)
    await give(connection, "swift", "child", ceremony_key=key.public_key(), opener=…)      # one compartment more

The team identity of each compartment that they are given is opened in memory by someone who holds it, recovery
or a member, and sealed once more to the newcomer. The passphrase and the TOTP secret are in the answer and nowhere
else: they are shown once.
"""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from admin.ceremony import TEAM, VALID_FOR, keep_manifest
from admin.errors import AdminError
from admin.keys import (
    NewMember,
    check_named,
    new_member,
    new_passphrase,
    open_team_identity,
    seal_team_identity,
)
from seal import HybridIdentity, SealError
from storage import custody, manifest, members
from storage.database import Connection
from storage.errors import SwappedRowError
from storage.manifest import Manifest, SeenSerial
from storage.members import Member
from storage.tables import ROLES

WITHOUT_KEYS = frozenset({"keeper", "auditor"})
"""Roles that look after the store and the log and never open a report: no team identity is sealed to them."""

_CALL_SIGN = re.compile(r"[a-z][a-z0-9-]{1,31}")


class MemberError(AdminError):
    """The member cannot be added; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Opener:
    """Who opens the team identity for the newcomer: `holder` is a member's id, or `members.RECOVERY`."""

    holder: uuid.UUID
    identity: HybridIdentity = field(repr=False)


@dataclass(frozen=True, slots=True)
class Added:
    """The new member, and what is shown once."""

    member: Member
    serial: int
    passphrase: str = field(repr=False)
    totp_secret: str = field(repr=False)


async def add(
    connection: Connection,
    call_sign: str,
    role: str,
    *,
    signer: Ed25519PrivateKey,
    opener: Opener,
    seen: SeenSerial,
    work_factor: int,
    now: datetime,
    compartments: Sequence[str] = (TEAM,),
) -> Added:
    """Adds a member with new keys, and the team identity of these compartments.

    Raises MemberError, ManifestError (the ceremony key is another's).
    """
    check(call_sign, role)
    before = await manifest.newest(connection, signer.public_key(), seen)
    passphrase = new_passphrase()
    new = new_member(passphrase, work_factor)
    given = [] if role in WITHOUT_KEYS else list(dict.fromkeys(compartments))
    after = with_member(before, new, role, given, now)
    row = new.row(call_sign, role, custody.hour(now))
    keys = [await _sealed_to(new.id, new.recipient, name, connection, before, opener) for name in given]
    try:
        async with connection.transaction():
            await members.add(connection, row)
            for key in keys:
                await members.put_team_key(connection, key)
            await keep_manifest(connection, after, manifest.sign(after, signer), now)
            act = custody.leaf(
                "member added", at=now, actor="keeper", obj=str(new.id), role=role, manifest=after.serial
            )
            await custody.write(connection, act)
    except asyncpg.UniqueViolationError as error:
        if error.table_name == "members":
            raise MemberError(
                f"The call sign {call_sign} is taken, now or in the past. Choose another."
            ) from None
        raise MemberError("Somebody else changed the manifest at the same moment. Try again.") from None
    return Added(row, after.serial, passphrase, new.totp_secret)


async def give(
    connection: Connection,
    call_sign: str,
    compartment: str,
    *,
    ceremony_key: Ed25519PublicKey,
    opener: Opener,
    seen: SeenSerial,
    now: datetime,
) -> Member:
    """Gives a member the team identity of one more compartment, with its leaf. Raises MemberError, ManifestError."""
    current = await manifest.newest(connection, ceremony_key, seen)
    member = await members.by_call_sign(connection, call_sign)
    if member is None:
        raise MemberError(f"There is no member {call_sign}.")
    if member.role in WITHOUT_KEYS:
        raise MemberError(f"{call_sign} is {member.role}: that role opens no report.")
    check_named(member, current)
    key = await _sealed_to(member.id, member.recipient, compartment, connection, current, opener)
    try:
        async with connection.transaction():
            await members.put_team_key(connection, key)
            act = custody.leaf(
                "compartment given", at=now, actor="keeper", obj=str(member.id), compartment=compartment
            )
            await custody.write(connection, act)
    except asyncpg.UniqueViolationError:
        raise MemberError(f"{call_sign} has {compartment} already.") from None
    return member


def check(call_sign: str, role: str) -> None:
    """Raises MemberError when a call sign or a role cannot be."""
    if not _CALL_SIGN.fullmatch(call_sign):
        raise MemberError(
            "A call sign has 2 to 32 characters: small letters a-z, digits and hyphens, a letter first. It"
            " stands in clear for good, so it is not a name."
        )
    if role not in ROLES:
        raise MemberError(f"A role is one of: {', '.join(ROLES)}.")


def with_member(
    before: Manifest, new: NewMember, role: str, compartments: Sequence[str], now: datetime
) -> Manifest:
    """The next manifest: the same compartments, one more member, valid for a year from now."""
    return before.model_copy(
        update={
            "serial": before.serial + 1,
            "expires": now.date() + VALID_FOR,
            "members": {**before.members, str(new.id): new.public(role, compartments)},
        }
    )


async def _sealed_to(
    holder: uuid.UUID, recipient: str, name: str, connection: Connection, current: Manifest, opener: Opener
) -> members.TeamKey:
    compartment = current.compartments.get(name)
    if compartment is None:
        known = ", ".join(sorted(current.compartments))
        raise MemberError(f"There is no compartment {name}. There are: {known}.")
    held = await members.team_key(connection, name, compartment.epoch, opener.holder)
    if held is None:
        raise MemberError(
            f"Who opens the team identity of {name} for another member must hold it; this one does not."
        )
    try:
        team = open_team_identity(held, opener.identity, compartment)
    except (SealError, SwappedRowError):
        raise MemberError(
            "The team identity does not open with this key. Either it is another team's key, or the database"
            " was changed: compare with a backup before you go on."
        ) from None
    return seal_team_identity(team, name, compartment.epoch, holder, recipient)
