"""`python -m admin manifest`, `compartments`, `relay`: what the ceremony key changes afterwards, as it is told."""

import argparse
import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from admin.member_commands import needs_ceremony_key, signed_act
from admin.telling import CommandError, answer, asks, connected, say

if TYPE_CHECKING:
    import asyncpg
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    from admin.manifests import Filled
    from storage.manifest import Manifest, SeenSerial

# What each act needs is imported in it, as in `admin.__main__`.
# ruff: noqa: PLC0415

_WARN_DAYS = 60  # before the manifest expires
_PREFIX = (
    "the beginning of places' codes: of the codifier (KATOTTG), UA65 for an oblast, UA6502 for a raion; abroad the"
    " country, BY or RU"
)


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
    add.add_argument("--place", nargs="+", action="extend", required=True, metavar="PREFIX", help=_PREFIX)
    needs_ceremony_key(add)
    add.set_defaults(act=_add)
    route = commands.add_parser(
        "route",
        help="send the reports from some places to another compartment",
        description="Sends the reports from these places to a compartment from now on; to `team`: as if they had no"
        " way of their own. Reports that were sent before stay where they are.",
    )
    route.add_argument("name", metavar="NAME", help="the compartment")
    route.add_argument("--place", nargs="+", action="extend", required=True, metavar="PREFIX", help=_PREFIX)
    needs_ceremony_key(route)
    route.set_defaults(act=_route)


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


# ---- the acts ---------------------------------------------------------------------------------------


def _relay(chosen: argparse.Namespace) -> None:
    from admin import ceremony, manifests

    relay = ceremony.read_relay(chosen.recipient)
    named = signed_act(
        chosen,
        lambda connection, signer, seen: manifests.name_relay(
            connection, relay, signer=signer, seen=seen, now=datetime.now(UTC)
        ),
    )
    say(f"Replies are sealed to this identity from now on (manifest {named.serial}).")


def _compartments(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    from admin import manifests

    if chosen.ceremony_key is None:
        parser.error("the following arguments are required: --ceremony-key")
    made = signed_act(
        chosen,
        lambda connection, signer, seen: manifests.complete(
            connection, signer=signer, seen=seen, now=datetime.now(UTC)
        ),
    )
    say(f"New compartments: {', '.join(made) or 'none'}. The reports of every form have their way.")


def _add(chosen: argparse.Namespace) -> None:
    from admin import manifests

    after = signed_act(
        chosen,
        lambda connection, signer, seen: manifests.add_compartment(
            connection, chosen.name, chosen.place, signer=signer, seen=seen, now=datetime.now(UTC)
        ),
    )
    say(f"Manifest {after.serial}: {chosen.name} is a compartment.")
    _say_places(after)
    say(
        "Nobody opens its reports yet, and nobody hears of them. Give its key now:\n"
        f"  python -m admin member give CALL_SIGN --compartment {chosen.name} --recovery FILE --ceremony-key FILE"
    )


def _route(chosen: argparse.Namespace) -> None:
    from admin import manifests

    after = signed_act(
        chosen,
        lambda connection, signer, seen: manifests.route_places(
            connection, chosen.name, chosen.place, signer=signer, seen=seen, now=datetime.now(UTC)
        ),
    )
    say(f"Manifest {after.serial}.")
    _say_places(after)


def _say_places(after: "Manifest") -> None:
    from flows import placecodes

    for place, name in sorted(after.places.items()):
        area = placecodes.area(place)
        say(f"  {place:<20}{area['en'] if area else '':<28}→ {name}")


def _renew(chosen: argparse.Namespace) -> None:
    async def renew(
        connection: "asyncpg.Connection", signer: "Ed25519PrivateKey", seen: "SeenSerial"
    ) -> "Manifest":
        from admin import manifests, openers

        now = datetime.now(UTC)
        before = (await openers.current(connection, signer.public_key(), seen, now)).manifest
        filled = await manifests.unfilled(connection, before, now)
        _say_filled(filled)
        if asks() and not chosen.yes:
            _confirm(before.serial + 1)
        return await manifests.renew(connection, before, filled, signer=signer, now=now)

    after = signed_act(chosen, renew)
    say(f"Manifest {after.serial} is valid until {after.expires}.")


def _confirm(serial: int) -> None:
    if answer(f"Sign manifest {serial}? [yes] ") != "yes":
        raise CommandError("Nothing was signed.")


def _say_filled(filled: "list[Filled]") -> None:
    if not filled:
        return
    say("The manifest named these members without role and compartments. What it will say of them:\n")
    for one in filled:
        opens = f"opens {', '.join(one.compartments)}" if one.compartments else "opens nothing"
        said = "left: is named no more" if one.left else f"{one.role:<12}  {opens}"
        say(f"  {one.call_sign:<32}  {said}")
    say("\nThis is what the database says. Sign it only if it is true.")


def _show(chosen: argparse.Namespace) -> None:
    from admin import openers
    from admin.settings import TrustedSettings, load, seen_manifest
    from storage import members
    from storage.manifest import SeenSerial

    settings = load(TrustedSettings)
    key = _trusted(chosen, settings.ceremony_key)
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def newest(url: str) -> "tuple[Manifest, dict[str, str]]":
        async with connected(url) as connection:
            seen = SeenSerial(seen_manifest(settings.state, "keeper"))
            named = (await openers.current(connection, key, seen, datetime.now(UTC))).manifest
            return named, {str(row.id): row.call_sign for row in await members.everyone(connection)}

    with settings.database(say) as url:
        named, call_signs = asyncio.run(newest(url))
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
