"""Adding a member, and giving them more: what they are and open stands in the next manifest, all in one transaction.

    added = await add(connection, "swift", "analyst", signer=key, opener=Opener(RECOVERY, recovery), …)
    await give(connection, "swift", "child", signer=key, opener=…)      # one compartment more

The team identity of each compartment that they are given is opened in memory by someone who holds it, recovery
or a member, and sealed once more to the newcomer, for every epoch that there was. The passphrase and the TOTP secret
are in the answer and nowhere else: they are shown once. How a member leaves: `admin.leaving`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admin.ceremony import TEAM, VALID_FOR, keep_manifest
from admin.keys import NewMember, new_member, new_passphrase
from admin.openers import AGAIN, RENEW, MemberError, Opener, current, named, sealed_to
from storage import custody, manifest, members
from storage.database import Connection
from storage.manifest import Manifest, SeenSerial
from storage.members import Member, TeamKey
from storage.tables import ROLES

__all__ = ["WITHOUT_KEYS", "Added", "MemberError", "Opener", "add", "check", "give"]

WITHOUT_KEYS = frozenset({"keeper", "auditor"})
"""Roles that look after the store and the log and never open a report: no team identity is sealed to them."""

_CALL_SIGN = re.compile(r"[a-z][a-z0-9-]{1,31}")


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
    """Adds a member with new keys, and the team identity of these compartments, in all epochs.

    Raises MemberError, ManifestError (the ceremony key is another's).
    """
    check(call_sign, role)
    before = (await current(connection, signer.public_key(), seen, now)).manifest
    passphrase = new_passphrase()
    new = new_member(passphrase, work_factor)
    given = [] if role in WITHOUT_KEYS else list(dict.fromkeys(compartments))
    after = _with_member(before, new, role, given, now)
    row = new.row(call_sign, role, custody.hour(now))
    keys = await sealed_to(connection, before, opener, new.id, new.recipient, given, now)
    try:
        async with connection.transaction():
            await keep_manifest(connection, after, manifest.sign(after, signer), now)
            await members.add(connection, row)
            for key in keys:
                await members.put_team_key(connection, key)
            act = custody.leaf(
                "member added", at=now, actor="keeper", obj=str(new.id), role=role, manifest=after.serial
            )
            await custody.write(connection, act)
    except asyncpg.UniqueViolationError as error:
        if error.table_name == "members":
            raise MemberError(
                f"The call sign {call_sign} is taken, now or in the past. Choose another."
            ) from None
        raise MemberError(AGAIN) from None
    return Added(row, after.serial, passphrase, new.totp_secret)


async def give(
    connection: Connection,
    call_sign: str,
    compartment: str,
    *,
    signer: Ed25519PrivateKey,
    opener: Opener,
    seen: SeenSerial,
    now: datetime,
) -> Member:
    """Gives a member the team identity of one more compartment, in all epochs, with its leaf.

    Who has it in the manifest and lacks an epoch, as after a reset, is given what is missing. Raises MemberError,
    ManifestError.
    """
    before = (await current(connection, signer.public_key(), seen, now)).manifest
    member = await named(connection, call_sign, before, now)
    keys = before.members[str(member.id)]
    if member.role in WITHOUT_KEYS:
        raise MemberError(f"{call_sign} is {member.role}: that role opens no report.")
    if not keys.role:
        raise MemberError(RENEW)
    sealed = await sealed_to(connection, before, opener, member.id, keys.recipient, [compartment], now)
    has = {(key.compartment, key.epoch) for key in await members.team_keys(connection, member.id)}
    missing = [key for key in sealed if (key.compartment, key.epoch) not in has]
    if compartment in keys.compartments and not missing:
        raise MemberError(f"{call_sign} has {compartment} already.")
    after = _with_compartment(before, str(member.id), compartment, now)
    try:
        async with connection.transaction():
            # Signed anew even if nothing but epochs is missing: of two who act at once, one is told to try again.
            await keep_manifest(connection, after, manifest.sign(after, signer), now)
            await _put(connection, missing)
            act = custody.leaf(
                "compartment given", at=now, actor="keeper", obj=str(member.id), compartment=compartment
            )
            await custody.write(connection, act)
    except asyncpg.UniqueViolationError:
        raise MemberError(AGAIN) from None
    return member


async def _put(connection: Connection, keys: Sequence[TeamKey]) -> None:
    for key in keys:
        await members.put_team_key(connection, key)


def check(call_sign: str, role: str) -> None:
    """Raises MemberError when a call sign or a role cannot be."""
    if not _CALL_SIGN.fullmatch(call_sign):
        raise MemberError(
            "A call sign has 2 to 32 characters: small letters a-z, digits and hyphens, a letter first. It"
            " stands in clear for good, so it is not a name."
        )
    if role not in ROLES:
        raise MemberError(f"A role is one of: {', '.join(ROLES)}.")


def _with_member(
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


def _with_compartment(before: Manifest, member: str, compartment: str, now: datetime) -> Manifest:
    keys = before.members[member]
    opens = sorted({*keys.compartments, compartment})
    return before.model_copy(
        update={
            "serial": before.serial + 1,
            "expires": now.date() + VALID_FOR,
            "members": {**before.members, member: keys.model_copy(update={"compartments": opens})},
        }
    )
