"""The bot seals to the epoch of the newest manifest, also of one that two leads signed; a worse one changes nothing."""

import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admin import epochs
from admin.keys import open_team_identity
from seal import HybridIdentity, WrongKeyError, open_bytes
from storage import manifest, members, roles
from storage.errors import NotAResetError
from storage.manifest import Manifest, MemberKeys, SeenSerial, Signed
from storage.members import RECOVERY
from tests.line.answering import has_sent
from tests.line.kit import Line

LEADS = {str(uuid.UUID(int=number)): Ed25519PrivateKey.generate() for number in (1, 2)}
OWL = str(uuid.UUID(int=3))


@pytest.fixture
async def keeper(fresh_database: Any) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.url(roles.KEEPER))
    yield connection
    await connection.close()


def named(signing_key: Ed25519PrivateKey, role: str) -> MemberKeys:
    return MemberKeys(
        recipient=str(HybridIdentity.generate().recipient),
        signing_key=signing_key.public_key().public_bytes_raw().hex(), role=role, compartments=["team"],
    )  # fmt: skip


async def has_members(
    line: Line, keeper: asyncpg.Connection, recovery: HybridIdentity
) -> tuple[Manifest, Signed]:
    """The next manifest: two leads, and owl."""
    team = {lead: named(key, "lead") for lead, key in LEADS.items()}
    after = line.app.trust.current().model_copy(
        update={
            "serial": 2,
            "recovery": str(recovery.recipient),
            "members": {**team, OWL: named(Ed25519PrivateKey.generate(), "analyst")},
        }
    )
    signed = manifest.sign(after, line.team.ceremony)
    await manifest.keep(keeper, after, signed)
    await line.app.trust.read()
    return after, signed


async def sealed(line: Line, report: uuid.UUID) -> asyncpg.Record:
    connection = await asyncpg.connect(line.team.database.superuser_url)
    try:
        return await connection.fetchrow("SELECT key_epoch, sealed FROM bodies WHERE report = $1", report)
    finally:
        await connection.close()


async def test_what_is_sent_after_a_new_epoch_opens_with_its_identity_alone(
    line: Line, keeper: asyncpg.Connection, tmp_path: Path
) -> None:
    recovery = HybridIdentity.generate()
    await has_members(line, keeper, recovery)
    before = await sealed(line, (await has_sent(line, line.person("Olha"))).id)
    await epochs.rotate(
        keeper, ["team"], signer=line.team.ceremony, seen=SeenSerial(tmp_path / "seen"), now=datetime.now(UTC)
    )
    await line.app.trust.read()
    after = await sealed(line, (await has_sent(line, line.person("Marta"))).id)
    key = await members.team_key(keeper, "team", 2, RECOVERY)
    assert key is not None
    team = open_team_identity(key, recovery, line.app.trust.current().compartments["team"])
    assert (before["key_epoch"], after["key_epoch"]) == (1, 2)
    assert json.loads(open_bytes(after["sealed"], [team]))
    assert json.loads(open_bytes(before["sealed"], [line.team.identity]))
    with pytest.raises(WrongKeyError):
        open_bytes(after["sealed"], [line.team.identity])


async def test_what_two_leads_signed_is_taken_and_nothing_more_than_they_may(
    line: Line, keeper: asyncpg.Connection
) -> None:
    before, signed = await has_members(line, keeper, HybridIdentity.generate())
    new = named(Ed25519PrivateKey.generate(), "analyst")
    after = manifest.reset(before, OWL, new.recipient, new.signing_key)
    mine = line.app.trust.current().compartments["team"].model_copy(update={"recipient": new.recipient})
    greedy = after.model_copy(update={"compartments": {**after.compartments, "team": mine}})
    await manifest.keep(keeper, greedy, manifest.sign_together(greedy, signed, LEADS))
    with pytest.raises(NotAResetError):
        await line.app.trust.read()
    assert line.app.trust.current() == before  # and reports are sealed as before

    superuser = await asyncpg.connect(line.team.database.superuser_url)
    try:
        await superuser.execute("SET session_replication_role = replica")
        await superuser.execute("DELETE FROM manifests WHERE serial = 3")
    finally:
        await superuser.close()
    await manifest.keep(keeper, after, manifest.sign_together(after, signed, LEADS))
    await line.app.trust.read()
    assert line.app.trust.current() == after
    assert (await sealed(line, (await has_sent(line, line.person("Olha"))).id))["key_epoch"] == 1
