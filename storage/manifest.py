"""The signed manifest: to whom reports are sealed, and who the members are. Nothing is sealed to a key outside it.

The body is RFC 8785 JSON, signed (Ed25519) by the ceremony key, whose public half is in each process's
settings and never in the database: a changed row cannot turn reports to a stranger's key. A serial lower than
one already seen is refused (`SeenSerial`), so an old manifest cannot be put back. An expired manifest still takes
reports: a person must not be turned away because a date was missed.
"""

import os
from collections.abc import Iterable
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
from storage.errors import BadSignatureError, ManifestError, NoManifestError, NoRelayError, OldManifestError

TEAM = "team"  # the compartment of everything that has none of its own
_CONTEXT = b"dodomu manifest v1\n"  # one context for each use of a signing key


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

    def relay_key(self) -> HybridRecipient:
        """The recipient of the bot's relay identity, to which replies are sealed; NoRelayError if there is none."""
        if not self.relay:
            raise NoRelayError("the manifest names no relay identity: run python -m admin relay")
        return _hybrid(self.relay)

    def signing_key_of(self, member: str) -> Ed25519PublicKey | None:
        """The key a member signs with, by the member's id; None for one whom the manifest does not name."""
        keys = self.members.get(member)
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(keys.signing_key)) if keys else None

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


@dataclass(frozen=True, slots=True)
class Signed:
    """A manifest as it is kept."""

    body: bytes
    signature: bytes


def sign(manifest: Manifest, ceremony_key: Ed25519PrivateKey) -> Signed:
    """Signs a manifest at the ceremony."""
    body = manifest.to_bytes()
    return Signed(body, ceremony_key.sign(_CONTEXT + body))


def verify(signed: Signed, ceremony_key: Ed25519PublicKey) -> Manifest:
    """The manifest, if the ceremony key signed exactly this."""
    try:
        ceremony_key.verify(signed.signature, _CONTEXT + signed.body)
    except InvalidSignature:
        raise BadSignatureError("the manifest is not signed by the ceremony key of the settings") from None
    try:
        return Manifest.model_validate_json(signed.body)
    except ValidationError:
        raise ManifestError("the manifest is signed but this version cannot read it") from None


class SeenSerial:
    """The highest serial this process has seen, in a file of its own outside the database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = int(path.read_text()) if path.exists() else 0

    def accept(self, serial: int) -> None:
        """Remembers a serial; OldManifestError when a higher one was seen before."""
        if serial < self._seen:
            raise OldManifestError(f"manifest {serial} is older than {self._seen}, which was already seen")
        if serial > self._seen:
            draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
            with draft.open("w") as file:
                file.write(str(serial))
                file.flush()
                os.fsync(file.fileno())  # else a power cut could leave it empty
            draft.replace(self._path)
            self._seen = serial


async def newest(connection: Database, key: Ed25519PublicKey, seen: SeenSerial) -> Manifest:
    """The newest manifest kept, verified, and not older than one already seen."""
    row = await connection.fetchrow(
        "SELECT serial, body, signature FROM manifests ORDER BY serial DESC LIMIT 1"
    )
    if row is None:
        raise NoManifestError("no manifest is kept: hold the key ceremony first (python -m admin ceremony)")
    manifest = verify(Signed(row["body"], row["signature"]), key)
    if manifest.serial != row["serial"]:
        raise BadSignatureError("the manifest's row and its signed body name different serials")
    seen.accept(manifest.serial)
    return manifest


async def keep(connection: Connection, manifest: Manifest, signed: Signed) -> None:
    """Adds a signed manifest. Earlier ones stay."""
    await connection.execute(
        "INSERT INTO manifests (serial, body, signature) VALUES ($1, $2, $3)",
        manifest.serial,
        signed.body,
        signed.signature,
    )
