"""A compartment's process: it holds the opened team identity in memory, and its memory cannot be looked into.

Started by `admin.console.children`; told everything over its standard input (`admin.console.pipe`). It serves its own
pages on a Unix socket to whoever shows the token, keeps identities only for live sessions, and ends when the last
session does or when its standard input closes. Not dumpable, no core file, no terminal.
"""

import asyncio
import contextlib
import ctypes
import os
import resource
import shutil
import socket
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admin import logs
from admin.console.compartment import Compartment
from admin.console.opened import app
from admin.console.pipe import DONE, Admit, Dismiss, Start, from_line
from admin.console.quiet import quiet
from admin.previews.maker import PreviewMaker
from admin.previews.wire import Limits
from storage import desk
from storage.blobs import Blobs
from storage.manifest import SeenSerial

_PR_SET_DUMPABLE = 4  # prctl(2): no core, no ptrace, /proc/PID/mem closed even to the same user


def main() -> None:
    """The whole life of the process."""
    harden()
    logs.start()
    quiet()
    # Signals of the terminal are the web process's affair; this one ends with its standard input.
    asyncio.run(_serve())


def harden() -> None:
    """Closes this process's memory to others and to core files. OSError when the kernel will not."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the process could not be made non-dumpable")


async def _serve() -> None:
    lines = await _standard_input()
    start = from_line(await lines.readline())
    if not isinstance(start, Start):
        raise TypeError("the first line starts the process")
    engine = desk.engine(start.database, size=4)
    reports = desk.Desk(engine, now=_now, holds=timedelta(seconds=start.holds_s))
    ceremony_key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(start.ceremony_key))
    compartment = Compartment(
        start.compartment,
        reports,
        partial(reports.signed, ceremony_key, SeenSerial(Path(start.seen))),
        Blobs.open(start.blobs, start.blob_settings),
        PreviewMaker(Limits()),
        now=_now,
    )
    server = _Server(
        uvicorn.Config(
            app(compartment, start.token),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
    listening = _listen(start.socket)
    sessions = asyncio.create_task(_follow(lines, compartment, server))
    try:
        await server.serve(sockets=[listening])
    finally:
        sessions.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sessions
        await engine.dispose()
        # A web process that was killed leaves this to its children.
        await asyncio.to_thread(shutil.rmtree, Path(start.socket).parent, ignore_errors=True)


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's."""
        await super().startup(sockets)
        self.listens.set()


async def _follow(lines: asyncio.StreamReader, compartment: Compartment, server: _Server) -> None:
    """Lets sessions in and out as the web process says, until none is left or the web process is gone."""
    await server.listens.wait()
    _acknowledge()
    while line := await lines.readline():
        message = from_line(line)
        if isinstance(message, Admit):
            compartment.admit(message)
        elif isinstance(message, Dismiss):
            compartment.dismiss(message.session)
        _acknowledge()
        if not compartment.sessions:
            break
    compartment.sessions.clear()
    server.should_exit = True


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer
    )
    return reader


def _acknowledge() -> None:
    os.write(sys.stdout.fileno(), DONE)


def _listen(path: str) -> socket.socket:
    """A socket that only this user can reach, in a folder that only this user can enter."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listening.bind(path)
    finally:
        os.umask(before)
    return listening


def _now() -> datetime:
    return datetime.now(UTC)
