"""A new epoch: from now on a compartment's reports are sealed to a new identity, and what was before stays open.

    made = after(before, ["team"], members)        # the compartments of the next manifest, and the sealed copies
    serial = await rotate(connection, ["team"], signer=key, seen=seen, now=now)

The new identity is sealed to recovery and to each member whom the *signed manifest* names for the compartment: a row
that was planted in the database is not looked at, and gives nobody anything.
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admin.ceremony import VALID_FOR, keep_manifest
from admin.keys import seal_team_identity
from admin.openers import AGAIN, RENEW, MemberError, current
from seal import HybridIdentity
from storage import custody, manifest, members
from storage.database import Connection
from storage.manifest import Compartment, Manifest, MemberKeys, SeenSerial
from storage.members import RECOVERY, TeamKey


@dataclass(frozen=True, slots=True)
class NewEpochs:
    """The compartments of the next manifest, and the new identities, sealed to each who is to hold them."""

    compartments: dict[str, Compartment]
    names: tuple[str, ...]
    keys: list[TeamKey] = field(repr=False)


def after(before: Manifest, names: Iterable[str], named: Mapping[str, MemberKeys]) -> NewEpochs:
    """A new epoch for each of these compartments; `named` are the members of the next manifest, by id."""
    compartments, keys, renewed = dict(before.compartments), [], tuple(sorted(set(names)))
    for name in renewed:
        old, team = before.compartments[name], HybridIdentity.generate()
        epoch = old.epoch + 1
        compartments[name] = Compartment(
            epoch=epoch, recipient=str(team.recipient), former={**old.former, old.epoch: old.recipient}
        )
        holders = {uuid.UUID(member): of.recipient for member, of in named.items() if name in of.compartments}
        keys += [
            seal_team_identity(team, name, epoch, holder, recipient)
            for holder, recipient in {RECOVERY: before.recovery, **holders}.items()
        ]
    return NewEpochs(compartments, renewed, keys)


async def keep(connection: Connection, made: NewEpochs, now: datetime) -> None:
    """Adds the sealed identities and a leaf for each epoch, in the caller's transaction.

    Who holds a compartment signs in again: a session has the keys of the epochs that were when it began.
    """
    for key in made.keys:
        await members.put_team_key(connection, key)
        await members.end_sessions(connection, key.holder)
    for name in made.names:
        new = made.compartments[name]
        sha256 = hashlib.sha256(new.recipient.encode()).hexdigest()
        act = custody.leaf(
            "epoch",
            at=now,
            actor="keeper",
            obj=name,
            compartment=name,
            epoch=new.epoch,
            recipient_sha256=sha256,
        )
        await custody.write(connection, act)


async def rotate(
    connection: Connection,
    names: Sequence[str],
    *,
    signer: Ed25519PrivateKey,
    seen: SeenSerial,
    now: datetime,
) -> Manifest:
    """The next manifest, with a new epoch for these compartments, or for all if none is named.

    Raises MemberError, ManifestError.
    """
    before = (await current(connection, signer.public_key(), seen, now)).manifest
    if unknown := sorted(set(names) - before.compartments.keys()):
        known = ", ".join(sorted(before.compartments))
        raise MemberError(f"There is no compartment {unknown[0]}. There are: {known}.")
    if not before.says_who_holds():
        raise MemberError(RENEW)
    made = after(before, names or before.compartments, before.members)
    following = before.model_copy(
        update={
            "serial": before.serial + 1,
            "expires": now.date() + VALID_FOR,
            "compartments": made.compartments,
        }
    )
    try:
        async with connection.transaction():
            await keep_manifest(connection, following, manifest.sign(following, signer), now)
            await keep(connection, made, now)
    except asyncpg.UniqueViolationError:
        raise MemberError(AGAIN) from None
    return following
