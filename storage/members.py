"""Who the members are, and the team identities sealed to each: their secrets stand here as ciphertext only.

    member = await by_call_sign(connection, "swift")
    key = await team_key(connection, "team", 1, member.id)

A row by itself is trusted by nobody: what counts is that the signed manifest names the same keys
(`storage.manifest`), and that the member's passphrase opens it (`admin.keys.unlock`).
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from storage.custody import hour
from storage.database import Connection, Database

RECOVERY = uuid.UUID(int=0)
"""The holder of the copy of a team identity that is sealed to the offline recovery identity."""


@dataclass(frozen=True, slots=True)
class Member:
    """A row of `members`.

    `recipient` is `age1pq1…`, `signing_key` the 32 bytes of an Ed25519 public key. `identity` is an age file
    under the member's passphrase; `signing_secret` and `totp` are bodies sealed to `recipient`.
    """

    id: uuid.UUID
    call_sign: str
    role: str
    recipient: str = field(repr=False)
    signing_key: bytes = field(repr=False)
    identity: bytes = field(repr=False)
    signing_secret: bytes = field(repr=False)
    totp: bytes = field(repr=False)
    totp_step: int
    joined_hour: datetime
    left_hour: datetime | None


@dataclass(frozen=True, slots=True)
class TeamKey:
    """A row of `team_keys`: the private half of a compartment's team identity, sealed to one holder."""

    compartment: str
    epoch: int
    holder: uuid.UUID
    sealed: bytes = field(repr=False)


async def add(connection: Connection, member: Member) -> None:
    """Adds a member, in the caller's transaction. asyncpg.UniqueViolationError: the call sign is taken."""
    await connection.execute(
        """INSERT INTO members (id, call_sign, role, recipient, signing_key, identity, signing_secret, totp,
           totp_step, joined_hour) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        member.id, member.call_sign, member.role, member.recipient, member.signing_key, member.identity,
        member.signing_secret, member.totp, member.totp_step, hour(member.joined_hour),
    )  # fmt: skip


async def everyone(connection: Database) -> list[Member]:
    """All members, also those who left, by call sign."""
    return [_member(row) for row in await connection.fetch("SELECT * FROM members ORDER BY call_sign")]


async def by_call_sign(connection: Database, call_sign: str) -> Member | None:
    """The member of that call sign who has not left."""
    row = await connection.fetchrow(
        "SELECT * FROM members WHERE call_sign = $1 AND left_hour IS NULL", call_sign
    )
    return _member(row) if row else None


async def is_still(connection: Connection, member: Member) -> bool:
    """Whether the member has these keys and this role and has not left, up to the end of the caller's transaction."""
    found = await connection.fetchval(
        """SELECT true FROM members WHERE id = $1 AND recipient = $2 AND role = $3 AND left_hour IS NULL FOR SHARE""",
        member.id,
        member.recipient,
        member.role,
    )
    return found is True


async def leave(connection: Connection, member: uuid.UUID, at: datetime) -> bool:
    """Notes that a member left, in the caller's transaction; False when there is no such member any more."""
    status = await connection.execute(
        "UPDATE members SET left_hour = $2 WHERE id = $1 AND left_hour IS NULL", member, hour(at)
    )
    return bool(status == "UPDATE 1")


async def set_role(connection: Connection, member: uuid.UUID, role: str) -> bool:
    """Gives a member another role, in the caller's transaction; False when there is no such member any more."""
    status = await connection.execute(
        "UPDATE members SET role = $2 WHERE id = $1 AND left_hour IS NULL", member, role
    )
    return bool(status == "UPDATE 1")


async def renew_keys(connection: Connection, member: Member, at: datetime) -> bool:
    """Puts a member's new keys in the place of those they lost, and removes their second factors, in the caller's
    transaction; False when there is no such member any more.

    `totp_step` stays: a code of this very half minute is not taken under the new secret either.
    """
    status = await connection.execute(
        """UPDATE members SET recipient = $2, signing_key = $3, identity = $4, signing_secret = $5, totp = $6
           WHERE id = $1 AND left_hour IS NULL""",
        member.id, member.recipient, member.signing_key, member.identity, member.signing_secret, member.totp,
    )  # fmt: skip
    await connection.execute(
        "UPDATE factors SET removed_hour = $2 WHERE member = $1 AND removed_hour IS NULL", member.id, hour(at)
    )
    return bool(status == "UPDATE 1")


async def end_sessions(connection: Connection, member: uuid.UUID) -> None:
    """Ends all sessions of a member, in the caller's transaction."""
    await connection.execute("DELETE FROM sessions WHERE member = $1", member)


async def undelivered(connection: Database, member: uuid.UUID) -> dict[str, int]:
    """How many replies of a member nobody has read yet, by the desk code of their report."""
    rows = await connection.fetch(
        """SELECT r.desk_code, count(*) AS replies FROM replies a JOIN reports r ON r.id = a.report
           WHERE a.member = $1 AND a.read_hour IS NULL AND r.withdrawn_hour IS NULL
           GROUP BY r.desk_code ORDER BY r.desk_code""",
        member,
    )
    return {row["desk_code"]: row["replies"] for row in rows}


async def use_totp_step(connection: Database, member: uuid.UUID, step: int) -> bool:
    """Uses up a TOTP step and all before it; False when it was used already. Two at once: one succeeds."""
    used = await connection.fetchval(
        """UPDATE members SET totp_step = $2
           WHERE id = $1 AND totp_step < $2 AND left_hour IS NULL RETURNING true""",
        member,
        step,
    )
    return used is True


async def put_team_key(connection: Connection, key: TeamKey) -> None:
    """Adds one holder's copy of a team identity, in the caller's transaction."""
    await connection.execute(
        "INSERT INTO team_keys (compartment, epoch, holder, sealed) VALUES ($1, $2, $3, $4)",
        key.compartment,
        key.epoch,
        key.holder,
        key.sealed,
    )


async def drop_team_keys(connection: Connection, holder: uuid.UUID) -> None:
    """Takes away all of a holder's copies, in the caller's transaction."""
    await connection.execute("DELETE FROM team_keys WHERE holder = $1", holder)


async def team_key(connection: Database, compartment: str, epoch: int, holder: uuid.UUID) -> TeamKey | None:
    """One holder's copy of a team identity."""
    row = await connection.fetchrow(
        "SELECT * FROM team_keys WHERE compartment = $1 AND epoch = $2 AND holder = $3",
        compartment,
        epoch,
        holder,
    )
    return TeamKey(**row) if row else None


async def team_keys(connection: Database, holder: uuid.UUID) -> list[TeamKey]:
    """All team identities that a holder has, by compartment and epoch."""
    rows = await connection.fetch(
        "SELECT * FROM team_keys WHERE holder = $1 ORDER BY compartment, epoch", holder
    )
    return [TeamKey(**row) for row in rows]


def _member(row: Mapping[str, Any]) -> Member:
    return Member(**row)
