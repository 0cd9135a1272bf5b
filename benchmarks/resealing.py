"""Ten thousand reports are sealed anew by a command that is killed five times: none is in between, all open at the end.

Each has its body; every tenth a file too. The command is `python -m admin reseal` as a process of its own, on a durable
PostgreSQL, killed by SIGKILL in the middle of its work and run again. Beside it: opening, sealing and opening again of
the same bodies in memory, which is what one processor core could do at best.
"""

import asyncio
import contextlib
import hashlib
import os
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import uvloop

from admin import ceremony, epochs, openers
from admin.members import Opener
from seal import HybridIdentity, open_bytes, seal_bytes, seal_chunks
from seal.padding import pad_tail
from storage import local, roles, setup, submission
from storage.blobs import Blobs
from storage.bodies import read_body
from storage.manifest import Compartment, Manifest, SeenSerial
from storage.members import RECOVERY
from storage.secrets import ProcessSecret

REPORTS, WITH_FILE, KILLS = 10_000, 10, 5
FILE = 100_000  # bytes
ITEMS = REPORTS + REPORTS // WITH_FILE
_DATABASE, _TEAM = "dodomu", "team"
_TURNS = 1000
_REPOSITORY = Path(__file__).parents[1]
_DONE = """SELECT (SELECT count(*) FROM bodies WHERE key_epoch = 2)
+ (SELECT count(*) FROM files WHERE key_epoch = 2)"""


@dataclass(frozen=True)
class Store:
    """A store after its ceremony, its database as the keeper, and its sealed files."""

    folder: Path
    made: ceremony.Made
    keeper: asyncpg.Connection
    bot_url: str
    keeper_url: str
    blobs: Blobs


def run() -> dict[str, float]:
    """Prints the figures; {"a second": …, "in between": …}."""
    return uvloop.run(_run())


async def _run() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        async with _store(Path(folder)) as store:
            await _fill(store)
            former = store.made.teams[_TEAM]
            before = await _plain(store, former)
            now, seen = datetime.now(UTC), SeenSerial(store.folder / "seen")
            of = await epochs.rotate(
                store.keeper, [_TEAM], signer=store.made.ceremony_key, seen=seen, now=now
            )
            team = await _new_team(store, of)
            seconds = await _killed_and_resumed(store)
            after = await _plain(store, team)
            between = sum(before[item] != after.get(item) for item in before) + ITEMS - await _done(store)
    figures = {"a second": ITEMS / seconds, "in between": between}
    best = _best(former, team)
    print(f"  {REPORTS} reports and {ITEMS - REPORTS} files of {FILE // 1000} kB, killed {KILLS} times")
    print(
        f"  {figures['a second']:6.0f} sealed anew a second while it works; in memory alone {best:.0f} bodies a second"
    )
    print(f"  {len(after)} opened with the new key alone, each byte as before; {between} in between")
    if between or len(after) != ITEMS:
        raise SystemExit("something is lost or in between")
    return figures


@contextlib.asynccontextmanager
async def _store(folder: Path) -> AsyncIterator[Store]:
    """After the ceremony; its PostgreSQL syncs every commit."""
    passwords = setup.new_passwords(folder / "roles")
    with local.acquire(folder / "postgres") as server:
        await setup.prepare(server.superuser_url(), _DATABASE, passwords)
        bot_url, keeper_url = (
            server.url(role, passwords[role], _DATABASE) for role in (roles.BOT, roles.KEEPER)
        )
        keeper = await asyncpg.connect(keeper_url)
        made = ceremony.make(datetime.now(UTC).date())
        await ceremony.keep(keeper, made, datetime.now(UTC))
        (folder / "recovery.txt").write_text(f"{made.recovery.reveal()}\n")
        yield Store(folder, made, keeper, bot_url, keeper_url, Blobs.open(str(folder / "blobs")))
        await keeper.close()


