"""`make run`: the whole line on one machine, with the rehearsal server in Telegram's place.

Starts the embedded PostgreSQL, a demonstration store with one member, the public bot, the console and the keeper, each
as the process it is in earnest, and says where to look. Data stays between runs; Ctrl-C stops everything.
"""

import argparse
import asyncio
import contextlib
import errno
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg
import pyotp
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from admin.demo import Demo, prepare_demo
from admin.errors import AdminError
from rehearsal.errors import PortTakenError, StateError
from rehearsal.server import Rehearsal
from storage import local
from storage.errors import StorageError

_START_WITHIN_S = 60.0
_STOP_WITHIN_S = 10.0
_NAME = "Dodomu"  # above the chat, as BotFather would be told
_LAST_PORT = 65535


class CannotRunError(Exception):
    """The demonstration cannot run; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the two pages are served."""

    chat: int
    console: int


def main() -> int:
    """Runs until Ctrl-C; 0 when it stopped clean, 1 when it cannot run, 2 for arguments that are none."""
    parser = arguments()
    given = parser.parse_args()
    if given.chat_port == given.console_port:
        parser.error("the chat page and the console need two different ports")
    try:
        _make(given.state)
        return asyncio.run(_run(given.state.absolute(), Ports(given.chat_port, given.console_port)))
    except (CannotRunError, AdminError, StorageError, PortTakenError, StateError) as error:
        _say(f"Cannot run: {error}")
        return 1


def arguments() -> argparse.ArgumentParser:
    """What `make run ARGS="…"` takes."""
    parser = argparse.ArgumentParser(
        prog="make run",
        usage='make run ARGS="[--state DIR] [--chat-port PORT] [--console-port PORT]"',
        description="Try the whole line on this machine: report in a chat page, open the report in the console.",
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=Path("var/demo"),
        metavar="DIR",
        help="where everything is kept (default: %(default)s)",
    )
    parser.add_argument(
        "--chat-port",
        type=_port,
        default=8081,
        metavar="PORT",
        help="port of the chat page (default: %(default)s)",
    )
    parser.add_argument(
        "--console-port",
        type=_port,
        default=8080,
        metavar="PORT",
        help="port of the console (default: %(default)s)",
    )
    return parser


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= _LAST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not a port, a number from 1 to {_LAST_PORT}")


def _make(state: Path) -> None:
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotRunError(
            f'{state} cannot be made a folder ({error.strerror}). Choose another: make run ARGS="--state DIR"'
        ) from None


async def _run(state: Path, ports: Ports) -> int:
    stop, begun = asyncio.Event(), time.monotonic()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    for name, port in (("--chat-port", ports.chat), ("--console-port", ports.console)):
        _check_free(name, port)
    _say("Starting the database…")
    try:
        server = await asyncio.to_thread(local.acquire, state / "postgres", progress=_say)
    except StorageError:
        if stop.is_set():  # Ctrl-C at a terminal reaches the database's programs too
            return 0
        raise
    with server:
        demo = await _prepared(state)
        async with (
            Rehearsal([token := _token(state)], port=ports.chat, state=state / "chats") as rehearsal,
            _processes(state, demo, token, rehearsal.url, ports) as processes,
        ):
            for bot in rehearsal.world.bots.values():
                bot.names.setdefault("", _NAME)
            await _until_ready(rehearsal, processes, ports, stop)
            if not stop.is_set():
                _say(f"Ready after {time.monotonic() - begun:.1f} s.")
                _say(_welcome(rehearsal.url, ports, demo))
                await _until_stopped(processes, demo, stop)
            _say("\nStopping…")
    _say("Stopped. What you reported is kept; `make run` goes on from here.")
    return 0


async def _prepared(state: Path) -> Demo:
    try:
        return await prepare_demo(state)
    except (SQLAlchemyError, asyncpg.PostgresError, CommandError) as error:
        raise CannotRunError(
            f"the database in {state} was made by another version ({type(error).__name__}). Delete that folder to begin"
            ' anew, or choose another: make run ARGS="--state DIR"'
        ) from None


