"""`make run` as a newcomer meets it: what it prints, what it keeps, how it ends, what it says when it cannot run."""

import asyncio
import re
import socket
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from admin.demo import prepare_demo
from admin.settings import DATABASE
from rehearsal.driver import Driver
from storage import local
from tests.story.kit import ROOT, demonstration, ended, free_ports, processes_of

REAL_LOOKING = "7312345678:AAHq3-notARealOne_x1y2z3w4v5u6t7s8r"


async def test_it_shows_where_to_look_keeps_what_was_said_and_stops_clean(tmp_path: Path) -> None:
    state, ports = tmp_path / "state", free_ports()
    async with demonstration(state, *ports) as made:
        assert made.chat == f"http://127.0.0.1:{ports[0]}/"
        assert made.console == f"http://localhost:{ports[1]}/"
        call_sign, passphrase, code = made.sign_in
        assert call_sign == "demo"
        assert passphrase.count("-") == 6
        assert code.isdigit()
        async with aiohttp.ClientSession() as browser:
            for page in (made.chat, made.console):
                async with browser.get(page) as answer:
                    assert answer.status == 200
        async with Driver(made.chat.rstrip("/")) as driver:
            olha = driver.person("Olha", language="en")
            await olha.sends("/start")
            await olha.taps("English")
            await olha.sees("Only the Dodomu team reads it")
        assert len(processes_of(state)) > 4  # itself, bot, console, keeper, PostgreSQL
        assert await made.is_stopped() == 0
        assert "Stopped. What you reported is kept" in made.screen
    await nothing_is_left_of(state)

    async with demonstration(state, *ports) as again:
        assert again.sign_in[:2] == (call_sign, passphrase)
        async with Driver(again.chat.rstrip("/")) as driver:
            olha = driver.person("Olha", language="en")
            await olha.taps("Yes, let us begin. I am 18 or older")
            await olha.sees("How do you know about the child?")
        assert await again.is_stopped() == 0
        assert again.shows(r"Ready after (\d+\.\d s)")  # how long is a figure for a person, not a promise
    await nothing_is_left_of(state)


async def nothing_is_left_of(state: Path) -> None:
    async with asyncio.timeout(20):  # the database's watcher ends a moment after the database
        while processes_of(state):  # noqa: ASYNC110 - other processes have no event to wait for
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("option", ["--chat-port", "--console-port"])
async def test_a_taken_port_is_told_with_what_to_do(option: str, tmp_path: Path) -> None:
    free = dict(zip(("--chat-port", "--console-port"), free_ports(), strict=True))
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = int(other.getsockname()[1])
        given = [word for pair in (free | {option: taken}).items() for word in map(str, pair)]
        status, said = await ended("--state", str(tmp_path / "state"), *given)
    assert status == 1
    assert f"port {taken} is taken" in said
    assert re.search(rf'make run ARGS="{option} \d+"', said)
    assert "Traceback" not in said
    assert not (tmp_path / "state" / "postgres").exists()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("--chat-port", "http"), "http is not a port, a number from 1 to 65535"),
        (("--chat-port", "8000", "--console-port", "8000"), "need two different ports"),
    ],
)
async def test_ports_that_are_none(given: tuple[str, ...], expected: str) -> None:
    status, said = await ended(*given)
    assert status == 2
    assert expected in said


async def test_a_folder_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    chat, console = map(str, free_ports())
    status, said = await ended(
        *("--state", str(tmp_path / "file"), "--chat-port", chat, "--console-port", console)
    )
    assert status == 1
    assert "cannot be made a folder" in said
    assert "Traceback" not in said


async def test_a_real_store_is_not_made_a_demonstration(tmp_path: Path) -> None:
    (tmp_path / "roles").mkdir()  # as every store has it that was ever prepared
    chat, console = map(str, free_ports())
    status, said = await ended("--state", str(tmp_path), "--chat-port", chat, "--console-port", console)
    assert status == 1
    assert "a store that is no demonstration" in said


async def test_a_store_of_another_version_is_told_with_what_to_do(tmp_path: Path) -> None:
    with local.acquire(tmp_path / "postgres") as server:
        await prepare_demo(tmp_path)
        connection = await asyncpg.connect(server.superuser_url(DATABASE))
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")  # of days to come
        await connection.close()
        chat, console = map(str, free_ports())
        status, said = await ended("--state", str(tmp_path), "--chat-port", chat, "--console-port", console)
    assert status == 1
    assert "was made by another version" in said
    assert "Delete that folder to begin anew" in said
    assert "Traceback" not in said


async def test_a_demonstration_store_refuses_a_real_bot(tmp_path: Path) -> None:
    demo = await prepare_demo(tmp_path)
    settings = {"DODOMU_STATE": str(tmp_path), "DODOMU_CEREMONY_KEY": demo.ceremony_key}
    status, said = await ended(module="bot", DODOMU_BOT_TOKEN=REAL_LOOKING, **settings)
    assert status == 2
    assert "this is a demonstration store" in said
    assert REAL_LOOKING not in said
    # Nor does its own token go anywhere but to this machine.
    status, said = await ended(module="bot", DODOMU_BOT_TOKEN="1000000001:DEMO-x", **settings)
    assert status == 2
    assert "this is a demonstration store" in said


def test_make_run_is_this_program() -> None:
    recipes = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\n\t@$(BIN)/python -m rehearsal.demonstration $(ARGS)\n" in recipes
