"""Second factors: nobody comes in, or goes on where it is asked again, without one, and each answer is good once.

    mine = await factors.opened(row, unlocked)          # after the passphrase: what the member's identity opens
    kind = await factors.check(mine, given, now)        # Kind, or None; then a leaf says what was refused

There are three: the authenticator app's code (a time step once), a security key (WebAuthn; a challenge once, a counter
that only grows) and recovery codes (each once). Rows of `factors` are sealed to the member and carry a MAC under a key
that only the member's identity gives: a row that somebody else sealed to the member, or that was moved, is refused.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import asyncpg
import structlog

from admin import keys
from admin.console.webauthn_site import CopiedAnswerError, KeyAnswerError, Registered, Site
from seal import HybridIdentity, HybridRecipient, SealError
from storage import custody, factors, members
from storage.bodies import open_body, seal_body
from storage.database import Connection
from storage.errors import ConflictError, SwappedRowError
from storage.factors import RECOVERY_CODES, SECURITY_KEY, Factor
from storage.members import Member
from storage.refusals import Refusal, refused

CODES = 10  # a set
CODE_DIGITS = 16  # 53 bits; digits are the same on every keyboard
MOST_KEYS = 10  # of one member
LONGEST_NAME = 60  # characters of a key's name
_SEALED_ONCE = 1  # these bodies are written once and never revised
_log = structlog.get_logger()


class Kind(StrEnum):
    """With what a member proved to be there; the fact `factor` of the leaf `signed in`."""

    APP = "authenticator app"
    KEY = "security key"
    CODE = "recovery code"


@dataclass(frozen=True, slots=True)
class Given:
    """What was typed, or what a security key answered (JSON of navigator.credentials.get). One of them is enough."""

    code: str = field(default="", repr=False)
    assertion: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Key:
    """A security key, opened."""

    factor: uuid.UUID
    added: datetime
    name: str = field(repr=False)
    credential: bytes = field(repr=False)
    public_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Codes:
    """A set of recovery codes, opened: their MACs under a salt of the set, never the codes."""

    factor: uuid.UUID
    added: datetime
    salt: bytes = field(repr=False)
    macs: tuple[bytes, ...] = field(repr=False)

    def number(self, code: str) -> int | None:
        """Which code of the set this is."""
        mac = _mac(self.salt, code)
        found = [number for number, one in enumerate(self.macs) if hmac.compare_digest(one, mac)]
        return found[0] if found else None


@dataclass(slots=True)
class Opened:
    """A member's second factors in memory, for as long as the session lives."""

    member: uuid.UUID
    call_sign: str
    recipient: HybridRecipient = field(repr=False)
    authenticates: bytes = field(repr=False)  # admin.keys.factors_key
    totp_secret: str = field(repr=False)
    keys: dict[uuid.UUID, Key] = field(default_factory=dict, repr=False)
    codes: Codes | None = field(default=None, repr=False)


class _NotAcceptedError(Exception):
    def __init__(self, what: Refusal) -> None:
        super().__init__(what.value)
        self.what = what


