"""`python -m admin custody`: the log's key, its dump, its proofs, and their verification, which needs no database."""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from admin.member_commands import needs_ceremony_key
from admin.telling import CommandError, connected, say

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import asyncpg
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from admin.custody_heads import Trust
    from admin.custody_proofs import Checked

# What each act needs is imported in it, as in `admin.__main__`.
# ruff: noqa: PLC0415

_Result = TypeVar("_Result")


def add_to(custody: argparse.ArgumentParser) -> None:
    """`name-log`, `dump`, `verify`, `prove`, `check` and `cosign`."""
    commands = custody.add_subparsers(title="commands", metavar="COMMAND", required=True)
    name = commands.add_parser(
        "name-log",
        help="name the log's key in the manifest, so that checkpoints are believed",
        description="Signs a new manifest that names the log's key of this state folder: from then on a checkpoint is"
        " believed by whoever has the ceremony key's public half. Run it once, where the keeper runs, and again when"
        " its state folder was lost.",
    )
    needs_ceremony_key(name)
    name.set_defaults(act=_name_log)
    dump = commands.add_parser(
        "dump",
        help="write what others need to verify the log",
        description="Writes the log, its checkpoints and the hashes of what is kept into a new folder: no content, and"
        " nothing secret, but ids and hours of every act.",
    )
    dump.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    dump.set_defaults(act=_dump)
    verify = commands.add_parser(
        "verify",
        help="verify a dump, offline",
        description="Verifies a dump against checkpoints that were published. Needs no database and no setting. Exit"
        " status 0: the log holds; 1: it does not, and what is wrong is named.",
    )
    verify.add_argument("dump", type=Path, metavar="DUMP", help="the folder that `custody dump` wrote")
    verify.add_argument(
        "--checkpoints", type=Path, nargs="+", action="extend", default=[], metavar="FILE_OR_DIR",
        help="checkpoints from outside: a folder of them, or a file with what stood in the channel",
    )  # fmt: skip
    _takes_trust(verify)
    verify.set_defaults(act=_verify)
    prove = commands.add_parser(
        "prove",
        help="write the proof that some acts are in the log",
        description="Writes a file that proves one leaf, or all leaves about a report, a file, a member or another"
        " object: what a court needs, without the rest of the log.",
    )
    prove.add_argument("wanted", metavar="OBJECT_OR_INDEX", help="an id, or the number of a leaf")
    prove.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file")
    prove.set_defaults(act=_prove)
    check = commands.add_parser("check", help="check a proof, offline")
    check.add_argument("proof", type=Path, metavar="FILE", help="the file that `custody prove` wrote")
    _takes_trust(check)
    check.set_defaults(act=_check)
    cosign = commands.add_parser(
        "cosign",
        help="keep what witnesses signed",
        description="Takes a checkpoint that witnesses have cosigned (cosignature/v1), verifies the lines of those whom"
        " DODOMU_WITNESSES names, and keeps them.",
    )
    cosign.add_argument(
        "note", type=Path, metavar="NOTE_FILE", help="the checkpoint with the witnesses' lines"
    )
    cosign.set_defaults(act=_cosign)


def _takes_trust(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--ceremony-public", metavar="HEX", help="the ceremony key's public half: it signed which key the log has"
    )  # fmt: skip
    command.add_argument(
        "--log-key", action="append", default=[], metavar="VKEY", help="the log's verifier key, NAME+HASH+KEY"
    )
    command.add_argument(
        "--witness", action="append", default=[], metavar="VKEY", help="a witness's verifier key; may be said again"
    )  # fmt: skip
    command.add_argument(
        "--timestamps", type=Path, metavar="FILE", help="root certificates of time-stamp authorities, in PEM"
    )


# ---- on the server ----------------------------------------------------------------------------------


def _name_log(chosen: argparse.Namespace) -> None:
    from admin import checkpoints, manifests, papers
    from admin.custody_settings import CustodySettings
    from admin.settings import KeeperSettings, load, seen_manifest
    from storage.manifest import SeenSerial

    state = load(KeeperSettings).state
    signer = papers.read_ceremony_key(chosen.ceremony_key)
    log = checkpoints.Log.at(state, load(CustodySettings).log_origin)
    seen = SeenSerial(seen_manifest(state, "keeper"))
    named = _with_database(
        lambda connection: manifests.name_log(
            connection, log.vkey, signer=signer, seen=seen, now=datetime.now(UTC)
        )
    )
    say(f"Manifest {named.serial} names the log's key. Publish it; it is not secret:\n\n  {log.vkey}")


