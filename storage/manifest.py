"""The signed manifest: to whom reports are sealed, and who the members are. Nothing is sealed to a key outside it.

The body is RFC 8785 JSON, signed (Ed25519) by the ceremony key, whose public half is in each process's
settings and never in the database: a changed row cannot turn reports to a stranger's key. Two leads together may sign
one thing only: new keys of one other member, who lost their passphrase (docs/decisions/209). A serial lower than
one already seen, or another manifest of that serial, is refused (`SeenSerial`): an old one cannot be put back. An
expired manifest still takes reports: a person must not be turned away because a date was missed.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, ValidationError

from seal import HybridRecipient, SealError, parse_recipient
from storage.database import Connection, Database
from storage.errors import (
    BadSignatureError,
    BrokenChainError,
    ManifestError,
    NoManifestError,
    NoRelayError,
    NotAResetError,
    NotTwoLeadsError,
    OldManifestError,
)

TEAM = "team"  # the compartment of everything that has none of its own
LEAD = "lead"
_CONTEXT = b"dodomu manifest v1\n"  # one context for each use of a signing key
_CONTEXT_TWO = b"dodomu manifest by two leads v1\n"
_TWO_LEADS = (
    b"two leads\n"  # what a signature of theirs begins with; the ceremony key's is 64 bytes and no more
)
_TOGETHER = 2
_LONGEST_SIGNATURE = 1000  # bytes; two ids and two signatures in hexadecimal are fewer
RESETS_IN_A_ROW = 64  # manifests signed by two leads, after which the ceremony key signs again


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Compartment(_Entry):
    """A group of members with its own team identity: its epoch and the recipient of that epoch.

    `former` are the recipients of earlier epochs: what was sealed to them still opens, and nothing new is.
    """

    epoch: int
    recipient: str
    former: dict[int, str] = {}

    def recipient_of(self, epoch: int) -> str | None:
        """The recipient of an epoch, now or before; None for one that never was."""
        return self.recipient if epoch == self.epoch else self.former.get(epoch)

    def key(self) -> HybridRecipient:
        """The recipient to seal to; always hybrid."""
        return _hybrid(self.recipient)


@lru_cache(
    maxsize=64
)  # decoding and checking a post-quantum key takes milliseconds, and every report needs it
def _hybrid(text: str) -> HybridRecipient:
    try:
        recipient = parse_recipient(text)
    except SealError:
        raise ManifestError("a manifest's recipient is malformed") from None
    if not isinstance(recipient, HybridRecipient):
        raise ManifestError("a manifest's recipient is always hybrid")
    return recipient


class MemberKeys(_Entry):
    """A member's public halves: the recipient and the Ed25519 signing key (hex); the role, and whose reports they open.

    A changed row gives nobody a role or a compartment: what counts stands here. ("" and none: a manifest from before.)
    """

    recipient: str
    signing_key: str
    role: str = ""
    compartments: list[str] = []


class Manifest(_Entry):
    """What the ceremony key signed. `routing` says to which compartment a form's reports go; `places`, by the beginning
    of a place's code, to which of them those go that would go to the team. `relay` is to whom replies are sealed, so
    that the bot can bring them; `log` is what checkpoints are checked with (a C2SP note verifier key).
    """

    version: int = 1
    serial: int
    expires: date
    recovery: str
    compartments: dict[str, Compartment]
    members: dict[str, MemberKeys]
    routing: dict[str, str]
    places: dict[str, str] = {}
    relay: str = ""  # manifests from before there were replies have none
    log: str = ""  # and those from before there were checkpoints
    signed_before: dict[str, list[str]] = {}  # keys of who left or was reset: what they wrote stays theirs

    def relay_key(self) -> HybridRecipient:
        """The recipient of the bot's relay identity, to which replies are sealed; NoRelayError if there is none."""
        if not self.relay:
            raise NoRelayError("the manifest names no relay identity: run python -m admin relay")
        return _hybrid(self.relay)

    def signing_key_of(self, member: str) -> Ed25519PublicKey | None:
        """The key a member signs with, by the member's id; None for one whom the manifest does not name."""
        keys = self.members.get(member)
        return _verifier(keys.signing_key) if keys else None

    def signing_keys_before(self, member: str) -> list[Ed25519PublicKey]:
        """The keys a member signed with until they left or were reset: for reading, never for what goes out."""
        return [_verifier(key) for key in self.signed_before.get(member, [])]

    def holders_of(self, compartment: str) -> dict[str, str]:
        """Who opens a compartment: recipients by member's id. No row of the database has a say in it."""
        return {
            member: keys.recipient
            for member, keys in self.members.items()
            if compartment in keys.compartments
        }

    def leads(self) -> set[str]:
        """The ids of the leads."""
        return {member for member, keys in self.members.items() if keys.role == LEAD}

    def says_who_holds(self) -> bool:
        """Whether roles and compartments stand in it; they do not in one from before they did."""
        return all(keys.role for keys in self.members.values())

    def is_open_to(self, compartment: str, member: str) -> bool:
        """Whether a team identity that lies sealed to a member is theirs to use."""
        keys = self.members.get(member)
        return keys is not None and (not keys.role or compartment in keys.compartments)

    def compartment_of(self, form: str, places: Iterable[str] = ()) -> str:
        """The compartment that reports of this form go to, which may depend on the codes of places that they name.

        A form that has a compartment of its own goes there whatever its places; of several places the first counts,
        and of several beginnings of its code the longest.
        """
        try:
            by_form = self.routing[form]
        except KeyError:
            raise ManifestError("no compartment is named for this form") from None
        if by_form != TEAM:
            return by_form
        for place in places:
            for length in range(len(place), 0, -1):
                if place[:length] in self.places:
                    return self.places[place[:length]]
        return by_form

    def to_bytes(self) -> bytes:
        """RFC 8785 JSON: the same bytes whoever writes them."""
        return rfc8785.dumps(self.model_dump(mode="json"))


