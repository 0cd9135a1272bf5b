"""What the web process tells a compartment's process, one JSON line each on its standard input.

    Start(...) first, then Admit and Dismiss as sessions come and go; each is answered by one line on standard output.

Identities travel here and nowhere else: not in arguments, not in the environment, not on the disk.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

DONE = b"done\n"


@dataclass(frozen=True, slots=True)
class Start:
    """How the child serves: its socket, and the token by which it knows the web process."""

    socket: str
    token: str = field(repr=False)
    compartment: str
    database: str = field(repr=False)
    blobs: str
    blob_settings: Mapping[str, str] = field(repr=False)
    holds_s: float
    ceremony_key: str  # the public half, in hexadecimal digits: the manifest is checked with it
    seen: str  # where the highest manifest is noted


@dataclass(frozen=True, slots=True)
class Admit:
    """A session whose member holds this compartment's key. `identities` are `AGE-SECRET-KEY-PQ-1…`.

    `others` are those of the member's other compartments: a file that came before it was known where its report goes
    is sealed to one of them. `signing_key` is an Ed25519 secret in hexadecimal digits; "" for who may not answer.
    """

    session: str
    member: str
    call_sign: str
    role: str
    identities: list[str] = field(repr=False)
    others: list[str] = field(repr=False)
    signing_key: str = field(repr=False)

    @property
    def member_id(self) -> uuid.UUID:
        """Whose session it is."""
        return uuid.UUID(self.member)


@dataclass(frozen=True, slots=True)
class Dismiss:
    """A session has ended: its identities go."""

    session: str


Message = Start | Admit | Dismiss
_KINDS: dict[str, type[Message]] = {kind.__name__: kind for kind in (Start, Admit, Dismiss)}


def to_line(message: Message) -> bytes:
    """As it crosses the pipe."""
    return json.dumps({"do": type(message).__name__, **asdict(message)}).encode() + b"\n"


def from_line(line: bytes) -> Message:
    """What `to_line` wrote."""
    fields = json.loads(line)
    return _KINDS[fields.pop("do")](**fields)
