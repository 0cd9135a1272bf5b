"""A dump of the custody log: everything that is needed to verify it, and nothing that needs a secret.

    await dump(connection, Path("custody-2031-05-06"), now)

A folder, of one moment of the database (`leaves.ndjson` and so on are written by streams, whatever their size):

    leaves.ndjson       line i, from 0: the bytes of leaf i
    hashes              32 bytes a leaf: its hash as it was kept when it was numbered
    waiting.ndjson      leaves that have no number yet: of the last second
    items.ndjson        {"ciphertext_sha256", "compartment", "id", "key_epoch", "kind": "body" | "file", "report"}
    manifests.ndjson    {"body", "serial", "signature"}, in Base64, by serial
    checkpoints/        SIZE.note: a signed note, with the lines of its witnesses
    timestamps/         SIZE.AUTHORITY.tsr: an RFC 3161 answer over the first five lines of that note
    dump.json           counts; written last, so that a dump that was cut off is known
"""

import base64
import json
import os
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import rfc8785

from admin.errors import AdminError
from admin.publishing import file_name, replace
from storage import checkpoints, custody
from storage.checkpoints import Kept
from storage.database import Connection

FORMAT = "dodomu custody dump 1"
LEAVES, HASHES, WAITING = "leaves.ndjson", "hashes", "waiting.ndjson"
ITEMS, MANIFESTS, ABOUT = "items.ndjson", "manifests.ndjson", "dump.json"
CHECKPOINTS, TIMESTAMPS = "checkpoints", "timestamps"
NOTE_LINES = 5  # of a checkpoint: origin, size, root, an empty line, the log's signature
_READ = 5000  # rows at once
_GAP = 1000  # missing leaves for which an empty line is written, so that those after them keep their place
_NO_HASH = bytes(32)
_COUNTS = ("leaves", "waiting", "items", "manifests", "checkpoints", "timestamps")

_LEAVES = """SELECT s."index", s.leaf_hash, l.leaf FROM custody_sequence s LEFT JOIN custody_leaves l ON l.id = s.leaf
ORDER BY s."index" """
_WAITING = """SELECT l.leaf FROM custody_leaves l LEFT JOIN custody_sequence s ON s.leaf = l.id
WHERE s.leaf IS NULL ORDER BY l.id"""
# Of a body what stands there is hashed; of a file, whose bytes are elsewhere, the row says it.
_ITEMS = """SELECT b.id, 'body' AS kind, b.report, sha256(b.sealed) AS ciphertext_sha256, r.compartment, b.key_epoch
FROM bodies b LEFT JOIN reports r ON r.id = b.report
UNION ALL SELECT id, 'file', report, ciphertext_sha256, compartment, key_epoch FROM files"""


class DumpError(AdminError):
    """The dump cannot be written there."""


async def dump(connection: Connection, folder: Path, now: datetime) -> Mapping[str, Any]:
    """Writes a dump into a new or empty folder; what `dump.json` says. Raises DumpError."""
    _begin(folder)
    counts: dict[str, int] = {}
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute("SET LOCAL statement_timeout = '10min'")  # a role's own is for short ones
        counts["leaves"] = await _leaves(connection, folder)
        counts["waiting"] = await _lines(folder / WAITING, _waiting(connection))
        counts["items"] = await _lines(folder / ITEMS, _items(connection))
        counts["manifests"] = await _lines(folder / MANIFESTS, _manifests(connection))
        counts["checkpoints"] = await _checkpoints(connection, folder / CHECKPOINTS)
        counts["timestamps"] = await _timestamps(connection, folder / TIMESTAMPS)
    about: dict[str, str | int] = {"format": FORMAT, "hour": f"{custody.hour(now):%Y-%m-%dT%HZ}", **counts}
    replace(folder / ABOUT, custody.canonical(about) + b"\n")
    return about


def bare(note: bytes) -> bytes:
    """A checkpoint without the lines of its witnesses: what time stamps are over."""
    return b"".join(note.splitlines(keepends=True)[:NOTE_LINES])


def _begin(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise DumpError(f"{folder} is not empty; nothing is overwritten. Choose another folder.")
        (folder / CHECKPOINTS).mkdir()
        (folder / TIMESTAMPS).mkdir()
    except OSError as error:
        raise DumpError(f"The folder {folder} cannot be made: {error.strerror}.") from None


async def _leaves(connection: Connection, folder: Path) -> int:
    """Writes leaves and hashes, each in its place; one that is gone, or would be two lines, is an empty line."""
    at = 0
    with (folder / LEAVES).open("wb") as leaves, (folder / HASHES).open("wb") as hashes:
        async for row in connection.cursor(_LEAVES, prefetch=_READ):
            for _ in range(min(row["index"] - at, _GAP)):
                leaves.write(b"\n")
                hashes.write(_NO_HASH)
                at += 1
            leaf: bytes = row["leaf"] or b""
            leaves.write((b"" if b"\n" in leaf else leaf) + b"\n")
            hashes.write(row["leaf_hash"])
            at += 1
        _to_disk(leaves)
        _to_disk(hashes)
    return at


async def _lines(path: Path, lines: AsyncIterator[bytes]) -> int:
    count = 0
    with path.open("wb") as file:
        async for line in lines:
            file.write(line + b"\n")
            count += 1
        _to_disk(file)
    return count


async def _waiting(connection: Connection) -> AsyncIterator[bytes]:
    async for row in connection.cursor(_WAITING, prefetch=_READ):
        yield row["leaf"].replace(b"\n", b"")


async def _items(connection: Connection) -> AsyncIterator[bytes]:
    async for row in connection.cursor(_ITEMS, prefetch=_READ):
        item = {
            "id": str(row["id"]),
            "kind": row["kind"],
            "report": str(row["report"]),
            "ciphertext_sha256": row["ciphertext_sha256"].hex(),
            "compartment": row["compartment"] or "",
            "key_epoch": row["key_epoch"],
        }
        yield rfc8785.dumps(item)


async def _manifests(connection: Connection) -> AsyncIterator[bytes]:
    async for row in connection.cursor("SELECT serial, body, signature FROM manifests ORDER BY serial"):
        yield rfc8785.dumps(
            {
                "serial": row["serial"],
                "body": base64.b64encode(row["body"]).decode(),
                "signature": base64.b64encode(row["signature"]).decode(),
            }
        )


async def _checkpoints(connection: Connection, folder: Path) -> int:
    rows = await connection.fetch("SELECT size, note FROM custody_checkpoints ORDER BY size")
    lines = await connection.fetch("SELECT size, line FROM custody_cosignatures ORDER BY size, witness")
    by_size: dict[int, list[bytes]] = {}
    for row in lines:
        by_size.setdefault(row["size"], []).append(row["line"])
    for row in rows:
        checkpoint = Kept(row["size"], row["note"])
        note = checkpoints.with_lines(checkpoint, by_size.get(checkpoint.size, ()))
        (folder / file_name(checkpoint.size)).write_bytes(note)
    return len(rows)


async def _timestamps(connection: Connection, folder: Path) -> int:
    rows = await connection.fetch("SELECT size, authority, token FROM custody_timestamps ORDER BY size")
    for row in rows:
        name = row["authority"].replace("/", "-")
        (folder / f"{row['size']:012}.{name}.tsr").write_bytes(row["token"])
    return len(rows)


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def read_about(folder: Path) -> Mapping[str, Any] | None:
    """What `dump.json` says; None when it is not there, or not one: the dump was cut off."""
    try:
        about = json.loads((folder / ABOUT).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        return None
    return about if all(isinstance(about.get(count), int) for count in _COUNTS) else None
