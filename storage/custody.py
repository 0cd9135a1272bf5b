"""The custody log: every act on evidence writes a leaf in its own transaction; one sequencer numbers them after.

A leaf is RFC 8785 JSON: version, kind, hour, actor, object and a few ids and hashes, never content. A receipt's
leaf carries, for each item, the ciphertext's hash and a salted commitment to what was received
(`commitment`), whose opening stays inside the seal. With its number a leaf enters the tree of RFC 6962
(`storage.merkle`), whose complete parts are kept as tiles (c2sp.org/tlog-tiles); proofs are made of them
(`storage.proofs`).
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import rfc8785

from storage import merkle, proofs
from storage.database import Connection, Database
from storage.leaf_kinds import KINDS

LEAF_VERSION = 1
SEQUENCER_LOCK = 0xD0C0
_BATCH = 5000  # leaves a round
_LOOK_BACK = 5_000  # ids; what commits further behind the newest than this is found by looking at the whole
_TILES = 400  # of each level, a round
_OBJECT_MAX = 200  # characters
_EXACT = 2**53 - 1  # what every reader of JSON keeps exactly


def hour(at: datetime) -> datetime:
    """The hour of a moment, in UTC: what clear columns and leaves may say of time."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def leaf(kind: str, *, at: datetime, actor: str, obj: str, **facts: Any) -> bytes:
    """The bytes of a leaf. `facts` are ids, codes and hashes only."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind of act: {kind}")
    return canonical(
        {
            "v": LEAF_VERSION,
            "kind": kind,
            "hour": f"{hour(at):%Y-%m-%dT%HZ}",
            "actor": actor,
            "object": obj,
            **facts,
        }
    )


def canonical(content: Mapping[str, Any]) -> bytes:
    """RFC 8785 JSON: the bytes of a leaf, and those that a body's commitment speaks of."""
    told = dict(content)
    if not _is_plain(told):
        return rfc8785.dumps(told)
    # Six times as fast, and the same: only numbers with a fraction and the order of other keys differ.
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _is_plain(value: Any) -> bool:
    """Is it made of texts, truths, small whole numbers and nothing, under ASCII keys?"""
    kind = type(value)
    # Plain loops: `all` of a generator takes three times as long, and each submission waits for this.
    if kind is dict:
        for key, inner in value.items():
            if type(key) is not str or not key.isascii() or not _is_plain(inner):
                return False
        return True
    if kind is list or kind is tuple:
        for inner in value:  # noqa: SIM110 -- as above
            if not _is_plain(inner):
                return False
        return True
    return kind is str or kind is bool or value is None or (kind is int and -_EXACT <= value <= _EXACT)


def commitment(salt: bytes, sha256: bytes, length: int) -> bytes:
    """HMAC-SHA-256 of (SHA-256 and length as received) under 32 random bytes kept inside the seal: 32 bytes."""
    return hmac.digest(salt, sha256 + length.to_bytes(8, "big"), hashlib.sha256)


async def write(connection: Connection, data: bytes) -> None:
    """Adds a leaf; call it inside the transaction of the act that it tells."""
    await connection.execute("INSERT INTO custody_leaves (leaf) VALUES ($1)", data)


async def sequence(connection: Connection, *, whole: bool = False) -> int:
    """Gives committed leaves their index in the log and their place in its tree; returns how many were numbered.

    One sequencer at a time (advisory lock). Ids are handed out before commit, so a lower id may appear after a higher
    one; that is why the order is written here, once, and leaves are never updated. `whole` also finds a leaf whose
    transaction lasted so long that its id lies far behind: it costs a count of all leaves, so not every time.
    """
    async with connection.transaction():
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", SEQUENCER_LOCK):
            return 0
        newest = await connection.fetchrow(
            'SELECT coalesce(max("index") + 1, 0) AS size, coalesce(max(leaf), 0) AS leaf FROM custody_sequence'
        )
        size, behind = newest["size"], max(0, newest["leaf"] - _LOOK_BACK)
        if whole and await connection.fetchval("SELECT count(*) FROM custody_leaves") > size:
            behind = 0
        rows = await connection.fetch(_UNNUMBERED, behind, _BATCH)
        await connection.copy_records_to_table(
            "custody_sequence",
            columns=("index", "leaf", "leaf_hash", "object"),
            records=[
                (size + place, row["id"], merkle.leaf_hash(row["leaf"]), _object(row["leaf"]))
                for place, row in enumerate(rows)
            ],
        )
        await _complete_tiles(connection, size + len(rows))
    return len(rows)


