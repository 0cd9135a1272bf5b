"""Checkpoints of the custody log, as they are kept: a tree head that was signed, and who has it and vouches for it.

    await check_growth(connection, known, size)      # ForkError, unless the log goes on from what was signed before
    await keep(connection, Kept(size, note), now)
    await unpublished(connection, "folder")

What is signed once is out in the world: a log that does not begin with the last checkpoint's leaves is another log, and
nothing is signed for it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from storage import merkle, proofs
from storage.database import Connection
from storage.errors import ForkError, WrongProofError

SIGNING_LOCK = 0xD0C1  # one keeper makes and publishes checkpoints at a time
_READ = 2000  # leaves at once


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint: how many leaves, and its signed note (C2SP tlog-checkpoint)."""

    size: int
    note: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """What a checkpoint says: this many leaves have this root."""

    size: int
    root: bytes


async def log_size(connection: Connection) -> int:
    """How many leaves have their index."""
    return int(await connection.fetchval('SELECT coalesce(max("index") + 1, 0) FROM custody_sequence'))


async def check_growth(connection: Connection, known: Head, size: int) -> Head:
    """The head of the log's first `size` leaves, if it goes on from `known`; ForkError when it does not.

    Two things are asked: that the hashes as they are kept prove it, and that the leaves that are new since hash to
    what is kept of them. Inside a transaction.
    """
    if size < known.size:
        raise ForkError(f"the log has {size} leaves, and {known.size} were signed for")
    await _check_leaves(connection, known.size, size)
    if await proofs.tree_head(connection, known.size) != known.root:
        raise ForkError(f"the first {known.size} leaves are not those that were signed for")
    head = Head(size, await proofs.tree_head(connection, size))
    try:
        proof = await proofs.consistency(connection, known.size, size)
        merkle.verify_consistency(known.size, size, proof, known.root, head.root)
    except WrongProofError:
        raise ForkError(f"the log does not go on from the {known.size} leaves that were signed for") from None
    return head


async def _check_leaves(connection: Connection, first: int, size: int) -> None:
    expected = first
    async for row in connection.cursor(
        """SELECT s."index", s.leaf_hash, l.leaf FROM custody_sequence s LEFT JOIN custody_leaves l ON l.id = s.leaf
           WHERE s."index" >= $1 AND s."index" < $2 ORDER BY s."index" """,
        first,
        size,
        prefetch=_READ,
    ):
        if row["index"] != expected or row["leaf"] is None:
            raise ForkError(f"leaf {expected} is missing")
        if merkle.leaf_hash(row["leaf"]) != row["leaf_hash"]:
            raise ForkError(f"leaf {expected} is not what it was when it was numbered")
        expected += 1
    if expected != size:
        raise ForkError(f"leaf {expected} is missing")


# ---- what is kept ------------------------------------------------------------------------------------


async def newest(connection: Connection) -> Kept | None:
    """The largest checkpoint; None before the first."""
    row = await connection.fetchrow("SELECT size, note FROM custody_checkpoints ORDER BY size DESC LIMIT 1")
    return Kept(*row) if row else None


async def of_size(connection: Connection, size: int) -> Kept | None:
    """The checkpoint over exactly so many leaves."""
    row = await connection.fetchrow("SELECT size, note FROM custody_checkpoints WHERE size = $1", size)
    return Kept(*row) if row else None


async def first_over(connection: Connection, index: int) -> Kept | None:
    """The first checkpoint that holds this leaf."""
    row = await connection.fetchrow(
        "SELECT size, note FROM custody_checkpoints WHERE size > $1 ORDER BY size LIMIT 1", index
    )
    return Kept(*row) if row else None


async def keep(connection: Connection, checkpoint: Kept, now: datetime) -> None:
    """Adds a checkpoint; one of the same size stays as it is."""
    await connection.execute(
        "INSERT INTO custody_checkpoints (size, note, made_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        checkpoint.size,
        checkpoint.note,
        now,
    )


async def unpublished(connection: Connection, place: str) -> Sequence[Kept]:
    """What is to be published there, the oldest first: all since the last one that was; at a new place, the newest.

    (Each checkpoint holds all leaves of those before it.)
    """
    rows = await connection.fetch(
        """SELECT size, note FROM custody_checkpoints WHERE size > coalesce(
             (SELECT max(size) FROM custody_publications WHERE place = $1),
             (SELECT max(size) - 1 FROM custody_checkpoints)) ORDER BY size""",
        place,
    )
    return [Kept(*row) for row in rows]


async def note_published(connection: Connection, size: int, place: str, now: datetime) -> None:
    """Remembers that it is public there."""
    await connection.execute(
        "INSERT INTO custody_publications (size, place, published_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        size,
        place,
        now,
    )


async def unstamped(connection: Connection, authority: str) -> Kept | None:
    """The newest checkpoint, if this authority has not stamped it. Older ones are held by it."""
    checkpoint = await newest(connection)
    if checkpoint is None or await connection.fetchval(
        "SELECT EXISTS (SELECT 1 FROM custody_timestamps WHERE size = $1 AND authority = $2)",
        checkpoint.size,
        authority,
    ):
        return None
    return checkpoint


async def keep_timestamp(connection: Connection, size: int, authority: str, token: bytes) -> None:
    """Adds an authority's token, verified before, over the note of that size."""
    await connection.execute(
        "INSERT INTO custody_timestamps (size, authority, token) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        size,
        authority,
        token,
    )


async def keep_cosignature(connection: Connection, size: int, witness: str, line: bytes) -> bool:
    """Adds a witness's line, verified before, without its line feed; False when there is one of this witness."""
    done: str = await connection.execute(
        "INSERT INTO custody_cosignatures (size, witness, line) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        size,
        witness,
        line,
    )
    return done.endswith(" 1")


async def cosigned(connection: Connection, checkpoint: Kept) -> bytes:
    """The note with the lines of its witnesses."""
    rows = await connection.fetch(
        "SELECT line FROM custody_cosignatures WHERE size = $1 ORDER BY witness", checkpoint.size
    )
    return with_lines(checkpoint, [row["line"] for row in rows])


def with_lines(checkpoint: Kept, lines: Iterable[bytes]) -> bytes:
    """A note and what witnesses added, as it is published."""
    return checkpoint.note + b"".join(line + b"\n" for line in lines)
