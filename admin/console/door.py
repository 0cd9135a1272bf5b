"""The door: call sign, passphrase and second factor, and one answer for all that is wrong with them.

    entered = await door.enter(call_sign, passphrase, Given(code="123456"), where)

An unknown call sign costs the same scrypt as a known one, a wrong code the same as a wrong passphrase, and
failures are answered on a grid of `ANSWER_GRID_S`: neither words nor time say what was wrong. What was wrong with a
member's own is on record; unknown call signs leave none, so a stranger writes little, and only as fast as one scrypt
after another. Team identities and the signing key go from here to the compartments' processes only.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn

import asyncpg
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from admin import keys
from admin.console.factors import Factors, Given
from admin.console.network import Where
from admin.console.throttle import Throttle
from seal import HybridIdentity, SealError, WrongKeyError
from storage import custody, manifest, members, sessions
from storage.errors import ManifestError, SwappedRowError
from storage.manifest import Manifest, SeenSerial
from storage.members import Member, TeamKey
from storage.refusals import Refusal, refused

ANSWER_GRID_S = 3.0  # seconds since an attempt had its turn; longer than one scrypt takes
_SECOND_FACTOR = "second factor"
LASTS = timedelta(hours=12)  # a session, however busy
_log = structlog.get_logger()


class NotLetInError(Exception):
    """Call sign, passphrase or second factor is not right; which of them is not said."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A new session: its token goes to the browser and nowhere else."""

    token: str = field(repr=False)
    session: bytes
    signing_key: Ed25519PrivateKey = field(repr=False)
    teams: dict[str, list[HybridIdentity]] = field(repr=False)
    refused: list[str]  # compartments whose key does not open as it should


def token_sha256(token: str) -> bytes:
    """How a session is known in the store."""
    return hashlib.sha256(token.encode()).digest()


class Door:
    """`decoy` is a member nobody is: what an unknown call sign is tried against."""

    def __init__(
        self,
        database: asyncpg.Pool,
        ceremony_key: Ed25519PublicKey,
        seen: SeenSerial,
        throttle: Throttle,
        factors: Factors,
        *,
        decoy: Member,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._ceremony_key = ceremony_key
        self._seen = seen
        self._throttle = throttle
        self._factors = factors
        self._decoy = decoy
        self._now = now
        self._clock = clock
        self._sleep = sleep
        self._one_scrypt = asyncio.Lock()

    async def enter(self, call_sign: str, passphrase: str, given: Given, where: Where) -> Entered:
        """A new session. NotLetInError, BusyError; ManifestError when nobody can be trusted at the moment."""
        call_sign = call_sign.strip().casefold()
        async with self._throttle.turn((where.address, call_sign)) as turn:
            started = self._clock()
            signed = await manifest.newest(self._database, self._ceremony_key, self._seen)
            try:
                return await self._try(call_sign, passphrase, given, where, signed)
            except NotLetInError:
                turn.failed()
                await self._sleep(ANSWER_GRID_S - (self._clock() - started) % ANSWER_GRID_S)
                raise

    async def _try(
        self, call_sign: str, passphrase: str, given: Given, where: Where, signed: Manifest
    ) -> Entered:
        row, unlocked = await self._unlock(await members.by_call_sign(self._database, call_sign), passphrase)
        try:
            keys.check_named(row, signed)
        except ManifestError:
            await self._refuse(row, Refusal.MEMBER_ROW)
        mine = await self._factors.opened(row, unlocked, self._now())
        # Whoever has the passphrase guesses codes from as many networks as they like: this turn is the member's own.
        # That an answer then takes long tells them that the passphrase is right, which they mostly know.
        async with self._throttle.turn((_SECOND_FACTOR, str(row.id))) as second:
            kind = await self._factors.check(mine, given, self._now())
            if kind is None:
                second.failed()
                raise NotLetInError
        token = secrets.token_urlsafe(32)
        session = token_sha256(token)
        async with self._database.acquire() as connection, connection.transaction():
            if not await members.is_still(connection, row):  # they left, or were reset, while scrypt ran
                raise NotLetInError
            await sessions.start(
                connection, session, row.id, self._now(), LASTS,
                network=where.network, certificate=where.certificate,
            )  # fmt: skip
            act = custody.leaf(
                "signed in", at=self._now(), actor=str(row.id), obj=str(row.id), factor=kind.value
            )
            await custody.write(connection, act)
        self._factors.keep(session, mine)
        teams, closed = await self._teams(row, unlocked.identity, signed)
        return Entered(token, session, unlocked.signing_key, teams, closed)

    async def _unlock(self, row: Member | None, passphrase: str) -> tuple[Member, keys.Unlocked]:
        async with self._one_scrypt:
            try:
                unlocked = await asyncio.to_thread(keys.unlock, row or self._decoy, passphrase)
            except WrongKeyError:
                await self._refuse(row, Refusal.PASSPHRASE)
            except (SealError, SwappedRowError):
                await self._refuse(row, Refusal.MEMBER_ROW)
        if row is None:
            raise NotLetInError
        return row, unlocked

    async def _refuse(self, row: Member | None, what: Refusal) -> NoReturn:
        """Not let in, and on record if somebody is a member."""
        if row is not None:
            _log.warning("member_refused", member=str(row.id), what=what.value)
            await refused(self._database, what, obj=str(row.id), actor="", now=self._now())
        raise NotLetInError

    async def _teams(
        self, row: Member, identity: HybridIdentity, signed: Manifest
    ) -> tuple[dict[str, list[HybridIdentity]], list[str]]:
        teams: dict[str, list[HybridIdentity]] = {}
        closed = []
        for key in await members.team_keys(self._database, row.id):
            try:
                team = _open_team(key, identity, signed)
                teams.setdefault(key.compartment, []).append(team)
            except (SealError, SwappedRowError):
                _log.warning(
                    "team_key_refused", member=str(row.id), compartment=key.compartment, epoch=key.epoch
                )
                await refused(
                    self._database, Refusal.TEAM_KEY, obj=str(row.id), actor=str(row.id), now=self._now()
                )
                closed.append(key.compartment)
        return teams, closed


def _open_team(key: TeamKey, identity: HybridIdentity, signed: Manifest) -> HybridIdentity:
    compartment = signed.compartments.get(key.compartment)
    if compartment is None or not signed.is_open_to(key.compartment, str(key.holder)):
        raise SwappedRowError("the manifest names no such compartment, or gives it to others")
    return keys.open_team_identity(key, identity, compartment)
