"""`python -m admin reseal`, killed again and again: nothing is ever in between, and in the end all is there."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admin import keeper
from storage import roles
from tests.admin import anew
from tests.admin.anew import NOW, Store
from tests.conftest import Database

REPOSITORY = Path(__file__).parents[2]
REPORTS, WITH_FILE = 300, 3  # every third has a file
OTHER_CEREMONY = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw().hex()
ITEMS = REPORTS + REPORTS // WITH_FILE
KILLED_AFTER = (1, 90, 200, 305, 340)  # items; the files come last
_DONE = """SELECT (SELECT count(*) FROM bodies WHERE key_epoch = 2)
+ (SELECT count(*) FROM files WHERE key_epoch = 2)"""


@pytest.fixture
async def store(fresh_database: Database, tmp_path: Path) -> AsyncIterator[Store]:
    async with anew.opened_store(fresh_database, tmp_path) as opened:
        yield opened


class Command:
    """`python -m admin reseal` as a process of its own."""

    def __init__(self, store: Store, *arguments: str, ceremony_key: str | None = None) -> None:
        self._arguments = arguments
        self._environment = {
            "PATH": "/usr/bin:/bin",
            "DODOMU_STATE": str(store.folder / "state"),
            "DODOMU_BLOBS": str(store.folder / "blobs"),
            "DODOMU_KEEPER_DATABASE_URL": store.database.url(roles.KEEPER),
            "DODOMU_CEREMONY_KEY": ceremony_key or store.public.public_bytes_raw().hex(),
        }

    async def starts(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "admin", "reseal", *self._arguments, cwd=REPOSITORY, env=self._environment,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def ends(self) -> tuple[int | None, str, str]:
        process = await self.starts()
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode, out.decode(), err.decode()


def recovery_paper(store: Store) -> str:
    path = store.folder / "recovery.txt"
    path.write_text(f"# Dodomu: the RECOVERY IDENTITY\n{store.made.recovery.reveal()}\n")
    return str(path)


async def done(store: Store) -> int:
    return int(await store.superuser.fetchval(_DONE))


async def test_killed_and_run_again_it_seals_everything_anew(store: Store) -> None:
    chance = random.Random(20261122)
    for number in range(REPORTS):
        files = [await store.file(chance.randbytes(70_000))] if number % WITH_FILE == 0 else []
        await store.takes(f"told by {number}", *files)
    old = await store.every_epoch()
    bodies, files = await store.plain_bodies(old), await store.plain_files(old)
    await store.rotates()
    every = await store.every_epoch()
    command = Command(store, "--recovery", recovery_paper(store))

    for point in KILLED_AFTER:
        process = await command.starts()
        async with asyncio.timeout(60):
            while await done(store) < point:  # noqa: ASYNC110 - the database says when
                await asyncio.sleep(0.002)
        process.kill()
        await process.communicate()
        assert await done(store) < ITEMS
        assert await store.plain_bodies(every) == bodies
        assert await store.plain_files(every) == files

    status, out, err = await command.ends()
    assert (status, err) == (0, ""), out
    assert await done(store) == ITEMS
    assert await store.plain_bodies(await store.present()) == bodies
    assert await store.plain_files(await store.present()) == files
    leaves = await store.leaves("resealed")
    assert len(leaves) == len({leaf["object"] for leaf in leaves}) == ITEMS
    # What the kills left is no evidence: the keeper's sweep removes it, and nothing else.
    async with asyncpg.create_pool(store.database.url(roles.KEEPER), min_size=0) as connections:
        await keeper.sweep(connections, store.blobs, before=NOW + timedelta(days=36_500))
    assert await store.blob_names() == await store.named_blobs()
    assert len(await store.named_blobs()) == len(files)


async def test_the_command_names_what_it_refuses(store: Store) -> None:
    file = await store.file(b"a house")
    report = await store.takes("one", file)
    await store.takes("two")
    path = store.folder / "blobs" / file.blob[:2] / file.blob
    path.write_bytes(path.read_bytes()[:-1])
    await store.rotates()
    code = await store.superuser.fetchval("SELECT desk_code FROM reports WHERE id = $1", report)
    status, out, err = await Command(store, "--recovery", recovery_paper(store)).ends()
    assert status == 1
    assert "Sealed anew: 2 bodies and 0 files." in out
    assert f"file {file.id} of report {code}: it is not what was received" in out
    assert err == "Not everything is sealed to the present keys.\n"
    assert b"a house" not in out.encode() + err.encode()


async def test_the_command_wants_the_right_keys(store: Store) -> None:
    await store.takes("one")
    await store.rotates()
    stranger = store.folder / "stranger.txt"
    stranger.write_text((await store.identity("team")).reveal())
    status, _, err = await Command(store, "--recovery", str(stranger)).ends()
    assert status == 1
    assert "does not open with this key" in err
    assert await done(store) == 0
    other = Command(store, "--recovery", recovery_paper(store), ceremony_key=OTHER_CEREMONY)
    status, _, err = await other.ends()
    assert status == 1
    assert "not signed by the ceremony key" in err
    assert await done(store) == 0
