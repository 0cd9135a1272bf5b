"""`python -m admin backup`, `backup verify`, `restore`: what is kept elsewhere, whether it is whole, its way back."""

import argparse
import asyncio
import contextlib
import urllib.parse
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from admin.telling import SILENT, CommandError, connected, database_told, say
from storage.errors import BackupError, ManifestError

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Iterator

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from admin.backup_checks import Checked
    from admin.restore import Restored
    from admin.settings import RestoreSettings, TrustedSettings
    from storage.blobs import Blobs

# What each act needs is imported in it, as in `admin.__main__`.
# ruff: noqa: PLC0415

KEEP_DAYS = 30


def add_backup_to(backup: argparse.ArgumentParser) -> None:
    """`backup --to` and `backup verify`."""
    backup.add_argument(
        "--to", metavar="PLACE", help="a folder, best another machine's, or s3://BUCKET/PREFIX"
    )
    backup.add_argument(
        "--keep-days", type=_days, default=KEEP_DAYS, metavar="DAYS", help="how long a backup is kept there:"
        f" {KEEP_DAYS} unless said; what is erased is in older ones so long",
    )  # fmt: skip
    backup.add_argument(
        "--without-file", action="append", default=[], metavar="NAME", help="a sealed file that is lost: the backup is"
        " made all the same, and says so; may be said again",
    )  # fmt: skip
    _needs_ceremony_public(backup)
    backup.set_defaults(act=partial(_backup, backup))
    commands = backup.add_subparsers(title="commands", metavar="COMMAND")
    verify = commands.add_parser(
        "verify",
        help="read a backup to its end and check it, restoring nothing",
        description="Reads a backup to its end: it opens, every row and sealed file is there and is what it was, the"
        " manifest is signed, the custody log is whole and has the roots of its checkpoints. Nothing is restored.",
    )
    _needs_file_and_recovery(verify)
    verify.set_defaults(act=_verify)


def add_restore_to(restore: argparse.ArgumentParser) -> None:
    """`restore`."""
    _needs_file_and_recovery(restore)
    ledger = restore.add_mutually_exclusive_group(required=True)
    ledger.add_argument(
        "--ledger",
        type=Path,
        metavar="FILE",
        help="the newest erasures.ndjson: what was shredded does not return",
    )
    ledger.add_argument(
        "--without-ledger",
        action="store_true",
        help="there is none any more: what was shredded since returns",
    )
    restore.set_defaults(act=_restore)


def _needs_file_and_recovery(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help="the backup")
    command.add_argument(
        "--recovery", type=Path, required=True, metavar="FILE", help="the recovery identity's file"
    )
    _needs_ceremony_public(command)


def _needs_ceremony_public(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--ceremony-public", metavar="HEX", help="the ceremony key's public half, unless DODOMU_CEREMONY_KEY is set"
    )  # fmt: skip


def _days(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a whole number of days, at least 1")
    return int(text)


def _ceremony_public(given: str | None, setting: str) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(given or setting))
    except ValueError:
        raise CommandError(
            "Set DODOMU_CEREMONY_KEY, or say --ceremony-public: the 64 hexadecimal digits that the ceremony printed."
            " What it has not signed is not trusted."
        ) from None


# ---- the acts ---------------------------------------------------------------------------------------


