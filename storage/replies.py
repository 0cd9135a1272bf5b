"""A reply: sealed to the bot's relay identity and to the team, signed by the member who wrote it.

    reply = compose(report, 1, "…", member=me, key=signing_key, to=[relay, team], now=now)
    text = open_reply(reply, [relay_identity], manifest)       # RefusedReplyError: nobody of the team signed this
    read_reply(reply, [team_identity], manifest).written       # the same, with its exact time, for the team

age names no sender: so the Ed25519 signature, by a key that the signed manifest names, is what makes it the team's.
It covers reply, report, number and the ciphertext's SHA-256: nothing can be moved to another thread.
"""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from seal import HybridIdentity, HybridRecipient, SealError, parse_identities
from storage.bodies import open_body, seal_body
from storage.custody import hour
from storage.errors import RefusedReplyError, SettingError, SwappedRowError
from storage.manifest import Manifest

RELAY = "relay-identity"  # the file's name, in the bot's own folder; its public half is in the manifest
LONGEST = 2000  # characters: with its frame one message of Telegram's 4,096
_CONTEXT = b"dodomu reply v1\n"  # one context for each use of a signing key
_KIND, _VERSION = "reply", 1


@dataclass(frozen=True, slots=True)
class Reply:
    """A row of `replies`. `told_at` is when the neutral word went out, `read_hour` when it was shown."""

    id: uuid.UUID
    report: uuid.UUID
    number: int
    member: uuid.UUID
    sealed: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    written_hour: datetime
    read_hour: datetime | None = None
    told_at: datetime | None = None

    @property
    def ciphertext_sha256(self) -> bytes:
        """SHA-256 of the age file."""
        return hashlib.sha256(self.sealed).digest()

    def to_sign(self) -> bytes:
        """What the member signs."""
        said: dict[str, str | int] = {
            "id": str(self.id),
            "report": str(self.report),
            "number": self.number,
            "sha256": self.ciphertext_sha256.hex(),
        }
        return _CONTEXT + rfc8785.dumps(said)


def compose(
    report: uuid.UUID,
    number: int,
    text: str,
    *,
    member: uuid.UUID,
    key: Ed25519PrivateKey,
    to: Sequence[HybridRecipient],
    now: datetime,
) -> Reply:
    """A new reply. ValueError: the text is empty, or longer than `LONGEST`."""
    words = text.strip()
    if not words or len(words) > LONGEST:
        raise ValueError(f"a reply has 1 to {LONGEST} characters")
    reply = uuid.uuid4()
    content: dict[str, Any] = {
        "report": str(report),
        "number": number,
        "written": now.isoformat(),
        "text": words,
    }
    body = seal_body(_KIND, reply, _VERSION, content, to)
    unsigned = Reply(reply, report, number, member, body.sealed, b"", hour(now))
    return Reply(
        reply, report, number, member, body.sealed, key.sign(unsigned.to_sign()), unsigned.written_hour
    )


@dataclass(frozen=True, slots=True)
class Opened:
    """What a reply says, and when exactly it was written."""

    text: str = field(repr=False)
    written: datetime


def open_reply(reply: Reply, identities: Sequence[HybridIdentity], manifest: Manifest) -> str:
    """The text of a reply that is to go out. RefusedReplyError: not signed with the key that the manifest names for
    its member today, or changed. What was signed by somebody who left, or with a key that was lost, is not sent.
    """
    return _read(reply, identities, manifest.signing_key_of(str(reply.member))).text


def read_reply(reply: Reply, identities: Sequence[HybridIdentity], manifest: Manifest) -> Opened:
    """The text of a reply and its time, for the team: also of who left, and from before a reset.

    RefusedReplyError as `open_reply`, of all the keys that the manifest names, now or before.
    """
    former = manifest.signing_keys_before(str(reply.member))
    for key in former:
        with contextlib.suppress(InvalidSignature):
            key.verify(reply.signature, reply.to_sign())
            return _read(reply, identities, key)
    return _read(reply, identities, manifest.signing_key_of(str(reply.member)))


def _read(reply: Reply, identities: Sequence[HybridIdentity], key: Ed25519PublicKey | None) -> Opened:
    if key is None:
        raise RefusedReplyError("a reply names a member whom the manifest does not")
    try:
        key.verify(reply.signature, reply.to_sign())
        content = open_body([_KIND], reply.id, _VERSION, reply.sealed, identities)
    except InvalidSignature:
        raise RefusedReplyError("a reply is not signed by the member it names") from None
    except (SealError, SwappedRowError, ValueError) as error:
        raise RefusedReplyError(f"a reply cannot be opened ({type(error).__name__})") from None
    if (content.get("report"), content.get("number")) != (str(reply.report), reply.number):
        raise RefusedReplyError("a reply belongs to another thread")
    return Opened(str(content["text"]), datetime.fromisoformat(content["written"]))


def relay_identity(path: Path) -> HybridIdentity:
    """The bot's relay identity, in a file that only its user reads; made once. SettingError: it is not one."""
    if not path.exists():
        _make(path)
    try:
        identities = parse_identities(path.read_text(encoding="ascii"))
    except (SealError, UnicodeDecodeError):
        identities = []
    if path.stat().st_mode & 0o077:
        raise SettingError(f"{path.name}: the relay identity is readable by its user alone")
    if len(identities) != 1 or not isinstance(identities[0], HybridIdentity):
        raise SettingError(f"{path.name} is not a relay identity")
    return identities[0]


def _make(path: Path) -> None:
    """Written whole and fsynced under another name, then linked into place: two that start together agree on one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, f"{HybridIdentity.generate().reveal()}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