def _dump(chosen: argparse.Namespace) -> None:
    from admin.custody_dump import dump

    about = _with_database(lambda connection: dump(connection, chosen.out, datetime.now(UTC)))
    say(
        f"{chosen.out}: {about['leaves']} leaves, {about['items']} items, {about['checkpoints']} checkpoints.\n"
        f"Verify it anywhere: python -m admin custody verify {chosen.out} --ceremony-public HEX --checkpoints FILE"
    )


def _prove(chosen: argparse.Namespace) -> None:
    from admin.custody_proofs import prove

    proof = _with_database(lambda connection: prove(connection, chosen.wanted))
    try:
        with chosen.out.open("xb") as file:
            file.write(proof + b"\n")
    except OSError as error:
        raise CommandError(f"{chosen.out} cannot be written: {error.strerror}.") from None
    say(f"Check it anywhere: python -m admin custody check {chosen.out} --ceremony-public HEX")


def _cosign(chosen: argparse.Namespace) -> None:
    from admin.checkpoints import take_cosignatures
    from admin.custody_settings import CustodySettings
    from admin.settings import load

    witnesses = load(CustodySettings).witnesses.split()
    if not witnesses:
        raise CommandError("DODOMU_WITNESSES names no witness: whose lines are to be believed is not known.")
    note = _read(chosen.note)
    kept = _with_database(
        lambda connection: take_cosignatures(connection, note, witnesses, datetime.now(UTC))
    )
    say(f"Kept for {kept.size} leaves: {', '.join(kept.witnesses) or 'nothing new'}.")


def _with_database(act: "Callable[[asyncpg.Connection], Awaitable[_Result]]") -> "_Result":
    from admin.settings import KeeperSettings, load

    settings = load(KeeperSettings)
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def run(url: str) -> "_Result":
        async with connected(url) as connection:
            return await act(connection)

    with settings.database(say) as url:
        return asyncio.run(run(url))


# ---- anywhere ---------------------------------------------------------------------------------------


def _verify(chosen: argparse.Namespace) -> None:
    from admin.custody_verify import verify

    findings = verify(chosen.dump, chosen.checkpoints, _trust(chosen), _progress())
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    say(_printable(findings.text()))
    if not findings.holds:
        raise CommandError("What is wrong stands above.")


def _progress() -> "Callable[[int, int], None]":
    """A line that changes in its place, for a person at a terminal."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{done} of {max(total, done)} leaves")
            sys.stderr.flush()

    return show


def _check(chosen: argparse.Namespace) -> None:
    from admin.custody_proofs import check

    checked = check(_read(chosen.proof), _trust(chosen))
    say(_printable(_told(checked)))


def _told(checked: "Checked") -> str:
    head = checked.checkpoint
    lines = [f"In the log {head.origin}, signed over {head.size} leaves:"]
    for index, leaf in sorted(checked.leaves.items()):
        lines.append(
            f"  leaf {index}: {leaf['hour']}  {leaf['kind']}  object {leaf['object']}  by {leaf['actor']}"
        )
    lines += [f"Cosigned by {witness}." for witness in checked.witnesses]
    lines += [
        f"{authority}: it existed at {at:%Y-%m-%d %H:%M:%S} UTC." for authority, at in checked.stamps.items()
    ]
    return "\n".join(lines)


def _printable(text: str) -> str:
    """Without what would steer a terminal: names in a dump are whatever its maker wrote."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in text)


def _trust(chosen: argparse.Namespace) -> "Trust":
    from admin import timestamps
    from admin.custody_heads import Trust
    from storage import notes
    from storage.errors import MalformedNoteError

    if not chosen.log_key and not chosen.ceremony_public:
        raise CommandError(
            "Say whom to believe: --ceremony-public, the 64 hexadecimal digits that the ceremony printed, or --log-key."
        )
    try:
        for key in chosen.log_key:
            notes.log_name(key)
        for key in chosen.witness:
            notes.witness_name(key)
    except MalformedNoteError as error:
        raise CommandError(f"A verifier key is not usable: {error}.") from None
    return Trust(
        log_keys=chosen.log_key,
        ceremony_key=_public(chosen.ceremony_public) if chosen.ceremony_public else None,
        witnesses=chosen.witness,
        roots=timestamps.read_roots(chosen.timestamps) if chosen.timestamps else [],
    )


def _public(text: str) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))
    except ValueError:
        raise CommandError(
            "--ceremony-public is the 64 hexadecimal digits that the ceremony printed."
        ) from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
