"""One process a compartment holds its opened team identity, from the first session that needs it to the last.

    await children.admit("team", Admit(session, member, …))
    answer = await children.ask("team", session, "/reports/…", {"x-language": "uk"})
    await children.dismiss(session)

The web process keeps no identity: it hands them over a pipe and forgets them. A child ends with its last session, and
when its standard input closes, so it never outlives the web process. Its socket lies in a folder for its user alone.
"""

import asyncio
import contextlib
import secrets
import shutil
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import structlog

from admin.console.pipe import DONE, Admit, Dismiss, Message, Start, to_line

ROOT = Path(__file__).resolve().parents[2]
ANSWERS_WITHIN_S = 30.0  # a start imports the web framework, on a busy machine too
ENDS_WITHIN_S = 5.0
_START = "import sys; sys.path.insert(0, sys.argv[1]); from admin.console.child import main; main()"
_ENVIRONMENT = {"LC_ALL": "C.UTF-8"}  # nothing of the web process's own
_log = structlog.get_logger()


class KeyGoneError(Exception):
    """The key of this compartment is not open in this session any more: sign in again."""


@dataclass(frozen=True, slots=True)
class Served:
    """What every child needs: the database as the console's role, the blobs, how long a lock lasts, whom to trust."""

    database: str = field(repr=False)
    blobs: str
    blob_settings: Mapping[str, str] = field(repr=False)
    holds_s: float
    ceremony_key: str  # the public half, in hexadecimal digits
    seen: str  # where the console notes the highest manifest; each child has a file of its own beside it


@dataclass
class _Child:
    process: Process
    folder: Path
    web: aiohttp.ClientSession
    token: str = field(repr=False)
    sessions: set[str] = field(default_factory=set)

    async def say(self, message: Message) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(to_line(message))
            await self.process.stdin.drain()
            done = await asyncio.wait_for(self.process.stdout.readline(), ANSWERS_WITHIN_S)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            raise KeyGoneError from None
        if done != DONE:
            raise KeyGoneError

    async def end(self) -> None:
        """Closes its standard input, which ends it; kills it if it does not; leaves nothing behind."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self.web.close()
        try:
            await asyncio.wait_for(self.process.wait(), ENDS_WITHIN_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)


class Children:
    """The compartments' processes. Built once in the web process."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._children: dict[str, _Child] = {}
        self._changing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)  # by compartment

    def compartments(self, session: bytes) -> tuple[str, ...]:
        """The compartments whose key is open for this session."""
        key = session.hex()
        return tuple(sorted(name for name, child in self._children.items() if key in child.sessions))

    def holds(self, compartment: str, session: bytes) -> bool:
        """Whether this compartment's process holds keys for this session."""
        child = self._children.get(compartment)
        return child is not None and session.hex() in child.sessions

    def sessions(self) -> set[bytes]:
        """Every session for which some process holds keys."""
        return {bytes.fromhex(key) for child in self._children.values() for key in child.sessions}

    def pids(self) -> dict[str, int]:
        """The process of each compartment."""
        return {name: child.process.pid for name, child in self._children.items()}

    async def admit(self, compartment: str, admit: Admit) -> None:
        """Hands a session's identities to the compartment's process, started if need be. KeyGoneError."""
        async with self._changing[compartment]:
            child = self._children.get(compartment)
            if child is not None and child.process.returncode is not None:
                await self._drop(compartment)
                child = None
            if child is None:
                child = self._children[compartment] = await self._start(compartment)
            await child.say(admit)
            child.sessions.add(admit.session)

    async def dismiss(self, session: bytes) -> None:
        """Ends a session in every compartment; a process without sessions ends with it."""
        key = session.hex()
        for compartment in list(self._children):
            async with self._changing[compartment]:
                child = self._children.get(compartment)
                if child is None or key not in child.sessions:
                    continue
                child.sessions.discard(key)
                with contextlib.suppress(KeyGoneError):
                    await child.say(Dismiss(key))
                if not child.sessions:
                    await self._drop(compartment)

    async def ask(
        self,
        compartment: str,
        session: bytes,
        path: str,
        headers: Mapping[str, str],
        *,
        method: str = "GET",
        data: bytes | None = None,
    ) -> aiohttp.ClientResponse:
        """The child's answer; its body is still to be read, by the caller, who releases it. KeyGoneError."""
        child = self._children.get(compartment)
        if child is None or session.hex() not in child.sessions:
            raise KeyGoneError
        try:
            return await child.web.request(
                method,
                f"http://compartment{path}",
                headers={"authorization": child.token, "x-session": session.hex(), **headers},
                data=data,
                allow_redirects=False,
            )
        except aiohttp.ClientConnectionError:
            _log.warning("compartment_process_gone", compartment=compartment)
            raise KeyGoneError from None

    async def close(self) -> None:
        """Ends all processes."""
        for compartment in list(self._children):
            async with self._changing[compartment]:
                if compartment in self._children:
                    await self._drop(compartment)

    async def _drop(self, compartment: str) -> None:
        await self._children.pop(compartment).end()
        _log.info("compartment_process_ended", compartment=compartment)

    async def _start(self, compartment: str) -> _Child:
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="dodomu-"))  # 0700
        socket, token = folder / "s", secrets.token_urlsafe(32)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-B", "-c", _START, str(ROOT),
            stdin=PIPE, stdout=PIPE, env=_ENVIRONMENT, cwd="/", start_new_session=True,
        )  # fmt: skip
        web = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(socket)),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=120),
            auto_decompress=False,
        )
        child = _Child(process, folder, web, token)
        served = self._served
        try:
            await child.say(
                Start(
                    str(socket), token, compartment, served.database, served.blobs, served.blob_settings,
                    served.holds_s, served.ceremony_key, f"{served.seen}-{compartment}",
                )
            )  # fmt: skip
        except BaseException:
            await child.end()
            raise
        _log.info("compartment_process_started", compartment=compartment)
        return child
