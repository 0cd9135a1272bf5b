"""A ceremony held on a machine without a network, and what of it is carried to the server: nothing secret.

`ceremony-public.json` holds the signed manifest and the team identities sealed to recovery, all of it signed once more
by the ceremony key: what was changed on its way, or put together from two ceremonies, is refused.

    papers.write_private(folder / PUBLIC_FILE, to_text(made))      # on the machine of the ceremony
    public = read(path)                                            # on the server
    await take(connection, public, now)
"""

import base64
import binascii
from datetime import datetime
from pathlib import Path
from typing import Literal

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, ValidationError

from admin import ceremony
from admin.ceremony import Made, Public
from admin.papers import CeremonyError
from seal import HybridRecipient, SealError, parse_recipient
from storage import manifest
from storage.database import Connection
from storage.errors import BadSignatureError, ManifestError
from storage.manifest import Manifest, Signed
from storage.members import RECOVERY, TeamKey

PUBLIC_FILE = "ceremony-public.json"
_LARGEST = 4 * 1024 * 1024  # bytes
_CONTEXT = b"dodomu ceremony public v1\n"


class _TeamKey(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    compartment: str
    epoch: int
    sealed: str  # an age file, base64


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["dodomu ceremony public 1"]
    ceremony_key: str  # the public half, hex
    manifest: str
    manifest_signature: str  # hex
    team_keys: list[_TeamKey]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    content: _Content
    signature: str  # of the content as RFC 8785 JSON, hex


def to_text(made: Made) -> str:
    """What is carried to the server."""
    content = _Content(
        format="dodomu ceremony public 1",
        ceremony_key=made.ceremony_public_hex,
        manifest=made.signed.body.decode(),
        manifest_signature=made.signed.signature.hex(),
        team_keys=[
            _TeamKey(
                compartment=key.compartment, epoch=key.epoch, sealed=base64.b64encode(key.sealed).decode()
            )
            for key in made.team_keys
        ],
    )
    signature = made.ceremony_key.sign(_CONTEXT + rfc8785.dumps(content.model_dump())).hex()
    return _File(content=content, signature=signature).model_dump_json(indent=1) + "\n"


def read(path: Path, *, expected: str = "") -> Public:
    """What the store is to keep, checked. `expected` is DODOMU_CEREMONY_KEY where it is set already ("": it is not).

    Raises CeremonyError: cut short or no such file, changed, of another ceremony, or one that makes no sense.
    """
    cut_short = CeremonyError(
        f"{path} is not the {PUBLIC_FILE} of a ceremony, or was cut short on its way. Copy it anew."
    )
    try:
        file = _File.model_validate_json(_bytes(path))
        content = file.content
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(content.ceremony_key))
        signature = bytes.fromhex(file.signature)
        signed = Signed(content.manifest.encode(), bytes.fromhex(content.manifest_signature))
        team_keys = [
            TeamKey(each.compartment, each.epoch, RECOVERY, base64.b64decode(each.sealed, validate=True))
            for each in content.team_keys
        ]
    except (ValidationError, ValueError, binascii.Error):
        raise cut_short from None
    if expected and bytes.fromhex(expected) != key.public_bytes_raw():
        raise CeremonyError(f"{path} is of another ceremony than the key in DODOMU_CEREMONY_KEY.")
    try:
        key.verify(signature, _CONTEXT + rfc8785.dumps(content.model_dump()))
        first = manifest.verify(signed, key)
    except (InvalidSignature, BadSignatureError):
        raise CeremonyError(
            f"{path} was changed on its way, or put together from two ceremonies: the ceremony key did not sign this."
        ) from None
    except ManifestError:
        raise CeremonyError(
            f"{path} is of another version of Dodomu. Hold the ceremony with the version that the server runs."
        ) from None
    _check(path, first, team_keys)
    return Public(first, signed, key.public_bytes_raw().hex(), team_keys)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError as error:
        raise CeremonyError(f"{path} cannot be read: {error.strerror}.") from None


def _check(path: Path, first: Manifest, team_keys: list[TeamKey]) -> None:
    """Signed or not: it must be a first manifest, with each compartment's team identity, and keys that can be."""
    sealed = sorted((key.compartment, key.epoch) for key in team_keys)
    named = sorted((name, compartment.epoch) for name, compartment in first.compartments.items())
    routes = {*first.routing.values(), *first.places.values()}
    try:
        recipients = [compartment.key() for compartment in first.compartments.values()]
        recovery = parse_recipient(first.recovery)
        if first.relay:
            first.relay_key()
    except (ManifestError, SealError):
        recipients, recovery = [], None
    fits = sealed == named and recipients and routes <= first.compartments.keys()
    if not fits or not isinstance(recovery, HybridRecipient) or first.serial != 1 or first.members:
        raise CeremonyError(
            f"{path} does not hold together: it is not what a ceremony of this version makes."
        )


async def take(connection: Connection, public: Public, now: datetime) -> None:
    """Keeps what was carried here, with the leaves of a ceremony. CeremonyError: taken already, or another was held."""
    kept = await connection.fetchval("SELECT body FROM manifests WHERE serial = 1")
    if kept == public.signed.body:
        raise CeremonyError("This ceremony was taken in already. Nothing was changed.")
    await ceremony.keep(connection, public, now)
