"""A demonstration prepares itself once, lets anyone in, and never takes over a real store."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pyotp
import pytest

from admin import keys
from admin.ceremony import COMPARTMENTS, read_ceremony_key
from admin.demo import Demo, DemoError, prepare_demo
from storage import local, manifest, members, roles, setup
from storage.manifest import SeenSerial
from storage.replies import RELAY, relay_identity

AT = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)


async def test_a_demonstration_is_made_once_and_lets_in(tmp_path: Path) -> None:
    state = tmp_path / "state"
    # Held over both preparations, as `make run` does: the server starts once.
    with local.acquire(state / "postgres") as server:
        demo = await prepare_demo(state, now=lambda: AT)
        assert await prepare_demo(state, now=lambda: AT) == demo
        password = setup.new_passwords(state / "roles")[roles.CONSOLE]
        await _signs_in(server.url(roles.CONSOLE, password, "dodomu"), demo, state)
    sign_in = state / "demo-sign-in.json"
    assert stat.S_IMODE(sign_in.stat().st_mode) == 0o600
    assert json.loads(sign_in.read_text())["call_sign"] == "demo"
    assert demo.passphrase not in repr(demo)
    signer = read_ceremony_key(state / "demonstration-keys" / "ceremony-key.txt")
    assert signer.public_key().public_bytes_raw().hex() == demo.ceremony_key


async def _signs_in(url: str, demo: Demo, state: Path) -> None:
    connection = await asyncpg.connect(url)
    try:
        row = await members.by_call_sign(connection, demo.call_sign)
        assert row is not None
        me = keys.unlock(row, demo.passphrase)
        assert pyotp.parse_uri(demo.otpauth).secret == me.totp_secret
        signer = read_ceremony_key(state / "demonstration-keys" / "ceremony-key.txt").public_key()
        current = await manifest.newest(connection, signer, SeenSerial(state / "seen"))
        keys.check_named(row, current)
        for name in COMPARTMENTS:
            key = await members.team_key(connection, name, 1, row.id)
            assert key is not None
            keys.open_team_identity(key, me.identity, current.compartments[name])
        assert current.relay == str(relay_identity(state / "bot" / RELAY).recipient)
    finally:
        await connection.close()


async def test_a_real_store_is_never_made_a_demonstration(tmp_path: Path) -> None:
    (tmp_path / "roles").mkdir()
    with pytest.raises(DemoError, match="no demonstration"):
        await prepare_demo(tmp_path)
    assert not (tmp_path / "demonstration").exists()
