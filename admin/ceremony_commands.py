"""`python -m admin ceremony`, `manifest`, `compartments`, `relay`: what needs the ceremony key, told as it is done."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from admin.member_commands import needs_ceremony_key
from admin.telling import CommandError, connected, say

if TYPE_CHECKING:
    import asyncpg
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    from admin.ceremony import Made, Public
    from admin.manifests import Filled
    from admin.papers import Files
    from admin.settings import KeeperSettings
    from storage.manifest import Manifest, SeenSerial

# What each act needs is imported in it, as in `admin.__main__`.
# ruff: noqa: PLC0415

_Given = TypeVar("_Given")
_WARN_DAYS = 60  # before the manifest expires
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


def add_ceremony(ceremony: argparse.ArgumentParser) -> None:
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


def add_relay(relay: argparse.ArgumentParser) -> None:
    """`relay`."""
    relay.add_argument("recipient", metavar="RECIPIENT", help="what `python -m bot relay` shows")
    needs_ceremony_key(relay)
    relay.set_defaults(act=_relay)


def add_compartments(compartments: argparse.ArgumentParser) -> None:
    """`compartments`, alone and with `add` and `route`."""
    compartments.add_argument("--ceremony-key", type=Path, metavar="FILE", help="the ceremony key's file")
    compartments.set_defaults(act=partial(_compartments, compartments))
    commands = compartments.add_subparsers(title="commands", metavar="COMMAND")
    add = commands.add_parser(
        "add",
        help="make a compartment for the reports from some places",
        description="Makes a compartment with an identity of its own, and sends to it the reports from these places"
        " that would go to the team. Nobody opens them before `member give` gives its key to somebody.",
    )
    add.add_argument("name", metavar="NAME", help="2 to 32 of a-z, 0-9 and hyphen")
    add.add_argument("--place", nargs="+", required=True, metavar="PREFIX", help=_PREFIX)
    needs_ceremony_key(add)
    add.set_defaults(act=_add)
    route = commands.add_parser(
        "route",
        help="send the reports from some places to another compartment",
        description="Sends the reports from these places to a compartment from now on; to `team`: as if they had no"
        " way of their own. Reports that were sent before stay where they are.",
    )
    route.add_argument("name", metavar="NAME", help="the compartment")
    route.add_argument("--place", nargs="+", required=True, metavar="PREFIX", help=_PREFIX)
    needs_ceremony_key(route)
    route.set_defaults(act=_route)


_PREFIX = (
    "the beginning of places' codes: of the codifier (KATOTTG), UA65 for an oblast, UA6502 for a raion; abroad the"
    " country, BY or RU"
)


def add_manifest(manifest: argparse.ArgumentParser) -> None:
    """`manifest renew` and `manifest show`."""
    commands = manifest.add_subparsers(title="commands", metavar="COMMAND", required=True)
    renew = commands.add_parser(
        "renew",
        help="sign the list of keys for one more year",
        description="Signs the manifest once more: the next serial, valid for a year. Members whom an earlier version"
        " named without role and compartments get them, as they are shown before it is signed.",
    )
    needs_ceremony_key(renew)
    renew.add_argument("--yes", action="store_true", help="ask nothing, as when there is no terminal")
    renew.set_defaults(act=_renew)
    show = commands.add_parser(
        "show",
        help="show to whom reports are sealed, until when, and who the members are",
        description="Shows the newest manifest, once its signature is checked with DODOMU_CEREMONY_KEY or with the"
        " ceremony key itself.",
    )
    show.add_argument("--ceremony-key", type=Path, metavar="FILE", help="the ceremony key's file")
    show.set_defaults(act=_show)


def asks() -> bool:
    """Whether a person sits at a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


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
    from admin import ceremony
    from admin.settings import KeeperSettings, load
    from storage.replies import RELAY, relay_identity

    settings = load(KeeperSettings)
    relay = (
        ceremony.read_relay(chosen.relay)
        if chosen.relay
        else relay_identity(settings.state / "bot" / RELAY).recipient
    )
    # No connection is held while people print.
    with settings.database(say) as url:
        asyncio.run(_with(url, ceremony.refuse_second))

        def keep(made: "Made", _: Path) -> None:
            asyncio.run(_with(url, lambda connection: ceremony.keep(connection, made, datetime.now(UTC))))

        made = _papers(chosen, lambda: ceremony.make(datetime.now(UTC).date(), relay), keep)
    say("The ceremony is held.")
    _say_next(chosen, made, carry="")