class Factors:
    """Of one console. `site` is where browsers find it; sessions' opened factors are kept here and nowhere else."""

    def __init__(self, database: asyncpg.Pool, site: Site) -> None:
        self._database = database
        self.site = site
        self._of: dict[bytes, Opened] = {}

    def keep(self, session: bytes, mine: Opened) -> None:
        """Keeps what a session's member may prove to be there with."""
        self._of[session] = mine

    def of(self, session: bytes) -> Opened:
        """What a live session's member may prove to be there with. KeyError: this process never let it in."""
        return self._of[session]

    def sessions(self) -> set[bytes]:
        """Every session whose member's factors are kept."""
        return set(self._of)

    def forget(self, session: bytes) -> None:
        """Forgets it with the session."""
        self._of.pop(session, None)

    async def opened(self, row: Member, unlocked: keys.Unlocked, now: datetime) -> Opened:
        """A member's second factors. What does not belong where it stands is left out, and on record."""
        mine = Opened(
            row.id, row.call_sign, unlocked.identity.recipient, keys.factors_key(unlocked.identity),
            unlocked.totp_secret,
        )  # fmt: skip
        for factor in await factors.of_member(self._database, row.id):
            try:
                _put(mine, _open(factor, mine, unlocked.identity))
            except (SealError, SwappedRowError, KeyError, ValueError):
                _log.warning("factor_refused", member=str(row.id), factor=str(factor.id))
                await self._on_record(Refusal.FACTOR_ROW, mine, now)
        return mine

    async def check(self, mine: Opened, given: Given, now: datetime) -> Kind | None:
        """Uses up what was given. None: it is not right, or was used before; a leaf tells which."""
        try:
            async with self._database.acquire() as connection, connection.transaction():
                if given.assertion:
                    return await self._by_key(connection, mine, given.assertion, now)
                digits = plain_code(given.code)
                if len(digits) == CODE_DIGITS:
                    return await self._by_recovery_code(connection, mine, digits, now)
                return await self._by_app(connection, mine, digits, now)
        except _NotAcceptedError as error:
            await self._on_record(error.what, mine, now)
            return None

    async def _by_app(self, connection: Connection, mine: Opened, digits: str, now: datetime) -> Kind:
        step = keys.totp_step(mine.totp_secret, digits, now)
        if step is None:
            raise _NotAcceptedError(Refusal.CODE)
        if not await members.use_totp_step(connection, mine.member, step):
            raise _NotAcceptedError(Refusal.CODE_AGAIN)
        return Kind.APP

    async def _by_recovery_code(
        self, connection: Connection, mine: Opened, digits: str, now: datetime
    ) -> Kind:
        number = mine.codes.number(digits) if mine.codes else None
        if mine.codes is None or number is None:
            raise _NotAcceptedError(Refusal.RECOVERY_CODE)
        if not await factors.use_code(connection, mine.codes.factor, number, now):
            raise _NotAcceptedError(Refusal.CODE_AGAIN)
        await _leaf(connection, "recovery code used", mine, now, set=str(mine.codes.factor))
        return Kind.CODE

    async def _by_key(self, connection: Connection, mine: Opened, assertion: str, now: datetime) -> Kind:
        known = {key.credential: key for key in mine.keys.values()}
        try:
            signed = self.site.check(
                assertion, {credential: key.public_key for credential, key in known.items()}, now
            )
        except CopiedAnswerError:
            raise _NotAcceptedError(Refusal.SECURITY_KEY_AGAIN) from None
        except KeyAnswerError:
            raise _NotAcceptedError(Refusal.SECURITY_KEY) from None
        if not await factors.count_up(connection, known[signed.credential].factor, signed.counter):
            raise _NotAcceptedError(Refusal.SECURITY_KEY_COPIED)
        return Kind.KEY

    async def add_key(self, mine: Opened, registered: Registered, name: str, now: datetime) -> None:
        """Keeps a security key. ConflictError: it is there already, or there are `MOST_KEYS`."""
        if len(mine.keys) >= MOST_KEYS or registered.credential in {
            key.credential for key in mine.keys.values()
        }:
            raise ConflictError
        content = {
            "name": plain_name(name),
            "credential": registered.credential.hex(),
            "public_key": registered.public_key.hex(),
        }
        await self._add(mine, SECURITY_KEY, content, now, counter=registered.counter)

    async def new_codes(self, mine: Opened, now: datetime) -> list[str]:
        """A new set of recovery codes, as they are shown, this once; the set of before is good for nothing.

        ConflictError: another set was made at the same moment.
        """
        codes = [f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}" for _ in range(CODES)]
        salt = secrets.token_bytes(32)
        content = {"salt": salt.hex(), "macs": [_mac(salt, code).hex() for code in codes]}
        await self._add(mine, RECOVERY_CODES, content, now)
        return ["-".join(re.findall("....", code)) for code in codes]

    async def codes_left(self, mine: Opened) -> int:
        """How many recovery codes are good."""
        if mine.codes is None:
            return 0
        return len(mine.codes.macs) - await factors.used_codes(self._database, mine.codes.factor)

    async def remove_key(self, mine: Opened, factor: uuid.UUID, now: datetime) -> bool:
        """Removes a security key; False when the member has none such. The authenticator app stays."""
        if factor not in mine.keys:
            return False
        async with self._database.acquire() as connection, connection.transaction():
            removed = await factors.remove(connection, mine.member, factor, now)
            if removed:
                await _removed(connection, mine, factor, SECURITY_KEY, now)
        for one in self._all_of(mine):
            one.keys.pop(factor, None)
        return removed

    async def _add(
        self, mine: Opened, kind: str, content: dict[str, Any], now: datetime, counter: int = 0
    ) -> None:
        row = uuid.uuid4()
        content["mac"] = _seal_mac(mine, kind, row, content).hex()
        body = await asyncio.to_thread(seal_body, kind, row, _SEALED_ONCE, content, [mine.recipient])
        factor = Factor(row, mine.member, kind, body.sealed, counter, custody.hour(now))
        async with self._database.acquire() as connection, connection.transaction():
            if kind == RECOVERY_CODES:
                for before in await factors.remove_codes(connection, mine.member, now):
                    await _removed(connection, mine, before, kind, now)
            await factors.add(connection, factor)
            await _leaf(connection, "second factor added", mine, now, factor=kind, row=str(row))
        for one in self._all_of(mine):
            _put(one, _read(factor, content))

    def _all_of(self, mine: Opened) -> list[Opened]:
        """The member's other sessions know it too."""
        return [mine, *(one for one in self._of.values() if one.member == mine.member and one is not mine)]

    async def _on_record(self, what: Refusal, mine: Opened, now: datetime) -> None:
        await refused(self._database, what, obj=str(mine.member), actor=str(mine.member), now=now)


