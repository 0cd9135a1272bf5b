"""The custody log at a million leaves: what it costs intake, how soon a leaf has its index, how long proofs take.

Submissions are measured beside the same ones that write no leaf (a statement of this benchmark alone), in turns, with
the sequencer running in its own process. Durable, fsync on.
"""

import asyncio
import contextlib
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import asyncpg
import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admin import keeper
from admin.custody_dump import dump
from admin.custody_heads import Trust
from admin.custody_verify import verify
from admin.publishing import file_name
from benchmarks import submissions
from benchmarks.canned import Watched
from benchmarks.line import line
from bot.app import DATABASE, App
from storage import custody, local, merkle, notes, proofs, roles, setup, submission

LEAVES = 1_000_000
TO_KEEP = 0.85  # of the submissions a second that there are without leaves
WITHIN_S = 1.0  # a committed leaf has its index
PROOF_MS = 10.0
VERIFY_S = 60.0
_TURNS, _A_TURN, _AT_ONCE = 14, 800, 32
_PROOFS = 300
_LEAF = custody.leaf(
    "downloaded", at=datetime(2026, 1, 1, tzinfo=UTC), actor=str(uuid.UUID(int=1)), obj="OBJECT",
    file=str(uuid.UUID(int=2)), ciphertext_sha256="0" * 64,
)  # fmt: skip


def run() -> dict[str, float]:
    """Prints the figures."""
    return uvloop.run(_run())


async def _run() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with line(folder, session=Watched()) as app:
            with local.acquire(folder / "postgres") as server:
                url = server.url(roles.KEEPER, setup.new_passwords(folder / "roles")[roles.KEEPER], DATABASE)
                connection = await asyncpg.connect(url)
                try:
                    figures = await _make(connection)
                    figures |= await _prove(connection)
                    figures |= await _verify(connection, folder)
                    figures |= await _beside(app, url)
                finally:
                    await connection.close()
    _say(figures)
    return figures


# ---- a million leaves ------------------------------------------------------------------------------


async def _make(connection: asyncpg.Connection) -> dict[str, float]:
    """Writes them as fast as it goes, and lets the sequencer work through the heap."""
    await connection.copy_records_to_table("custody_leaves", columns=["leaf"], records=_leaves())
    slowest, started = 0.0, time.perf_counter()
    numbered = 1
    while numbered:
        at = time.perf_counter()
        numbered = await custody.sequence(connection)
        slowest = max(slowest, time.perf_counter() - at)
    taken = time.perf_counter() - started
    at = time.perf_counter()
    await custody.sequence(connection)
    idle = time.perf_counter() - at
    at = time.perf_counter()
    await custody.sequence(connection, whole=True)
    return {
        "numbered/s": LEAVES / taken,
        "slowest round": slowest,
        "idle": idle,
        "whole": time.perf_counter() - at,
    }


def _leaves() -> Iterator[tuple[bytes]]:
    before, after = _LEAF.split(b"OBJECT")
    chance = random.Random(1)
    for _ in range(LEAVES):  # ids are random, and so is where the index of objects grows
        yield (before + b"%036x" % chance.getrandbits(144) + after,)