def _hold_offline(chosen: argparse.Namespace) -> None:
    from admin import ceremony, offline
    from admin.papers import write_private

    relay = ceremony.read_relay(chosen.relay) if chosen.relay else None

    def keep(made: "Made", folder: Path) -> None:
        write_private(folder / offline.PUBLIC_FILE, offline.to_text(made))

    made = _papers(chosen, lambda: ceremony.make(datetime.now(UTC).date(), relay), keep)
    say("The ceremony is held on this machine.")
    file = chosen.out / offline.PUBLIC_FILE
    _say_next(chosen, made, carry=_CARRY.format(file=file, name=offline.PUBLIC_FILE))


def _papers(
    chosen: argparse.Namespace, make: "Callable[[], Made]", keep: "Callable[[Made, Path], None]"
) -> "Made":
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
        keep(made, chosen.out)
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
    if not made.manifest.relay:
        say(_RELAY)


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
    if not public.manifest.relay:
        say(_RELAY)


def _compares(public_hex: str) -> None:
    """Whoever could change the file on its way could choose the key: the paper says which it is."""
    typed = input("The first eight digits of the public half, from the paper of the ceremony key: ")
    if typed.strip().casefold() != public_hex[:8]:
        raise CommandError(
            "The file is of another ceremony than the paper, or was changed on its way. Nothing was kept."
        )


# ---- what the ceremony key changes afterwards --------------------------------------------------------


def _relay(chosen: argparse.Namespace) -> None:
    from admin import ceremony, manifests

    relay = ceremony.read_relay(chosen.recipient)
    signing = _Signing.of(chosen)
    named = signing.do(
        lambda connection, seen, now: manifests.name_relay(
            connection, relay, signer=signing.key, seen=seen, now=now
        )
    )
    say(f"Replies are sealed to this identity from now on (manifest {named.serial}).")


