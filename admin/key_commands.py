"""`member leave`, `member role`, `member reset` and `rotate`: keys change hands, and what changed is told."""

import argparse
import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from admin.member_commands import ROLES, needs_ceremony_key, needs_opener, opener_of, show_once, signed_act
from admin.telling import CommandError, ask_passphrase, connected, say

if TYPE_CHECKING:
    import asyncpg
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from admin.keys import Unlocked
    from admin.leaving import Left
    from admin.resets import Reset
    from storage.manifest import Manifest, SeenSerial

# What each act needs is imported in it, as in `admin.__main__`.
# ruff: noqa: PLC0415


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`leave`, `role` and `reset` of `member`."""
    leave = commands.add_parser(
        "leave",
        help="take a member out of the team: nothing new is sealed to them",
        description="Takes a member out of the signed list, ends their sessions, and begins a new epoch of each"
        " compartment that they held, sealed to those who stay and to recovery. Who stays opens the old and the new."
        " What they could read until now they may have kept.",
    )
    leave.add_argument("call_sign", metavar="CALL_SIGN", help="who leaves")
    needs_opener(leave)
    _may_be_last(leave)
    leave.set_defaults(act=_leave)
    role = commands.add_parser(
        "role",
        help="give a member another role",
        description="Signs another role for a member and ends their sessions. Who becomes keeper or auditor opens no"
        " report from the new epoch on, which begins now.",
    )
    role.add_argument("call_sign", metavar="CALL_SIGN", help="whose role")
    role.add_argument("role", choices=ROLES, metavar="ROLE", help=", ".join(ROLES))
    needs_ceremony_key(role)
    _may_be_last(role)
    role.set_defaults(act=_role)
    reset = commands.add_parser(
        "reset",
        help="give a member new keys, who lost the passphrase",
        description="Makes new keys, a new passphrase and a new code for an authenticator app, shown once, here: let"
        " the member stand beside you. Either with both papers, --ceremony-key and --recovery, or by two leads"
        " together, --as LEAD --as LEAD, who each type passphrase and code. Nobody resets themselves. Security keys and"
        " recovery codes of before are removed.",
    )
    reset.add_argument("call_sign", metavar="CALL_SIGN", help="who lost the passphrase")
    reset.add_argument("--ceremony-key", type=Path, metavar="FILE", help="the ceremony key's file")
    reset.add_argument("--recovery", type=Path, metavar="FILE", help="the recovery identity's file")
    reset.add_argument(
        "--as", dest="leads", action="append", default=[], metavar="LEAD", help="a lead; said twice, for two leads"
    )  # fmt: skip
    reset.set_defaults(act=partial(_reset, reset))


def add_rotate(rotate: argparse.ArgumentParser) -> None:
    """`rotate`."""
    rotate.add_argument(
        "--compartment", nargs="+", default=[], metavar="NAME", help="which; without it all of them"
    )
    needs_ceremony_key(rotate)
    rotate.set_defaults(act=_rotate)


def _may_be_last(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--even-so", action="store_true", help="also if they are the last lead, or the last who opens a compartment"
    )  # fmt: skip


# ---- the acts ---------------------------------------------------------------------------------------


def _leave(chosen: argparse.Namespace) -> None:
    from admin import leaving

    async def leave(
        connection: "asyncpg.Connection", signer: "Ed25519PrivateKey", seen: "SeenSerial"
    ) -> "Left":
        return await leaving.leave(
            connection,
            chosen.call_sign,
            signer=signer,
            opener=await opener_of(connection, chosen),
            seen=seen,
            now=datetime.now(UTC),
            even_so=chosen.even_so,
        )

    left = signed_act(chosen, leave)
    say(f"{chosen.call_sign} is no member any more (manifest {left.serial}).")
    _say_new_epochs(left.compartments)
    _say_undelivered(left.undelivered)


def _role(chosen: argparse.Namespace) -> None:
    from admin import leaving

    async def change(
        connection: "asyncpg.Connection", signer: "Ed25519PrivateKey", seen: "SeenSerial"
    ) -> tuple[str, ...]:
        return await leaving.change_role(
            connection,
            chosen.call_sign,
            chosen.role,
            signer=signer,
            seen=seen,
            now=datetime.now(UTC),
            even_so=chosen.even_so,
        )

    lost = signed_act(chosen, change)
    say(f"{chosen.call_sign} is {chosen.role} from their next sign-in on.")
    _say_new_epochs(lost)


def _rotate(chosen: argparse.Namespace) -> None:
    from admin import epochs

    async def rotate(
        connection: "asyncpg.Connection", signer: "Ed25519PrivateKey", seen: "SeenSerial"
    ) -> "Manifest":
        return await epochs.rotate(
            connection, chosen.compartment, signer=signer, seen=seen, now=datetime.now(UTC)
        )

    signed = signed_act(chosen, rotate)
    _say_new_epochs(sorted(set(chosen.compartment) or signed.compartments))


def _reset(command: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    papers = chosen.ceremony_key is not None and chosen.recovery is not None
    if chosen.leads and (chosen.ceremony_key or chosen.recovery):
        command.error("either both papers or two leads")
    if not chosen.leads and not papers:
        command.error("give both papers, --ceremony-key and --recovery, or two leads, --as LEAD --as LEAD")
    if chosen.leads and len(chosen.leads) != len(set(chosen.leads)):
        command.error("two leads together are two people")
    if chosen.leads and len(chosen.leads) != 2:  # noqa: PLR2004 - two leads
        command.error("two leads together: say --as LEAD twice")
    done = _by_two_leads(chosen) if chosen.leads else _by_recovery(chosen)
    _say_reset(done)


def _by_recovery(chosen: argparse.Namespace) -> "Reset":
    from admin import papers, resets
    from admin.settings import KeeperSettings, load

    recovery = papers.read_recovery(chosen.recovery)
    work_factor = load(KeeperSettings).scrypt_work_factor

    async def reset(
        connection: "asyncpg.Connection", signer: "Ed25519PrivateKey", seen: "SeenSerial"
    ) -> "Reset":
        return await resets.by_recovery(
            connection,
            chosen.call_sign,
            signer=signer,
            recovery=recovery,
            seen=seen,
            work_factor=work_factor,
            now=datetime.now(UTC),
        )

    return signed_act(chosen, reset)


def _by_two_leads(chosen: argparse.Namespace) -> "Reset":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from admin import resets
    from admin.settings import TrustedSettings, load, seen_manifest
    from storage.manifest import SeenSerial

    settings = load(TrustedSettings)
    if not settings.ceremony_key:
        raise CommandError(
            "DODOMU_CEREMONY_KEY is not set: two leads need what the ceremony printed, as the console."
        )
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(settings.ceremony_key))
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    seen = SeenSerial(seen_manifest(settings.state, "keeper"))

    async def lead(connection: "asyncpg.Connection", call_sign: str) -> "Unlocked":
        return await resets.lead(
            connection,
            call_sign,
            ask_passphrase(f"Passphrase of {call_sign}: "),
            _ask_code(f"Code of {call_sign}: "),
            ceremony_key=key,
            seen=seen,
            now=datetime.now(UTC),
        )

    async def reset(url: str) -> "Reset":
        async with connected(url) as connection:
            await resets.check(
                connection, chosen.call_sign, chosen.leads, ceremony_key=key, seen=seen, now=datetime.now(UTC)
            )
            first = await lead(connection, chosen.leads[0])
            second = await lead(connection, chosen.leads[1])
            return await resets.by_two_leads(
                connection,
                chosen.call_sign,
                leads=(first, second),
                ceremony_key=key,
                seen=seen,
                work_factor=settings.scrypt_work_factor,
                now=datetime.now(UTC),
            )

    with settings.database(say) as url:
        return asyncio.run(reset(url))


def _ask_code(prompt: str) -> str:
    """Asked openly: it is good for half a minute, and once. From a pipe, its next line."""
    return input(prompt) if sys.stdin.isatty() else sys.stdin.readline()


# ---- what is told -----------------------------------------------------------------------------------


def _say_reset(done: "Reset") -> None:
    say(f"{done.member.call_sign} has new keys (manifest {done.serial}); what they wrote stays theirs.\n")
    show_once(done.member.call_sign, done.passphrase, done.totp_secret)
    for name, epochs in done.not_given.items():
        numbers = ", ".join(str(epoch) for epoch in epochs)
        say(
            f"\nNot given, for nobody here holds it: {name}, epoch {numbers}. Who does gives it:"
            f" python -m admin member give {done.member.call_sign} --compartment {name}"
        )
    say("\nIf somebody else may have had the old passphrase, begin a new epoch: python -m admin rotate")
    _say_undelivered(done.undelivered)


def _say_new_epochs(names: "tuple[str, ...] | list[str]") -> None:
    if names:
        say(
            f"New epoch: {', '.join(names)}. The bot seals to it within half a minute; who holds it signs in again."
            " What was sealed before still opens for who stays."
        )


def _say_undelivered(undelivered: Mapping[str, int]) -> None:
    if undelivered:
        count = sum(undelivered.values())
        say(
            f"{count} of their answers will not be delivered: no reporter has read them, and nobody vouches for their"
            f" key any more. Write them again: {', '.join(undelivered)}."
        )