# The bound stands on both sides, or PostgreSQL reads all that was ever numbered.
_UNNUMBERED = """SELECT l.id, l.leaf FROM custody_leaves l WHERE l.id > $1
  AND NOT EXISTS (SELECT 1 FROM custody_sequence s WHERE s.leaf = l.id AND s.leaf > $1) ORDER BY l.id LIMIT $2"""


def _object(data: bytes) -> str | None:
    """What a leaf is about. None if it is no leaf of ours: whatever stands there is numbered, and stops nobody."""
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return None
    obj = told.get("object") if isinstance(told, dict) else None
    return obj if isinstance(obj, str) and len(obj) <= _OBJECT_MAX and obj.isprintable() else None


async def _complete_tiles(connection: Connection, size: int) -> None:
    """Keeps what has become complete of the tree over `size` leaves: from the leaves upwards, where it was left off."""
    kept = {row["level"]: row["kept"] for row in await connection.fetch(_TILES_KEPT)}
    level, below = 0, size
    while below >= merkle.TILE:
        first, complete = kept[level], min(below // merkle.TILE, kept[level] + _TILES)
        if first < complete:
            complete = await _keep_tiles(connection, level, first, complete)
        level, below = level + 1, complete


async def _keep_tiles(connection: Connection, level: int, first: int, end: int) -> int:
    """Keeps tiles of one level, from the first to before the end; returns how many the level has then."""
    hashes = await proofs.hashes(connection, level, (first * merkle.TILE, end * merkle.TILE))
    # Before a gap, which only a superuser can have made, the tree ends; leaves are numbered all the same.
    tiles = [hashes[at : at + merkle.TILE] for at in range(0, len(hashes) - merkle.TILE + 1, merkle.TILE)]
    await connection.copy_records_to_table(
        "custody_tiles",
        columns=("level", "index", "hashes", "root"),
        records=[
            (level, number, b"".join(tile), merkle.root(tile)) for number, tile in enumerate(tiles, first)
        ],
    )
    return first + len(tiles)


_TILES_KEPT = """SELECT level, (SELECT coalesce(max("index") + 1, 0) FROM custody_tiles t WHERE t.level = l.level)
  AS kept FROM generate_series(0, 7) AS l (level)"""


async def history(connection: Database, obj: str) -> list[Mapping[str, Any]]:
    """The acts on one object, oldest first, as their leaves tell them; those that have no number yet at the end."""
    rows = await connection.fetch(_HISTORY, obj, _LOOK_BACK)
    return [
        json.loads(row["leaf"]) for row in rows if row["index"] is not None or _object(row["leaf"]) == obj
    ]


_HISTORY = """WITH behind AS MATERIALIZED (SELECT coalesce(max(leaf), 0) - $2 AS leaf FROM custody_sequence)
SELECT s."index", l.id, l.leaf FROM custody_sequence s JOIN custody_leaves l ON l.id = s.leaf
  WHERE s.object = $1
UNION ALL
SELECT NULL, l.id, l.leaf FROM custody_leaves l
  WHERE l.id > (SELECT leaf FROM behind) AND position(convert_to($1, 'UTF8') IN l.leaf) > 0
  AND NOT EXISTS (SELECT 1 FROM custody_sequence s WHERE s.leaf = l.id)
ORDER BY 1 NULLS LAST, 2"""