def plain_code(typed: str) -> str:
    """The digits of a code, however they were typed."""
    return "".join(one for one in unicodedata.normalize("NFKC", typed) if one in "0123456789")


def plain_name(typed: str) -> str:
    """A key's name on one line, cut to `LONGEST_NAME`; "" when there is none."""
    printable = "".join(one if one.isprintable() else " " for one in unicodedata.normalize("NFC", typed))
    return " ".join(printable.split())[:LONGEST_NAME].strip()


def _open(factor: Factor, mine: Opened, identity: HybridIdentity) -> Key | Codes:
    """SealError, SwappedRowError, KeyError, ValueError: not a row that this member made."""
    content = open_body([factor.kind], factor.id, _SEALED_ONCE, factor.sealed, [identity])
    given = bytes.fromhex(content.pop("mac"))
    plain = {name: content[name] for name in content if name not in ("kind", "id", "version")}
    if not hmac.compare_digest(given, _seal_mac(mine, factor.kind, factor.id, plain)):
        raise SwappedRowError("a second factor was not sealed by the member whose it is")
    return _read(factor, plain)


def _read(factor: Factor, content: Mapping[str, Any]) -> Key | Codes:
    if factor.kind == SECURITY_KEY:
        credential, public_key = (bytes.fromhex(content[name]) for name in ("credential", "public_key"))
        return Key(factor.id, factor.added_hour, content["name"], credential, public_key)
    macs = tuple(bytes.fromhex(mac) for mac in content["macs"])
    return Codes(factor.id, factor.added_hour, bytes.fromhex(content["salt"]), macs)


def _put(mine: Opened, one: Key | Codes) -> None:
    if isinstance(one, Key):
        mine.keys[one.factor] = one
    else:
        mine.codes = one


def _seal_mac(mine: Opened, kind: str, row: uuid.UUID, content: Mapping[str, Any]) -> bytes:
    said = {"member": str(mine.member), "kind": kind, "row": str(row), "content": dict(content)}
    return hmac.digest(mine.authenticates, custody.canonical(said), hashlib.sha256)


def _mac(salt: bytes, code: str) -> bytes:
    return hmac.digest(salt, code.encode(), hashlib.sha256)


async def _leaf(connection: Connection, kind: str, mine: Opened, now: datetime, **facts: Any) -> None:
    leaf = custody.leaf(kind, at=now, actor=str(mine.member), obj=str(mine.member), **facts)
    await custody.write(connection, leaf)


async def _removed(connection: Connection, mine: Opened, factor: uuid.UUID, kind: str, now: datetime) -> None:
    await _leaf(connection, "second factor removed", mine, now, factor=kind, row=str(factor))