def _verifier(signing_key: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(signing_key))
    except ValueError:
        raise ManifestError("a manifest's signing key is malformed") from None


@dataclass(frozen=True, slots=True)
class Signed:
    """A manifest as it is kept: its bytes, and the ceremony key's signature of 64 bytes or that of two leads."""

    body: bytes
    signature: bytes

    @property
    def by_two_leads(self) -> bool:
        """Whether it counts only together with the one before it."""
        return self.signature.startswith(_TWO_LEADS)


# ---- signing ----------------------------------------------------------------------------------------


def sign(manifest: Manifest, ceremony_key: Ed25519PrivateKey) -> Signed:
    """Signs a manifest at the ceremony."""
    body = manifest.to_bytes()
    return Signed(body, ceremony_key.sign(_CONTEXT + body))


def reset(before: Manifest, member: str, recipient: str, signing_key: str) -> Manifest:
    """The next manifest, in which one member has new keys and nothing else differs."""
    old = before.members[member]
    return before.model_copy(
        update={
            "serial": before.serial + 1,
            "members": {
                **before.members,
                member: old.model_copy(update={"recipient": recipient, "signing_key": signing_key}),
            },
            "signed_before": with_signed_before(before, member),
        }
    )


def with_signed_before(before: Manifest, member: str) -> dict[str, list[str]]:
    """`signed_before` of the next manifest, when this member's present key is one of before."""
    keys = before.signed_before
    return {**keys, member: [*keys.get(member, []), before.members[member].signing_key]}


def sign_together(after: Manifest, before: Signed, leads: Mapping[str, Ed25519PrivateKey]) -> Signed:
    """Signs a reset by two leads, by their ids, after the manifest that is kept. Whether it counts, `verify` says."""
    body = after.to_bytes()
    signatures = {lead: key.sign(_signed_together(before.body, body)).hex() for lead, key in leads.items()}
    return Signed(body, _TWO_LEADS + rfc8785.dumps(dict(signatures)))


