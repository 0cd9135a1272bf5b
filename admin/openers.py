"""Who opens a team identity for somebody else: recovery or a member, and only with a key that the manifest names.

    kept = await current(connection, ceremony_key, seen, now)       # the signed manifest, or a refusal on record
    keys = await sealed_to(connection, kept.manifest, opener, member, recipient, ["team"], now)

A row gives nobody anything: opener and newcomer are compared with the signed manifest. What does not open as it
should is refused, and the refusal is a leaf.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admin.errors import AdminError
from admin.keys import check_named, open_team_identity, seal_team_identity
from seal import HybridIdentity, SealError
from storage import manifest, members
from storage.database import Connection
from storage.errors import ManifestError, SwappedRowError
from storage.manifest import Kept, Manifest, SeenSerial
from storage.members import RECOVERY, Member, TeamKey
from storage.refusals import Refusal, of_manifest, refused

AGAIN = "Somebody else changed the manifest at the same moment. Try again."
RENEW = (
    "The manifest is from before it said who has which role and opens which compartment."
    " Sign the next one first: python -m admin manifest renew"
)
_NOT_OPEN = (
    "The team identity does not open with this key. Either it is another team's key, or the database"
    " was changed: compare with a backup before you go on."
)


class MemberError(AdminError):
    """The member's keys cannot be changed so; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Opener:
    """Who opens the team identity for somebody else: `holder` is a member's id, or `members.RECOVERY`."""

    holder: uuid.UUID
    identity: HybridIdentity = field(repr=False)


async def current(
    connection: Connection, ceremony_key: Ed25519PublicKey, seen: SeenSerial, now: datetime
) -> Kept:
    """The newest manifest. One that cannot be trusted is refused with its ManifestError, and that is on record."""
    try:
        return await manifest.newest_kept(connection, ceremony_key, seen)
    except ManifestError as error:
        if what := of_manifest(error):
            await refused(connection, what, obj="", actor="keeper", now=now)
        raise


async def named(connection: Connection, call_sign: str, of: Manifest, now: datetime) -> Member:
    """The member of that call sign. MemberError: there is none (any more); ManifestError: their row was changed."""
    member = await members.by_call_sign(connection, call_sign)
    if member is None:
        everyone = {one.call_sign: one for one in await members.everyone(connection)}
        left = everyone[call_sign].left_hour if call_sign in everyone else None
        raise MemberError(
            f"{call_sign} left already, {left:%Y-%m-%d}." if left else f"There is no member {call_sign}."
        )
    try:
        check_named(member, of)
    except ManifestError:
        keys = of.members.get(str(member.id))
        same = keys is not None and keys.recipient == member.recipient
        what = Refusal.MEMBER_ROW if same else Refusal.RECIPIENT_ROW
        await refused(connection, what, obj=str(member.id), actor="keeper", now=now)
        raise
    return member


async def held(
    connection: Connection, of: Manifest, name: str, opener: Opener, now: datetime
) -> dict[int, HybridIdentity]:
    """The team identities of a compartment that the opener has, by epoch, the present one among them.

    Raises MemberError: there is no such compartment, the opener does not hold it, or what they hold does not open.
    """
    if name not in of.compartments:
        known = ", ".join(sorted(of.compartments))
        raise MemberError(f"There is no compartment {name}. There are: {known}.")
    teams = await epochs_held(connection, of, name, opener, now)
    if of.compartments[name].epoch not in teams:
        raise MemberError(
            f"Who opens the team identity of {name} for another member must hold it; this one does not."
        )
    return teams


async def epochs_held(
    connection: Connection, of: Manifest, name: str, opener: Opener, now: datetime
) -> dict[int, HybridIdentity]:
    """As `held`, and empty when the opener does not hold the compartment, or no epoch of it yet."""
    await confirm(connection, of, opener, now)
    if opener.holder != RECOVERY and not of.is_open_to(name, str(opener.holder)):
        return {}
    try:
        return {
            key.epoch: open_team_identity(key, opener.identity, of.compartments[name])
            for key in await members.team_keys(connection, opener.holder)
            if key.compartment == name
        }
    except (SealError, SwappedRowError):
        await refused(connection, Refusal.TEAM_KEY, obj=name, actor=_actor(opener), now=now)
        raise MemberError(_NOT_OPEN) from None


async def confirm(connection: Connection, of: Manifest, opener: Opener, now: datetime) -> None:
    """Raises MemberError unless the manifest names this very key as recovery's, or as the member's."""
    keys = of.members.get(str(opener.holder))
    recipient = of.recovery if opener.holder == RECOVERY else keys.recipient if keys else ""
    if str(opener.identity.recipient) != recipient:
        await refused(connection, Refusal.RECIPIENT_ROW, obj=_actor(opener), actor=_actor(opener), now=now)
        raise MemberError(_NOT_OPEN)


def _actor(opener: Opener) -> str:
    return "recovery" if opener.holder == RECOVERY else str(opener.holder)


async def sealed_to(
    connection: Connection,
    of: Manifest,
    opener: Opener,
    holder: uuid.UUID,
    recipient: str,
    names: Iterable[str],
    now: datetime,
) -> list[TeamKey]:
    """The team identities of these compartments, of every epoch that the opener has, sealed to one holder more.

    Raises MemberError as `held`.
    """
    return [
        seal_team_identity(team, name, epoch, holder, recipient)
        for name in names
        for epoch, team in (await held(connection, of, name, opener, now)).items()
    ]
