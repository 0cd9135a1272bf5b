"""The custody log: every act on evidence writes a leaf in its own transaction; one sequencer numbers them after.

A leaf is RFC 8785 JSON: version, kind, hour, actor, object and a few ids and hashes, never content. A receipt's
leaf carries, for each item, the ciphertext's hash and a salted commitment to what was received
(`commitment`), whose opening stays inside the seal. Leaf hashes are RFC 6962's.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import rfc8785

from storage.database import Connection, Database
from storage.leaf_kinds import KINDS

LEAF_VERSION = 1
_SEQUENCER_LOCK = 0xD0C0
_BATCH = 5000  # leaves a round
_LOOK_BACK = (
    100_000  # ids; transactions end after 30 s, so no leaf appears further behind the newest than this
)


def hour(at: datetime) -> datetime:
    """The hour of a moment, in UTC: what clear columns and leaves may say of time."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def leaf(kind: str, *, at: datetime, actor: str, obj: str, **facts: Any) -> bytes:
    """The bytes of a leaf. `facts` are ids, codes and hashes only."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind of act: {kind}")
    return rfc8785.dumps(
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
    """RFC 8785 JSON: the bytes that a body's commitment speaks of."""
    return rfc8785.dumps(dict(content))


def commitment(salt: bytes, sha256: bytes, length: int) -> bytes:
    """HMAC-SHA-256 of (SHA-256 and length as received) under 32 random bytes kept inside the seal: 32 bytes."""
    return hmac.digest(salt, sha256 + length.to_bytes(8, "big"), hashlib.sha256)


def leaf_hash(data: bytes) -> bytes:
    """RFC 6962, section 2.1: SHA-256(0x00 || leaf)."""
    return hashlib.sha256(b"\x00" + data).digest()


async def write(connection: Connection, data: bytes) -> None:
    """Adds a leaf; call it inside the transaction of the act that it tells."""
    await connection.execute("INSERT INTO custody_leaves (leaf) VALUES ($1)", data)


async def sequence(connection: Connection) -> int:
    """Gives committed leaves their index in the log; returns how many. One sequencer at a time (advisory lock).

    Identity values are handed out before commit, so a lower id may appear after a higher one; that is why the
    order is written here, once, and leaves are never updated.
    """
    async with connection.transaction():
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _SEQUENCER_LOCK):
            return 0
        newest = await connection.fetchrow(
            'SELECT coalesce(max("index"), -1) AS last, coalesce(max(leaf), 0) AS leaf FROM custody_sequence'
        )
        rows = await connection.fetch(
            """SELECT l.id, l.leaf FROM custody_leaves l LEFT JOIN custody_sequence s ON s.leaf = l.id
               WHERE s.leaf IS NULL AND l.id > $1 ORDER BY l.id LIMIT $2""",
            max(0, newest["leaf"] - _LOOK_BACK),
            _BATCH,
        )
        await connection.executemany(
            'INSERT INTO custody_sequence ("index", leaf, leaf_hash) VALUES ($1, $2, $3)',
            [
                (newest["last"] + 1 + place, row["id"], leaf_hash(row["leaf"]))
                for place, row in enumerate(rows)
            ],
        )
    return len(rows)


async def history(connection: Database, obj: str) -> list[Mapping[str, Any]]:
    """The acts on one object, oldest first, as their leaves tell them."""
    rows = await connection.fetch(
        "SELECT leaf FROM custody_leaves WHERE convert_from(leaf, 'UTF8')::jsonb ->> 'object' = $1 ORDER BY id",
        obj,
    )
    return [json.loads(row["leaf"]) for row in rows]
