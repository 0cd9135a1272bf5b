"""What is published of the log: C2SP signed notes, checkpoints in them, and the cosignatures of witnesses.

    log = Signer("example.org/dodomu", Ed25519PrivateKey.generate())
    note = sign(Checkpoint(log.name, size, root).text(), log)       # bytes, as published
    checkpoint = Checkpoint.parse(verify(note, [log.vkey]))         # raises what is wrong with it
    note += cosign(note, witness, at=1_700_000_000)                 # what a witness adds: a line
    cosigners(note, [witness.witness_vkey])                         # {name: time in POSIX seconds}

By c2sp.org/signed-note, tlog-checkpoint and tlog-cosignature (its version 1, Ed25519): other programs check them
too. Signatures of keys that we were not given are ignored; one that bears a key we know and fails refuses the note.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from storage.errors import ForgedNoteError, MalformedNoteError, UnsignedNoteError
from storage.merkle import HASH_SIZE

NOTE_MAX = 1_000_000  # bytes
SIGNATURES_MAX = 100
SIZE_MAX = 2**63 - 1  # leaves; what signed 64 bits hold

_LOG, _WITNESS = 0x01, 0x04  # signature types of signed-note
_HEAD_LINES = 3  # origin, size, root
_ID_SIZE, _TIME_SIZE = 4, 8  # bytes
_DASH = "— "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NAME = re.compile(r"[^\s+]+")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: whose, how many leaves, and the root over them (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Back from the text of a note. Raises MalformedNoteError. Lines that extend a checkpoint are not read."""
        lines = text.split("\n")
        if lines.pop() or len(lines) < _HEAD_LINES or not all(lines):
            raise MalformedNoteError("a checkpoint has three lines at least, and none is empty")
        origin, size, root = lines[:_HEAD_LINES]
        if not _DECIMAL.fullmatch(size) or int(size) > SIZE_MAX:
            raise MalformedNoteError("the size of a checkpoint is a whole number without leading zeros")
        checkpoint = cls(origin, int(size), _from_base64(root))
        if len(checkpoint.root) != HASH_SIZE:
            raise MalformedNoteError(f"the root of a checkpoint has {HASH_SIZE} bytes")
        return checkpoint


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """A name and its Ed25519 key: a log's, or a witness's."""

    name: str
    key: Ed25519PrivateKey

    def __post_init__(self) -> None:
        _check_name(self.name)

    @property
    def vkey(self) -> str:
        """How others are told the key of a log."""
        return self._verifier(_LOG).vkey

    @property
    def witness_vkey(self) -> str:
        """How others are told the key of a witness."""
        return self._verifier(_WITNESS).vkey

    def _verifier(self, kind: int) -> "_Verifier":
        return _Verifier(self.name, kind, self.key.public_key().public_bytes_raw())

    def line(self, kind: int, signature: bytes) -> str:
        """A signature as a line of a note."""
        return f"{_DASH}{self.name} {_base64(self._verifier(kind).id + signature)}\n"


def sign(text: str, signer: Signer) -> bytes:
    """A note of this text with the signature of a log."""
    note = f"{text}\n{signer.line(_LOG, signer.key.sign(text.encode()))}".encode()
    _parse(note)  # what nobody could read is not published
    return note


def verify(note: bytes, vkeys: Iterable[str]) -> str:
    """The text of a note that a log with one of these keys has signed.

    Raises MalformedNoteError, UnsignedNoteError, ForgedNoteError.
    """
    text, signatures = _parse(note)
    known = _known(vkeys, _LOG)
    signed = False
    for name, key_id, signature in signatures:
        if verifier := known.get((name, key_id)):
            verifier.check(signature, text.encode())
            signed = True
    if not signed:
        raise UnsignedNoteError("no key that we know has signed this note")
    return text


def cosign(note: bytes, witness: Signer, *, at: int) -> bytes:
    """The line by which a witness says: at that POSIX second this was the largest consistent head it had seen."""
    text, _ = _parse(note)
    signature = witness.key.sign(_cosigned(text, at))
    return witness.line(_WITNESS, at.to_bytes(_TIME_SIZE, "big") + signature).encode()


