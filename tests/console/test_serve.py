"""`python -m admin serve` as an operator runs it: it says where it is, ends clean, and names what is in the way."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
import pytest

from admin.console.children import ROOT
from tests.console.conftest import Clock, Person, Team


@dataclass
class At:
    """A console in a process of its own."""

    address: str
    clock: Clock = field(default_factory=Clock)


Serve = Callable[..., Awaitable[Process]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
async def serve(team: Team) -> AsyncIterator[Serve]:
    started: list[Process] = []

    async def start(port: int, **settings: str) -> Process:
        environment = {
            "PATH": os.environ["PATH"],
            "TMPDIR": str(team.folder / "tmp"),
            "DODOMU_STATE": str(team.folder / "state"),
            "DODOMU_BLOBS": str(team.folder / "blobs"),
            "DODOMU_CONSOLE_DATABASE_URL": team.database.url("dodomu_console"),
            "DODOMU_CONSOLE_PORT": str(port),
            "DODOMU_CEREMONY_KEY": team.made.ceremony_public_hex,
            "DODOMU_SCRYPT_WORK_FACTOR": "4",
            **settings,
        }
        for name in ("state", "tmp"):
            (team.folder / name).mkdir(exist_ok=True)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "admin", "serve", cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def healthy(port: int) -> None:
    async with asyncio.timeout(30), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"http://127.0.0.1:{port}/healthz") as answer:
                    assert answer.status == 204
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_it_ends_clean_with_a_page_open(how: signal.Signals, serve: Serve, team: Team) -> None:
    port = free_port()
    process = await serve(port)
    await healthy(port)
    added = await team.adds("swift")
    swift = Person(At(f"http://127.0.0.1:{port}"), added)
    try:
        assert (await swift.signs_in()).path == "/queue"
        stream = await swift.http.get(f"http://127.0.0.1:{port}/queue/changes")
        process.send_signal(how)
        _, said = await asyncio.wait_for(process.communicate(), 20)
        stream.close()
    finally:
        await swift.http.close()
    assert f"The console is at http://localhost:{port} " in said.decode()
    assert "Traceback" not in said.decode()
    assert process.returncode == 0
    assert not list((team.folder / "tmp").iterdir())  # the sockets' folders are gone


async def test_a_port_that_is_taken_is_named(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = await serve(taken.getsockname()[1])
        _, said = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert "DODOMU_CONSOLE_PORT" in said.decode()
    assert "Traceback" not in said.decode()


async def test_a_database_that_does_not_answer_is_named(serve: Serve) -> None:
    nowhere = f"postgresql://dodomu_console:x@127.0.0.1:{free_port()}/dodomu"
    process = await serve(free_port(), DODOMU_CONSOLE_DATABASE_URL=nowhere)
    _, said = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert "The database does not answer" in said.decode()
    assert "Traceback" not in said.decode()
