"""`python -m admin member`: adding members, giving them compartments, listing them. The rest: `admin.key_commands`."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from admin.telling import CommandError, ask_passphrase, connected, say

if TYPE_CHECKING:
    import asyncpg
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from admin.members import Added
    from admin.openers import Opener
    from storage.manifest import SeenSerial
    from storage.members import Member

# What each act needs is imported in it, as in `admin.__main__`.
# ruff: noqa: PLC0415

_Done = TypeVar("_Done")

ROLES = ("observer", "analyst", "lead", "keeper", "auditor", "safeguarding")


def needs_ceremony_key(command: argparse.ArgumentParser) -> None:
    """Whoever changes the manifest, or must be sure of it, has the ceremony key."""
    command.add_argument(
        "--ceremony-key", type=Path, required=True, metavar="FILE", help="the ceremony key's file"
    )


def add_to(member: argparse.ArgumentParser) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    """`add`, `give` and `list`; `admin.key_commands` adds the rest."""
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
    needs_opener(add)
    add.set_defaults(act=_member_add)
    give = commands.add_parser(
        "give",
        help="give a member the key of one more compartment",
        description="Seals the team identity of a compartment to a member, who opens its reports from their next"
        " sign-in on.",
    )
    give.add_argument("call_sign", metavar="CALL_SIGN", help="who is given it")
    give.add_argument("--compartment", required=True, metavar="NAME", help="team, child or whereabouts")
    needs_opener(give)
    give.set_defaults(act=_member_give)
    listing = commands.add_parser(
        "list",
        help="list the members",
        description="Lists everyone who is or was a member: call sign, role, since when, and when they left.",
    )
    listing.set_defaults(act=_member_list)
    return commands


def needs_opener(command: argparse.ArgumentParser) -> None:
    """The ceremony key, and a second key: recovery's, or that of a member."""
    needs_ceremony_key(command)
    needs_identity(command)


def needs_identity(command: argparse.ArgumentParser) -> None:
    """Who opens: recovery, or a member (`opener_of`)."""
    opener = command.add_mutually_exclusive_group(required=True)
    opener.add_argument("--recovery", type=Path, metavar="FILE", help="the recovery identity's file")
    opener.add_argument(
        "--as", dest="as_member", metavar="CALL_SIGN", help="a member who has the same identity, and is asked"
        " for the passphrase",
    )  # fmt: skip


def signed_act(
    chosen: argparse.Namespace,
    act: "Callable[[asyncpg.Connection, Ed25519PrivateKey, SeenSerial], Awaitable[_Done]]",
) -> _Done:
    """Does what needs the ceremony key, as the keeper."""
    from admin import papers
    from admin.settings import KeeperSettings, load, seen_manifest
    from storage.manifest import SeenSerial

    settings = load(KeeperSettings)
    signer = papers.read_ceremony_key(chosen.ceremony_key)
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def run(url: str) -> _Done:
        async with connected(url) as connection:
            return await act(connection, signer, SeenSerial(seen_manifest(settings.state, "keeper")))

    with settings.database(say) as url:
        return asyncio.run(run(url))


def _member_add(chosen: argparse.Namespace) -> None:
    from admin import ceremony, members
    from admin.settings import KeeperSettings, load

    work_factor = load(KeeperSettings).scrypt_work_factor
    members.check(chosen.call_sign, chosen.role)

    async def add(
        connection: "asyncpg.Connection", signer: "Ed25519PrivateKey", seen: "SeenSerial"
    ) -> "Added":
        return await members.add(
            connection,
            chosen.call_sign,
            chosen.role,
            signer=signer,
            opener=await opener_of(connection, chosen),
            seen=seen,
            work_factor=work_factor,
            now=datetime.now(UTC),
            compartments=chosen.compartment or [ceremony.TEAM],
        )

    added = signed_act(chosen, add)
    say(f"{added.member.call_sign} is a member now ({added.member.role}; manifest {added.serial}).\n")
    show_once(added.member.call_sign, added.passphrase, added.totp_secret)


def _member_give(chosen: argparse.Namespace) -> None:
    from admin import members

    async def give(
        connection: "asyncpg.Connection", signer: "Ed25519PrivateKey", seen: "SeenSerial"
    ) -> "Member":
        return await members.give(
            connection,
            chosen.call_sign,
            chosen.compartment,
            signer=signer,
            opener=await opener_of(connection, chosen),
            seen=seen,
            now=datetime.now(UTC),
        )

    signed_act(chosen, give)
    say(f"{chosen.call_sign} opens reports of {chosen.compartment} from their next sign-in on.")


async def opener_of(connection: "asyncpg.Connection", chosen: argparse.Namespace) -> "Opener":
    """Recovery, or the member who is asked for the passphrase; a wrong one is on record."""
    from admin import keys, papers
    from admin.openers import Opener
    from seal import SealError
    from storage import members
    from storage.errors import SwappedRowError
    from storage.refusals import Refusal, refused

    if chosen.recovery is not None:
        return Opener(members.RECOVERY, papers.read_recovery(chosen.recovery))
    member = await members.by_call_sign(connection, chosen.as_member)
    if member is None:
        raise CommandError(f"There is no member {chosen.as_member}.")
    try:
        unlocked = keys.unlock(member, ask_passphrase(f"Passphrase of {chosen.as_member}: "))
    except (SealError, SwappedRowError) as error:
        what = Refusal.MEMBER_ROW if isinstance(error, SwappedRowError) else Refusal.PASSPHRASE
        who = str(member.id)
        await refused(connection, what, obj=who, actor=who, now=datetime.now(UTC))
        raise CommandError("The passphrase does not open this member's identity.") from None
    return Opener(member.id, unlocked.identity)


def show_once(call_sign: str, passphrase: str, totp_secret: str) -> None:
    """What a member needs to sign in; nothing keeps it."""
    import segno

    from admin.keys import totp_address

    address = totp_address(totp_secret, call_sign)
    say(
        "Shown once, and kept nowhere. Write the passphrase down on paper; nobody can read it again:\n\n"
        f"  {passphrase}\n\n"
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
