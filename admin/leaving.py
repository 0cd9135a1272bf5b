"""A member leaves, or has another role: from that moment nothing new is sealed to them, and what they wrote stays.

    left = await leave(connection, "swift", signer=key, opener=…, seen=seen, now=now)
    left.undelivered                            # replies of theirs that no reporter will read, by desk code
    await change_role(connection, "heron", "lead", signer=key, seen=seen, now=now)

One transaction: the manifest without them, their team keys and sessions gone, and a new epoch for each compartment
that they held. What they could read before they can have kept: no key takes that back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admin import epochs
from admin.ceremony import VALID_FOR, keep_manifest
from admin.members import WITHOUT_KEYS
from admin.openers import AGAIN, RENEW, MemberError, Opener, confirm, current, named
from storage import custody, manifest, members
from storage.database import Connection
from storage.manifest import LEAD, Manifest, MemberKeys, SeenSerial, with_signed_before
from storage.members import Member
from storage.tables import ROLES


@dataclass(frozen=True, slots=True)
class Left:
    """Who left, the compartments that have a new epoch for it, and replies of theirs that are not delivered."""

    member: Member
    serial: int
    compartments: tuple[str, ...]
    undelivered: Mapping[str, int]


async def leave(
    connection: Connection,
    call_sign: str,
    *,
    signer: Ed25519PrivateKey,
    opener: Opener,
    seen: SeenSerial,
    now: datetime,
    even_so: bool = False,
) -> Left:
    """Takes a member out of the manifest. `opener` is recovery or a member who stays: with the ceremony key, two keys.

    MemberError: unknown, left already, or the last of their kind and not `even_so`; ManifestError.
    """
    before = (await current(connection, signer.public_key(), seen, now)).manifest
    member = await named(connection, call_sign, before, now)
    if not before.says_who_holds():
        raise MemberError(RENEW)
    if opener.holder == member.id:
        raise MemberError("Nobody signs their own leaving: recovery opens, or a member who stays.")
    keys = before.members[str(member.id)]
    await confirm(connection, before, opener, now)
    stay = {at: of for at, of in before.members.items() if at != str(member.id)}
    _refuse_last(call_sign, before, stay, keys.compartments, even_so=even_so)
    made = epochs.after(before, keys.compartments, stay)
    after = before.model_copy(
        update={
            "serial": before.serial + 1,
            "expires": now.date() + VALID_FOR,
            "compartments": made.compartments,
            "members": stay,
            "signed_before": with_signed_before(before, str(member.id)),
        }
    )
    try:
        async with connection.transaction():
            await keep_manifest(connection, after, manifest.sign(after, signer), now)
            if not await members.leave(connection, member.id, now):
                raise MemberError(f"{call_sign} left already.")
            await members.end_sessions(connection, member.id)
            await members.drop_team_keys(connection, member.id)
            await epochs.keep(connection, made, now)
            undelivered = await members.undelivered(connection, member.id)
            act = custody.leaf(
                "member left", at=now, actor="keeper", obj=str(member.id), manifest=after.serial
            )
            await custody.write(connection, act)
    except asyncpg.UniqueViolationError:
        raise MemberError(AGAIN) from None
    return Left(member, after.serial, made.names, undelivered)


async def change_role(
    connection: Connection,
    call_sign: str,
    role: str,
    *,
    signer: Ed25519PrivateKey,
    seen: SeenSerial,
    now: datetime,
    even_so: bool = False,
) -> tuple[str, ...]:
    """Gives a member another role, from their next sign-in on; the compartments that they open no more.

    Who becomes keeper or auditor opens no report from the next epoch on, which begins now. MemberError, ManifestError.
    """
    if role not in ROLES:
        raise MemberError(f"A role is one of: {', '.join(ROLES)}.")
    before = (await current(connection, signer.public_key(), seen, now)).manifest
    member = await named(connection, call_sign, before, now)
    keys = before.members[str(member.id)]
    if not before.says_who_holds():
        raise MemberError(RENEW)
    if keys.role == role:
        raise MemberError(f"{call_sign} is {role} already.")
    loses = keys.compartments if role in WITHOUT_KEYS else []
    becomes = keys.model_copy(
        update={"role": role, "compartments": [name for name in keys.compartments if name not in loses]}
    )
    others = {**before.members, str(member.id): becomes}
    _refuse_last(call_sign, before, others, loses, even_so=even_so)
    made = epochs.after(before, loses, others)
    after = before.model_copy(
        update={
            "serial": before.serial + 1,
            "expires": now.date() + VALID_FOR,
            "compartments": made.compartments,
            "members": others,
        }
    )
    try:
        async with connection.transaction():
            await keep_manifest(connection, after, manifest.sign(after, signer), now)
            if not await members.set_role(connection, member.id, role):
                raise MemberError(f"{call_sign} left already.")
            await members.end_sessions(connection, member.id)
            if loses:
                await members.drop_team_keys(connection, member.id)
            await epochs.keep(connection, made, now)
            act = custody.leaf(
                "role changed", at=now, actor="keeper", obj=str(member.id), role=role, was=keys.role,
                manifest=after.serial,
            )  # fmt: skip
            await custody.write(connection, act)
    except asyncpg.UniqueViolationError:
        raise MemberError(AGAIN) from None
    return made.names


def _refuse_last(
    call_sign: str, before: Manifest, after: Mapping[str, MemberKeys], loses: Iterable[str], *, even_so: bool
) -> None:
    """Says what nobody could do any more, unless it was said before and is meant."""
    warnings = []
    if before.leads() and not any(keys.role == LEAD for keys in after.values()):
        warnings.append(
            f"{call_sign} is the last lead: nobody would assign, release or end sessions, and a lost passphrase"
            " would need the recovery paper."
        )
    warnings += [
        f"{call_sign} is the last who opens {name}: its reports would wait until somebody is given it with the"
        " recovery paper."
        for name in sorted(loses)
        if not any(name in keys.compartments for keys in after.values())
    ]
    if warnings and not even_so:
        raise MemberError("\n".join([*warnings, "If that is meant, say it again with --even-so."]))
