"""`python -m admin ceremony`: at a terminal or by a script, with the database or offline, and taken in from there."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from admin.telling import CommandError, answer, asks, connected, say

if TYPE_CHECKING:
    import asyncpg

    from admin.ceremony import Made, Public
    from admin.papers import Files

# What each act needs is imported in it, as in `admin.__main__`.
# ruff: noqa: PLC0415

_Given = TypeVar("_Given")
_NEXT = """\
What is next
  1. Lock the two papers away in two places, apart from each other.
  2. Set this for the bot and for the console. It is not secret, but nobody else may choose it:

       DODOMU_CEREMONY_KEY={key}

  3. {carry}Add the first member, with the newcomer beside you: python -m admin member add --help
  4. Then delete the files in {folder}. The papers are enough: a file with their 24 words is taken in place of them."""
_CARRY = """Carry {file} to the server; it holds nothing secret. There:
       python -m admin ceremony --take {name}
     """
_RELAY = """
The manifest names no relay identity yet, so nothing can be answered: python -m admin relay --help"""
_LOG = """
The manifest does not name the key of the custody log, by which strangers check it:
  python -m admin custody name-log --help"""


def add_to(ceremony: argparse.ArgumentParser) -> None:
    """`ceremony`."""
    ceremony.add_argument("--out", type=Path, metavar="DIR", help="a folder for the papers' files")
    ceremony.add_argument(
        "--relay",
        metavar="RECIPIENT",
        help="what `python -m bot relay` shows; without it the bot's folder is DODOMU_STATE on this machine",
    )
    ceremony.add_argument(
        "--yes",
        action="store_true",
        help="ask nothing, as when there is no terminal; the prints are not proven",
    )
    way = ceremony.add_mutually_exclusive_group()
    way.add_argument(
        "--offline", action="store_true", help="without database or network; also writes what --take needs"
    )
    way.add_argument(
        "--take", type=Path, metavar="FILE", help="keep the ceremony-public.json of a ceremony that was held offline"
    )  # fmt: skip
    ceremony.set_defaults(act=partial(_ceremony, ceremony))


# ---- the ceremony -----------------------------------------------------------------------------------


def _ceremony(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    if chosen.take is not None:
        if chosen.out is not None or chosen.relay is not None:
            parser.error("--take needs neither --out nor --relay: both were said at the ceremony")
        _take(chosen)
    elif chosen.out is None:
        parser.error("the following arguments are required: --out, or --take")
    elif chosen.offline:
        _hold_offline(chosen)
    else:
        _hold(chosen)


def _hold(chosen: argparse.Namespace) -> None:
    from admin import ceremony, checkpoints
    from admin.custody_settings import CustodySettings
    from admin.settings import KeeperSettings, load
    from storage.replies import RELAY, relay_identity

    settings = load(KeeperSettings)
    log = checkpoints.Log.at(settings.state, load(CustodySettings).log_origin).vkey
    relay = (
        ceremony.read_relay(chosen.relay)
        if chosen.relay
        else relay_identity(settings.state / "bot" / RELAY).recipient
    )
    # No connection is held while people print.
    with settings.database(say) as url:
        asyncio.run(_with(url, ceremony.refuse_second))

        def keep(made: "Made") -> None:
            asyncio.run(_with(url, lambda connection: ceremony.keep(connection, made, datetime.now(UTC))))

        made = _papers(chosen, lambda: ceremony.make(datetime.now(UTC).date(), relay, log=log), keep)
    say("The ceremony is held.")
    _say_next(chosen, made, carry="")


def _hold_offline(chosen: argparse.Namespace) -> None:
    from admin import ceremony, offline
    from admin.papers import write_private

    relay = ceremony.read_relay(chosen.relay) if chosen.relay else None
    file = chosen.out / offline.PUBLIC_FILE
    if file.exists():  # told before anybody prints; nothing is overwritten in any case
        raise CommandError(f"{file} is there already. Choose another folder.")

    def keep(made: "Made") -> None:
        write_private(file, offline.to_text(made))

    made = _papers(chosen, lambda: ceremony.make(datetime.now(UTC).date(), relay), keep)
    say("The ceremony is held on this machine.")
    _say_next(chosen, made, carry=_CARRY.format(file=file, name=offline.PUBLIC_FILE))


def _papers(chosen: argparse.Namespace, make: "Callable[[], Made]", keep: "Callable[[Made], None]") -> "Made":
    """Makes the keys, writes the papers, has them proven, and only then keeps what is kept."""
    import random

    from admin import papers
    from admin.ceremony_dialogue import Dialogue

    dialogue = None if chosen.yes or not asks() else Dialogue(input, say, random.SystemRandom())
    if dialogue:
        dialogue.opens(chosen.out, offline=chosen.offline)
    made = make()
    with papers.written(made.ceremony_key, made.recovery, chosen.out) as files:
        if dialogue:
            dialogue.proves(files, made.ceremony_key, made.recovery)
        keep(made)
    if not dialogue:
        _say_written(files)
    return made


def _say_written(files: "Files") -> None:
    say(
        "Two secrets were written, each as a page to print and as the file that the commands take:\n\n"
        f"  {files.ceremony_page}\n  {files.ceremony_key}\n"
        "    signs who is a member and to whose keys reports are sealed\n"
        f"  {files.recovery_page}\n  {files.recovery}\n"
        "    opens everything when no passphrase is left\n\n"
        "Print both pages and check that the prints can be read.\n"
    )


def _say_next(chosen: argparse.Namespace, made: "Public", carry: str) -> None:
    say(_NEXT.format(key=made.ceremony_public_hex, carry=carry, folder=chosen.out))
    _say_missing(made)


def _say_missing(made: "Public") -> None:
    """What a manifest that was signed elsewhere could not name yet."""
    if not made.manifest.relay:
        say(_RELAY)
    if not made.manifest.log:
        say(_LOG)


def _take(chosen: argparse.Namespace) -> None:
    from admin import offline
    from admin.papers import in_groups
    from admin.settings import TrustedSettings, load

    settings = load(TrustedSettings)
    public = offline.read(chosen.take, expected=settings.ceremony_key)
    if not settings.ceremony_key and asks() and not chosen.yes:
        _compares(public.ceremony_public_hex)
    with settings.database(say) as url:
        asyncio.run(_with(url, lambda connection: offline.take(connection, public, datetime.now(UTC))))
    say(
        "The ceremony is kept here. Compare this with the public half on the paper of the ceremony key:\n\n"
        f"  {in_groups(public.ceremony_public_hex)}\n\n"
        "Set it for the bot and for the console:\n\n"
        f"  DODOMU_CEREMONY_KEY={public.ceremony_public_hex}"
    )
    _say_missing(public)


def _compares(public_hex: str) -> None:
    """Whoever could change the file on its way could choose the key: the paper says which it is."""
    typed = answer("The first eight digits of the public half, from the paper of the ceremony key: ")
    if typed.casefold() != public_hex[:8]:
        raise CommandError(
            "The file is of another ceremony than the paper, or was changed on its way. Nothing was kept."
        )


async def _with(url: str, act: "Callable[[asyncpg.Connection], Awaitable[_Given]]") -> _Given:
    async with connected(url) as connection:
        return await act(connection)
