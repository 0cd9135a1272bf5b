"""`python -m bot`: runs the public bot, or shows and retries what it had to park."""

import argparse
import asyncio
import contextlib
import signal
import sys
import traceback

import uvloop

from bot.settings import BotSettings, SettingsError, load


def main() -> int:
    """Runs the command line; the exit status is 2 for settings that cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m bot",
        description="The public bot: takes reports in a chat, seals them, and keeps them for the team.",
        epilog="Settings come from the environment (DODOMU_…); a missing one is named at the start.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("run", help="take updates until stopped (the default)")
    commands.add_parser(
        "relay", help="show to whom the team's replies are sealed, for python -m admin ceremony or relay"
    )
    parked = commands.add_parser(
        "parked", help="show the shapes of updates that could not be taken (never their content)"
    )
    parked.add_argument("--retry", action="store_true", help="try all of them again")
    arguments = parser.parse_args()
    try:
        settings = load()
    except SettingsError as error:
        print(f"The bot cannot start:\n{error}", file=sys.stderr)  # noqa: T201 -- a command line speaks
        return 2
    if arguments.command == "relay":
        return _relay(settings)
    # Only now: aiogram takes seconds to import, and a wrong setting should be told at once.
    from bot import logs  # noqa: PLC0415

    logs.configure(settings.log_level)
    work = _parked(settings, again=arguments.retry) if arguments.command == "parked" else _run(settings)
    return uvloop.run(_told(work))


async def _told(work: "asyncio.Future[int] | object") -> int:
    """Runs the work; what stands in its way is told in a sentence."""
    from storage.database import UNAVAILABLE  # noqa: PLC0415
    from storage.errors import StorageError  # noqa: PLC0415

    try:
        return int(await work)  # type: ignore[misc]
    except StorageError as error:
        print(f"The bot cannot go on: {error}", file=sys.stderr)  # noqa: T201
    except UNAVAILABLE:
        print("The bot cannot reach its database. Is it running? (DODOMU_BOT_DATABASE_URL)", file=sys.stderr)  # noqa: T201
    except Exception as error:  # noqa: BLE001 -- told without its text, which may quote an update, a row or the token
        print("The bot stopped:", *_places(error), sep="\n", file=sys.stderr)  # noqa: T201
    return 1


def _places(error: BaseException) -> list[str]:
    """Type and place of an error, or of each in a group; never a text."""
    if isinstance(error, BaseExceptionGroup):
        return [line for inner in error.exceptions for line in _places(inner)]
    frames = traceback.extract_tb(error.__traceback__)
    return [type(error).__name__, *(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames)]


def _relay(settings: BotSettings) -> int:
    from storage.errors import SettingError  # noqa: PLC0415
    from storage.replies import RELAY, relay_identity  # noqa: PLC0415

    try:
        print(relay_identity(settings.state / "bot" / RELAY).recipient)  # noqa: T201
    except SettingError as error:
        print(f"The bot cannot go on: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


async def _run(settings: BotSettings) -> int:
    from bot.app import build  # noqa: PLC0415

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with build(settings) as app:
        running = asyncio.create_task(app.run())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if running.done():
            running.result()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(app.updates.idle(), 5)
    return 0


async def _parked(settings: BotSettings, *, again: bool) -> int:
    from bot.app import build  # noqa: PLC0415
    from bot.parked import read, retry, shape  # noqa: PLC0415

    async with build(settings) as app:
        for parked in await read(app.intake):
            told = shape(parked.raw) if parked.raw is not None else "this row was changed and does not open"
            print(f"{parked.id}  {parked.hour}  {parked.error}, {parked.attempts} tries\n  {told}")  # noqa: T201
        if again:
            taken, left = await retry(app.intake, app.updates)
            print(f"{taken} taken, {left} still parked")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
