"""Tree heads and proofs of the custody log as it is kept: a few tiles and the newest leaves, never the whole log.

    root = await tree_head(connection, size)
    proof = await inclusion(connection, index, size)       # merkle.verify_inclusion
    proof = await consistency(connection, old, new)        # merkle.verify_consistency

They say what is kept. Whether that is what was published, and what the leaves hash to, is for whoever verifies.
"""

from collections.abc import Iterable, Sequence

from storage import merkle
from storage.database import Connection
from storage.errors import MissingTilesError, WrongProofError
from storage.merkle import HASH_SIZE, TILE, TILE_LEVELS, Span, Subtree

_Tile = tuple[int, int]
"""(level, number), as in custody_tiles: 256 hashes of subtrees of level 8 × `level`, from 256 × `number` on."""


async def tree_head(connection: Connection, size: int) -> bytes:
    """The root over the log's first `size` leaves, 32 bytes. Raises WrongProofError, MissingTilesError."""
    (root,) = await _roots(connection, [(0, size)], size) if size else [merkle.EMPTY]
    return root


async def inclusion(connection: Connection, index: int, size: int) -> list[bytes]:
    """The proof that leaf `index` is in the log of `size` leaves. Raises WrongProofError, MissingTilesError."""
    return await _roots(connection, merkle.inclusion_spans(index, size), size)


async def consistency(connection: Connection, old: int, new: int) -> list[bytes]:
    """The proof that the log of `new` leaves begins with that of `old`. Raises WrongProofError, MissingTilesError."""
    return await _roots(connection, merkle.consistency_spans(old, new), new)


async def _roots(connection: Connection, spans: Sequence[Span], size: int) -> list[bytes]:
    parts = [merkle.subtrees(span) for span in spans]
    tiles = await _read(connection, {_tile(part) for some in parts for part in some}, size)
    return [merkle.fold([_subtree(tiles[_tile(part)], part) for part in some]) for some in parts]


def _tile(part: Subtree) -> _Tile:
    """The tile in which a subtree is found: itself, or as the hashes below it."""
    level, number = part
    return level // TILE_LEVELS, number << level % TILE_LEVELS >> TILE_LEVELS


def _subtree(tile: Sequence[bytes], part: Subtree) -> bytes:
    level, number = part
    width = 1 << level % TILE_LEVELS
    first = number * width % TILE
    below = tile[first : first + width]
    if len(below) < width:
        raise MissingTilesError("a part of the log's tree is missing, or the keeper is still at it")
    return merkle.root(below)


async def _read(connection: Connection, wanted: Iterable[_Tile], size: int) -> dict[_Tile, list[bytes]]:
    """The hashes of these tiles: complete ones as they are kept, the last of a level from what is below it."""
    there = await connection.fetchval('SELECT coalesce(max("index") + 1, 0) FROM custody_sequence')
    if not 0 <= size <= there:
        raise WrongProofError(f"the log has {there} leaves, not {size}")
    found: dict[_Tile, list[bytes]] = {tile: [] for tile in wanted}
    levels, numbers = [level for level, _ in found], [number for _, number in found]
    for row in await connection.fetch(_COMPLETE, levels, numbers):
        kept = row["hashes"]
        found[row["level"], row["index"]] = [
            kept[at : at + HASH_SIZE] for at in range(0, len(kept), HASH_SIZE)
        ]
    for level, number in [tile for tile, kept in found.items() if not kept]:
        found[level, number] = await hashes(connection, level, (number * TILE, (number + 1) * TILE))
    return found


_COMPLETE = """SELECT t.level, t."index", t.hashes FROM unnest($1::integer[], $2::bigint[]) AS wanted (level, number)
  JOIN custody_tiles t ON t.level = wanted.level AND t."index" = wanted.number"""


async def hashes(connection: Connection, level: int, span: Span) -> list[bytes]:
    """Of level 8 × `level`, the hashes in the span that are there, up to the first gap: leaves' or tiles' roots."""
    if level == 0:
        rows = await connection.fetch(_LEAVES, *span)
    else:
        rows = await connection.fetch(_TILES, *span, level - 1)
    return [row["hash"] for place, row in enumerate(rows, span[0]) if row["index"] == place]


_LEAVES = """SELECT "index", leaf_hash AS hash FROM custody_sequence WHERE "index" >= $1 AND "index" < $2
  ORDER BY "index" """
_TILES = """SELECT "index", root AS hash FROM custody_tiles WHERE "index" >= $1 AND "index" < $2 AND level = $3
  ORDER BY "index" """
