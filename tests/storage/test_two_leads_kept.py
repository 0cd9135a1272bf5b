"""Every process takes what two leads signed, with all that it stands on, and never goes back behind what it saw."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from storage import desk, manifest, roles
from storage.errors import BadSignatureError, BrokenChainError, OldManifestError
from storage.manifest import Manifest, SeenSerial, Signed
from tests.storage.leads import CEREMONY, FIRST, HERON, KEY, SIGNED_FIRST, WREN, resets


@pytest.fixture
async def attacker(fresh_database: Any) -> AsyncIterator[asyncpg.Connection]:
    """Somebody who is superuser in the database, past every trigger, and has no key."""
    connection = await asyncpg.connect(fresh_database.superuser_url)
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


async def keep(connection: asyncpg.Connection, *newest_first: Signed) -> None:
    for signed in reversed(newest_first):
        serial = json.loads(signed.body)["serial"]
        await connection.execute(
            "INSERT INTO manifests (serial, body, signature) VALUES ($1, $2, $3)", serial, signed.body, signed.signature
        )  # fmt: skip


@pytest.mark.parametrize("role", [roles.BOT, roles.CONSOLE, roles.KEEPER])
async def test_every_process_takes_what_two_leads_signed(
    role: str, fresh_database: Any, attacker: asyncpg.Connection, tmp_path: Path
) -> None:
    signed = resets(3)
    await keep(attacker, *signed)
    connection = await asyncpg.connect(fresh_database.url(role))
    try:
        read = await manifest.newest_kept(connection, KEY, SeenSerial(tmp_path / "seen"))
    finally:
        await connection.close()
    assert (read.manifest.serial, list(read.chain)) == (7, signed)


async def test_a_compartments_process_takes_it_too(
    fresh_database: Any, attacker: asyncpg.Connection, tmp_path: Path
) -> None:
    await keep(attacker, *resets(1))
    engine = desk.engine(fresh_database.url(roles.CONSOLE))
    try:
        reports = desk.Desk(engine, now=lambda: None, holds=timedelta(minutes=30))  # type: ignore[arg-type, return-value] - no clock
        assert (await reports.signed(KEY, SeenSerial(tmp_path / "seen"))).serial == 5
    finally:
        await engine.dispose()


@pytest.fixture
async def newest(fresh_database: Any, tmp_path: Path) -> AsyncIterator[Callable[[], Awaitable[Manifest]]]:
    """As the bot reads it, again and again, with what it has seen in a file."""
    connection = await asyncpg.connect(fresh_database.url(roles.BOT))

    async def read() -> Manifest:
        return await manifest.newest(connection, KEY, SeenSerial(tmp_path / "seen"))

    yield read
    await connection.close()


async def test_what_lies_below_may_not_be_taken_away_or_changed(
    attacker: asyncpg.Connection, newest: Callable[[], Awaitable[Manifest]]
) -> None:
    await keep(attacker, *resets(2))
    await newest()
    await attacker.execute("UPDATE manifests SET signature = $1 WHERE serial = 4", bytes(64))
    with pytest.raises(BadSignatureError):
        await newest()
    await attacker.execute("DELETE FROM manifests WHERE serial = 4")
    with pytest.raises(BrokenChainError):
        await newest()


async def test_leads_who_left_cannot_go_on_from_the_manifest_before_they_left(
    attacker: asyncpg.Connection, newest: Callable[[], Awaitable[Manifest]]
) -> None:
    """They and the database's superuser put a reset of their own in the place of the manifest without them."""
    stay = {member: keys for member, keys in FIRST.members.items() if member not in {HERON, WREN}}
    without = FIRST.model_copy(update={"serial": 5, "members": stay})
    await keep(attacker, manifest.sign(without, CEREMONY), SIGNED_FIRST)
    await newest()
    await attacker.execute("DELETE FROM manifests WHERE serial = 5")
    for length in (1, 2):  # of the same serial, and of the next on top of it
        signed = resets(length)
        await attacker.execute("DELETE FROM manifests")
        await keep(attacker, *signed)
        assert manifest.verify(signed[0], KEY, signed[1:])  # by itself it is well signed
        with pytest.raises(
            OldManifestError, match="manifest 5 is another than the one that was already seen"
        ):
            await newest()


def test_a_note_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    (tmp_path / "seen").write_text("7")
    with pytest.raises(OldManifestError):
        SeenSerial(tmp_path / "seen").accept(6, "aa")
    SeenSerial(tmp_path / "seen").accept(7, "aa")
    with pytest.raises(OldManifestError, match="another"):
        SeenSerial(tmp_path / "seen").accept(7, "bb")
    SeenSerial(tmp_path / "seen").accept(7, "aa")
