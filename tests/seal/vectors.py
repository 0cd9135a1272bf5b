"""The C2SP vectors, read as their format says: `key: value` lines, an empty line, then the file to open."""

import zlib
from dataclasses import dataclass, field
from pathlib import Path

import seal
from seal import Identity, MalformedError, Part, SealError, TamperedError, WrongKeyError

FOLDER = Path(__file__).parent / "testkit"
NAMES = sorted(path.name for path in FOLDER.iterdir())


@dataclass
class Vector:
    expect: str = ""
    payload: str | None = None  # SHA-256 of what comes out, also before a payload failure
    identities: list[Identity] = field(default_factory=list)
    armored: bool = False
    file: bytes = b""


def load(name: str) -> Vector:
    head, _, file = (FOLDER / name).read_bytes().partition(b"\n\n")
    vector = Vector(file=file)
    for line in head.decode().splitlines():
        key, _, value = line.partition(": ")
        match key:
            case "expect":
                vector.expect = value
            case "payload":
                vector.payload = value
            case "identity":
                vector.identities.append(seal.parse_identity(value))
            case "passphrase":
                vector.identities.append(seal.ScryptIdentity(value))
            case "armored":
                vector.armored = value == "yes"
            case "compressed":
                assert value == "zlib"
                vector.file = zlib.decompress(file)
            case "file key" | "comment":
                continue
            case _:
                raise AssertionError(f"{name}: what is {key}?")
    if not vector.identities:  # the empty files name none, and opening without any is another error
        vector.identities.append(seal.HybridIdentity.generate())
    return vector


def class_of(fault: SealError | None) -> str:
    """The testkit's word for how an opening ended."""
    match fault:
        case None:
            return "success"
        case WrongKeyError():
            return "no match"
        case TamperedError(part=Part.MAC):
            return "HMAC failure"
        case TamperedError(part=Part.PAYLOAD):
            return "payload failure"
        case MalformedError(part=Part.HEADER):
            return "header failure"
        case MalformedError(part=Part.ARMOR):
            return "armor failure"
    raise AssertionError(f"an error of no class: {fault!r}")
