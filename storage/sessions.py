"""Who is signed in. A token is kept only as its SHA-256; a session ends idle, by age, or with its member.

session = await find(pool, sha256(token), now=now, idle=timedelta(minutes=20))
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.database import Connection, Database


@dataclass(frozen=True, slots=True)
class Session:
    """A live session and whose it is. `role` is the member's role now, not at sign-in."""

    id: bytes  # SHA-256 of the token
    member: uuid.UUID
    call_sign: str
    role: str
    seen_at: datetime


async def start(
    connection: Connection,
    token_sha256: bytes,
    member: uuid.UUID,
    now: datetime,
    lasts: timedelta,
    *,
    network: bytes = bytes(32),
) -> None:
    """Keeps a new session, in the caller's transaction."""
    await connection.execute(
        "INSERT INTO sessions (token_sha256, member, created_at, seen_at, proved_at, expires_at, network)"
        " VALUES ($1, $2, $3, $3, $3, $4, $5)",
        token_sha256,
        member,
        now,
        now + lasts,
        network,
    )


async def find(
    connection: Database, token_sha256: bytes, *, now: datetime, idle: timedelta
) -> Session | None:
    """The session, if it has not ended and its member has not left."""
    row = await connection.fetchrow(
        """SELECT s.token_sha256, s.seen_at, m.id, m.call_sign, m.role FROM sessions s JOIN members m ON m.id = s.member
           WHERE s.token_sha256 = $1 AND s.expires_at > $2 AND s.seen_at > $3 AND m.left_hour IS NULL""",
        token_sha256,
        now,
        now - idle,
    )
    return (
        Session(row["token_sha256"], row["id"], row["call_sign"], row["role"], row["seen_at"])
        if row
        else None
    )


async def touch(connection: Database, token_sha256: bytes, now: datetime) -> None:
    """Notes that the member did something: the idle time begins anew."""
    await connection.execute("UPDATE sessions SET seen_at = $2 WHERE token_sha256 = $1", token_sha256, now)


async def end(connection: Database, token_sha256: bytes) -> None:
    """Ends one session."""
    await connection.execute("DELETE FROM sessions WHERE token_sha256 = $1", token_sha256)


async def end_lapsed(connection: Database, *, now: datetime, idle: timedelta) -> list[bytes]:
    """Ends what is idle, too old, or of a member who left; returns the ids of what it ended."""
    rows = await connection.fetch(
        """DELETE FROM sessions s USING members m WHERE m.id = s.member
           AND (s.expires_at <= $1 OR s.seen_at <= $2 OR m.left_hour IS NOT NULL) RETURNING s.token_sha256""",
        now,
        now - idle,
    )
    return [row["token_sha256"] for row in rows]


async def end_all(connection: Database) -> None:
    """Ends every session: their keys went with the process that held them."""
    await connection.execute("DELETE FROM sessions")
