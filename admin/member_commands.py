"""`python -m admin member`: adding members, giving them compartments, listing them."""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from admin.telling import CommandError, ask_passphrase, connected, say

if TYPE_CHECKING:
    import asyncpg

    from admin.members import Added, Opener

# What each act needs is imported in it, as in `admin.__main__`.
# ruff: noqa: PLC0415

ROLES = ("observer", "analyst", "lead", "keeper", "auditor", "safeguarding")


def needs_ceremony_key(command: argparse.ArgumentParser) -> None:
    """Whoever changes the manifest, or must be sure of it, has the ceremony key."""
    command.add_argument(
        "--ceremony-key", type=Path, required=True, metavar="FILE", help="the ceremony key's file"
    )


def add_to(member: argparse.ArgumentParser) -> None:
    """`add`, `give` and `list`."""
    commands = member.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = commands.add_parser(
        "add",
        help="add a member, with new keys",
        description="Adds a member. The passphrase and the code for an authenticator app are shown once, here:"
        " let the new member stand beside you. The ceremony key signs the new list of members; the team's"
        " identity is opened for them with the recovery identity, or by a member who has it.",
    )
    add.add_argument(
        "call_sign",
        metavar="CALL_SIGN",
        help="2 to 32 of a-z, 0-9 and hyphen; not a name, for it stands in clear",
    )
    add.add_argument("--role", required=True, choices=ROLES, metavar="ROLE", help=", ".join(ROLES))
    add.add_argument(
        "--compartment", action="append", metavar="NAME", help="whose reports they open: team unless said; also"
        " child (what children write of themselves), whereabouts (where a child is now); may be said again",
    )  # fmt: skip
    _needs_opener(add)
    add.set_defaults(act=_member_add)
    give = commands.add_parser(
        "give",
        help="give a member the key of one more compartment",
        description="Seals the team identity of a compartment to a member, who opens its reports from their next"
        " sign-in on.",
    )
    give.add_argument("call_sign", metavar="CALL_SIGN", help="who is given it")
    give.add_argument("--compartment", required=True, metavar="NAME", help="team, child or whereabouts")
    _needs_opener(give)
    give.set_defaults(act=_member_give)
    listing = commands.add_parser("list", help="list the members")
    listing.set_defaults(act=_member_list)


def _needs_opener(command: argparse.ArgumentParser) -> None:
    needs_ceremony_key(command)
    opener = command.add_mutually_exclusive_group(required=True)
    opener.add_argument("--recovery", type=Path, metavar="FILE", help="the recovery identity's file")
    opener.add_argument(
        "--as", dest="as_member", metavar="CALL_SIGN", help="a member who has the same identity, and is asked"
        " for the passphrase",
    )  # fmt: skip


def _member_add(chosen: argparse.Namespace) -> None:
    from admin import ceremony, members
    from admin.settings import KeeperSettings, load, seen_manifest
    from storage.manifest import SeenSerial

    settings = load(KeeperSettings)
    members.check(chosen.call_sign, chosen.role)
    signer = ceremony.read_ceremony_key(chosen.ceremony_key)
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def add(url: str) -> "Added":
        async with connected(url) as connection:
            return await members.add(
                connection,
                chosen.call_sign,
                chosen.role,
                signer=signer,
                opener=await _opener(connection, chosen),
                seen=SeenSerial(seen_manifest(settings.state, "keeper")),
                work_factor=settings.scrypt_work_factor,
                now=datetime.now(UTC),
                compartments=chosen.compartment or [ceremony.TEAM],
            )

    with settings.database(say) as url:
        _show_once(asyncio.run(add(url)))


def _member_give(chosen: argparse.Namespace) -> None:
    from admin import ceremony, members
    from admin.settings import KeeperSettings, load, seen_manifest
    from storage.manifest import SeenSerial

    settings = load(KeeperSettings)
    signer = ceremony.read_ceremony_key(chosen.ceremony_key)
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def give(url: str) -> None:
        async with connected(url) as connection:
            await members.give(
                connection,
                chosen.call_sign,
                chosen.compartment,
                ceremony_key=signer.public_key(),
                opener=await _opener(connection, chosen),
                seen=SeenSerial(seen_manifest(settings.state, "keeper")),
                now=datetime.now(UTC),
            )

    with settings.database(say) as url:
        asyncio.run(give(url))
    say(f"{chosen.call_sign} opens reports of {chosen.compartment} from their next sign-in on.")


async def _opener(connection: "asyncpg.Connection", chosen: argparse.Namespace) -> "Opener":
    from admin import ceremony, keys
    from admin.members import Opener
    from seal import SealError
    from storage import members
    from storage.errors import SwappedRowError

    if chosen.recovery is not None:
        return Opener(members.RECOVERY, ceremony.read_recovery(chosen.recovery))
    member = await members.by_call_sign(connection, chosen.as_member)
    if member is None:
        raise CommandError(f"There is no member {chosen.as_member}.")
    try:
        unlocked = keys.unlock(member, ask_passphrase(f"Passphrase of {chosen.as_member}: "))
    except (SealError, SwappedRowError):
        raise CommandError("The passphrase does not open this member's identity.") from None
    return Opener(member.id, unlocked.identity)


def _show_once(added: "Added") -> None:
    import segno

    from admin.keys import totp_address

    address = totp_address(added.totp_secret, added.member.call_sign)
    say(
        f"{added.member.call_sign} is a member now ({added.member.role}; manifest {added.serial}).\n\n"
        "Shown once, and kept nowhere. Write the passphrase down on paper; no one can reset it:\n\n"
        f"  {added.passphrase}\n\n"
        "Scan this with an authenticator app, or type the address into it:\n"
    )
    segno.make_qr(address, error="l").terminal(out=sys.stdout, compact=True)
    say(f"\n  {address}")


def _member_list(_: argparse.Namespace) -> None:
    from admin.settings import KeeperSettings, load
    from storage import members

    async def everyone(url: str) -> list[members.Member]:
        async with connected(url) as connection:
            return await members.everyone(connection)

    with load(KeeperSettings).database(say) as url:
        found = asyncio.run(everyone(url))
    if not found:
        say("There are no members yet: python -m admin member add --help")
    for member in found:
        left = f", left {member.left_hour:%Y-%m-%d}" if member.left_hour else ""
        say(f"{member.call_sign:<32}  {member.role:<12}  joined {member.joined_hour:%Y-%m-%d}{left}")