def cosigners(note: bytes, vkeys: Iterable[str]) -> dict[str, int]:
    """Which of these witnesses have cosigned the note, by name, and when (POSIX seconds); none is no error.

    It says nothing of the log's own signature (`verify`). Raises MalformedNoteError, ForgedNoteError.
    """
    text, signatures = _parse(note)
    known = _known(vkeys, _WITNESS)
    found: dict[str, int] = {}
    for name, key_id, signature in signatures:
        if verifier := known.get((name, key_id)):
            at = int.from_bytes(signature[:_TIME_SIZE], "big")
            verifier.check(signature[_TIME_SIZE:], _cosigned(text, at))
            found[name] = max(at, found.get(name, 0))
    return found


def _cosigned(text: str, at: int) -> bytes:
    if not 0 <= at <= SIZE_MAX:
        raise ForgedNoteError("a cosignature is of no time")
    return f"cosignature/v1\ntime {at}\n{text}".encode()


# ---- keys ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Verifier:
    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The first four bytes of SHA-256(name, newline, type, key): a name for the key, not a proof of it."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(named).digest()[:_ID_SIZE]

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_base64(bytes([self.kind]) + self.public)}"

    def check(self, signature: bytes, signed: bytes) -> None:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, signed)
        except InvalidSignature:
            raise ForgedNoteError(f"the signature of {self.name} does not hold") from None


def _known(vkeys: Iterable[str], kind: int) -> dict[tuple[str, bytes], _Verifier]:
    verifiers = [_from_vkey(vkey, kind) for vkey in vkeys]
    return {(verifier.name, verifier.id): verifier for verifier in verifiers}


def _from_vkey(vkey: str, kind: int) -> _Verifier:
    """A key as it is told to others: `name+id+base64(type, key)`. Raises MalformedNoteError."""
    name, _, rest = vkey.partition("+")
    key_id, _, encoded = rest.partition("+")
    _check_name(name)
    told = _from_base64(encoded)
    if len(told) != 1 + 32 or told[0] != kind:
        raise MalformedNoteError("this is no Ed25519 key of a " + ("log" if kind == _LOG else "witness"))
    verifier = _Verifier(name, kind, told[1:])
    if key_id != verifier.id.hex():
        raise MalformedNoteError("this key was changed, or mistyped: its id is that of another")
    return verifier


def log_name(vkey: str) -> str:
    """The name in the key of a log. Raises MalformedNoteError when it is none."""
    return _from_vkey(vkey, _LOG).name


def witness_name(vkey: str) -> str:
    """The name in the key of a witness. Raises MalformedNoteError when it is none."""
    return _from_vkey(vkey, _WITNESS).name


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or _CONTROL.search(name):
        raise MalformedNoteError("the name of a key has no space and no plus sign")


# ---- reading -------------------------------------------------------------------------------------


def _parse(note: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The text, and each signature: (key's name, key's id, what was signed). Raises MalformedNoteError."""
    if len(note) > NOTE_MAX:
        raise MalformedNoteError("a note is not that long")
    try:
        whole = note.decode()
    except UnicodeDecodeError:
        raise MalformedNoteError("a note is UTF-8") from None
    if _CONTROL.search(whole):
        raise MalformedNoteError("a note has no control characters")
    # The text may have empty lines; the last one parts it from the signatures.
    text, parted, below = whole.rpartition("\n\n")
    lines = below.split("\n")
    if not parted or lines.pop() or not lines:
        raise MalformedNoteError("a note is a text, an empty line, and lines of signatures")
    if len(lines) > SIGNATURES_MAX:
        raise MalformedNoteError("a note has not that many signatures")
    return text + "\n", [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH):
        raise MalformedNoteError("a line below a note is no signature")
    _check_name(name)
    signature = _from_base64(encoded)
    if len(signature) <= _ID_SIZE:
        raise MalformedNoteError("a signature is too short")
    return name, signature[:_ID_SIZE], signature[_ID_SIZE:]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from_base64(encoded: str) -> bytes:
    """Standard, padded and canonical: one value has one spelling."""
    try:
        data = base64.b64decode(encoded.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise MalformedNoteError("what should be Base64 is not") from None
    if _base64(data) != encoded:
        raise MalformedNoteError("what should be Base64 is not")
    return data