async def _fill(store: Store) -> None:
    """Reports as intake submits them; only here nothing waits for the disk."""
    secret, key = ProcessSecret(bytes(range(32))), store.made.manifest.compartments[_TEAM]
    numbers = iter(range(REPORTS))
    async with asyncpg.create_pool(
        store.bot_url, min_size=1, max_size=4, server_settings={"synchronous_commit": "off"}
    ) as pool:

        async def tell() -> None:
            for number in numbers:
                files = [await _file(store, key)] if number % WITH_FILE == 0 else []
                words = {"answers": [{"step": "name", "words": [f"Olena Vyhadana {number}"]}] * 12}
                given = submission.Given(
                    form="family", form_version=1, urgency="normal", content={"language": "en", "answers": words},
                    files=files, answer_here=False, address=0,
                )  # fmt: skip
                async with pool.acquire() as connection, connection.transaction():
                    await submission.submit(
                        connection, uuid.uuid4(), given, to=(_TEAM, key), secret=secret, now=datetime.now(UTC)
                    )

        await asyncio.gather(*(tell() for _ in range(4)))


async def _file(store: Store, key: Compartment) -> submission.SealedFile:
    data = os.urandom(FILE)

    async def padded() -> AsyncIterator[bytes]:
        yield data + bytes(pad_tail(FILE))

    stored = await store.blobs.put(seal_chunks(padded(), [key.key()]))
    meta = {
        "name": "house.jpg", "mime": "image/jpeg", "kind": "photo", "step": "photo", "length": FILE,
        "sha256": hashlib.sha256(data).hexdigest(), "salt": "00" * 32, "compartment": _TEAM, "epoch": 1,
    }  # fmt: skip
    return submission.SealedFile(uuid.uuid4(), stored.name, stored.sha256, stored.size, 1, meta)


async def _killed_and_resumed(store: Store) -> float:
    """Runs the command until it is done, killing it again and again; the seconds in which it was at work."""
    worked = 0.0
    for kill in range(1, KILLS + 1):
        process = await _command(store)
        worked += await _works_until(store, kill * ITEMS // (KILLS + 1))
        process.kill()
        await process.wait()
    process = await _command(store)
    worked += await _works_until(store, ITEMS)
    if await process.wait() != 0:
        raise SystemExit("the command did not end well")
    return worked


async def _works_until(store: Store, point: int) -> float:
    """Waits until so many are done; the seconds since the first of them."""
    first = await _done(store)
    began = None
    while (done := await _done(store)) < point:
        if began is None and done > first:
            began = time.perf_counter()
        await asyncio.sleep(0.05)
    return time.perf_counter() - (began or time.perf_counter())


async def _command(store: Store) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "admin", "reseal", "--recovery", store.folder / "recovery.txt", cwd=_REPOSITORY,
        env={
            "PATH": "/usr/bin:/bin",
            "DODOMU_STATE": str(store.folder),
            "DODOMU_KEEPER_DATABASE_URL": store.keeper_url,
            "DODOMU_CEREMONY_KEY": store.made.ceremony_key.public_key().public_bytes_raw().hex(),
        },
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def _done(store: Store) -> int:
    return int(await store.keeper.fetchval(_DONE))


async def _new_team(store: Store, of: Manifest) -> HybridIdentity:
    recovery = Opener(RECOVERY, store.made.recovery)
    return (await openers.held(store.keeper, of, _TEAM, recovery, datetime.now(UTC)))[2]


async def _plain(store: Store, team: HybridIdentity) -> dict[uuid.UUID, bytes]:
    """The SHA-256 of each body's and each file's plaintext, opened with this key alone."""
    opened = {}
    for row in await store.keeper.fetch("SELECT id, number, sealed FROM bodies"):
        plain = open_bytes(row["sealed"], [team])
        read_body(["report"], row["id"], row["number"], plain)
        opened[row["id"]] = hashlib.sha256(plain).digest()
    for row in await store.keeper.fetch("SELECT id, blob FROM files"):
        sealed = b"".join([chunk async for chunk in store.blobs.get(row["blob"])])
        opened[row["id"]] = hashlib.sha256(open_bytes(sealed, [team])).digest()
    return opened


def _best(former: HybridIdentity, team: HybridIdentity) -> float:
    """Bodies a second, opened, sealed anew and opened again, with nothing else to do."""
    recipient, sealed = team.recipient, seal_bytes(bytes(4096), [former.recipient])
    began = time.perf_counter()
    for _ in range(_TURNS):
        open_bytes(seal_bytes(open_bytes(sealed, [former]), [recipient]), [team])
    return _TURNS / (time.perf_counter() - began)


if __name__ == "__main__":
    run()
