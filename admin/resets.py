"""A lost passphrase: the member gets new keys, and what they open is sealed to these; what they wrote stays theirs.

    done = await by_recovery(connection, "swift", signer=ceremony_key, recovery=recovery, …)
    done = await by_two_leads(connection, "swift", leads=(heron, wren), ceremony_key=public, …)

Two leads together need neither paper: each proves passphrase and code (`lead`), both sign, and nobody resets
themselves (docs/decisions/209). They give what they themselves open; the rest is named, and `give` gives it later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from admin import keys
from admin.ceremony import VALID_FOR, keep_manifest
from admin.openers import AGAIN, RENEW, MemberError, Opener, confirm, current, epochs_held, named
from seal import HybridIdentity, SealError
from storage import custody, manifest, members
from storage.database import Connection
from storage.errors import BadSignatureError, SwappedRowError
from storage.manifest import Manifest, SeenSerial, Signed
from storage.members import RECOVERY, Member, TeamKey
from storage.refusals import Refusal, refused

_NOT_ONESELF = "Nobody resets their own keys: two other leads do, or recovery."


@dataclass(frozen=True, slots=True)
class Reset:
    """The member with new keys, what they no longer open and who could not give it, and what is shown once.

    `not_given` are epochs by compartment. `undelivered` are replies under the old key, by desk code: nobody can tell
    any more who had that key, so they are not sent.
    """

    member: Member
    serial: int
    not_given: Mapping[str, Sequence[int]]
    undelivered: Mapping[str, int]
    passphrase: str = field(repr=False)
    totp_secret: str = field(repr=False)


async def check(
    connection: Connection,
    call_sign: str,
    leads: Sequence[str],
    *,
    ceremony_key: Ed25519PublicKey,
    seen: SeenSerial,
    now: datetime,
) -> None:
    """Whether these two could reset this member, before anybody types a code, which then is used up. MemberError."""
    of = (await current(connection, ceremony_key, seen, now)).manifest
    if not of.says_who_holds():
        raise MemberError(RENEW)
    await named(connection, call_sign, of, now)
    if call_sign in leads:
        raise MemberError(_NOT_ONESELF)
    for one in leads:
        _refuse_no_lead(await named(connection, one, of, now), of)


async def lead(
    connection: Connection,
    call_sign: str,
    passphrase: str,
    code: str,
    *,
    ceremony_key: Ed25519PublicKey,
    seen: SeenSerial,
    now: datetime,
) -> keys.Unlocked:
    """One of the two leads, who has proved passphrase and code. The code is used up, whatever comes of it.

    MemberError: not a lead, or passphrase or code is not right, each on record; ManifestError.
    """
    of = (await current(connection, ceremony_key, seen, now)).manifest
    row = await named(connection, call_sign, of, now)
    _refuse_no_lead(row, of)
    who = str(row.id)
    try:
        unlocked = keys.unlock(row, passphrase)
    except (SealError, SwappedRowError) as error:
        changed = isinstance(error, SwappedRowError)
        what = Refusal.MEMBER_ROW if changed else Refusal.PASSPHRASE
        await refused(connection, what, obj=who, actor=who, now=now)
        raise MemberError(f"The passphrase does not open {call_sign}'s identity.") from None
    step = keys.totp_step(unlocked.totp_secret, code, now)
    if step is None:
        await refused(connection, Refusal.CODE, obj=who, actor=who, now=now)
        raise MemberError(f"The code is not {call_sign}'s code of this moment.")
    if not await members.use_totp_step(connection, row.id, step):
        await refused(connection, Refusal.CODE_AGAIN, obj=who, actor=who, now=now)
        raise MemberError(f"{call_sign} used this code already: wait for the next one, half a minute.")
    return unlocked


def _refuse_no_lead(row: Member, of: Manifest) -> None:
    if str(row.id) not in of.leads():
        raise MemberError(f"{row.call_sign} is no lead. Two leads together reset a passphrase, or recovery.")


async def by_recovery(
    connection: Connection,
    call_sign: str,
    *,
    signer: Ed25519PrivateKey,
    recovery: HybridIdentity,
    seen: SeenSerial,
    work_factor: int,
    now: datetime,
) -> Reset:
    """Resets with both papers. MemberError, ManifestError."""
    before = await current(connection, signer.public_key(), seen, now)
    row = await named(connection, call_sign, before.manifest, now)
    opener = Opener(RECOVERY, recovery)
    await confirm(connection, before.manifest, opener, now)
    if not before.manifest.says_who_holds():
        raise MemberError(RENEW)
    made = _new_keys(before.manifest, row, work_factor)
    after = made.manifest.model_copy(update={"expires": now.date() + VALID_FOR})
    made = replace(made, manifest=after)
    signed = manifest.sign(after, signer)
    return await _keep(connection, before.manifest, made, signed, [opener], ["recovery"], now)


async def by_two_leads(
    connection: Connection,
    call_sign: str,
    *,
    leads: tuple[keys.Unlocked, keys.Unlocked],
    ceremony_key: Ed25519PublicKey,
    seen: SeenSerial,
    work_factor: int,
    now: datetime,
) -> Reset:
    """Resets by two leads together, who were proved (`lead`). MemberError, ManifestError."""
    before = await current(connection, ceremony_key, seen, now)
    row = await named(connection, call_sign, before.manifest, now)
    if not before.manifest.says_who_holds():
        raise MemberError(RENEW)
    if leads[0].member == leads[1].member:
        raise MemberError("Two leads together are two people.")
    if row.id in {one.member for one in leads}:
        raise MemberError(_NOT_ONESELF)
    made = _new_keys(before.manifest, row, work_factor)
    signers: dict[str, Ed25519PrivateKey] = {str(one.member): one.signing_key for one in leads}
    signed = manifest.sign_together(made.manifest, before.chain[0], signers)
    try:
        manifest.verify(signed, ceremony_key, before.chain)  # what the others would refuse is never kept
    except BadSignatureError as error:
        await refused(connection, Refusal.MANIFEST_CHANGED, obj=str(row.id), actor="keeper", now=now)
        raise MemberError(f"This reset would count for nobody: {error}.") from None
    openers = [Opener(one.member, one.identity) for one in leads]
    return await _keep(connection, before.manifest, made, signed, openers, sorted(signers), now)


@dataclass(frozen=True, slots=True)
class _Made:
    """New keys of a member, and the next manifest with them."""

    row: Member
    manifest: Manifest
    passphrase: str = field(repr=False)
    totp_secret: str = field(repr=False)


def _new_keys(before: Manifest, row: Member, work_factor: int) -> _Made:
    passphrase = keys.new_passphrase()
    new = keys.new_member(passphrase, work_factor, row.id)
    after = manifest.reset(before, str(row.id), new.recipient, new.signing_key.hex())
    fresh = new.row(row.call_sign, row.role, row.joined_hour)
    return _Made(fresh, after, passphrase, new.totp_secret)


async def _keep(
    connection: Connection,
    before: Manifest,
    made: _Made,
    signed: Signed,
    openers: Sequence[Opener],
    by: Sequence[str],
    now: datetime,
) -> Reset:
    """All of it in one transaction, or nothing."""
    row = made.row
    given, not_given = await _sealed_anew(connection, before, row, openers, now)
    try:
        async with connection.transaction():
            await keep_manifest(connection, made.manifest, signed, now)
            if not await members.renew_keys(connection, row, now):
                raise MemberError(f"{row.call_sign} left already.")
            await members.end_sessions(connection, row.id)
            await members.drop_team_keys(connection, row.id)  # sealed to keys that nobody has any more
            for key in given:
                await members.put_team_key(connection, key)
            undelivered = await members.undelivered(connection, row.id)
            act = custody.leaf(
                "member reset",
                at=now,
                actor="keeper",
                obj=str(row.id),
                by=list(by),
                manifest=made.manifest.serial,
            )
            await custody.write(connection, act)
    except asyncpg.UniqueViolationError:
        raise MemberError(AGAIN) from None
    return Reset(row, made.manifest.serial, not_given, undelivered, made.passphrase, made.totp_secret)


async def _sealed_anew(
    connection: Connection, before: Manifest, row: Member, openers: Sequence[Opener], now: datetime
) -> tuple[list[TeamKey], dict[str, list[int]]]:
    """What the openers hold of what the member opened, sealed to the new keys; and the epochs that none of them has."""
    given, not_given = [], {}
    for name in before.members[str(row.id)].compartments:
        teams: dict[int, HybridIdentity] = {}
        for opener in openers:
            teams |= await epochs_held(connection, before, name, opener, now)
        given += [
            keys.seal_team_identity(team, name, epoch, row.id, row.recipient) for epoch, team in teams.items()
        ]
        compartment = before.compartments[name]
        if missing := sorted({compartment.epoch, *compartment.former} - teams.keys()):
            not_given[name] = missing
    return given, not_given
