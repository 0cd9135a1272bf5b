"""Replies are sealed to the bot's relay identity: the ceremony names it, and another can be named later."""

import stat
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from admin import ceremony, checkpoints
from admin.ceremony import CeremonyError
from admin.papers import written as papers_written
from seal import HybridIdentity
from storage import manifest, roles
from storage.manifest import Manifest, SeenSerial
from storage.replies import RELAY, relay_identity
from tests.admin.test_cli import clean_environment, run, store

__all__ = ["clean_environment", "run", "store"]


async def newest(store: Any, papers: Path, tmp_path: Path) -> Manifest:
    connection = await asyncpg.connect(store.url(roles.BOT))
    try:
        key = ceremony.read_ceremony_key(papers / ceremony.CEREMONY_FILE).public_key()
        return await manifest.newest(connection, key, SeenSerial(tmp_path / "seen-by-the-test"))
    finally:
        await connection.close()


async def test_the_ceremony_names_the_bots_relay_identity_on_this_machine(
    run: Any, store: Any, tmp_path: Path
) -> None:
    assert (await run("ceremony", "--out", tmp_path / "papers")).status == 0
    file = tmp_path / "state" / "bot" / RELAY
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    named = await newest(store, tmp_path / "papers", tmp_path)
    assert named.relay == str(relay_identity(file).recipient)
    assert str(named.relay_key()) == named.relay


async def test_the_ceremony_names_the_key_of_this_machines_custody_log(
    run: Any, store: Any, tmp_path: Path
) -> None:
    assert (await run("ceremony", "--out", tmp_path / "papers")).status == 0
    named = await newest(store, tmp_path / "papers", tmp_path)
    assert named.log == checkpoints.Log.at(tmp_path / "state", "dodomu/custody").vkey
    signed = ("--ceremony-key", tmp_path / "papers" / ceremony.CEREMONY_FILE)
    assert named.log in (await run("manifest", "show", *signed)).out


async def test_a_bot_elsewhere_is_named_by_what_it_shows(run: Any, store: Any, tmp_path: Path) -> None:
    first, second = (HybridIdentity.generate().recipient for _ in range(2))
    assert (await run("ceremony", "--out", tmp_path / "papers", "--relay", first)).status == 0
    assert not (tmp_path / "state" / "bot").exists()
    assert (await newest(store, tmp_path / "papers", tmp_path)).relay == str(first)

    signed = ("--ceremony-key", tmp_path / "papers" / ceremony.CEREMONY_FILE)
    named = await run("relay", second, *signed)
    assert (named.status, named.err) == (0, "")
    assert "manifest 2" in named.out
    after = await newest(store, tmp_path / "papers", tmp_path)
    assert (after.serial, after.relay) == (2, str(second))


@pytest.mark.parametrize(
    "shown",
    ["", "nonsense", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"],
    ids=["nothing", "nonsense", "not hybrid"],
)
def test_what_is_no_relay_identity_is_told(shown: str) -> None:
    with pytest.raises(CeremonyError, match="age1pq1"):
        ceremony.read_relay(shown)


def test_a_secret_key_is_not_repeated() -> None:
    secret = HybridIdentity.generate().reveal()
    with pytest.raises(CeremonyError) as told:
        ceremony.read_relay(secret)
    assert secret not in str(told.value)


async def test_a_strangers_key_names_no_relay(run: Any, store: Any, tmp_path: Path) -> None:
    assert (await run("ceremony", "--out", tmp_path / "papers")).status == 0
    stranger = ceremony.make((await newest(store, tmp_path / "papers", tmp_path)).expires)
    with papers_written(stranger.ceremony_key, stranger.recovery, tmp_path / "strangers") as files:
        told = await run("relay", HybridIdentity.generate().recipient, "--ceremony-key", files.ceremony_key)
    assert (told.status, told.out) == (1, "")
    assert (await newest(store, tmp_path / "papers", tmp_path)).serial == 1
