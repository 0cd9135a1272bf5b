"""Nothing is sealed to a key that the ceremony did not sign, and what was signed once cannot be put back."""

import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seal import HybridIdentity
from storage import manifest, roles
from storage.errors import BadSignatureError, ManifestError, NoManifestError, OldManifestError
from storage.manifest import Compartment, Manifest, SeenSerial, Signed

CEREMONY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = CEREMONY.public_key()


def a_manifest(serial: int, recipient: str | None = None) -> Manifest:
    recipient = recipient or str(HybridIdentity.generate().recipient)
    return Manifest(
        serial=serial,
        expires=date(2031, 1, 1),
        recovery=str(HybridIdentity.generate().recipient),
        compartments={"team": Compartment(epoch=1, recipient=recipient)},
        members={},
        routing={"family": "team"},
    )


@pytest.fixture
async def attacker(fresh_database: Any) -> AsyncIterator[asyncpg.Connection]:
    """Somebody who is superuser in the database, past every trigger, and has no key."""
    connection = await asyncpg.connect(fresh_database.superuser_url)
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


@pytest.fixture
async def bot(fresh_database: Any) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.url(roles.BOT))
    yield connection
    await connection.close()


@pytest.fixture
def seen(tmp_path: Path) -> SeenSerial:
    return SeenSerial(tmp_path / "seen")


async def publish(connection: asyncpg.Connection, *manifests: Manifest) -> None:
    for one in manifests:
        await manifest.keep(connection, one, manifest.sign(one, CEREMONY))


async def test_the_newest_is_taken(
    attacker: asyncpg.Connection, bot: asyncpg.Connection, seen: SeenSerial
) -> None:
    first, second = a_manifest(1), a_manifest(2)
    await publish(attacker, first)
    assert await manifest.newest(bot, KEY, seen) == first
    await publish(attacker, second)
    assert await manifest.newest(bot, KEY, seen) == second


async def test_without_a_ceremony_there_is_none(bot: asyncpg.Connection, seen: SeenSerial) -> None:
    with pytest.raises(NoManifestError, match="python -m admin ceremony"):
        await manifest.newest(bot, KEY, seen)


async def test_a_changed_recipient_is_refused(
    attacker: asyncpg.Connection, bot: asyncpg.Connection, seen: SeenSerial
) -> None:
    real = a_manifest(1)
    await publish(attacker, real)
    mine = str(HybridIdentity.generate().recipient)
    body = json.loads(real.to_bytes())
    body["compartments"]["team"]["recipient"] = mine
    changed = Manifest.model_validate(body).to_bytes()
    await attacker.execute("UPDATE manifests SET body = $1", changed)
    with pytest.raises(BadSignatureError):
        await manifest.newest(bot, KEY, seen)
    # Signed by a key of the attacker's own it is no better.
    signed = manifest.sign(a_manifest(1, mine), Ed25519PrivateKey.generate())
    await attacker.execute("UPDATE manifests SET body = $1, signature = $2", signed.body, signed.signature)
    with pytest.raises(BadSignatureError):
        await manifest.newest(bot, KEY, seen)


@pytest.mark.parametrize("field", ["recovery", "routing", "members", "serial", "expires"])
async def test_any_changed_field_is_refused(
    field: str, attacker: asyncpg.Connection, bot: asyncpg.Connection, seen: SeenSerial
) -> None:
    real = a_manifest(3)
    await publish(attacker, real)
    other: dict[str, Any] = {
        "recovery": str(HybridIdentity.generate().recipient),
        "routing": {"family": "another"},
        "members": {"m": {"recipient": "age1pq1x", "signing_key": "00"}},
        "serial": 4,
        "expires": "2099-01-01",
    }
    body = Manifest.model_validate({**json.loads(real.to_bytes()), field: other[field]}).to_bytes()
    await attacker.execute("UPDATE manifests SET body = $1", body)
    with pytest.raises(BadSignatureError):
        await manifest.newest(bot, KEY, seen)


async def test_an_older_manifest_put_back_is_refused(
    attacker: asyncpg.Connection, bot: asyncpg.Connection, tmp_path: Path
) -> None:
    await publish(attacker, a_manifest(1), a_manifest(2))
    await manifest.newest(bot, KEY, SeenSerial(tmp_path / "seen"))
    await attacker.execute("DELETE FROM manifests WHERE serial = 2")
    for seen in (SeenSerial(tmp_path / "seen"), SeenSerial(tmp_path / "seen")):  # after a restart too
        with pytest.raises(OldManifestError):
            await manifest.newest(bot, KEY, seen)
    # Renumbering the row does not help: the signed body says what it is.
    await attacker.execute("UPDATE manifests SET serial = 2 WHERE serial = 1")
    with pytest.raises(BadSignatureError):
        await manifest.newest(bot, KEY, SeenSerial(tmp_path / "seen"))


def test_the_highest_serial_is_remembered_across_restarts(tmp_path: Path) -> None:
    SeenSerial(tmp_path / "seen").accept(7)
    SeenSerial(tmp_path / "seen").accept(7)
    with pytest.raises(OldManifestError, match="6 is older than 7"):
        SeenSerial(tmp_path / "seen").accept(6)
    SeenSerial(tmp_path / "seen").accept(8)
    assert [path.name for path in tmp_path.iterdir()] == ["seen"]


def test_a_signature_of_another_use_is_no_manifest() -> None:
    """Each use of a signing key has a context: what was signed for something else proves nothing here."""
    body = a_manifest(1).to_bytes()
    for signed in (CEREMONY.sign(body), CEREMONY.sign(b"dodomu note v1\n" + body), b"", bytes(64)):
        with pytest.raises(BadSignatureError):
            manifest.verify(Signed(body, signed), KEY)


@pytest.mark.parametrize("body", [b"{}", b"not JSON", b'{"version": 1, "serial": 1, "surprise": true}'])
def test_what_is_signed_and_not_understood_is_refused(body: bytes) -> None:
    with pytest.raises(ManifestError, match="cannot read it"):
        manifest.verify(Signed(body, CEREMONY.sign(b"dodomu manifest v1\n" + body)), KEY)


@pytest.mark.parametrize(
    "recipient",
    ["", "age1pq1", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p", "nonsense"],
)
def test_a_recipient_is_always_hybrid(recipient: str) -> None:
    with pytest.raises(ManifestError, match="recipient is"):
        Compartment(epoch=1, recipient=recipient).key()


def test_a_form_without_a_compartment_is_an_error() -> None:
    with pytest.raises(ManifestError, match="no compartment"):
        a_manifest(1).compartment_of("witness")


def test_an_expired_manifest_still_takes_reports() -> None:
    expired = a_manifest(1).model_copy(update={"expires": date(2001, 1, 1)})
    read = manifest.verify(manifest.sign(expired, CEREMONY), KEY)
    assert read.compartments[read.compartment_of("family")].key()


def test_the_bytes_are_the_same_whoever_writes_them() -> None:
    one = a_manifest(1, str(HybridIdentity.generate().recipient))
    turned = dict(reversed(list(json.loads(one.to_bytes()).items())))
    assert Manifest.model_validate(turned).to_bytes() == one.to_bytes()