# ---- beside intake ---------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _sequencer(url: str) -> AsyncIterator[None]:
    """The keeper's numbering, in a process of its own, as long as the context."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.custody", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(f"{url}\n".encode())
        await process.stdout.readline()  # it has begun
        yield
    finally:
        process.terminate()
        await process.wait()


async def _number(url: str) -> None:
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as connections:
        await keeper.number_leaves(connections)
        print("numbering", flush=True)
        while True:
            await keeper.number_leaves(connections)
            await asyncio.sleep(keeper.LOOK_EVERY_S)


async def _beside(app: App, url: str) -> dict[str, float]:
    """Submissions with and without leaves, in turns; and how long leaves wait for their index meanwhile."""
    seconds = {True: 0.0, False: 0.0}
    first = 1
    async with _sequencer(url):
        looking = asyncio.create_task(_lags(url))
        for turn in range(_TURNS + 1):
            # In turns of with and without, without and with: what else the machine does meets both alike.
            for with_leaves in (True, False) if turn % 2 else (False, True):
                with contextlib.nullcontext() if with_leaves else _without_leaves():
                    pace, _ = await submissions.measure(app, _AT_ONCE, _A_TURN, first=first)
                first += _A_TURN
                await _all_numbered(url)
                if turn:  # the first warms up
                    seconds[with_leaves] += _A_TURN / pace
        looking.cancel()
        lags = await looking
    return {
        "with": _TURNS * _A_TURN / seconds[True],
        "without": _TURNS * _A_TURN / seconds[False],
        "ratio": seconds[False] / seconds[True],
        "lag p95": sorted(lags)[int(len(lags) * 0.95)],
        "lag max": max(lags),
    }


async def _all_numbered(url: str) -> None:
    """Waits until no leaf of one turn is left for the sequencer to do in the next."""
    connection = await asyncpg.connect(url)
    newest = await connection.fetchval("SELECT max(id) FROM custody_leaves")
    while not await connection.fetchval(_NUMBERED, newest):  # noqa: ASYNC110 -- it waits for another process
        await asyncio.sleep(0.05)
    await connection.close()


@contextlib.contextmanager
def _without_leaves() -> Iterator[None]:
    """Submissions that neither make nor write a leaf."""
    statement = submission._SUBMIT.replace(  # noqa: SLF001 -- what is left out here is no option of the product
        "INSERT INTO custody_leaves (leaf) VALUES ($15)", "SELECT $15::bytea"
    )
    assert statement != submission._SUBMIT  # noqa: SLF001 -- as above
    with (
        mock.patch.object(submission, "_SUBMIT", statement),
        mock.patch.object(submission, "_items", return_value=[]),
        mock.patch.object(custody, "leaf", return_value=b""),
    ):
        yield


_NUMBERED = "SELECT 1 FROM custody_sequence WHERE leaf = $1"


async def _lags(url: str) -> list[float]:
    """Until cancelled: a leaf of its own now and then, and the seconds from its commit to its index."""
    lags: list[float] = []
    connection = await asyncpg.connect(url)
    leaf = _LEAF.replace(b"OBJECT", b"lag")
    try:
        while True:
            number = await connection.fetchval(
                "INSERT INTO custody_leaves (leaf) VALUES ($1) RETURNING id", leaf
            )
            committed = time.perf_counter()
            while not await connection.fetchval(_NUMBERED, number):  # noqa: ASYNC110 -- it waits for another process
                await asyncio.sleep(0.05)
            lags.append(time.perf_counter() - committed)
    except asyncio.CancelledError:
        return lags
    finally:
        await connection.close()


# ---- proofs and verification -------------------------------------------------------------------------


async def _prove(connection: asyncpg.Connection) -> dict[str, float]:
    """Heads, inclusion and consistency from the kept tiles, each checked."""
    size = await connection.fetchval('SELECT max("index") + 1 FROM custody_sequence')
    chance = random.Random(1)
    root = await proofs.tree_head(connection, size)
    included: list[float] = []
    grown: list[float] = []
    for _ in range(_PROOFS):
        index, old = chance.randrange(size), chance.randrange(1, size)
        leaf = await connection.fetchval('SELECT leaf_hash FROM custody_sequence WHERE "index" = $1', index)
        at = time.perf_counter()
        proof = await proofs.inclusion(connection, index, size)
        included.append((time.perf_counter() - at) * 1000)
        merkle.verify_inclusion(leaf, index, size, proof, root)
        was = await proofs.tree_head(connection, old)
        at = time.perf_counter()
        proof = await proofs.consistency(connection, old, size)
        grown.append((time.perf_counter() - at) * 1000)
        merkle.verify_consistency(old, size, proof, was, root)
    p95 = int(_PROOFS * 0.95)
    return {"inclusion p95": sorted(included)[p95], "consistency p95": sorted(grown)[p95]}


async def _verify(connection: asyncpg.Connection, folder: Path) -> dict[str, float]:
    """What anybody does with a dump and what was published: `python -m admin custody verify`, whole."""
    log = notes.Signer("log.example/bench", Ed25519PrivateKey.generate())
    head = notes.Checkpoint(log.name, LEAVES, await proofs.tree_head(connection, LEAVES))
    published = folder / file_name(LEAVES)
    published.write_bytes(notes.sign(head.text(), log))
    at = time.perf_counter()
    await dump(connection, folder / "dump", datetime.now(UTC))
    dumped = time.perf_counter() - at
    at = time.perf_counter()
    findings = verify(folder / "dump", [published], Trust(log_keys=[log.vkey]))
    verified = time.perf_counter() - at
    if findings.faults:
        raise SystemExit(f"the log does not hold: {findings.faults}")
    return {"dumped": dumped, "verified": verified}


def _say(figures: dict[str, float]) -> None:
    print(
        f"  Numbering a heap of {LEAVES:,}: {figures['numbered/s']:,.0f} leaves/s, slowest round"
        f" {figures['slowest round']:.2f} s; nothing new: {figures['idle'] * 1000:.1f} ms, looking at all of them:"
        f" {figures['whole'] * 1000:.0f} ms"
    )
    print(
        f"  {_AT_ONCE} at once: {figures['with']:.0f} submissions/s with leaves, {figures['without']:.0f} without:"
        f" {figures['ratio']:.0%} (to reach: {TO_KEEP:.0%})"
    )
    print(
        f"  A leaf has its index after {figures['lag p95']:.2f} s (p95), {figures['lag max']:.2f} s at most"
        f" (to reach: {WITHIN_S:.0f} s)"
    )
    print(
        f"  A proof of {LEAVES:,}: inclusion {figures['inclusion p95']:.1f} ms, consistency"
        f" {figures['consistency p95']:.1f} ms, p95 (to reach: {PROOF_MS:.0f} ms)"
    )
    print(
        f"  Dumped in {figures['dumped']:.1f} s; the whole dump verified in {figures['verified']:.1f} s"
        f" (to reach: {VERIFY_S:.0f} s)"
    )


if __name__ == "__main__":
    asyncio.run(_number(sys.stdin.readline().strip()))
