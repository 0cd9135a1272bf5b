"""Heads and proofs from the tiles are those of the whole list of leaves, whatever the size, also after an upgrade."""

import itertools
import random
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from storage import custody, merkle, proofs, roles, setup
from storage.errors import MissingTilesError, WrongProofError
from storage.merkle import TILE

LEVEL_2 = TILE * TILE  # leaves that make the first complete tile of the second level


@pytest.fixture
async def superuser(fresh_database: Any) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.superuser_url)
    yield connection
    await connection.close()


@pytest.fixture
async def keeper(fresh_database: Any) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.url(roles.KEEPER))
    yield connection
    await connection.close()


def leaf(number: int) -> bytes:
    return b'{"object":"%d"}' % number


def hashes_of(count: int) -> list[bytes]:
    return [merkle.leaf_hash(leaf(number)) for number in range(count)]


async def write(connection: asyncpg.Connection, first: int, count: int) -> None:
    await connection.copy_records_to_table(
        "custody_leaves", columns=["leaf"], records=[(leaf(first + number),) for number in range(count)]
    )


async def number_all(connection: asyncpg.Connection) -> None:
    while await custody.sequence(connection):
        pass


async def compare(connection: asyncpg.Connection, hashes: list[bytes], sizes: list[int]) -> None:
    """Head, one inclusion and one consistency proof of each size, beside those of the plain list."""
    chance = random.Random(1)
    for size in sizes:
        part = hashes[:size]
        assert await proofs.tree_head(connection, size) == merkle.root(part)
        old = chance.randint(0, size)
        assert await proofs.consistency(connection, old, size) == merkle.consistency(part, old)
        if size:
            index = chance.randrange(size)
            assert await proofs.inclusion(connection, index, size) == merkle.inclusion(part, index)


async def test_heads_and_proofs_at_every_turn_of_a_small_log(keeper: asyncpg.Connection) -> None:
    edges = (0, 1, 2, 3, 255, 256, 257, 300, 511, 512, 513, 700)
    hashes = hashes_of(edges[-1])
    for before, size in itertools.pairwise(edges):
        await write(keeper, before, size - before)
        await number_all(keeper)
        await compare(keeper, hashes, [edge for edge in edges if edge <= size])
    assert await keeper.fetchval("SELECT count(*) FROM custody_tiles") == edges[-1] // TILE


async def test_heads_and_proofs_above_the_second_level(keeper: asyncpg.Connection) -> None:
    count = LEVEL_2 + 3 * TILE + 7
    hashes = hashes_of(count)
    await write(keeper, 0, count)
    await number_all(keeper)
    rows = await keeper.fetch(
        "SELECT level, count(*) AS tiles FROM custody_tiles GROUP BY level ORDER BY level"
    )
    assert [tuple(row) for row in rows] == [(0, TILE + 3), (1, 1)]
    edges = [LEVEL_2 + off for off in (-1, 0, 1, TILE - 1, TILE, TILE + 1)]
    await compare(keeper, hashes, [*edges, count, *random.Random(2).sample(range(count), 10)])


async def test_what_the_log_does_not_have_has_no_proof(keeper: asyncpg.Connection) -> None:
    await write(keeper, 0, 3)
    await number_all(keeper)
    for size in (4, -1):
        with pytest.raises(WrongProofError, match="3 leaves"):
            await proofs.tree_head(keeper, size)
    with pytest.raises(WrongProofError, match="no leaf"):
        await proofs.inclusion(keeper, 3, 3)
    with pytest.raises(WrongProofError, match="cannot begin"):
        await proofs.consistency(keeper, 3, 2)


async def test_a_log_from_before_is_completed(
    keeper: asyncpg.Connection, superuser: asyncpg.Connection, fresh_database: Any
) -> None:
    """Leaves numbered by the version before have neither object nor tree: both come with the upgrade."""
    count = 3 * TILE + 5
    await setup.migrate(fresh_database.superuser_url, "0005")
    await write(superuser, 0, count)
    await superuser.execute(
        """INSERT INTO custody_sequence ("index", leaf, leaf_hash)
           SELECT row_number() OVER (ORDER BY id) - 1, id, sha256('\\x00'::bytea || leaf) FROM custody_leaves"""
    )
    await setup.migrate(fresh_database.superuser_url)
    with pytest.raises(MissingTilesError):
        await proofs.tree_head(keeper, count)

    assert await custody.sequence(keeper) == 0
    assert await custody.history(keeper, "77") == [{"object": "77"}]
    await compare(keeper, hashes_of(count), [1, TILE, 2 * TILE, count])


async def test_leaves_are_numbered_also_after_a_gap_that_somebody_tore(
    keeper: asyncpg.Connection, superuser: asyncpg.Connection
) -> None:
    """The tree ends before it, and no head is told of what is behind; what comes is kept all the same."""
    await write(keeper, 0, 200)
    await number_all(keeper)
    await superuser.execute("SET session_replication_role = replica")
    await superuser.execute('DELETE FROM custody_sequence WHERE "index" = 100')
    await superuser.execute("DELETE FROM custody_leaves WHERE leaf = $1", leaf(100))
    await write(keeper, 200, 200)
    assert await custody.sequence(keeper) == 200
    assert await keeper.fetchval("SELECT count(*) FROM custody_tiles") == 0
    with pytest.raises(MissingTilesError):
        await proofs.tree_head(keeper, 400)