def _compartments(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    from admin import manifests

    if chosen.ceremony_key is None:
        parser.error("the following arguments are required: --ceremony-key")
    signing = _Signing.of(chosen)
    made = signing.do(
        lambda connection, seen, now: manifests.complete(connection, signer=signing.key, seen=seen, now=now)
    )
    say(f"New compartments: {', '.join(made) or 'none'}. The reports of every form have their way.")


def _add(chosen: argparse.Namespace) -> None:
    from admin import manifests

    signing = _Signing.of(chosen)
    after = signing.do(
        lambda connection, seen, now: manifests.add_compartment(
            connection, chosen.name, chosen.place, signer=signing.key, seen=seen, now=now
        )
    )
    say(f"Manifest {after.serial}: {chosen.name} is a compartment.")
    _say_places(after)
    say(
        "Nobody opens its reports yet, and nobody hears of them. Give its key now:\n"
        f"  python -m admin member give CALL_SIGN --compartment {chosen.name} --recovery FILE --ceremony-key FILE"
    )


def _route(chosen: argparse.Namespace) -> None:
    from admin import manifests

    signing = _Signing.of(chosen)
    after = signing.do(
        lambda connection, seen, now: manifests.route_places(
            connection, chosen.name, chosen.place, signer=signing.key, seen=seen, now=now
        )
    )
    say(f"Manifest {after.serial}.")
    _say_places(after)


def _say_places(after: "Manifest") -> None:
    from flows import placecodes

    for place, name in sorted(after.places.items()):
        area = placecodes.area(place)
        say(f"  {place:<20}{area['en'] if area else '':<28}→ {name}")


def _renew(chosen: argparse.Namespace) -> None:
    from admin import manifests
    from storage import manifest

    signing = _Signing.of(chosen)

    async def look(
        connection: "asyncpg.Connection", seen: "SeenSerial", _: datetime
    ) -> "tuple[Manifest, list[Filled]]":
        before = await manifest.newest(connection, signing.key.public_key(), seen)
        return before, await manifests.unfilled(connection, before)

    with signing.settings.database(say) as url:
        before, filled = signing.do(look, url)
        if filled:
            say("The manifest named these members without role and compartments. It will name them with:\n")
            for one in filled:
                opens = f"opens {', '.join(one.compartments)}" if one.compartments else "opens nothing"
                say(f"  {one.call_sign:<32}  {one.role:<12}  {opens}")
            say("\nThis is what the database says. Sign it only if it is true.")
        if asks() and not chosen.yes and input(f"Sign manifest {before.serial + 1}? [yes] ").strip() != "yes":
            raise CommandError("Nothing was signed.")
        after = signing.do(
            lambda connection, _, now: manifests.renew(
                connection, before, filled=filled, signer=signing.key, now=now
            ),
            url,
        )
    say(f"Manifest {after.serial} is valid until {after.expires}.")


def _show(chosen: argparse.Namespace) -> None:
    from admin.settings import TrustedSettings, load, seen_manifest
    from storage import manifest, members
    from storage.manifest import SeenSerial

    settings = load(TrustedSettings)
    key = _trusted(chosen, settings.ceremony_key)
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def newest(connection: "asyncpg.Connection") -> "tuple[Manifest, dict[str, str]]":
        named = await manifest.newest(connection, key, SeenSerial(seen_manifest(settings.state, "keeper")))
        return named, {str(row.id): row.call_sign for row in await members.everyone(connection)}

    with settings.database(say) as url:
        named, call_signs = asyncio.run(_with(url, newest))
    _say_manifest(named, call_signs, key.public_bytes_raw().hex())


def _say_manifest(named: "Manifest", call_signs: dict[str, str], key: str) -> None:
    from admin.papers import fingerprint, in_groups

    left = (named.expires - datetime.now(UTC).date()).days
    ends = f"{left} days left" if left >= 0 else "expired"
    say(
        f"Manifest {named.serial}, valid until {named.expires} ({ends})\n"
        f"  signed with     {in_groups(key)}\n"
        f"  recovery        fingerprint {fingerprint(named.recovery)}\n"
        f"  relay           {f'fingerprint {fingerprint(named.relay)}' if named.relay else 'none: no replies'}\n"
        f"  log             {named.log or 'none named'}"
    )
    if left < _WARN_DAYS:
        say("\nRenew it: python -m admin manifest renew --help")
    say("\nCompartments, and which reports go there")
    for name, compartment in sorted(named.compartments.items()):
        forms = ", ".join(sorted(form for form, to in named.routing.items() if to == name))
        say(f"  {name:<32}  epoch {compartment.epoch}   {forms or 'by place'}")
    if named.places:
        say("\nPlaces")
        _say_places(named)
    say("\nMembers" if named.members else "\nNo members yet: python -m admin member add --help")
    for member, keys in sorted(named.members.items(), key=lambda item: call_signs.get(item[0], "")):
        opens = ", ".join(keys.compartments) or "–"
        say(f"  {call_signs.get(member, member):<32}  {keys.role or 'not said':<12}  {opens}")


def _trusted(chosen: argparse.Namespace, public_hex: str) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from admin import ceremony

    if chosen.ceremony_key is not None:
        return ceremony.read_ceremony_key(chosen.ceremony_key).public_key()
    if not public_hex:
        raise CommandError("DODOMU_CEREMONY_KEY is not set: set it, or give --ceremony-key.")
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_hex))


class _Signing:
    """A change of the manifest: the ceremony key, and the store that it is kept in."""

    def __init__(self, key: "Ed25519PrivateKey", settings: "KeeperSettings") -> None:
        self.key = key
        self.settings = settings

    @classmethod
    def of(cls, chosen: argparse.Namespace) -> "_Signing":
        """The key in the file that was named."""
        from admin import ceremony
        from admin.settings import KeeperSettings, load

        settings = load(KeeperSettings)
        key = ceremony.read_ceremony_key(chosen.ceremony_key)
        settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(key, settings)

    def do(
        self,
        act: "Callable[[asyncpg.Connection, SeenSerial, datetime], Awaitable[_Given]]",
        url: str | None = None,
    ) -> _Given:
        """Does it, as the keeper; `url` where the database is held already."""
        from admin.settings import seen_manifest
        from storage.manifest import SeenSerial

        if url is None:
            with self.settings.database(say) as own:
                return self.do(act, own)
        seen = SeenSerial(seen_manifest(self.settings.state, "keeper"))
        return asyncio.run(_with(url, lambda connection: act(connection, seen, datetime.now(UTC))))


async def _with(url: str, act: "Callable[[asyncpg.Connection], Awaitable[_Given]]") -> _Given:
    async with connected(url) as connection:
        return await act(connection)
