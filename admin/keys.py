"""A member's keys open only under the member's passphrase, and a team identity only with a holder's identity.

    passphrase = new_passphrase()
    new = new_member(passphrase, work_factor=18)
    me = unlock(row, passphrase)                              # WrongKeyError: another passphrase
    team = open_team_identity(key, me.identity, compartment)  # SwappedRowError: not this compartment's key

Pure: nothing here reads a database, and no error says what was typed. One scrypt at work factor 18 takes
about 1.2 s and 256 MiB: call `unlock` in a thread, one at a time.
"""

import hmac
import re
import secrets
import unicodedata
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyotp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from flows import returnwords
from seal import (
    HybridIdentity,
    HybridRecipient,
    ScryptIdentity,
    ScryptRecipient,
    WrongKeyError,
    open_bytes,
    parse_identity,
    parse_recipient,
    seal_bytes,
)
from storage.bodies import open_body, seal_body
from storage.errors import ManifestError, SwappedRowError
from storage.manifest import Compartment, Manifest, MemberKeys
from storage.members import Member, TeamKey

PASSPHRASE_WORDS = 7  # of 2,048: 77 bits (docs/decisions/201-passphrases.md)
TOTP_STEP = timedelta(seconds=30)  # RFC 6238, section 4.1
TOTP_DRIFT = 1  # steps that a phone's clock may be off, either way
_TOTP_CODE = re.compile(r"[0-9]{6}")
_SEALED_ONCE = 1  # these bodies are written once and never revised
_SIGNING, _TOTP, _TEAM = "member signing key", "member totp", "team identity"
_TEAM_KEYS = uuid.UUID("0b5f3a52-7c1e-4d0e-9a5c-3f1f0d9b6a77")  # the namespace of `team_keys` row ids


@dataclass(frozen=True, slots=True)
class NewMember:
    """What a new member's row holds, and the TOTP secret (base32), which is shown once."""

    id: uuid.UUID
    recipient: str = field(repr=False)
    signing_key: bytes = field(repr=False)
    identity: bytes = field(repr=False)
    signing_secret: bytes = field(repr=False)
    totp: bytes = field(repr=False)
    totp_secret: str = field(repr=False)

    def row(self, call_sign: str, role: str, joined: datetime) -> Member:
        """The row of `members`."""
        return Member(
            self.id, call_sign, role, self.recipient, self.signing_key, self.identity, self.signing_secret,
            self.totp, totp_step=0, joined_hour=joined, left_hour=None,
        )  # fmt: skip

    def public(self, role: str, compartments: Iterable[str]) -> MemberKeys:
        """What the manifest says of this member."""
        return MemberKeys(
            recipient=self.recipient,
            signing_key=self.signing_key.hex(),
            role=role,
            compartments=sorted(compartments),
        )


@dataclass(frozen=True, slots=True)
class Unlocked:
    """A member's secrets, in memory."""

    member: uuid.UUID
    identity: HybridIdentity = field(repr=False)
    signing_key: Ed25519PrivateKey = field(repr=False)
    totp_secret: str = field(repr=False)


def new_passphrase() -> str:
    """Seven random words of 2,048, joined by hyphens: 77 bits."""
    numbers = [secrets.randbelow(returnwords.COUNT) for _ in range(PASSPHRASE_WORDS)]
    return "-".join(returnwords.words(numbers, "en"))


def plain_passphrase(typed: str) -> str:
    """A passphrase as it was sealed, however it was typed: case, spaces and hyphens are forgiven."""
    folded = unicodedata.normalize("NFKC", typed).casefold()
    return "-".join(re.findall(r"[^\W_]+", folded))


def new_member(passphrase: str, work_factor: int, member: uuid.UUID | None = None) -> NewMember:
    """A new member's keys, or new ones for a member who lost theirs. `work_factor` is the base-2 logarithm of
    scrypt's cost: 18 in production.
    """
    member, identity, signing = (
        member or uuid.uuid4(),
        HybridIdentity.generate(),
        Ed25519PrivateKey.generate(),
    )
    totp_secret = pyotp.random_base32()
    file = seal_bytes(
        f"{identity.reveal()}\n".encode(), [ScryptRecipient(plain_passphrase(passphrase), work_factor)]
    )
    to = [identity.recipient]
    secret = {"key": signing.private_bytes_raw().hex()}
    return NewMember(
        id=member,
        recipient=str(identity.recipient),
        signing_key=signing.public_key().public_bytes_raw(),
        identity=file,
        signing_secret=seal_body(_SIGNING, member, _SEALED_ONCE, secret, to).sealed,
        totp=seal_body(_TOTP, member, _SEALED_ONCE, {"secret": totp_secret}, to).sealed,
        totp_secret=totp_secret,
    )