def _backup(command: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    from admin import backup, backup_places
    from admin.settings import TrustedSettings, load, seen_manifest
    from storage.blobs import Blobs
    from storage.erasures import Ledger
    from storage.manifest import SeenSerial

    if chosen.to is None:
        command.error("say where to: --to PLACE")
    settings = load(TrustedSettings)
    blobs = Blobs.open(settings.blobs_at, settings.s3())
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    to = backup_places.opened(chosen.to, settings.s3())
    terms = backup.Terms(
        ceremony_key=_ceremony_public(chosen.ceremony_public, settings.ceremony_key),
        seen=SeenSerial(seen_manifest(settings.state, "keeper")),
        now=datetime.now(UTC),
        keep=timedelta(days=chosen.keep_days),
        lost=frozenset(chosen.without_file),
    )

    async def make(url: str) -> backup.Made:
        async with connected(url) as connection:
            return await backup.make(connection, blobs, Ledger(settings.ledger), to, terms, say)

    with settings.database(say) as url:
        made = asyncio.run(make(url))
    say(f"\n{made.name} is whole: {made.size / 1e6:.1f} MB, {made.head.rows['reports']} reports.")
    say(f"SHA-256 {made.sha256.hex()}")
    if made.shredded:
        say(f"Shredded while it was made: {made.shredded} sealed files.")
    if made.removed:
        say(f"Older than {chosen.keep_days} days, and removed: {', '.join(made.removed)}")


def _verify(chosen: argparse.Namespace) -> None:
    from admin.settings import TrustedSettings, load

    settings = load(TrustedSettings)
    try:
        checked = _checked(chosen, settings.ceremony_key)
    except (BackupError, ManifestError):
        _on_record(settings)
        raise
    head = checked.head
    checkpoint = "none" if checked.checkpoint is None else f"of {checked.checkpoint} leaves"
    say(
        f"\n{chosen.file} is whole.\n"
        f"Taken {head.hour}, schema {head.schema_revision}, manifest {head.manifest}.\n"
        f"Reports: {head.rows['reports']}. Sealed files: {head.blobs}. Members: {head.rows['members']}.\n"
        f"Custody log: {head.rows['custody_sequence']} leaves, newest checkpoint: {checkpoint}.\n"
        f"SHA-256 {checked.sha256.hex()}"
    )
    if checked.lost:
        say("Lost before it was made, and not in it:\n  " + "\n  ".join(checked.lost))
    if checked.unnamed:
        say(
            f"Checkpoints of a key that no manifest names: {checked.unnamed}. Their roots are right (docs/custody.md)."
        )


def _on_record(settings: "TrustedSettings") -> None:
    """Where this machine has the store, a backup that is not whole is told in its log."""
    from storage.refusals import Refusal, refused

    if settings.keeper_database_url is None and not (settings.state / "postgres").exists():
        return

    async def write(url: str) -> None:
        async with connected(url) as connection:
            await refused(connection, Refusal.BACKUP, obj="backup", actor="keeper", now=datetime.now(UTC))

    try:
        with settings.database(say) as url:
            asyncio.run(write(url))
    except CommandError as error:
        say(f"It could not be written into the custody log: {error}")


def _checked(chosen: argparse.Namespace, ceremony_key: str) -> "Checked":
    from admin import ceremony
    from admin.backup_checks import check

    public = _ceremony_public(chosen.ceremony_public, ceremony_key)
    return check(chosen.file, ceremony.read_recovery(chosen.recovery), public, say)


def _restore(chosen: argparse.Namespace) -> None:
    from admin.settings import RestoreSettings, load
    from storage.blobs import Blobs
    from storage.erasures import Ledger

    settings = load(RestoreSettings)
    blobs = Blobs.open(settings.blobs_at, settings.s3())
    ledger = Ledger(chosen.ledger) if chosen.ledger else None
    if chosen.ledger and not chosen.ledger.is_file():
        raise CommandError(f"There is no ledger {chosen.ledger}.")
    erased = ledger.read() if ledger else {}
    if ledger is None:
        say("Without the ledger, what was shredded after this backup returns. Shred it again by hand.")
    checked = _checked(chosen, settings.ceremony_key)
    _tell_of_older_manifest(settings.state, checked)
    with _server(settings) as (url, name), database_told():
        try:
            restored = asyncio.run(_into(url, name, blobs, chosen, checked, erased, settings.state / "roles"))
        except ConnectionError:
            raise CommandError(SILENT) from None
    Ledger(settings.ledger).add(erased.items())
    say(
        f"\n{chosen.file.name} is restored: {checked.head.rows['reports']} reports, {restored.files} sealed files."
        f" Shredded again: {len(restored.shredded_again)}.\n"
        f"The passwords of the database's roles are in {settings.state / 'roles'}, one file a role.\n"
        "Return words, and chats to answer in, need the bot's private folder as it was: docs/backup.md."
    )


async def _into(
    server_url: str,
    name: str,
    blobs: "Blobs",
    chosen: argparse.Namespace,
    checked: "Checked",
    erased: "Iterable[uuid.UUID]",
    passwords: Path,
) -> "Restored":
    from admin import ceremony
    from admin.restore import Target, refuse_full, restore
    from storage import setup

    url = setup.with_database(server_url, name)
    await refuse_full(url, blobs)  # before anything is migrated that is in use
    await setup.prepare(server_url, name, setup.new_passwords(passwords))
    recovery, target = ceremony.read_recovery(chosen.recovery), Target(url, blobs)
    return await restore(chosen.file, recovery, checked, target, erased, datetime.now(UTC), say)


@contextlib.contextmanager
def _server(settings: "RestoreSettings") -> "Iterator[tuple[str, str]]":
    """A URL of the server as its superuser, and the database's name."""
    from admin.settings import DATABASE
    from storage import local

    if settings.superuser_url is None:
        with local.acquire(settings.state / "postgres", progress=say) as server:
            yield server.superuser_url(), DATABASE
        return
    url = settings.superuser_url.get_secret_value()
    yield url, urllib.parse.unquote(urllib.parse.urlsplit(url).path.strip("/"))


def _tell_of_older_manifest(state: Path, checked: "Checked") -> None:
    """Processes that have seen a newer one will refuse to serve; a person decides."""
    seen = {
        path: int(path.read_text().split()[0])
        for path in (*state.glob("seen-manifest-*"), *state.glob("bot/manifest-serial"))
    }
    serial = checked.manifest.serial
    newer = sorted(str(path) for path, known in seen.items() if known > serial)
    if newer:
        say(
            f"The backup's newest manifest is {serial}, and manifest {max(seen.values())} was already seen here."
            " Whoever left or was reset after this backup is a member in it. The processes that have seen the newer one"
            " will refuse to serve until a person has decided (docs/backup.md); they remember it in:\n  "
            + "\n  ".join(newer)
        )