def _signed_together(before: bytes, body: bytes) -> bytes:
    """What each of two leads signs: the manifest, and after which one it comes."""
    return _CONTEXT_TWO + hashlib.sha256(before).digest() + body


# ---- verifying --------------------------------------------------------------------------------------


def verify(signed: Signed, ceremony_key: Ed25519PublicKey, before: Sequence[Signed] = ()) -> Manifest:
    """The manifest, if the ceremony key signed exactly this; or two leads, a reset of another member's keys.

    `before` are the manifests before it, the newest first, down to one that the ceremony key signed: what two leads
    signed counts only after it. BadSignatureError, NotTwoLeadsError, NotAResetError, BrokenChainError.
    """
    if len(before) > RESETS_IN_A_ROW:
        raise BrokenChainError(
            "too many resets by two leads in a row: let the ceremony key sign the next manifest"
        )
    if not signed.by_two_leads:
        return _verify_ceremony(signed, ceremony_key)
    if not before:
        raise BrokenChainError("the manifest before one that two leads signed is missing")
    previous = verify(before[0], ceremony_key, before[1:])
    signers = _two_leads(signed, before[0], previous)
    after = _read(signed.body)
    if after.serial != previous.serial + 1:
        raise BrokenChainError("a manifest that two leads signed does not follow the one before it")
    _only_a_reset(previous, after, signers)
    return after


def _verify_ceremony(signed: Signed, ceremony_key: Ed25519PublicKey) -> Manifest:
    try:
        ceremony_key.verify(signed.signature, _CONTEXT + signed.body)
    except InvalidSignature:
        raise BadSignatureError(
            "the manifest is not signed by the ceremony key that is given: it is another ceremony's, or the manifest"
            " was changed"
        ) from None
    return _read(signed.body)


def _read(body: bytes) -> Manifest:
    try:
        return Manifest.model_validate_json(body)
    except ValidationError:
        raise ManifestError("the manifest is signed but this version cannot read it") from None


def _two_leads(signed: Signed, before: Signed, previous: Manifest) -> set[str]:
    """The ids of two different leads of the manifest before, who both signed this one after it."""
    text = signed.signature.removeprefix(_TWO_LEADS)
    if len(text) > _LONGEST_SIGNATURE:
        raise NotTwoLeadsError("what two leads signed is malformed")
    try:
        signatures = {str(lead): bytes.fromhex(value) for lead, value in json.loads(text).items()}
        plain = rfc8785.dumps({lead: value.hex() for lead, value in signatures.items()})
    except (ValueError, TypeError, AttributeError):
        raise NotTwoLeadsError("what two leads signed is malformed") from None
    if plain != text or len(signatures) != _TOGETHER:  # a name said twice is not written so
        raise NotTwoLeadsError("a reset is signed by exactly two leads, each once")
    if not signatures.keys() <= previous.leads():
        raise NotTwoLeadsError("a reset is signed by somebody who was no lead in the manifest before")
    if len({previous.members[lead].signing_key for lead in signatures}) != _TOGETHER:
        raise NotTwoLeadsError("two leads have two signing keys")
    for lead, signature in signatures.items():
        try:
            _verifier(previous.members[lead].signing_key).verify(
                signature, _signed_together(before.body, signed.body)
            )
        except InvalidSignature:
            raise NotTwoLeadsError(
                "a lead's signature is not of this manifest, after the one before"
            ) from None
    return set(signatures)