def unlock(row: Member, passphrase: str) -> Unlocked:
    """The member's secrets, if this is the passphrase (else WrongKeyError) and the row is whole.

    SwappedRowError: a part of the row is another member's. TamperedError, MalformedError: it was changed.
    """
    identity = _hybrid(open_bytes(row.identity, [ScryptIdentity(plain_passphrase(passphrase))]))
    try:
        signing = open_body([_SIGNING], row.id, _SEALED_ONCE, row.signing_secret, [identity])
        totp = open_body([_TOTP], row.id, _SEALED_ONCE, row.totp, [identity])
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(signing["key"]))
        totp_secret = str(totp["secret"])
    # Sealed to another, or to this member by somebody who does not know what belongs here.
    except (WrongKeyError, KeyError, ValueError):
        raise SwappedRowError("a member's sealed key is not one") from None
    if str(identity.recipient) != row.recipient or key.public_key().public_bytes_raw() != row.signing_key:
        raise SwappedRowError("a member's row names other keys than its secrets have")
    return Unlocked(row.id, identity, key, totp_secret)


def check_named(row: Member, manifest: Manifest) -> None:
    """Raises ManifestError unless the signed manifest names this member with these very keys and this role.

    A manifest from before roles stood in it says nothing of them: then the row's counts, until the next is signed.
    """
    named = manifest.members.get(str(row.id))
    if named is None or (named.recipient, named.signing_key) != (row.recipient, row.signing_key.hex()):
        raise ManifestError("the manifest does not name this member with these keys")
    if named.role and named.role != row.role:
        raise ManifestError("the manifest names this member with another role")


# ---- the second factor ------------------------------------------------------------------------------


def totp_step(secret: str, code: str, at: datetime) -> int | None:
    """The time step (RFC 6238) that a code belongs to, one step either way, or None if to none of them.

    The caller then uses the step up: `storage.members.use_totp_step`, so that a code works once.
    """
    digits = "".join(code.split())
    if not _TOTP_CODE.fullmatch(digits):
        return None
    now = int(at.timestamp() // TOTP_STEP.total_seconds())
    generator = pyotp.TOTP(secret)
    matching = [
        step
        for step in range(now - TOTP_DRIFT, now + TOTP_DRIFT + 1)
        if hmac.compare_digest(generator.generate_otp(step), digits)
    ]
    return max(matching, default=None)


def totp_address(secret: str, call_sign: str) -> str:
    """The `otpauth://` address that an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=call_sign, issuer_name="Dodomu")


def factors_key(identity: HybridIdentity) -> bytes:
    """What a member's second factors are authenticated with (32 bytes): a seal alone says nothing of who sealed.

    HKDF-SHA256 (RFC 5869) of the member's identity, so that only who opened it with the passphrase has the key.
    """
    derived = HKDF(hashes.SHA256(), 32, None, b"dodomu second factors v1")
    return derived.derive(identity.reveal().encode())


# ---- team identities --------------------------------------------------------------------------------


def seal_team_identity(
    team: HybridIdentity, compartment: str, epoch: int, holder: uuid.UUID, recipient: str
) -> TeamKey:
    """One holder's copy of a team identity. `recipient` is the holder's (`age1pq1…`)."""
    to: HybridRecipient = parse_recipient(recipient)
    content = {
        "compartment": compartment,
        "epoch": epoch,
        "holder": str(holder),
        "identity": team.reveal(),
    }
    row = _team_key_id(compartment, epoch, holder)
    return TeamKey(compartment, epoch, holder, seal_body(_TEAM, row, _SEALED_ONCE, content, [to]).sealed)


def open_team_identity(key: TeamKey, identity: HybridIdentity, compartment: Compartment) -> HybridIdentity:
    """The team identity in a row of `team_keys`; `compartment` is what a signed manifest says, of epochs before too.

    WrongKeyError: sealed to someone else. SwappedRowError: another row's, or not the identity that reports
    of that epoch are sealed to.
    """
    row = _team_key_id(key.compartment, key.epoch, key.holder)
    try:
        content = open_body([_TEAM], row, _SEALED_ONCE, key.sealed, [identity])
        team = _hybrid(str(content["identity"]).encode())
    except (KeyError, ValueError):
        raise SwappedRowError("a sealed team identity is not one") from None
    if str(team.recipient) != compartment.recipient_of(key.epoch):
        raise SwappedRowError("a team identity is not the one that the manifest names")
    return team


def _team_key_id(compartment: str, epoch: int, holder: uuid.UUID) -> uuid.UUID:
    """The row's id inside its seal: its whole primary key, so that a copy under another key is noticed."""
    return uuid.uuid5(_TEAM_KEYS, f"{compartment}/{epoch}/{holder}")


def _hybrid(line: bytes) -> HybridIdentity:
    identity = parse_identity(line.decode())
    if not isinstance(identity, HybridIdentity):
        raise SwappedRowError("an identity of ours is always hybrid")
    return identity
