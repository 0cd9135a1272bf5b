"""The keeper numbers every leaf once, removes only what no row names, and outlives its database's absence."""

import asyncio
import contextlib
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from admin import keeper
from storage import custody, database, local, merkle, roles, setup
from storage.blobs import Blobs
from storage.erasures import Ledger

PATIENCE_S = 20


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Waits for a condition; the test fails when it never comes."""
    async with asyncio.timeout(PATIENCE_S):
        while not await true():  # noqa: ASYNC110 - what a database holds sets no event
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def kept(url: str, blobs: Blobs, count: int = 1) -> AsyncIterator[None]:
    """So many keepers at work; each has to end without a fault."""
    stop = asyncio.Event()
    assert blobs._folder is not None
    ledger = Ledger(blobs._folder.parent / "erasures.ndjson")
    keepers = [asyncio.create_task(keeper.keep(url, blobs, ledger, stop=stop)) for _ in range(count)]
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*keepers)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs.open(str(tmp_path / "blobs"))


def leaf(number: int) -> bytes:
    return custody.leaf(
        "status", at=datetime(2031, 5, 6, 7, tzinfo=UTC), actor="swift", obj=f"report {number}"
    )


async def write(connection: asyncpg.Connection, *numbers: int) -> None:
    async with connection.transaction():
        for number in numbers:
            await custody.write(connection, leaf(number))


# ---- the log ----------------------------------------------------------------------------------------


async def test_leaves_get_their_index_as_they_come(fresh_database: Any, connect: Any, blobs: Blobs) -> None:
    console = await connect(roles.CONSOLE)
    await write(console, 1)

    async def count() -> int:
        return int(await console.fetchval("SELECT count(*) FROM custody_sequence"))

    async with kept(fresh_database.url(roles.KEEPER), blobs):
        await until(lambda: _equals(count, 1))
        await write(console, 2, 3)
        await until(lambda: _equals(count, 3))
    rows = await console.fetch('SELECT "index", leaf_hash FROM custody_sequence ORDER BY "index"')
    assert [tuple(row) for row in rows] == [
        (index, merkle.leaf_hash(leaf(number))) for index, number in enumerate((1, 2, 3))
    ]


async def test_keepers_at_once_number_each_leaf_once(fresh_database: Any, connect: Any, blobs: Blobs) -> None:
    consoles = [await connect(roles.CONSOLE) for _ in range(4)]
    total = 400

    async def all_numbered() -> bool:
        return await consoles[0].fetchval("SELECT count(*) FROM custody_sequence") == total

    async def act(console: asyncpg.Connection, first: int) -> None:
        for number in range(first, total, len(consoles)):
            await write(console, number)

    async with kept(fresh_database.url(roles.KEEPER), blobs, count=3):
        await asyncio.gather(*(act(console, first) for first, console in enumerate(consoles)))
        await until(all_numbered)
    rows = await consoles[0].fetch('SELECT "index", leaf FROM custody_sequence ORDER BY "index"')
    assert [row["index"] for row in rows] == list(range(total))
    assert len({row["leaf"] for row in rows}) == total


async def test_of_two_sequencers_at_the_same_moment_one_waits_for_its_next_turn(connect: Any) -> None:
    first, second = await connect(roles.KEEPER), await connect(roles.KEEPER)
    await write(first, 1, 2)
    async with first.transaction():
        assert await custody.sequence(first) == 2
        assert await custody.sequence(second) == 0
    assert await custody.sequence(second) == 0
    assert await first.fetchval("SELECT count(*) FROM custody_sequence") == 2


async def test_a_keeper_goes_on_when_the_database_is_back(tmp_path: Path, blobs: Blobs) -> None:
    passwords = setup.new_passwords(tmp_path / "roles")
    with local.acquire(tmp_path / "postgres", durable=False) as server:
        await setup.prepare(server.superuser_url(), "dodomu", passwords)
        url = server.url(roles.KEEPER, passwords[roles.KEEPER], "dodomu")
        with capture_logs() as logged:

            async def waits() -> bool:
                return any(entry.get("job") == "leaves" for entry in logged)

            async with kept(url, blobs):
                await until(lambda: _numbered(url, after=1))
                await asyncio.to_thread(server.stop)
                await until(waits)
                await asyncio.to_thread(server.restart)
                await until(lambda: _numbered(url, after=2))
    told = [entry for entry in logged if entry.get("job") == "leaves"]
    assert {entry["event"] for entry in told} == {"waiting for what is away"}
    assert len(told) == 1
    assert passwords[roles.KEEPER] not in str(logged)


async def _numbered(url: str, after: int) -> bool:
    """Writes leaf `after` if it is not there yet; whether that many are numbered."""
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("SELECT count(*) FROM custody_leaves") < after:
            await write(connection, after)
        return await connection.fetchval("SELECT count(*) FROM custody_sequence") == after
    finally:
        await connection.close()


async def test_a_role_without_the_right_is_a_fault_and_not_waited_for(
    fresh_database: Any, blobs: Blobs, tmp_path: Path
) -> None:
    ledger = Ledger(tmp_path / "erasures.ndjson")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with asyncio.timeout(PATIENCE_S):
            await keeper.keep(fresh_database.url(roles.BOT), blobs, ledger, stop=asyncio.Event())


# ---- blobs ------------------------------------------------------------------------------------------


async def put(blobs: Blobs, folder: Path, *, age: timedelta) -> str:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"sealed, as far as the keeper can tell"

    name = (await blobs.put(chunks())).name
    written = (datetime.now(UTC) - age).timestamp()
    os.utime(folder / name[:2] / name, (written, written))
    return name


async def names(blobs: Blobs) -> set[str]:
    return {name async for name, _ in blobs.list_older_than(datetime.now(UTC) + timedelta(days=1))}


async def add_rows(superuser: asyncpg.Connection, of_report: str, of_draft: str) -> None:
    await superuser.execute(
        """INSERT INTO files (id, report, body, blob, ciphertext_sha256, sealed_size, compartment, key_epoch)
           VALUES ($1, $1, $1, $2, $3, 37, 'team', 1)""",
        uuid.uuid4(), of_report, bytes(32),
    )  # fmt: skip
    await superuser.execute(
        """INSERT INTO draft_files (id, blob, ciphertext_sha256, sealed_size, compartment, key_epoch, expires_on)
           VALUES ($1, $2, $3, 37, 'team', 1, '2031-05-06')""",
        uuid.uuid4(), of_draft, bytes(32),
    )  # fmt: skip


async def test_only_old_blobs_without_a_row_go(
    fresh_database: Any, connect: Any, blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, days = tmp_path / "blobs", timedelta(days=1)
    of_report, of_draft = [await put(blobs, folder, age=3 * days) for _ in range(2)]
    orphans = {await put(blobs, folder, age=3 * days) for _ in range(3)}
    young = await put(blobs, folder, age=timedelta(hours=23))
    await add_rows(await connect("superuser"), of_report, of_draft)
    monkeypatch.setattr(keeper, "_PAGE", 2)
    async with database.pool(fresh_database.url(roles.KEEPER)) as connections:
        before = datetime.now(UTC) - keeper.ORPHAN_AFTER
        assert await keeper.sweep(connections, blobs, before=before) == len(orphans)
        assert await keeper.sweep(connections, blobs, before=before) == 0
    assert await names(blobs) == {of_report, of_draft, young}


async def test_a_keeper_sweeps_when_it_starts(fresh_database: Any, blobs: Blobs, tmp_path: Path) -> None:
    await put(blobs, tmp_path / "blobs", age=timedelta(days=2))

    async def swept() -> bool:
        return await names(blobs) == set()

    async with kept(fresh_database.url(roles.KEEPER), blobs, count=2):
        await until(swept)


# ---- the process ------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def process(
    url: str, state: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.StreamReader]]:
    """`python -m admin keeper` and what it says on standard error."""
    environment = {"PATH": os.environ["PATH"], "DODOMU_KEEPER_DATABASE_URL": url, "DODOMU_STATE": str(state)}
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "admin", "keeper", env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert started.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield started, started.stderr
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_process_cleanly(
    fresh_database: Any, tmp_path: Path, number: signal.Signals
) -> None:
    url = fresh_database.url(roles.KEEPER)
    async with process(url, tmp_path) as (running, says):
        assert b"keeper started" in await says.readline()
        running.send_signal(number)
        rest = await says.read()
        assert await running.wait() == 0
    assert b"keeper stopped" in rest
    assert b"Traceback" not in rest
    assert url.encode() not in rest


async def test_a_database_that_refuses_the_keeper_is_told_in_a_sentence(cluster: Any, tmp_path: Path) -> None:
    url = cluster.url(roles.KEEPER, "not-its-password", "postgres")
    async with process(url, tmp_path) as (running, says):
        told = await says.read()
        assert await running.wait() == 1
    assert b"python -m admin database prepare" in told
    assert b"Traceback" not in told
    assert b"not-its-password" not in told


async def _equals(count: Callable[[], Awaitable[int]], expected: int) -> bool:
    return await count() == expected
