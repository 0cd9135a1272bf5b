"""A compartment's process keeps its memory, its socket and its keys to itself, and does not outlive its reason."""

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import aiohttp
import psutil
import pytest

from admin.console.children import ROOT, Children, KeyGoneError, Served
from admin.console.pipe import Admit, Dismiss, Start, from_line, to_line
from tests.console.conftest import Served as ServedConsole
from tests.console.conftest import Team, until


async def test_nothing_of_it_can_be_looked_at(
    served: ServedConsole, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    await swift.opens(f"/reports/{report}")
    child = served.console.children._children["team"]
    process = psutil.Process(child.process.pid)
    assert process.environ() == {"LC_ALL": "C.UTF-8"}
    line = " ".join(process.cmdline())
    for secret in (child.token, "AGE-SECRET", "postgresql://", swift.added.passphrase):
        assert secret not in line
    assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    assert stat.S_IMODE(child.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((child.folder / "s").stat().st_mode) == 0o600


def test_a_hardened_process_is_not_dumpable() -> None:
    code = (
        "import ctypes, sys; sys.path.insert(0, sys.argv[1]); from admin.console.child import harden\n"
        "prctl = ctypes.CDLL(None).prctl; before = prctl(3, 0, 0, 0, 0); harden(); print(before, prctl(3, 0, 0, 0, 0))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(ROOT)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "0"]  # PR_GET_DUMPABLE, prctl(2)


async def test_only_the_web_process_and_live_sessions_are_answered(
    served: ServedConsole, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    child = served.console.children._children["team"]
    (session,) = child.sessions
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(child.folder / "s"))) as other:
        for headers in (
            {},
            {"x-session": session},
            {"authorization": "wrong", "x-session": session},
            {"authorization": child.token},
            {"authorization": child.token, "x-session": "00" * 32},
        ):
            async with other.get(f"http://compartment/reports/{report}", headers=headers) as answer:
                assert answer.status == 401
                assert await answer.read() == b""
    assert (await swift.opens(f"/reports/{report}")).status == 200


async def test_when_it_dies_people_are_told_to_sign_in_again(
    served: ServedConsole, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    child = served.console.children._children["team"].process
    child.kill()
    await child.wait()
    page = await swift.opens(f"/reports/{report}")
    assert page.status == 409
    assert "The key is closed" in page.text
    await swift.posts("/sign-out")
    served.clock.moves(seconds=31)
    await swift.signs_in()
    assert (await swift.opens(f"/reports/{report}")).status == 200


async def test_it_ends_when_the_web_process_is_gone(team: Team) -> None:
    """A web process that is killed closes nothing itself; the pipe's end is enough."""
    code = (
        "import asyncio, sys; sys.path.insert(0, sys.argv[1])\n"
        "from admin.console.children import Children, Served\n"
        "from admin.console.pipe import Admit\n"
        "from seal import HybridIdentity\n"
        "async def main():\n"
        "    children = Children(Served(sys.argv[2], sys.argv[3], {}, 60.0, sys.argv[4], sys.argv[5]))\n"
        "    key = HybridIdentity.generate().reveal()\n"
        "    who = '00000000-0000-0000-0000-000000000001'\n"
        "    await children.admit('team', Admit('aa', who, 'x', 'lead', [key], [], ''))\n"
        "    print(children.pids()['team'], flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    (team.folder / "tmp").mkdir()
    web = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(ROOT), team.database.url("dodomu_console"), str(team.folder / "blobs"),
        team.made.ceremony_public_hex, str(team.folder / "seen"),
        stdout=asyncio.subprocess.PIPE, env={**os.environ, "TMPDIR": str(team.folder / "tmp")},
    )  # fmt: skip
    assert web.stdout is not None
    child = psutil.Process(int([line async for line in _until_number(web.stdout)][-1]))
    web.kill()
    await web.wait()
    await until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    assert not list((team.folder / "tmp").iterdir())


async def _until_number(out: asyncio.StreamReader) -> Any:
    """Lines up to the one that is a number: logs may come first."""
    while line := (await out.readline()).strip():
        yield line
        if line.isdigit():
            return


async def test_a_compartment_without_a_process_answers_nobody() -> None:
    children = Children(Served("postgresql://none", "none", {}, 60.0, "ab" * 32, "/seen"))
    with pytest.raises(KeyGoneError):
        await children.ask("team", b"x", "/reports/1", {})


@pytest.mark.parametrize(
    "message",
    [
        Start(
            "/s", "token", "team", "postgresql://x", "/blobs", {"region": "eu"}, 1800.0, "ab" * 32, "/seen"
        ),
        Admit(
            "aa",
            "00000000-0000-0000-0000-000000000001",
            "swift",
            "lead",
            ["AGE-SECRET-KEY-PQ-1X"],
            ["AGE-SECRET-KEY-PQ-1Y"],
            "5ec7e7",
        ),
        Dismiss("aa"),
    ],
)
def test_what_crosses_the_pipe_arrives_as_it_was_and_does_not_show_itself(message: Any) -> None:
    assert from_line(to_line(message)) == message
    for secret in ("AGE-SECRET", "token'", "postgresql", "5ec7e7"):
        assert secret not in repr(message)
