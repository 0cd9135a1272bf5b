"""Second factors besides the authenticator app's: each row is sealed to its member, and nothing is used twice.

    for row in await of_member(pool, member.id): ...
    if not await count_up(connection, row.id, signs): ...      # a copy of the key has signed already

A row by itself is trusted by nobody: `admin.console.factors` opens it and checks whose it is.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from storage.custody import hour
from storage.database import Connection, Database
from storage.errors import ConflictError

SECURITY_KEY, RECOVERY_CODES = "security key", "recovery codes"


@dataclass(frozen=True, slots=True)
class Factor:
    """A row of `factors` that has not been removed. `counter` is how often a security key says it has signed."""

    id: uuid.UUID
    member: uuid.UUID
    kind: str
    sealed: bytes = field(repr=False)
    counter: int
    added_hour: datetime


async def of_member(connection: Database, member: uuid.UUID) -> list[Factor]:
    """A member's second factors, the oldest first."""
    rows = await connection.fetch(
        """SELECT id, member, kind, sealed, counter, added_hour FROM factors
           WHERE member = $1 AND removed_hour IS NULL ORDER BY added_hour, id""",
        member,
    )
    return [Factor(**row) for row in rows]


async def add(connection: Connection, factor: Factor) -> None:
    """Adds a second factor, in the caller's transaction. ConflictError: a set of recovery codes is there already."""
    try:
        await _insert(connection, factor)
    except asyncpg.UniqueViolationError:
        raise ConflictError from None


async def _insert(connection: Connection, factor: Factor) -> None:
    await connection.execute(
        "INSERT INTO factors (id, member, kind, sealed, counter, added_hour) VALUES ($1, $2, $3, $4, $5, $6)",
        factor.id, factor.member, factor.kind, factor.sealed, factor.counter, hour(factor.added_hour),
    )  # fmt: skip


async def remove(connection: Connection, member: uuid.UUID, factor: uuid.UUID, at: datetime) -> bool:
    """Removes one of a member's second factors, in the caller's transaction; False when there is none such."""
    removed = await connection.fetchval(
        """UPDATE factors SET removed_hour = $3
           WHERE id = $1 AND member = $2 AND removed_hour IS NULL RETURNING true""",
        factor,
        member,
        hour(at),
    )
    return removed is True


async def remove_codes(connection: Connection, member: uuid.UUID, at: datetime) -> list[uuid.UUID]:
    """Removes a member's recovery codes, in the caller's transaction; which set it was."""
    rows = await connection.fetch(
        """UPDATE factors SET removed_hour = $3
           WHERE member = $1 AND kind = $2 AND removed_hour IS NULL RETURNING id""",
        member,
        RECOVERY_CODES,
        hour(at),
    )
    return [row["id"] for row in rows]


async def count_up(connection: Connection, factor: uuid.UUID, counter: int) -> bool:
    """Notes a security key's counter; False when it has not grown (WebAuthn, section 6.1.1) or the key was removed.

    A key that does not count says 0 always.
    """
    grown = await connection.fetchval(
        """UPDATE factors SET counter = $2 WHERE id = $1 AND removed_hour IS NULL
           AND (counter < $2 OR (counter = 0 AND $2 = 0)) RETURNING true""",
        factor,
        counter,
    )
    return grown is True


async def use_code(connection: Connection, factor: uuid.UUID, number: int, at: datetime) -> bool:
    """Uses up one recovery code; False when it was used already. Two at once: one succeeds."""
    used = await connection.fetchval(
        """INSERT INTO used_codes (factor, number, used_hour)
           SELECT id, $2, $3 FROM factors WHERE id = $1 AND removed_hour IS NULL
           ON CONFLICT DO NOTHING RETURNING true""",
        factor,
        number,
        hour(at),
    )
    return used is True


async def used_codes(connection: Database, factor: uuid.UUID) -> int:
    """How many recovery codes of a set have been used."""
    return int(await connection.fetchval("SELECT count(*) FROM used_codes WHERE factor = $1", factor))
