"""What a report holds, read from its sealed bodies; whatever is not as it was sealed is named, never shown.

    reading = read(material, identities)
    reading.parts[0].content["answers"], reading.files, reading.troubles

A body must open where it stands, name this report, and have the ciphertext hash of its row. A file is shown only
if a body lists it with the very ciphertext hash of its row.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from seal import HybridIdentity, MalformedError, TamperedError, WrongKeyError
from storage.bodies import open_body
from storage.desk import FileRow, Material, SealedRow
from storage.errors import SwappedRowError

_KINDS = ("report", "addition")


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
    """A file as its body lists it, and its row. `length` in bytes, `sha256` (hex) as received; `trouble`
    is the end of a text key when the file cannot be trusted.
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


def read(material: Material, identities: Sequence[HybridIdentity]) -> Reading:
    """Opens every body. RefusedError: "wrong_key", "tampered", "malformed", "swapped" or "empty"."""
    if not material.bodies:
        raise RefusedError("empty")
    parts = [_open(row, material.row.id, identities) for row in material.bodies]
    rows = {row.id: row for row in material.files}
    files: dict[uuid.UUID, File] = {}
    for row, part in zip(material.bodies, parts, strict=True):
        for entry in part.content.get("files", ()):
            listed = _file(entry, row.id, rows)
            files[listed.id] = listed
    troubles = []
    if [part.number for part in parts] != list(range(1, len(parts) + 1)):
        troubles.append("part_missing")
    if rows.keys() - files.keys():
        troubles.append("file_unlisted")
    return Reading(parts, files, troubles)


def _open(row: SealedRow, report: uuid.UUID, identities: Sequence[HybridIdentity]) -> Part:
    if hashlib.sha256(row.sealed).digest() != row.ciphertext_sha256:
        raise RefusedError("tampered")
    try:
        content = open_body(_KINDS, row.id, row.number, row.sealed, identities)
    except WrongKeyError:
        raise RefusedError("wrong_key") from None
    except TamperedError:
        raise RefusedError("tampered") from None
    except MalformedError:
        raise RefusedError("malformed") from None
    except SwappedRowError:
        raise RefusedError("swapped") from None
    if content.get("report") != str(report):
        raise RefusedError("swapped")
    return Part(row.number, datetime.fromisoformat(content["received"]), content)


def _file(entry: Mapping[str, Any], body: uuid.UUID, rows: Mapping[uuid.UUID, FileRow]) -> File:
    file = uuid.UUID(entry["id"])
    row = rows.get(file)
    trouble = None
    if row is None:
        trouble = "missing"
    elif row.ciphertext_sha256.hex() != entry["ciphertext_sha256"] or row.body != body:
        trouble = "swapped"
    return File(
        file, entry.get("name") or "", entry.get("kind") or "", entry.get("mime") or "", int(entry["length"]),
        str(entry["sha256"]), str(entry["ciphertext_sha256"]), row, trouble,
    )  # fmt: skip
