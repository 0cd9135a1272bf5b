"""Who is signed in. A token is kept only as its SHA-256; a session ends idle, by age, or with its member.

session = await find(pool, sha256(token), now=now, idle=timedelta(minutes=20))

A session remembers when and from which network its second factor was proved last, and the client certificate it
began with; both as hashes under a key of the console's process.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from storage.database import Connection, Database

_SELECT = """SELECT s.token_sha256, m.id, m.call_sign, m.role, s.created_at, s.seen_at, s.proved_at, s.network,
s.certificate FROM sessions s JOIN members m ON m.id = s.member"""
_ALIVE = "s.expires_at > $1 AND s.seen_at > $2 AND m.left_hour IS NULL"


@dataclass(frozen=True, slots=True)
class Session:
    """A live session and whose it is. `role` is the member's role now, not at sign-in."""

    id: bytes  # SHA-256 of the token
    member: uuid.UUID
    call_sign: str
    role: str
    created_at: datetime
    seen_at: datetime
    proved_at: datetime
    network: bytes = field(repr=False)
    certificate: bytes | None = field(repr=False)


async def start(
    connection: Connection,
    token_sha256: bytes,
    member: uuid.UUID,
    now: datetime,
    lasts: timedelta,
    *,
    network: bytes,
    certificate: bytes | None,
) -> None:
    """Keeps a new session, in the caller's transaction: the second factor was proved now, from this network."""
    await connection.execute(
        "INSERT INTO sessions (token_sha256, member, created_at, seen_at, proved_at, expires_at, network, certificate)"
        " VALUES ($1, $2, $3, $3, $3, $4, $5, $6)",
        token_sha256,
        member,
        now,
        now + lasts,
        network,
        certificate,
    )


async def find(
    connection: Database, token_sha256: bytes, *, now: datetime, idle: timedelta
) -> Session | None:
    """The session, if it has not ended and its member has not left."""
    row = await connection.fetchrow(
        f"{_SELECT} WHERE {_ALIVE} AND s.token_sha256 = $3", now, now - idle, token_sha256
    )
    return Session(*row.values()) if row else None


async def listed(
    connection: Database, *, now: datetime, idle: timedelta, member: uuid.UUID | None = None
) -> list[Session]:
    """The live sessions of a member, or of all, by call sign and then the newest first."""
    rows = await connection.fetch(
        f"{_SELECT} WHERE {_ALIVE} AND ($3::uuid IS NULL OR m.id = $3) ORDER BY m.call_sign, s.created_at DESC",
        now,
        now - idle,
        member,
    )
    return [Session(*row.values()) for row in rows]


async def touch(connection: Database, token_sha256: bytes, now: datetime) -> None:
    """Notes that the member did something: the idle time begins anew."""
    await connection.execute("UPDATE sessions SET seen_at = $2 WHERE token_sha256 = $1", token_sha256, now)


async def prove(connection: Database, token_sha256: bytes, now: datetime, network: bytes) -> None:
    """Notes that the second factor was proved now, from this network."""
    await connection.execute(
        "UPDATE sessions SET proved_at = $2, network = $3 WHERE token_sha256 = $1", token_sha256, now, network
    )


async def end(connection: Database, token_sha256: bytes) -> uuid.UUID | None:
    """Ends one session; returns whose it was, None if it had ended already."""
    member: uuid.UUID | None = await connection.fetchval(
        "DELETE FROM sessions WHERE token_sha256 = $1 RETURNING member", token_sha256
    )
    return member


async def end_lapsed(connection: Database, *, now: datetime, idle: timedelta) -> None:
    """Ends what is idle, too old, or of a member who left."""
    await connection.execute(
        """DELETE FROM sessions s USING members m WHERE m.id = s.member
           AND (s.expires_at <= $1 OR s.seen_at <= $2 OR m.left_hour IS NOT NULL)""",
        now,
        now - idle,
    )


async def gone(connection: Database, known: Iterable[bytes]) -> list[bytes]:
    """Those of these sessions that have no row any more, whoever took it away."""
    rows = await connection.fetch(
        """SELECT k.id FROM unnest($1::bytea[]) AS k (id)
           WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.token_sha256 = k.id)""",
        list(known),
    )
    return [row["id"] for row in rows]


async def end_all(connection: Database) -> None:
    """Ends every session: their keys went with the process that held them."""
    await connection.execute("DELETE FROM sessions")
