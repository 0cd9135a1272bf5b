"""A demonstration: a store with one member of all compartments, whose keys lie beside it, so that anyone can try it.

    demo = await prepare_demo(Path("var/demonstration"))
    demo.call_sign, demo.passphrase, demo.totp_secret

Never for real reports: the passphrase is in a file and its scrypt is quick to guess. A folder that holds
another store is refused; a demonstration says so in `state/demonstration`. What is there already stays.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admin import ceremony, checkpoints, keys, members, papers
from admin.custody_settings import CustodySettings
from admin.errors import AdminError
from admin.settings import DATABASE, load, seen_manifest
from storage import local, manifest, roles, setup
from storage.database import Connection
from storage.manifest import SeenSerial
from storage.members import RECOVERY
from storage.replies import RELAY, relay_identity

CALL_SIGN, ROLE = "demo", "lead"
WORK_FACTOR = 10  # scrypt, base-2 logarithm: quick to try, and quick to guess
MARKER, KEYS, SIGN_IN = "demonstration", "demonstration-keys", "demo-sign-in.json"
_LOCK = 0xDE30  # one preparation at a time
_MARKER_TEXT = (
    "This folder holds a demonstration. Its keys lie beside its data: never give it a real report.\n"
)


class DemoError(AdminError):
    """The folder cannot hold a demonstration."""


@dataclass(frozen=True, slots=True)
class Demo:
    """How to sign in to a demonstration; `ceremony_key` is the public half, 64 hexadecimal digits."""

    call_sign: str
    passphrase: str = field(repr=False)
    totp_secret: str = field(repr=False)
    ceremony_key: str

    @property
    def otpauth(self) -> str:
        """For an authenticator app."""
        return keys.totp_address(self.totp_secret, self.call_sign)


def _now() -> datetime:
    return datetime.now(UTC)


async def prepare_demo(
    state: Path, *, now: Callable[[], datetime] = _now, progress: Callable[[str], None] | None = None
) -> Demo:
    """The demonstration in this folder, made if it is not there. Raises DemoError, LocalError."""
    state = await asyncio.to_thread(_mark, state)
    passwords = setup.new_passwords(state / "roles")
    server = await asyncio.to_thread(local.acquire, state / "postgres", progress=progress)
    try:
        await setup.prepare(server.superuser_url(), DATABASE, passwords)
        connection = await asyncpg.connect(server.url(roles.KEEPER, passwords[roles.KEEPER], DATABASE))
        try:
            return await _ready(connection, state, now())
        finally:
            await connection.close()
    finally:
        await asyncio.to_thread(server.close)


def _mark(state: Path) -> Path:
    state = state.resolve()
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    marker = state / MARKER
    if not marker.exists():
        if (state / "roles").exists():  # every store that was ever prepared has them
            raise DemoError(f"{state} holds a store that is no demonstration. Choose another folder.")
        marker.write_text(_MARKER_TEXT, encoding="utf-8")
    return state


async def _ready(connection: Connection, state: Path, now: datetime) -> Demo:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if not await connection.fetchval("SELECT EXISTS (SELECT 1 FROM manifests)"):
            # The files are on the disk before the commit, so a manifest that is kept has its keys.
            return await _make(connection, state, now)
        demo = _read(state / SIGN_IN)
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(demo.ceremony_key))
        signed = await manifest.newest(connection, key, SeenSerial(seen_manifest(state, "keeper")))
        if ceremony.routing().keys() - signed.routing.keys():
            raise DemoError(
                f"{state} was made by an earlier version. Delete it to begin a new demonstration."
            )
        return demo


async def _make(connection: Connection, state: Path, now: datetime) -> Demo:
    relay = relay_identity(state / "bot" / RELAY)  # the bot of a demonstration has the same folder
    log = checkpoints.Log.at(state, load(CustodySettings).log_origin)
    made = ceremony.make(now.date(), relay.recipient, log=log.vkey)
    folder = state / KEYS
    for name in papers.FILES:
        (folder / name).unlink(missing_ok=True)  # of a preparation that was cut short before its commit
    with papers.written(made.ceremony_key, made.recovery, folder):
        await ceremony.keep(connection, made, now)
        added = await members.add(
            connection,
            CALL_SIGN,
            ROLE,
            signer=made.ceremony_key,
            opener=members.Opener(RECOVERY, made.recovery),
            seen=SeenSerial(seen_manifest(state, "keeper")),
            work_factor=WORK_FACTOR,
            now=now,
            compartments=ceremony.COMPARTMENTS,
        )
        demo = Demo(CALL_SIGN, added.passphrase, added.totp_secret, made.ceremony_public_hex)
        (state / SIGN_IN).unlink(missing_ok=True)
        papers.write_private(state / SIGN_IN, json.dumps(asdict(demo), indent=2) + "\n")
    return demo


def _read(path: Path) -> Demo:
    try:
        return Demo(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise DemoError(
            f"{path} is missing or was changed. Delete the folder {path.parent} to begin a new demonstration."
        ) from None
