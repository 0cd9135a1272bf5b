"""`python -m rehearsal`: what it prints, what it keeps, how it ends."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp

from rehearsal.driver import Driver
from tests.rehearsal.conftest import TOKEN, PlainBot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def serving(*arguments: str) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """The printed address, and the process, which is asked to end by Ctrl-C."""
    process = await started("--port", "0", "--token", TOKEN, *arguments)
    assert process.stdout
    try:
        async with asyncio.timeout(30):
            line = (await process.stdout.readline()).decode()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        yield found.group(), process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(30):
                await process.wait()


async def started(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rehearsal", *arguments, stdout=pipe, stderr=pipe
    )


async def ended(*arguments: str) -> tuple[int, str]:
    process = await started(*arguments)
    async with asyncio.timeout(30):
        _, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, errors.decode()


async def test_chats_are_kept_between_runs(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with serving("--state", str(state)) as (url, process), Driver(url) as driver:
        olha = driver.person("Olha")
        await olha.sends("/start")
        sent = await olha.sends_file("list.txt", b"three names")
        await olha.sends_big_file()
        await driver.advance(3600)
        async with aiohttp.ClientSession() as session:
            bot = PlainBot(session, url, TOKEN)
            go = {"inline_keyboard": [[{"text": "Go", "callback_data": "x"}]]}
            await bot.asks("sendMessage", chat_id=await olha.id(), text="A card", reply_markup=go)
            await bot.asks("setMyDescription", description="Told once")
    assert process.returncode == 0
    assert (state.stat().st_mode & 0o777) == 0o700
    async with serving("--state", str(state)) as (url, _), Driver(url) as driver:
        olha = driver.person("Olha")
        assert [message.text for message in await olha.chat()] == ["/start", "", "", "A card"]
        assert await olha.content_of(sent) == b"three names"
        await olha.taps("Go")
        view = await olha.view()
        assert view["bot"]["description"] == "Told once"
        assert view["now"] >= sent.raw["date"] + 3600
        async with aiohttp.ClientSession() as session:
            updates = await PlainBot(session, url, TOKEN).updates()
        assert [list(update)[1] for update in updates] == [*["message"] * 3, "callback_query"]
    assert TOKEN not in (state / "state.json").read_text()


async def test_a_taken_port_says_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        status, errors = await ended("--port", port, "--token", TOKEN)
    assert status == 2
    assert errors == f"Port {port} is taken by another program. Stop it, or choose another with --port.\n"


async def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"format": 99}')
    status, errors = await ended("--port", "0", "--token", TOKEN, "--state", str(tmp_path))
    assert (status, "of another version" in errors) == (2, True)
    (tmp_path / "state.json").write_text("torn{")
    status, errors = await ended("--port", "0", "--token", TOKEN, "--state", str(tmp_path))
    assert (status, "cannot be read" in errors) == (2, True)
    status, errors = await ended("--token", "no token")
    assert (status, "NUMBER:LETTERS" in errors) == (2, True)


async def test_no_token_is_printed_whatever_is_asked() -> None:
    async with serving() as (url, process), aiohttp.ClientSession() as session:
        for path in (f"bot{TOKEN}/getMe", f"bot{TOKEN}/nothing", "bot1:WRONG/getMe", f"file/bot{TOKEN}/a/b"):
            async with session.get(f"{url}/{path}") as answer:
                said = await answer.text()
                assert TOKEN not in said
        async with session.post(f"{url}/bot{TOKEN}/sendMessage", data=b"{torn", headers=JSON) as answer:
            assert answer.status == 400
    assert process.stdout
    assert process.stderr
    printed = await process.stdout.read() + await process.stderr.read()
    assert b"TRY" not in printed
    assert b"WRONG" not in printed


JSON = {"Content-Type": "application/json"}