def _only_a_reset(previous: Manifest, after: Manifest, signers: set[str]) -> None:
    changed = [member for member, keys in previous.members.items() if after.members.get(member) != keys]
    if len(changed) != 1 or changed[0] not in after.members:
        raise NotAResetError("two leads together give new keys to one member")
    (member,) = changed
    if member in signers:
        raise NotAResetError("nobody resets their own keys")
    new = after.members[member]
    if after.to_bytes() != reset(previous, member, new.recipient, new.signing_key).to_bytes():
        raise NotAResetError("two leads together change nothing but one member's two keys")
    used = {key for keys in previous.members.values() for key in (keys.signing_key, keys.recipient)}
    if new.signing_key in used or new.recipient in used:
        raise NotAResetError("a reset makes new keys, which are nobody's yet")
    _hybrid(new.recipient)
    _verifier(new.signing_key)


# ---- what is kept -----------------------------------------------------------------------------------


class SeenSerial:
    """The highest serial this process has seen and which manifest it was, in a file of its own outside the database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        serial, sha256, *_ = [*(path.read_text() if path.exists() else "0").split(), ""]
        self._seen, self._sha256 = int(serial), sha256

    def accept(self, serial: int, sha256: str = "", *, before: Mapping[int, str] | None = None) -> None:
        """Remembers a serial and the SHA-256 (hex) of its manifest. OldManifestError when a higher one was seen
        before, or another of that serial; `before` are those on which this one stands, by serial.
        """
        if serial < self._seen:
            raise OldManifestError(f"manifest {serial} is older than {self._seen}, which was already seen")
        again = {**(before or {}), serial: sha256}.get(self._seen, "")
        if self._sha256 and again and again != self._sha256:
            raise OldManifestError(f"manifest {self._seen} is another than the one that was already seen")
        if serial > self._seen or (sha256 and not self._sha256):
            draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
            with draft.open("w") as file:
                file.write(f"{serial} {sha256}".rstrip())
                file.flush()
                os.fsync(file.fileno())  # else a power cut could leave it empty
            draft.replace(self._path)
            self._seen, self._sha256 = serial, sha256


@dataclass(frozen=True, slots=True)
class Kept:
    """The newest manifest, verified, and as it is kept, with those before it on which it stands."""

    manifest: Manifest
    chain: tuple[Signed, ...]


async def newest(connection: Database, key: Ed25519PublicKey, seen: SeenSerial) -> Manifest:
    """The newest manifest kept, verified, and not older than one already seen."""
    return (await newest_kept(connection, key, seen)).manifest


async def newest_kept(connection: Database, key: Ed25519PublicKey, seen: SeenSerial) -> Kept:
    """As `newest`, with its bytes: two leads sign what comes after these."""
    row = await connection.fetchrow(
        "SELECT serial, body, signature FROM manifests ORDER BY serial DESC LIMIT 1"
    )
    if row is None:
        raise NoManifestError("no manifest is kept: hold the key ceremony first (python -m admin ceremony)")
    chain = [Signed(row["body"], row["signature"])]
    while chain[-1].by_two_leads and len(chain) <= RESETS_IN_A_ROW:
        earlier = await connection.fetchrow(
            "SELECT body, signature FROM manifests WHERE serial = $1", row["serial"] - len(chain)
        )
        if earlier is None:
            break
        chain.append(Signed(earlier["body"], earlier["signature"]))
    manifest = verify(chain[0], key, chain[1:])
    if manifest.serial != row["serial"]:
        raise BadSignatureError("the manifest's row and its signed body name different serials")
    hashes = [hashlib.sha256(one.body).hexdigest() for one in chain]
    before = {manifest.serial - back: sha256 for back, sha256 in enumerate(hashes)}
    seen.accept(manifest.serial, hashes[0], before=before)
    return Kept(manifest, tuple(chain))


async def keep(connection: Connection, manifest: Manifest, signed: Signed) -> None:
    """Adds a signed manifest. Earlier ones stay."""
    await connection.execute(
        "INSERT INTO manifests (serial, body, signature) VALUES ($1, $2, $3)",
        manifest.serial,
        signed.body,
        signed.signature,
    )
