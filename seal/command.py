"""`python -m seal`: for a person who has only a file and a key. Flags are those of the `age` tool.

Secrets are typed at a terminal or lie in files, never in arguments, which other users of the machine see.
It never pads: what is sealed is exactly the input.
"""

import argparse
import getpass
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TypeVar

from seal.armoring import BEGIN, Armorer
from seal.errors import MalformedError, SealError, WrongKeyError
from seal.files import Opener, Sealer
from seal.header import NAME
from seal.hybrid import HybridIdentity
from seal.keys import Identity, Recipient, parse_identities, parse_recipient, parse_recipients
from seal.output import write_new, written_whole
from seal.passphrase import ScryptIdentity, ScryptRecipient
from seal.streams import open_bytes, read_steps, through

_STOPPED = 130  # what a shell reports for Ctrl-C

_Key = TypeVar("_Key")


class CommandError(Exception):
    """The sentence that the person at the terminal reads."""


def main(arguments: Sequence[str], *, now: datetime) -> int:
    """Run one command; returns the exit code: 0 done, 1 not done and said why, 2 not understood."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        match chosen.command:
            case "keygen":
                _keygen(chosen.output, now)
            case "seal":
                _seal(chosen, parser)
            case _:
                _open(chosen, parser)
        sys.stdout.flush()
    except (CommandError, SealError) as fault:
        return _refuse(str(fault))
    except BrokenPipeError:
        # Whoever read the output has gone. Python would complain once more when it closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _refuse("The output was closed before everything was written.")
    except OSError as fault:
        return _refuse(": ".join(str(word) for word in (fault.filename, fault.strerror) if word))
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return _STOPPED
    return 0


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"seal: {sentence}\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m seal",
        description="Seal and open age files (age-encryption.org/v1).",
        epilog="Files sealed here open with the age tool, 1.3 or later, and its key files open files here.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    keygen = commands.add_parser("keygen", help="make a key", description="Make a hybrid post-quantum key.")
    keygen.add_argument(
        "-o", "--output", metavar="FILE", help="write the secret key to FILE, which must not exist yet"
    )

    seal = commands.add_parser(
        "seal",
        help="seal a file to public keys or a passphrase",
        description="Seal INPUT to public keys or a passphrase.",
    )
    seal.add_argument(
        "-r", "--recipient", metavar="RECIPIENT", action="append", default=[], help="a public key, age1pq1…"
    )
    seal.add_argument(
        "-R", "--recipients-file", metavar="FILE", action="append", default=[], help="public keys, one a line"
    )
    seal.add_argument("-p", "--passphrase", action="store_true", help="ask for a passphrase instead")
    seal.add_argument("-a", "--armor", action="store_true", help="write text that fits into a letter")
    _add_files(seal)

    opening = commands.add_parser(
        "open",
        help="open a file with a key or a passphrase",
        description="Open INPUT with a key or a passphrase.",
    )
    opening.add_argument(
        "-i",
        "--identity",
        metavar="IDENTITY_FILE",
        action="append",
        default=[],
        help="a file with secret keys; if it is itself sealed under a passphrase, that is asked for",
    )
    opening.add_argument("-p", "--passphrase", action="store_true", help="ask for a passphrase instead")
    _add_files(opening)
    return parser


def _add_files(command: argparse.ArgumentParser) -> None:
    command.add_argument("-o", "--output", metavar="OUT", help="write to OUT (default: standard output)")
    command.add_argument(
        "input", metavar="INPUT", nargs="?", default="-", help="a file, or - for standard input"
    )


def _keygen(output: str | None, now: datetime) -> None:
    identity = HybridIdentity.generate()
    text = (
        f"# created: {now.isoformat(timespec='seconds')}\n"
        f"# public key: {identity.recipient}\n"
        f"{identity.reveal()}\n"
    )
    if output is None:
        sys.stdout.write(text)
    else:
        try:
            write_new(Path(output), text.encode())
        except FileExistsError:
            raise CommandError(f"{output} exists already, and a key is never overwritten.") from None
    if output is not None or not sys.stdout.isatty():
        sys.stderr.write(f"Public key: {identity.recipient}\n")


def _seal(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    to_keys = bool(chosen.recipient or chosen.recipients_file)
    if to_keys == chosen.passphrase:
        parser.error("seal to public keys (-r, -R) or under a passphrase (-p), one of the two")
    if chosen.output is None and not chosen.armor and sys.stdout.isatty():
        raise CommandError(
            "A sealed file would garble the terminal. Name an output (-o), or write text (-a)."
        )
    with _input(chosen) as source:
        sealed = through(Sealer(_recipients(chosen)), read_steps(source))
        _write(through(Armorer(), sealed) if chosen.armor else sealed, chosen.output)


def _open(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    if bool(chosen.identity) == chosen.passphrase:
        parser.error("open with key files (-i) or a passphrase (-p), one of the two")
    with _input(chosen) as source:
        identities: list[Identity] = []
        if chosen.passphrase:
            identities.append(ScryptIdentity(_ask("Passphrase: ")))
        for path in chosen.identity:
            identities += _identities(path)
        _write(through(Opener(identities), read_steps(source)), chosen.output)


def _recipients(chosen: argparse.Namespace) -> list[Recipient]:
    if chosen.passphrase:
        passphrase = _ask("Passphrase: ")
        if not passphrase:
            raise CommandError("An empty passphrase protects nothing.")
        if _ask("The same again: ") != passphrase:
            raise CommandError("The two passphrases differ.")
        return [ScryptRecipient(passphrase)]
    recipients: list[Recipient] = [parse_recipient(text) for text in chosen.recipient]
    for path in chosen.recipients_file:
        recipients += _keys(path, parse_recipients, Path(path).read_bytes())
    return recipients


def _identities(path: str) -> list[Identity]:
    data = Path(path).read_bytes()
    if data.lstrip().startswith((NAME, BEGIN)):
        passphrase = _ask(f"Passphrase of {path}: ")
        try:
            data = open_bytes(data, [ScryptIdentity(passphrase)])
        except WrongKeyError:
            raise CommandError(f"{path}: This passphrase does not open it.") from None
        except SealError as fault:
            raise CommandError(f"{path}: {fault}") from None
    return [*_keys(path, parse_identities, data)]


def _keys(path: str, parse: Callable[[str], Sequence[_Key]], data: bytes) -> Sequence[_Key]:
    try:
        return parse(data.decode("utf-8", errors="replace"))
    except MalformedError as fault:
        raise CommandError(f"{path}: {fault}") from None


def _ask(prompt: str) -> str:
    """A passphrase typed at the terminal, which does not show it."""
    with warnings.catch_warnings():
        # Without a terminal getpass would read it from standard input, in sight.
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(prompt)
        except (getpass.GetPassWarning, EOFError):
            raise CommandError("A passphrase can only be typed at a terminal.") from None


@contextmanager
def _input(chosen: argparse.Namespace) -> Iterator[BinaryIO]:
    if chosen.input == "-":
        yield sys.stdin.buffer
        return
    source, output = Path(chosen.input), Path(chosen.output or "-")
    with source.open("rb") as stream:
        if output.is_file() and output.samefile(source):
            raise CommandError("Input and output are the same file.")
        yield stream


def _write(pieces: Iterable[bytes], output: str | None) -> None:
    if output is None or output == "-":
        sys.stdout.buffer.writelines(pieces)
        return
    with written_whole(Path(output)) as stream:
        stream.writelines(pieces)
