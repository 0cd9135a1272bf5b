"""What the ceremony key changes after the ceremony: each change is one more manifest, kept with its leaf or not at all.

    await renew(connection, newest, [], signer=key, now=now)                        # the year's new manifest
    await add_compartment(connection, "south", ["UA65", "UA23"], signer=key, …)     # and whose reports go there

A new manifest has the next serial and is valid for a year. What stands in the one before stays as it is, but for what
the function names. Raises ManifestError (another's key, a changed row), CeremonyError (why it cannot be done).
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admin.ceremony import COMPARTMENTS, TEAM, VALID_FOR, keep_manifest, routing
from admin.keys import seal_team_identity
from admin.openers import AGAIN, current
from admin.papers import CeremonyError
from flows import placecodes
from seal import HybridIdentity, HybridRecipient
from storage import manifest, members
from storage.database import Connection
from storage.manifest import Compartment, Manifest, SeenSerial
from storage.members import RECOVERY
from storage.refusals import Refusal, refused

_NAME = re.compile(r"[a-z][a-z0-9-]{1,31}")


async def name_relay(
    connection: Connection,
    relay: HybridRecipient,
    *,
    signer: Ed25519PrivateKey,
    seen: SeenSerial,
    now: datetime,
) -> Manifest:
    """The next manifest, which names this relay identity."""
    before = (await current(connection, signer.public_key(), seen, now)).manifest
    return await _keep_next(connection, before, signer, now, {"relay": str(relay)})


async def name_log(
    connection: Connection, log: str, *, signer: Ed25519PrivateKey, seen: SeenSerial, now: datetime
) -> Manifest:
    """The manifest that names this key of the custody log (a note verifier key): the newest, if it does already."""
    before = (await current(connection, signer.public_key(), seen, now)).manifest
    return before if before.log == log else await _keep_next(connection, before, signer, now, {"log": log})


async def complete(
    connection: Connection, *, signer: Ed25519PrivateKey, seen: SeenSerial, now: datetime
) -> list[str]:
    """Makes the compartments and routes of this version that a store from before it lacks; the names of the new ones.

    New team identities are sealed to recovery alone: `admin.members.give`.
    """
    before = (await current(connection, signer.public_key(), seen, now)).manifest
    missing = [name for name in COMPARTMENTS if name not in before.compartments]
    routes = {**routing(), **before.routing}
    if missing or routes != before.routing:
        await _keep_next(connection, before, signer, now, {"routing": routes}, new=missing)
    return missing


# ---- compartments of places -------------------------------------------------------------------------


async def add_compartment(
    connection: Connection,
    name: str,
    places: Sequence[str],
    *,
    signer: Ed25519PrivateKey,
    seen: SeenSerial,
    now: datetime,
) -> Manifest:
    """A new compartment, to which reports from these places go that would go to the team.

    Its team identity is sealed to recovery alone: `admin.members.give`. `places` are beginnings of place codes
    (`flows.placecodes`).
    """
    before = (await current(connection, signer.public_key(), seen, now)).manifest
    if not _NAME.fullmatch(name):
        raise CeremonyError(
            "A compartment's name has 2 to 32 characters: small letters a-z, digits and hyphens, a letter first."
        )
    if name in before.compartments:
        raise CeremonyError(f"There is a compartment {name} already.")
    routed = {place_prefix(place): name for place in places}
    if taken := sorted(before.places.keys() & routed):
        raise CeremonyError(
            f"{', '.join(taken)} is routed already, to {before.places[taken[0]]}: `compartments route` changes it."
        )
    return await _keep_next(
        connection, before, signer, now, {"places": {**before.places, **routed}}, new=[name]
    )


async def route_places(
    connection: Connection,
    name: str,
    places: Sequence[str],
    *,
    signer: Ed25519PrivateKey,
    seen: SeenSerial,
    now: datetime,
) -> Manifest:
    """Reports from these places go to this compartment from now on; to the team: they have no way of their own."""
    before = (await current(connection, signer.public_key(), seen, now)).manifest
    if name not in before.compartments:
        known = ", ".join(sorted(before.compartments))
        raise CeremonyError(f"There is no compartment {name}. There are: {known}.")
    routed = {**before.places, **{place_prefix(place): name for place in places}}
    after = {place: to for place, to in routed.items() if to != TEAM or _lies_in_another(place, routed)}
    return await _keep_next(connection, before, signer, now, {"places": after})


def place_prefix(typed: str) -> str:
    """The beginning of a place code, as it was typed; CeremonyError when no place has a code that begins so."""
    prefix = typed.strip().upper()
    if placecodes.area(prefix) is None:
        raise CeremonyError(
            f"{typed} begins no place's code. A code is that of the codifier (KATOTTG), like UA65 for Kherson oblast"
            " or UA6502 for one raion; abroad it is the country's, BY or RU."
        )
    return prefix


def _lies_in_another(place: str, routed: Mapping[str, str]) -> bool:
    return any(place != other and place.startswith(other) and to != TEAM for other, to in routed.items())


# ---- the year's new manifest ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filled:
    """A member whom the manifest before named without role and compartments, and what their rows say."""

    member: uuid.UUID
    call_sign: str
    role: str
    compartments: tuple[str, ...]
    left: bool


async def unfilled(connection: Connection, before: Manifest, now: datetime) -> list[Filled]:
    """Whom the manifest names without a role, with role and compartments as the database has them now.

    Until it is signed a row is only a claim: show it to whoever signs. Raises CeremonyError, and that is on record,
    when a row has other keys than the manifest names, or there is none.
    """
    rows = {str(row.id): row for row in await members.everyone(connection)}
    found = []
    for member, named in before.members.items():
        if named.role:
            continue
        row = rows.get(member)
        if row is None or (row.recipient, row.signing_key.hex()) != (named.recipient, named.signing_key):
            await refused(connection, Refusal.RECIPIENT_ROW, obj=member, actor="keeper", now=now)
            raise CeremonyError(
                f"The row of the member {member} is missing or has other keys than the manifest names: the database was"
                " changed. Nothing was signed."
            )
        held = {(key.compartment, key.epoch) for key in await members.team_keys(connection, row.id)}
        opens = [name for name, of in before.compartments.items() if (name, of.epoch) in held]
        found.append(Filled(row.id, row.call_sign, row.role, tuple(sorted(opens)), row.left_hour is not None))
    return found


async def renew(
    connection: Connection,
    before: Manifest,
    filled: Sequence[Filled],
    *,
    signer: Ed25519PrivateKey,
    now: datetime,
) -> Manifest:
    """The same as `before`, the newest, for one more year; `filled` get role and compartments, or go if they left."""
    after = before
    for one in filled:
        member = str(one.member)
        given = {"role": one.role, "compartments": list(one.compartments)}
        others = {at: keys for at, keys in after.members.items() if at != member}
        stays = {} if one.left else {member: after.members[member].model_copy(update=given)}
        signed = manifest.with_signed_before(after, member) if one.left else after.signed_before
        after = after.model_copy(update={"members": {**others, **stays}, "signed_before": signed})
    changes = {"members": after.members, "signed_before": after.signed_before}
    return await _keep_next(connection, before, signer, now, changes)


async def _keep_next(
    connection: Connection,
    before: Manifest,
    signer: Ed25519PrivateKey,
    now: datetime,
    changes: Mapping[str, Any],
    new: Sequence[str] = (),
) -> Manifest:
    """Signs and keeps the next manifest with these changes, and with `new` compartments, sealed to recovery alone."""
    teams = {name: HybridIdentity.generate() for name in new}
    added = {name: Compartment(epoch=1, recipient=str(team.recipient)) for name, team in teams.items()}
    after = before.model_copy(
        update={
            **changes,
            "serial": before.serial + 1,
            "expires": now.date() + VALID_FOR,
            "compartments": {**before.compartments, **added},
        }
    )
    try:
        async with connection.transaction():
            for name, team in teams.items():
                await members.put_team_key(
                    connection, seal_team_identity(team, name, 1, RECOVERY, before.recovery)
                )
            await keep_manifest(connection, after, manifest.sign(after, signer), now)
    except asyncpg.UniqueViolationError:
        raise CeremonyError(AGAIN) from None
    return after
