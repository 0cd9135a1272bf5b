"""What one chat gave today, counted so that a flood is seen by every process and after a restart, and no chat is named.

A tally's key is a keyed hash of the day and the chat's address: another each day, like no name in any other table.
Tallies are forgotten when their day is over.
"""

from dataclasses import dataclass
from datetime import date

from storage.database import Connection, Database
from storage.secrets import ProcessSecret

_MIB = 1024 * 1024
_ADD = """INSERT INTO tallies (tally, day, reports, mebibytes) VALUES ($1, $2, $3, $4)
ON CONFLICT (tally) DO UPDATE SET reports = tallies.reports + excluded.reports,
mebibytes = tallies.mebibytes + excluded.mebibytes RETURNING reports, mebibytes"""


@dataclass(frozen=True, slots=True)
class Tally:
    """Reports sent, and the sizes of files, each rounded up to whole MiB."""

    reports: int = 0
    mebibytes: int = 0


def name(secret: ProcessSecret, address: int, day: date) -> bytes:
    """The key of a chat's tally of a day: 32 bytes."""
    return secret.mac("tally", f"{day.isoformat()} {address}".encode())


async def read(connection: Connection, tally: bytes) -> Tally:
    """What was counted so far."""
    row = await connection.fetchrow("SELECT reports, mebibytes FROM tallies WHERE tally = $1", tally)
    return Tally(row["reports"], row["mebibytes"]) if row else Tally()


async def add(connection: Connection, tally: bytes, day: date, *, reports: int = 0, size: int = 0) -> Tally:
    """Counts more, in the caller's transaction; what it is now. `size` in bytes."""
    row = await connection.fetchrow(_ADD, tally, day, reports, mebibytes(size))
    assert row is not None, "an upsert returns its row"
    return Tally(row["reports"], row["mebibytes"])


async def forget(database: Database, today: date) -> None:
    """Deletes the tallies of days that are over; a visit that began before midnight may still count yesterday."""
    await database.execute("DELETE FROM tallies WHERE day < $1", today)


def mebibytes(size: int) -> int:
    """Whole MiB that hold so many bytes."""
    return -(-size // _MIB)
