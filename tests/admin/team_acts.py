"""What a team does with its keys, in a test's words; and reports as intake takes them."""

import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg

from admin import epochs, leaving, resets
from admin.keys import Unlocked, check_named, open_team_identity, unlock
from admin.leaving import Left
from admin.members import Opener
from admin.resets import Reset
from seal import HybridIdentity
from storage import manifest, members, submission
from storage.manifest import Manifest
from storage.members import RECOVERY
from storage.secrets import ProcessSecret
from storage.submission import Given

SECRET = ProcessSecret(bytes(range(32)))


@dataclass
class Acts:
    """The ceremony's people (`conftest.Team`) at their work."""

    team: Any
    bot: asyncpg.Connection
    now: Any

    @property
    def recovery(self) -> Opener:
        return Opener(RECOVERY, self.team.made.recovery)

    async def newest(self) -> Manifest:
        return await manifest.newest(
            self.team.connection, self.team.made.ceremony_key.public_key(), self.team.seen()
        )

    async def joins(self, call_sign: str, role: str = "analyst", *compartments: str) -> Unlocked:
        added = await self.team.adds(call_sign, role, compartments=compartments or ("team",))
        return unlock(added.member, added.passphrase)

    async def leaves(
        self, call_sign: str, *, opener: Opener | None = None, even_so: bool = False, **changed: Any
    ) -> Left:
        return await leaving.leave(
            changed.get("connection", self.team.connection), call_sign, signer=self.team.made.ceremony_key,
            opener=opener or self.recovery, seen=self.team.seen(), now=self.now, even_so=even_so,
        )  # fmt: skip

    async def becomes(self, call_sign: str, role: str, *, even_so: bool = False) -> tuple[str, ...]:
        return await leaving.change_role(
            self.team.connection, call_sign, role, signer=self.team.made.ceremony_key,
            seen=self.team.seen(), now=self.now, even_so=even_so,
        )  # fmt: skip

    async def rotates(self, *names: str, connection: asyncpg.Connection | None = None) -> Manifest:
        return await epochs.rotate(
            connection or self.team.connection, names, signer=self.team.made.ceremony_key,
            seen=self.team.seen(), now=self.now,
        )  # fmt: skip

    async def recovers(self, call_sign: str) -> Reset:
        return await resets.by_recovery(
            self.team.connection, call_sign, signer=self.team.made.ceremony_key, recovery=self.team.made.recovery,
            seen=self.team.seen(), work_factor=4, now=self.now,
        )  # fmt: skip

    async def two_reset(self, call_sign: str, *leads: Unlocked) -> Reset:
        first, second = leads
        return await resets.by_two_leads(
            self.team.connection, call_sign, leads=(first, second),
            ceremony_key=self.team.made.ceremony_key.public_key(), seen=self.team.seen(), work_factor=4,
            now=self.now,
        )  # fmt: skip

    async def is_told(self, words: str, compartment: str = "team") -> uuid.UUID:
        """A report as the bot takes it, by the manifest of this moment."""
        named = await self.newest()
        given = Given(
            "family", 1, "normal", {"language": "en", "words": words}, (), answer_here=False, address=0
        )
        receipt = await submission.submit(
            self.bot, uuid.uuid4(), given, to=(compartment, named.compartments[compartment]), secret=SECRET,
            now=self.now,
        )  # fmt: skip
        return receipt.report

    async def opens(self, me: Unlocked) -> dict[tuple[str, int], HybridIdentity]:
        """The team identities that a member has at sign-in, by compartment and epoch."""
        named = await self.newest()
        row = next(one for one in await members.everyone(self.team.connection) if one.id == me.member)
        check_named(row, named)
        return {
            (key.compartment, key.epoch): open_team_identity(
                key, me.identity, named.compartments[key.compartment]
            )
            for key in await members.team_keys(self.team.connection, me.member)
        }

    async def acts(self, *kinds: str) -> list[dict[str, Any]]:
        """The leaves of these kinds, oldest first."""
        rows = await self.team.connection.fetch("SELECT leaf FROM custody_leaves ORDER BY id")
        leaves = [json.loads(row["leaf"]) for row in rows]
        return [leaf for leaf in leaves if leaf["kind"] in kinds]

    async def signs_in(self, console: asyncpg.Connection, member: uuid.UUID) -> None:
        """A session, as the door begins it."""
        await console.execute(
            "INSERT INTO sessions (token_sha256, member, created_at, seen_at, proved_at, expires_at, network)"
            " VALUES ($1, $2, $3, $3, $3, $4, $5)",
            uuid.uuid4().bytes * 2, member, self.now, self.now + timedelta(hours=12), bytes(32),
        )  # fmt: skip
