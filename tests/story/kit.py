"""The demonstration as a process of its own, and what a person does in its two pages."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.async_api import FilePayload, Page

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_S = 180.0  # the first time on a busy machine: a database is made
STOPS_WITHIN_S = 60.0
ACTS_WITHIN_MS = 60_000


def free_ports() -> tuple[int, int]:
    """Two, that nobody uses at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return int(one.getsockname()[1]), int(other.getsockname()[1])


async def started(*arguments: str, module: str = "rehearsal.demonstration", **settings: str) -> Process:
    """A process of this checkout, that writes everything to one pipe; a session of its own, as a terminal is."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("DODOMU_")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        cwd=ROOT, env=plain | settings, stdout=PIPE, stderr=STDOUT, start_new_session=True,
    )  # fmt: skip


async def ended(*arguments: str, module: str = "rehearsal.demonstration", **settings: str) -> tuple[int, str]:
    """The exit status, and all that was said."""
    process = await started(*arguments, module=module, **settings)
    async with asyncio.timeout(STARTS_WITHIN_S):
        said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


@dataclass
class Demonstration:
    """`make run`, as who typed it sees it."""

    process: Process
    said: list[str] = field(default_factory=list)

    @property
    def screen(self) -> str:
        return "".join(self.said)

    def shows(self, pattern: str) -> str:
        """What the last place on the screen that looks like this holds."""
        found = re.findall(pattern, self.screen)
        assert found, self.screen
        return str(found[-1])

    @property
    def chat(self) -> str:
        return self.shows(r"Report a child +(http://\S+)")

    @property
    def console(self) -> str:
        return self.shows(r"Open the report +(http://\S+)")

    @property
    def sign_in(self) -> tuple[str, str, str]:
        """Call sign, passphrase, and the code that is good now."""
        return (
            self.shows(r"call sign +(\S+)"),
            self.shows(r"passphrase +(\S+)"),
            self.shows(r"code now: (\d{6})"),
        )

    async def reads(self) -> None:
        """Follows the screen to its end."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.said.append(line.decode())

    async def until(self, true: Callable[[], object]) -> None:
        """Waits for a condition; a process that ended will not fulfil it any more."""
        async with asyncio.timeout(STARTS_WITHIN_S):
            while not true():
                assert self.process.returncode is None, self.screen
                await asyncio.sleep(0.05)

    async def is_stopped(self) -> int:
        """By Ctrl-C; the exit status."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(STOPS_WITHIN_S):
            return await self.process.wait()


@contextlib.asynccontextmanager
async def demonstration(state: Path, chat_port: int, console_port: int) -> AsyncIterator[Demonstration]:
    """Started, ready, and stopped at the end."""
    process = await started(
        *("--state", str(state), "--chat-port", str(chat_port), "--console-port", str(console_port))
    )
    running = Demonstration(process)
    reading = asyncio.create_task(running.reads())
    try:
        await running.until(lambda: "code now: " in running.screen)
        yield running
    finally:
        await running.is_stopped()
        await reading


def processes_of(state: Path) -> list[str]:
    """Command lines of every process that was told of this folder, in its arguments or its environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended, or belongs to somebody else
            command = (process / "cmdline").read_bytes()
            told = command + (process / "environ").read_bytes()
            if os.fsencode(state) in told and process.name != str(os.getpid()):
                found.append(command.replace(b"\0", b" ").decode())
    return found


# ---- what is sent ------------------------------------------------------------------------------------


def photo(sky: str, hill: str, wall: str) -> bytes:
    """A drawn house by a river: nobody's home, and nobody's photo."""
    drawn = Image.new("RGB", (1200, 900), sky)
    pen = ImageDraw.Draw(drawn)
    pen.ellipse((820, 110, 960, 250), fill="#fff3c9")
    pen.polygon([(0, 560), (380, 330), (760, 560)], fill=hill)
    pen.polygon([(420, 580), (880, 380), (1200, 600)], fill=_darker(hill))
    pen.rectangle((0, 540, 1200, 900), fill=_darker(_darker(hill)))
    pen.polygon([(0, 760), (1200, 650), (1200, 800), (0, 900)], fill="#7fb3c8")
    pen.rectangle((430, 470, 730, 680), fill=wall)
    pen.polygon([(400, 480), (580, 350), (760, 480)], fill="#8f4a3a")
    for left in (470, 630):
        pen.rectangle((left, 520, left + 60, 590), fill="#fdf0c4")
    pen.rectangle((555, 580, 610, 680), fill="#6b4a35")
    buffer = io.BytesIO()
    drawn.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _darker(colour: str) -> str:
    parts = [int(colour[at : at + 2], 16) * 82 // 100 for at in (1, 3, 5)]
    return "#" + "".join(f"{part:02x}" for part in parts)


# ---- what is done ------------------------------------------------------------------------------------


class Chat:
    """The chat page, and who writes in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.set_default_timeout(ACTS_WITHIN_MS)

    async def taps(self, button: str) -> None:
        """The button on the newest message that has it."""
        await self.page.get_by_role("log").get_by_role("button", name=button, exact=True).last.click()

    async def sees(self, text: str) -> None:
        await self.page.get_by_role("log").get_by_text(text).last.wait_for()

    async def writes(self, text: str) -> None:
        await self.page.get_by_role("textbox", name="Message").fill(text)
        await self.page.get_by_role("button", name="Send", exact=True).click()

    async def sends(self, way: str, *files: tuple[str, str, bytes]) -> None:
        """Picks files (name, type, bytes) as photos or as files, and sends them."""
        await self.page.locator(f"#pick-{way}").set_input_files(
            [FilePayload(name=name, mimeType=mime, buffer=data) for name, mime, data in files]
        )
        await self.page.get_by_role("button", name="Send", exact=True).click()

    async def screen(self) -> str:
        return await self.page.get_by_role("log").inner_text()