def _welcome(chat: str, ports: Ports, demo: Demo) -> str:
    return f"""
  Report a child       {chat}/
  Open the report      http://localhost:{ports.console}/

  Demonstration sign-in
    call sign          {demo.call_sign}
    passphrase         {demo.passphrase}
    code               as below; each works once

  These keys are shown on a screen: never use this store for a real report. Ctrl-C stops everything.
"""


async def _until_stopped(
    processes: dict[str, asyncio.subprocess.Process], demo: Demo, stop: asyncio.Event
) -> None:
    """Shows the sign-in code that is good now, until Ctrl-C; CannotRunError when a process ends by itself."""
    totp, shown = pyotp.TOTP(demo.totp_secret), ""
    while not stop.is_set():
        _check_alive(processes)
        code = totp.now()
        if code != shown:
            _say(f"\r    code now: {code}", end="" if sys.stdout.isatty() else "\n")
            shown = code
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 1)


@contextlib.asynccontextmanager
async def _processes(
    state: Path, demo: Demo, token: str, api_base: str, ports: Ports
) -> AsyncIterator[dict[str, asyncio.subprocess.Process]]:
    settings = {
        "DODOMU_STATE": str(state),
        "DODOMU_CEREMONY_KEY": demo.ceremony_key,
        "DODOMU_BOT_TOKEN": token,
        "DODOMU_API_BASE": api_base,
        "DODOMU_CONSOLE_PORT": str(ports.console),
        "DODOMU_SCRYPT_WORK_FACTOR": "10",
        "DODOMU_HUMAN_PACE_S": "0",  # whoever shows it knows the questions, and clicks fast
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DODOMU_")}
    logs = state / "logs"
    logs.mkdir(exist_ok=True)
    processes: dict[str, asyncio.subprocess.Process] = {}
    try:
        for name, words in {
            "bot": ["bot"],
            "console": ["admin", "serve"],
            "keeper": ["admin", "keeper"],
        }.items():
            with (logs / f"{name}.log").open("ab") as log:
                processes[name] = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    *words,
                    env=kept | settings,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        yield processes
    finally:
        for process in processes.values():
            if process.returncode is None:
                process.terminate()
        for process in processes.values():
            try:
                await asyncio.wait_for(process.wait(), _STOP_WITHIN_S)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _until_ready(
    rehearsal: Rehearsal, processes: dict[str, asyncio.subprocess.Process], ports: Ports, stop: asyncio.Event
) -> None:
    _say("Starting bot and console…")
    try:
        async with asyncio.timeout(_START_WITHIN_S), aiohttp.ClientSession() as session:
            while not stop.is_set():
                _check_alive(processes)
                polls = all(bot.poller for bot in rehearsal.world.bots.values())
                if polls and await _answers(session, ports.console):
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 0.1)
    except TimeoutError:
        raise CannotRunError(
            f"bot and console did not start within {_START_WITHIN_S:.0f} s; logs/ in the state folder says more"
        ) from None


async def _answers(session: aiohttp.ClientSession, console_port: int) -> bool:
    try:
        async with session.get(f"http://127.0.0.1:{console_port}/healthz") as answer:
            return answer.ok
    except aiohttp.ClientError:
        return False


def _check_alive(processes: dict[str, asyncio.subprocess.Process]) -> None:
    for name, process in processes.items():
        if process.returncode is not None:
            raise CannotRunError(f"the {name} ended by itself; logs/{name}.log in the state folder says why")


def _check_free(option: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise CannotRunError(
                f"port {port} is taken by another program (or a second `make run`). Stop that one, or choose another"
                f' port: make run ARGS="{option} {port + 100}"'
            ) from None


def _token(state: Path) -> str:
    path = state / "demo-token.json"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(json.dumps(f"1000000001:DEMO{secrets.token_urlsafe(24)}"))
    return str(json.loads(path.read_text()))


def _say(text: str, end: str = "\n") -> None:
    print(text, end=end, flush=True)  # noqa: T201 -- a program that speaks to a person


if __name__ == "__main__":
    sys.exit(main())
