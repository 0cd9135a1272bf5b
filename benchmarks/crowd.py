"""A thousand people at once: whole interviews over a real bot process, on a PostgreSQL that syncs every commit.

    python -m benchmarks.crowd --people 100 --think 3

People think before each act, for an exponential time with mean `think`; half tell of their family's child, half of
what they saw, a third send a file. Measured is the time from an act to its card on the person's screen. The server in
Telegram's place shares the machine, so its load stands in the table too.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import random
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import uvloop

from benchmarks.line import Store, store
from benchmarks.people import Stage, Teller, p95
from rehearsal.server import Rehearsal

PEOPLE, THINK_S = 1000, 10.0
TO_REACH_S = 1.0  # p95 of an answer
TOKEN = "1000000001:DEMO-crowd"
SECRET = "a-secret-of-the-crowd"
START_WITHIN_S = 60.0


@dataclass(frozen=True)
class Figures:
    """What one run showed. Times in seconds, memory in bytes; `load` is a process's share of one core."""

    people: int
    answers: int
    took_s: float
    waits: list[float]
    lost: int
    bot_load: float
    server_load: float
    bot_memory: int


def run(people: int = PEOPLE, think_s: float = THINK_S, *, polling: bool = False) -> Figures:
    """Prints the table of one run; SystemExit when anything was lost."""
    figures = uvloop.run(_run(people, think_s, polling=polling))
    _tell(figures, polling=polling)
    if figures.lost:
        raise SystemExit("reports were lost")
    return figures


def _tell(figures: Figures, *, polling: bool) -> None:
    waits = sorted(figures.waits)
    for name, told in (
        ("people, by " + ("polling" if polling else "webhook"), f"{figures.people}"),
        ("receipts lost", f"{figures.lost}"),
        ("answers a second", f"{figures.answers / figures.took_s:.0f}"),
        ("an answer, median", f"{waits[len(waits) // 2] * 1000:.0f} ms"),
        ("an answer, p95", f"{p95(waits) * 1000:.0f} ms (to reach: below {TO_REACH_S * 1000:.0f} ms)"),
        ("an answer, longest", f"{waits[-1] * 1000:.0f} ms"),
        ("the bot's share of a core", f"{figures.bot_load:.0%}"),
        ("the server's and the people's", f"{figures.server_load:.0%}"),
        ("the bot's memory, at most", f"{figures.bot_memory / 2**20:.0f} MiB"),
    ):
        print(f"  {name:32}{told}")


async def _run(people: int, think_s: float, *, polling: bool) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            store(Path(folder)) as kept,
            Rehearsal([TOKEN]) as rehearsal,
            _bot(kept, rehearsal.url, polling=polling) as bot,
        ):
            return await _measure(kept, rehearsal, bot.pid, people, think_s)


async def _measure(kept: Store, rehearsal: Rehearsal, bot: int, people: int, think_s: float) -> Figures:
    stage, chance = Stage.of(rehearsal), random.Random(20261122)
    tellers = [
        Teller(stage, f"Person {number}", random.Random(number), about=about)
        for number, about in zip(range(people), itertools.cycle(("family", "witness")))
    ]

    async def think() -> None:
        await asyncio.sleep(chance.expovariate(1 / think_s))

    async def tells(teller: Teller) -> str:
        await think()
        return await teller.tells(think)

    own, began = os.getpid(), time.monotonic()
    used = _cpu_s(bot), _cpu_s(own)
    codes = set(await asyncio.gather(*map(tells, tellers)))
    took_s = time.monotonic() - began
    found = await _codes(kept)
    waits = [wait for teller in tellers for wait in teller.waits]
    return Figures(
        people, len(waits), took_s, waits, people - len(codes & found),
        (_cpu_s(bot) - used[0]) / took_s, (_cpu_s(own) - used[1]) / took_s, _peak_memory(bot),
    )  # fmt: skip


async def _codes(kept: Store) -> set[str]:
    connection = await asyncpg.connect(kept.superuser_url)
    try:
        return {row["public_code"] for row in await connection.fetch("SELECT public_code FROM reports")}
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def _bot(kept: Store, api_base: str, *, polling: bool) -> AsyncIterator[asyncio.subprocess.Process]:
    port = _free_port()
    settings = {
        "PATH": os.environ["PATH"],
        "DODOMU_BOT_TOKEN": TOKEN,
        "DODOMU_API_BASE": api_base,
        "DODOMU_STATE": str(kept.folder),
        "DODOMU_CEREMONY_KEY": kept.ceremony_key,
    }
    if not polling:
        settings |= {
            "DODOMU_WEBHOOK_URL": f"http://127.0.0.1:{port}/webhook",
            "DODOMU_WEBHOOK_PORT": str(port),
            "DODOMU_WEBHOOK_SECRET": SECRET,
        }
    log = kept.folder / "bot.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", env=settings, stdout=output, stderr=output
        )
    try:
        async with asyncio.timeout(START_WITHIN_S):
            while b'"bot_started"' not in log.read_bytes():
                if process.returncode is not None:
                    raise SystemExit(log.read_text())
                await asyncio.sleep(0.1)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cpu_s(pid: int) -> float:
    """What a process has computed so far, in seconds of one core."""
    told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def _peak_memory(pid: int) -> int:
    """The most that a process ever held, in bytes, as the kernel counts it."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.crowd", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--think", type=float, default=THINK_S, metavar="SECONDS")
    parser.add_argument("--polling", action="store_true", help="long polling in place of a webhook")
    given = parser.parse_args()
    run(given.people, given.think, polling=given.polling)


if __name__ == "__main__":
    main()
