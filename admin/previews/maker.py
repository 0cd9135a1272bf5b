"""Whoever asks for a preview never parses the file: a child process does, and dies for it if need be.

    maker = PreviewMaker(Limits())
    shown = await maker.preview(file_bytes, blurred=True)    # Preview, or PreviewRefused with its reason

Each preview has a child of its own: no environment, its own session, `/` as its folder, no descriptor but its
two pipes; what the child then does to itself is `admin.previews.containment`. Nothing touches the disk. A
child that takes too long is killed by its handle, and each is waited for, whatever happens.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import assert_never

from admin.previews.baseline import size_of_baseline
from admin.previews.wire import (
    ANSWER_LENGTH,
    END_OF_FILE,
    Answer,
    Limits,
    PreviewRefused,
    Refusal,
    Request,
    WireError,
    frame,
)

AT_ONCE = 2

# -I: no PYTHON* variables, no user packages, no folder of the caller; -S: no site-packages and no .pth files;
# -B: no byte code written. What it may import is said by folder, on the command line.
_PYTHON = ("-I", "-S", "-B", "-c")
_START = "import sys; sys.path += sys.argv[2:]; __import__(sys.argv[1], fromlist=['main']).main()"
_NEEDED = ("admin", "PIL", "pillow_heif", "_pillow_heif", "pyseccomp")


@dataclass(frozen=True)
class Preview:
    """A baseline JPEG without metadata, its size in pixels, and whether the file broke off before its end."""

    jpeg: bytes = field(repr=False)
    width: int
    height: int
    partial: bool


def command(module: str = "admin.previews.child", *folders: Path) -> list[str]:
    """Return what starts `module`'s `main`, isolated, able to import the parsers and what is in `folders`."""
    found = [_folder_of(name) for name in _NEEDED]
    importable = dict.fromkeys(str(folder) for folder in (*folders, *found) if folder is not None)
    return [sys.executable, *_PYTHON, _START, module, *importable]


def _folder_of(package: str) -> Path | None:
    spec = find_spec(package)  # looks for it, does not import it: no parser is ever loaded here
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).parent
    return Path(spec.origin).parent if spec.origin else None


async def start(arguments: Sequence[str]) -> Process:
    """Start a child with nothing of ours but the two pipes to it."""
    return await asyncio.create_subprocess_exec(
        *arguments, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}, cwd="/", start_new_session=True
    )


@asynccontextmanager
async def _child(arguments: Sequence[str]) -> AsyncIterator[Process]:
    """Start a child; leave nothing of it behind afterwards: not a process, not a zombie, not a pipe."""
    process = await start(arguments)
    assert process.stdin is not None
    try:
        handle = os.pidfd_open(process.pid)
    except OSError as error:
        # It ended at once, or no descriptor is left; without a request it ends by itself.
        process.stdin.close()
        await process.wait()
        raise PreviewRefused(Refusal.FAILED) from error
    try:
        yield process
    finally:
        # Not `process.kill`: it may collect the exit status behind the loop's back. And not the bare id, which
        # may be somebody else's by now; the handle can only mean this child.
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)
        await process.wait()
        process.stdin.close()


class PreviewMaker:
    """Makes previews, at most `AT_ONCE` at a time; more wait their turn, and their clock starts with it."""

    def __init__(self, limits: Limits, started_by: Sequence[str] | None = None) -> None:
        self._limits = limits
        self._command = list(started_by or command())
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def preview(self, file: bytes | AsyncIterable[bytes], *, blurred: bool) -> Preview:
        """Return the preview of `file`, no side longer than the limits say; `blurred` is beyond recognition.

        Raise `PreviewRefused`; what `file` raises while it is read passes through.
        """
        if sys.platform != "linux":
            raise PreviewRefused(Refusal.NEEDS_LINUX)
        async with self._turns:
            clock = asyncio.timeout(self._limits.wall_s)
            try:
                async with clock, _child(self._command) as process:
                    return await self._conversation(process, file, blurred=blurred)
            except TimeoutError as error:
                if not clock.expired():
                    raise  # the file's own
                raise PreviewRefused(Refusal.TOOK_TOO_LONG) from error

    async def _conversation(
        self, process: Process, file: bytes | AsyncIterable[bytes], *, blurred: bool
    ) -> Preview:
        await self._tell(process, Request.within(self._limits, blurred=blurred).pack())
        sent = 0
        async for chunk in _chunks(file):
            sent += len(chunk)
            if sent > self._limits.max_bytes:
                raise PreviewRefused(Refusal.TOO_LARGE)
            if chunk and not await self._tell(process, frame(chunk) + chunk):
                break  # it has answered already, or died
        await self._tell(process, END_OF_FILE)
        return await self._heard(process)

    async def _tell(self, process: Process, said: bytes) -> bool:
        """Write to the child; return False if it no longer listens."""
        assert process.stdin is not None
        if process.stdin.is_closing():
            return False
        try:
            process.stdin.write(said)
            await process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    async def _heard(self, process: Process) -> Preview:
        """Return what the child answered, once every field of it is checked. Raise `PreviewRefused`."""
        try:
            answer, jpeg = await self._answer(process)
        except WireError as error:
            raise PreviewRefused(Refusal.FAILED) from error
        except asyncio.IncompleteReadError as error:
            slow = await process.wait() == -signal.SIGXCPU
            raise PreviewRefused(Refusal.TOOK_TOO_LONG if slow else Refusal.FAILED) from error
        if answer.refusal is not None:
            raise PreviewRefused(answer.refusal)
        size = (answer.width, answer.height)
        fits = min(size) > 0 and max(size) <= self._limits.longest_side
        if await process.wait() != 0 or not fits or size_of_baseline(jpeg) != size:
            raise PreviewRefused(Refusal.FAILED)
        return Preview(jpeg, *size, answer.partial)

    async def _answer(self, process: Process) -> tuple[Answer, bytes]:
        assert process.stdout is not None
        answer = Answer.unpack(await process.stdout.readexactly(ANSWER_LENGTH))
        if answer.length > self._limits.max_preview_bytes:
            raise WireError("longer than was asked for")
        jpeg = await process.stdout.readexactly(answer.length)
        if await process.stdout.read(1):
            raise WireError("more than was announced")
        return answer, jpeg


async def _chunks(file: bytes | AsyncIterable[bytes]) -> AsyncIterable[bytes]:
    if isinstance(file, bytes):
        yield file
    elif isinstance(file, AsyncIterable):
        async for chunk in file:
            yield chunk
    else:
        assert_never(file)
