"""Sealed JSON bodies: each begins with its kind, row id and version, so that a body moved to another row is noticed.

age has no associated data; the first members of the JSON are that instead, and `open_body` checks them.
Bodies are padded (`seal.pad_json`) so that their length tells little.
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seal import HybridIdentity, HybridRecipient, open_bytes, seal_bytes
from seal.padding import pad_json
from storage.errors import SwappedRowError


@dataclass(frozen=True, slots=True)
class SealedBody:
    """An age file and its SHA-256."""

    sealed: bytes
    ciphertext_sha256: bytes


def seal_body(
    kind: str, row: uuid.UUID, version: int, content: dict[str, Any], recipients: Sequence[HybridRecipient]
) -> SealedBody:
    """Seals `content` as the body of this row. Kind, row id and version come first."""
    plain = json.dumps({"kind": kind, "id": str(row), "version": version, **content}, ensure_ascii=False)
    sealed = seal_bytes(pad_json(plain.encode()), recipients)
    return SealedBody(sealed, hashlib.sha256(sealed).digest())


def open_body(
    kinds: Sequence[str], row: uuid.UUID, version: int, sealed: bytes, identities: Sequence[HybridIdentity]
) -> dict[str, Any]:
    """The content, if this body was sealed for this very row; else SwappedRowError. seal's errors pass through."""
    return read_body(kinds, row, version, open_bytes(sealed, identities))


def read_body(kinds: Sequence[str], row: uuid.UUID, version: int, plain: bytes) -> dict[str, Any]:
    """The content of a body that is open already; SwappedRowError as `open_body`."""
    content = json.loads(plain)
    head = (
        (content.get("kind"), content.get("id"), content.get("version")) if isinstance(content, dict) else ()
    )
    if head not in {(kind, str(row), version) for kind in kinds}:
        raise SwappedRowError("a sealed body does not belong to the row where it stands")
    return dict(content)
