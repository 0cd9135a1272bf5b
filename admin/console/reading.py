"""What a report holds, read from its sealed bodies; whatever is not as it was sealed is named, never shown.

    reading = read(material, identities, history)
    reading.parts[0].content["answers"], reading.files, reading.troubles

A body must open where it stands, name this report, and have the ciphertext hash of its row. A file is shown only
if a body lists it with the very ciphertext hash of its row. Of a file that was sealed anew since (`admin.reseal`) the
body lists the hash of before, for no byte of a body ever changes: the row's later epoch, or other compartment, tells
it, and what counts is then what the body says of the file as received, its SHA-256 and length (`originals`).
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from seal import HybridIdentity, MalformedError, TamperedError, WrongKeyError, open_bytes
from storage import custody
from storage.bodies import read_body
from storage.desk import FileRow, Material, SealedRow
from storage.errors import SwappedRowError

_KINDS = ("report", "addition")
_NOT_COMMITTED = {"kind", "id", "version", "salt"}  # what sealing adds, and what opens the commitment


class RefusedError(Exception):
    """Something is not shown. `reason` is the end of a text key: "refused.tampered", "refused.swapped" …"""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Part:
    """One body: what was sent at once, or what was added later."""

    number: int
    received: datetime
    content: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class File:
    """A file as its body lists it, and its row. `length` in bytes, `sha256` (hex) as received; `ciphertext_sha256`
    (hex) is what the blob must have; `trouble` is the end of a text key when the file cannot be trusted.
    """

    id: uuid.UUID
    name: str = field(repr=False)
    kind: str
    mime: str
    length: int
    sha256: str
    ciphertext_sha256: str
    row: FileRow | None
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole report. `troubles` are ends of text keys: what is missing or one too many."""

    parts: Sequence[Part]
    files: Mapping[uuid.UUID, File]
    troubles: Sequence[str]


def read(
    material: Material, identities: Sequence[HybridIdentity], history: Iterable[Mapping[str, Any]]
) -> Reading:
    """Opens every body; `history` are the leaves on this report, the oldest first.

    RefusedError: "wrong_key", "tampered", "malformed", "swapped" or "empty".
    """
    if not material.bodies:
        raise RefusedError("empty")
    promised = promises(history)
    parts = []
    for row in material.bodies:
        content = opened(row, material.row.id, identities)[1]
        keeps_promise(content, promised)
        parts.append(_part(row, content))
    rows = {row.id: row for row in material.files}
    files: dict[uuid.UUID, File] = {}
    for row, part in zip(material.bodies, parts, strict=True):
        for entry in part.content.get("files", ()):
            file = listed(entry, row.id, rows)
            files[file.id] = file
    troubles = []
    if [part.number for part in parts] != list(range(1, len(parts) + 1)):
        troubles.append("part_missing")
    if rows.keys() - files.keys():
        troubles.append("file_unlisted")
    return Reading(parts, files, troubles)


def opened(
    row: SealedRow, report: uuid.UUID, identities: Sequence[HybridIdentity]
) -> tuple[bytes, Mapping[str, Any]]:
    """A body's plaintext, byte for byte, and what it says. RefusedError: as `read`."""
    if hashlib.sha256(row.sealed).digest() != row.ciphertext_sha256:
        raise RefusedError("tampered")
    try:
        plain = open_bytes(row.sealed, identities)
        content = read_body(_KINDS, row.id, row.number, plain)
    except WrongKeyError:
        raise RefusedError("wrong_key") from None
    except TamperedError:
        raise RefusedError("tampered") from None
    except MalformedError:
        raise RefusedError("malformed") from None
    except SwappedRowError:
        raise RefusedError("swapped") from None
    except (ValueError, RecursionError):  # sealed to us by somebody, and no body
        raise RefusedError("malformed") from None
    if content.get("report") != str(report):
        raise RefusedError("swapped")
    return plain, content


def promises(history: Iterable[Mapping[str, Any]]) -> Mapping[str, str]:
    """What the log committed to when each body was received, by the body's id. The first word counts."""
    promised: dict[str, str] = {}
    for leaf in history:
        if leaf["kind"] in ("receipt", "addition"):
            for item in leaf.get("items", ()):
                promised.setdefault(str(item.get("id")), str(item.get("commitment")))
    return promised


def keeps_promise(content: Mapping[str, Any], promised: Mapping[str, str]) -> None:
    """Raises RefusedError unless the body is the one received: whoever may seal anew could put another in its place.

    The files that it lists are inside the commitment, with the SHA-256 of each.
    """
    try:
        salt = bytes.fromhex(content["salt"])
        said = custody.canonical({name: content[name] for name in content.keys() - _NOT_COMMITTED})
    except (KeyError, TypeError, ValueError):
        raise RefusedError("swapped") from None
    due = custody.commitment(salt, hashlib.sha256(said).digest(), len(said)).hex()
    if promised.get(content["id"]) != due:
        raise RefusedError("swapped")


def _part(row: SealedRow, content: Mapping[str, Any]) -> Part:
    return Part(row.number, datetime.fromisoformat(content["received"]), content)


def listed(entry: Mapping[str, Any], body: uuid.UUID, rows: Mapping[uuid.UUID, FileRow]) -> File:
    """A file, from its entry in a body and from its row."""
    file = uuid.UUID(entry["id"])
    row = rows.get(file)
    ciphertext, trouble = str(entry["ciphertext_sha256"]), None
    if row is None:
        trouble = "missing"
    elif row.body != body:
        trouble = "swapped"
    elif _is_sealed_anew(entry, row):
        ciphertext = row.ciphertext_sha256.hex()
    elif row.ciphertext_sha256.hex() != ciphertext:
        trouble = "swapped"
    return File(
        file, entry.get("name") or "", entry.get("kind") or "", entry.get("mime") or "", int(entry["length"]),
        str(entry["sha256"]), ciphertext, row, trouble,
    )  # fmt: skip


def _is_sealed_anew(entry: Mapping[str, Any], row: FileRow) -> bool:
    """Whether another key sealed the file than the one that the body names; never one of before."""
    if row.compartment != entry["compartment"]:
        return True
    return row.key_epoch > int(entry["epoch"])
