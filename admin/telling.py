"""What stands in the way of a command is told in a sentence; a database's own words, which may repeat what was given,
never are.
"""

import contextlib
import getpass
import sys
from typing import TYPE_CHECKING

from admin.errors import AdminError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import asyncpg

# asyncpg and SQLAlchemy are imported where they are needed: `--help` does not wait for them.
# ruff: noqa: PLC0415

SILENT = "The database does not answer. Is it running, and does its DODOMU_…_URL name the right host?"
_UNPREPARED = (
    "The database refuses this role: its password is another, or the database is not prepared."
    " Run: python -m admin database prepare"
)
_NOT_MIGRATED = "The tables could not be brought to this version. End the other processes and try again."


class CommandError(AdminError):
    """A command cannot be done; the text says why."""


@contextlib.asynccontextmanager
async def connected(url: str) -> "AsyncIterator[asyncpg.Connection]":
    """One connection; whatever the database refuses is told."""
    import asyncpg

    with database_told():
        try:
            connection = await asyncpg.connect(url, timeout=10)
        except OSError:
            raise CommandError(SILENT) from None
        try:
            yield connection
        finally:
            await connection.close()


@contextlib.contextmanager
def database_told() -> "Iterator[None]":
    """Turns what a database may answer into a sentence; its own words may repeat what was given."""
    import asyncpg
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (
        asyncpg.InvalidCatalogNameError,
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.InsufficientPrivilegeError,
        asyncpg.UndefinedTableError,
    ) as error:
        raise CommandError(f"{_UNPREPARED} ({type(error).__name__})") from None
    except (
        asyncpg.PostgresConnectionError,
        asyncpg.OperatorInterventionError,
        asyncpg.InsufficientResourcesError,
        asyncpg.InterfaceError,
        ConnectionError,
    ):
        raise CommandError(SILENT) from None
    except SQLAlchemyError as error:
        raise CommandError(f"{_NOT_MIGRATED} ({type(error).__name__})") from None


def ask_passphrase(prompt: str) -> str:
    """Asked without showing it; from a pipe, its first line."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def asks() -> bool:
    """Whether a person sits at a terminal, who can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def answer(question: str) -> str:
    """What a person at the terminal types; "" when they went away."""
    try:
        return input(question).strip()
    except EOFError:
        return ""


def say(text: str) -> None:
    """A line for the person at the terminal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
