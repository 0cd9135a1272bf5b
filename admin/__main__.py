"""`python -m admin`: what is in the way is told in a sentence, never in a traceback, and no secret is in it.

Exit status: 0 done · 1 could not be done · 2 the command or a setting is not usable.
"""

import argparse
import sys
import textwrap
from typing import TYPE_CHECKING

from admin import (
    backup_commands,
    ceremony_commands,
    custody_commands,
    key_commands,
    manifest_commands,
    member_commands,
    reseal_command,
)
from admin.errors import AdminError
from admin.member_commands import ROLES
from admin.telling import SILENT, CommandError, database_told, say
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# What each act needs is imported in it: SQLAlchemy, the web framework and the keys take a second that
# `--help` and a mistyped command should not.
# ruff: noqa: PLC0415

__all__ = ["ROLES", "main", "parser"]


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Runs the command line and returns its exit status."""
    chosen = parser().parse_args(arguments)
    act: Callable[[argparse.Namespace], None] = chosen.act
    try:
        act(chosen)
    except AdminError as error:
        sys.stderr.write(f"{error}\n")
        return error.status
    except StorageError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130  # as shells count a SIGINT
    return 0


def parser() -> argparse.ArgumentParser:
    """Every command, in the order in which a team needs them."""
    top = argparse.ArgumentParser(
        prog="python -m admin",
        description="The team's side of Dodomu: keys and members, the console, the keeper.",
        epilog=textwrap.dedent("""\
            The first time: database prepare, ceremony, member add. Then keep `serve` and `keeper` running.
            Settings come from the environment (DODOMU_…); one that is missing is named when it is needed.
            docs/keys.md tells who holds which key, and why."""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    database = commands.add_parser("database", help="make the database ready").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    prepare = database.add_parser(
        "prepare",
        help="make roles, tables and rights as this version needs them; safe to run again",
        description="Makes the login roles, the tables and their rights as this version needs them. Safe to run"
        " again: after an update, run it before anything else. DODOMU_SUPERUSER_URL names the database and a"
        " role that may create roles; without it, the PostgreSQL that comes with Dodomu is used.",
    )
    prepare.set_defaults(act=_prepare)

    ceremony = commands.add_parser(
        "ceremony",
        help="make the team's first keys; once",
        description="Makes the ceremony key, the recovery identity and the team's first identities, once, and leads two"
        " people through it: each secret is written as a page to print and as the file that the commands take."
        " Lock the prints away in two places; then delete the files.",
    )
    ceremony_commands.add_to(ceremony)
    relay = commands.add_parser(
        "relay",
        help="name to whom replies are sealed, when the bot's folder is new",
        description="Signs a new manifest that names the bot's relay identity, to which replies are sealed: for a"
        " store from before there were replies, or when the bot's private folder was lost.",
    )
    manifest_commands.add_relay(relay)

    compartments = commands.add_parser(
        "compartments",
        help="make compartments for places, and those that a store of an earlier version lacks",
        description="Makes the compartments of this version that the store lacks, and says where the reports of each"
        " form go; `add` makes one for the reports from some places. Their keys are sealed to the recovery identity"
        " alone; `member give` gives them on.",
    )
    manifest_commands.add_compartments(compartments)
    manifest_commands.add_manifest(
        commands.add_parser("manifest", help="show the signed list of keys, and renew it once a year")
    )

    member = commands.add_parser(
        "member", help="add and list members, change what they open; let them leave, or have new keys"
    )
    key_commands.add_to(member_commands.add_to(member))
    key_commands.add_rotate(
        commands.add_parser(
            "rotate",
            help="begin a new epoch: reports are sealed to a new identity",
            description="Begins a new epoch of each compartment, or of those named: what comes from now on is sealed"
            " to a new identity, which each member whom the signed list names for it has, and recovery. What was"
            " sealed before still opens. Who holds it signs in again.",
        )
    )

    reseal_command.add_to(
        commands.add_parser(
            "reseal",
            help="seal what was sealed to a former epoch anew, to the present one",
            description="Opens every report and file that is sealed to a former epoch, or to another compartment than"
            " its own, and seals it anew, old → new in the custody log. It can be stopped in any way and run again,"
            " while the bot and the console work. What is not as it was received is refused, named and left.",
        )
    )

    custody_commands.add_to(
        commands.add_parser("custody", help="verify the custody log, prove what is in it, name its key")
    )

    serve = commands.add_parser(
        "serve",
        help="serve the console to the team's browsers",
        description="Serves the console until stopped. Its start ends the sessions of an earlier one, whose keys went"
        " with it. docs/console.md",
    )
    serve.set_defaults(act=_serve)
    keeper = commands.add_parser(
        "keeper",
        help="number the custody log, sign and publish its checkpoints, sweep blobs, until stopped",
        description="Numbers the leaves of the custody log as they come, signs its checkpoints and publishes them,"
        " shreds what is due, and removes sealed files to which no report points after a day. Holds the log's own"
        " key, and none that opens anything. SIGTERM and SIGINT end it.",
    )
    keeper.set_defaults(act=_keeper)
    backup_commands.add_backup_to(
        commands.add_parser(
            "backup",
            help="keep all that stays in one sealed file elsewhere; verify one",
            description="Writes all that stays, rows and sealed files of one moment, into one age file that only the"
            " recovery identity opens; then removes older ones. Everything goes on meanwhile. docs/backup.md",
        )
    )
    backup_commands.add_restore_to(
        commands.add_parser(
            "restore",
            help="bring a backup back, into an empty place",
            description="Brings a backup back into an empty database and an empty place of sealed files, as"
            " `database prepare` makes them, without what was shredded since. All of it, or nothing.",
        )
    )
    browse = commands.add_parser(
        "open",
        help="open the console in this machine's browser",
        description="Opens the console in this machine's browser, and shows its address. `serve` must be running.",
    )
    browse.set_defaults(act=_open)
    return top


# ---- the acts ---------------------------------------------------------------------------------------


def _prepare(_: argparse.Namespace) -> None:
    import urllib.parse

    from admin.settings import DATABASE, PrepareSettings, load
    from storage import local, roles, setup

    settings = load(PrepareSettings)
    folder = settings.state / "roles"
    passwords = setup.new_passwords(folder)
    if settings.superuser_url is None:
        with local.acquire(settings.state / "postgres", progress=say) as server, database_told():
            setup.prepare_now(server.superuser_url(), DATABASE, passwords)
        say("The database on this machine is ready.")
        return
    url = settings.superuser_url.get_secret_value()
    name = urllib.parse.unquote(urllib.parse.urlsplit(url).path.strip("/"))
    with database_told():
        try:
            setup.prepare_now(url, name, passwords)
        except OSError:
            raise CommandError(SILENT) from None
    say(f"The database {name} is ready. The passwords of its roles are in {folder}, one file a role:")
    say("\n".join(f"  {role}" for role in roles.LOGIN_ROLES))


def _serve(_: argparse.Namespace) -> None:
    from admin.settings import ConsoleSettings, load

    settings = load(ConsoleSettings)
    from admin.console.web import run

    with database_told():
        run(settings)


def _keeper(_: argparse.Namespace) -> None:
    from admin.settings import KeeperSettings, load

    settings = load(KeeperSettings)
    from admin import keeper
    from admin.custody_settings import CustodySettings

    custody_log = load(CustodySettings)
    with database_told():
        keeper.run(settings, custody_log)


def _open(_: argparse.Namespace) -> None:
    import webbrowser

    from admin.settings import AddressSettings, load

    address = load(AddressSettings).url
    say(address)
    if not webbrowser.open(address):
        raise CommandError(
            "This machine has no browser. Open the address above in one that reaches this machine."
        )


if __name__ == "__main__":
    sys.exit(main())
