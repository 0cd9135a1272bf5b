"""A walk over every verb of the command line: each says what it needs, and does nothing without it.

`VERBS` is the table of what each needs; a verb that stands in no row of it fails the walk.
"""

import argparse
import asyncio
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from admin import __main__ as cli
from admin import ceremony, members
from admin.ceremony import Made
from admin.members import Opener
from bot.__main__ import main as bot_main
from seal import HybridIdentity
from seal.command import main as seal_main
from storage import roles
from storage.manifest import SeenSerial
from storage.members import RECOVERY

ROOT = Path(__file__).resolve().parents[2]


class Need(Enum):
    """What a verb does nothing without."""

    KEEPER = auto()  # the login dodomu_keeper
    CONSOLE = auto()  # the login dodomu_console
    SUPERUSER = auto()  # the login of the database's own superuser
    CEREMONY = auto()  # the ceremony key
    OPENER = auto()  # a key that opens the team identities: recovery, or a member's
    FILE = auto()  # a file that somebody brings; no database


@dataclass(frozen=True)
class Verb:
    """Arguments of the right form; {key} and {recovery} are files, {at} a folder, {relay} a recipient."""

    arguments: str
    needs: frozenset[Need]


def verb(arguments: str, *needs: Need) -> Verb:
    return Verb(arguments, frozenset(needs))


VERBS = {
    "database prepare": verb("", Need.SUPERUSER),
    "ceremony": verb("--out {at}/papers --relay {relay} --yes", Need.KEEPER),
    "relay": verb("{relay} --ceremony-key {key}", Need.KEEPER, Need.CEREMONY),
    "compartments": verb("--ceremony-key {key}", Need.KEEPER, Need.CEREMONY),
    "compartments add": verb("north --place UA74 --ceremony-key {key}", Need.KEEPER, Need.CEREMONY),
    "compartments route": verb("child --place UA74 --ceremony-key {key}", Need.KEEPER, Need.CEREMONY),
    "manifest renew": verb("--yes --ceremony-key {key}", Need.KEEPER, Need.CEREMONY),
    "manifest show": verb("", Need.KEEPER),
    "member add": verb(
        "owl --role analyst --ceremony-key {key} --recovery {recovery}",
        Need.KEEPER, Need.CEREMONY, Need.OPENER,
    ),
    "member give": verb(
        "swift --compartment child --ceremony-key {key} --recovery {recovery}",
        Need.KEEPER, Need.CEREMONY, Need.OPENER,
    ),
    "member list": verb("", Need.KEEPER),
    "member leave": verb(
        "swift --ceremony-key {key} --recovery {recovery}", Need.KEEPER, Need.CEREMONY, Need.OPENER
    ),
    "member role": verb("swift observer --ceremony-key {key}", Need.KEEPER, Need.CEREMONY),
    "member reset": verb(
        "swift --ceremony-key {key} --recovery {recovery}", Need.KEEPER, Need.CEREMONY, Need.OPENER
    ),
    "rotate": verb("--ceremony-key {key}", Need.KEEPER, Need.CEREMONY),
    "reseal": verb("--recovery {recovery}", Need.KEEPER, Need.OPENER),
    "custody name-log": verb("--ceremony-key {key}", Need.KEEPER, Need.CEREMONY),
    "custody dump": verb("--out {at}/dump", Need.KEEPER),
    "custody verify": verb("{at}/none", Need.FILE),
    "custody prove": verb("--out {at}/proof 0", Need.KEEPER),
    "custody check": verb("{at}/none", Need.FILE),
    "custody cosign": verb("{at}/none", Need.FILE),
    "serve": verb("", Need.CONSOLE),
    "keeper": verb("", Need.KEEPER),
    "backup": verb("--to {at}/backups", Need.KEEPER),
    "backup verify": verb("--recovery {recovery} {at}/none", Need.FILE),
    "restore": verb("--recovery {recovery} --without-ledger {at}/none", Need.FILE),
    "open": verb("", Need.FILE),
}  # fmt: skip
RUN_ON = ("serve", "keeper")  # until they are stopped


def parsers(top: argparse.ArgumentParser, words: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every parser of a command line, with the words that lead to it."""
    yield words, top
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, one in action.choices.items():
                yield from parsers(one, f"{words} {name}".strip())


def verbs_with(need: Need) -> list[str]:
    return [name for name, one in VERBS.items() if need in one.needs]


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.startswith("DODOMU_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DODOMU_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DODOMU_BLOBS", str(tmp_path / "blobs"))
    monkeypatch.setenv("DODOMU_SCRYPT_WORK_FACTOR", "4")
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    return monkeypatch


def ran(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> Ran:
    try:
        status = cli.main(arguments)
    except SystemExit as ended:
        status = int(ended.code or 0)
    captured = capsys.readouterr()
    return Ran(status, captured.out, captured.err)


@dataclass
class Store:
    """A store after its ceremony, with one member, and the files of its two secrets."""

    database: Any
    made: Made
    keeper: asyncpg.Connection
    at: Path

    def argue(self, name: str, key: str = "ours", recovery: str = "ours") -> list[str]:
        """A verb with its arguments; `key` and `recovery` are "ours" or "theirs"."""
        filled = VERBS[name].arguments.format(
            at=self.at,
            key=self.at / f"{key}-key.pem",
            recovery=self.at / f"{recovery}-recovery.txt",
            relay=HybridIdentity.generate().recipient,
        )
        return [*name.split(), *filled.split()]

    def writes(self, whose: str, made: Made) -> None:
        pem = made.ceremony_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.at / f"{whose}-key.pem").write_bytes(pem)
        (self.at / f"{whose}-recovery.txt").write_text(made.recovery.reveal())

    async def everything(self) -> list[Any]:
        """What no refused verb may change. What was refused is on record, and that is all."""
        tables = ("manifests", "members", "team_keys", "bodies", "files", "custody_publications")
        found = [await self.keeper.fetch(f"SELECT * FROM {table}") for table in tables]
        leaves = await self.keeper.fetch("SELECT leaf FROM custody_leaves")
        return [*found, [row for row in leaves if b'"kind":"refused"' not in row["leaf"]]]


@pytest.fixture
async def store(environment: pytest.MonkeyPatch, fresh_database: Any, tmp_path: Path) -> Any:
    keeper = await asyncpg.connect(fresh_database.url(roles.KEEPER))
    now = datetime.now(UTC)
    made = ceremony.make(now.date(), HybridIdentity.generate().recipient)
    await ceremony.keep(keeper, made, now)
    await members.add(
        keeper,
        "swift",
        "lead",
        signer=made.ceremony_key,
        opener=Opener(RECOVERY, made.recovery),
        seen=SeenSerial(tmp_path / "seen"),
        work_factor=4,
        now=now,
    )
    environment.setenv("DODOMU_CEREMONY_KEY", made.ceremony_public_hex)
    environment.setenv("DODOMU_KEEPER_DATABASE_URL", fresh_database.url(roles.KEEPER))
    kept = Store(fresh_database, made, keeper, tmp_path)
    kept.writes("ours", made)
    kept.writes("theirs", ceremony.make(now.date(), HybridIdentity.generate().recipient))
    yield kept
    await keeper.close()


def is_told(ran: Ran, status: int = 1) -> None:
    """Refused in a sentence."""
    assert ran.status == status, ran
    assert ran.err.strip(), ran
    assert "Traceback" not in ran.err


# ---- the walk ---------------------------------------------------------------------------------------


def test_the_table_has_every_verb() -> None:
    acting = {words for words, one in parsers(cli.parser()) if one._defaults.get("act")}
    assert acting == set(VERBS)


@pytest.mark.parametrize("words", [words for words, _ in parsers(cli.parser())])
def test_each_word_tells_what_it_is_for(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = ran([*words.split(), "--help"], capsys)
    assert (told.status, told.err) == (0, "")
    assert told.out.startswith(f"usage: python -m admin {words}".rstrip())
    group = f"python -m admin {words}".strip()
    assert len(told.out) > len(
        f"usage: {group} [-h]\n\noptions:\n  -h, --help  show this help message and exit\n"
    )


@pytest.mark.parametrize("words", ["", "run", "relay", "parked"])
def test_so_does_each_of_the_bot(
    words: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setattr(sys, "argv", ["bot", *words.split(), "--help"])
    with pytest.raises(SystemExit) as ended:
        bot_main()
    assert not ended.value.code
    assert capsys.readouterr().out.startswith(f"usage: python -m bot {words}".rstrip())


@pytest.mark.parametrize("words", ["", "run", "relay", "parked"])
def test_the_bot_names_the_setting_that_it_misses(
    words: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setattr(sys, "argv", ["bot", *words.split()])
    assert bot_main() == 2
    assert "DODOMU_BOT_TOKEN" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["", "keygen", "seal", "open"])
def test_so_does_each_of_the_seal(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        seal_main([*words.split(), "--help"], now=datetime.now(UTC))
    assert not ended.value.code
    assert capsys.readouterr().out.startswith("usage: ")


@pytest.mark.parametrize("name", VERBS)
def test_a_setting_that_is_not_usable_is_named_and_its_value_is_not(
    name: str, environment: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = {
        Need.KEEPER: "DODOMU_KEEPER_DATABASE_URL",
        Need.CONSOLE: "DODOMU_CONSOLE_DATABASE_URL",
        Need.SUPERUSER: "DODOMU_SUPERUSER_URL",
    }
    wanted = [setting for need, setting in expected.items() if need in VERBS[name].needs]
    for setting in expected.values():
        environment.setenv(setting, "the password is hunter2")
    environment.setenv("DODOMU_CONSOLE_PORT", "no port")
    made = ceremony.make(datetime.now(UTC).date(), HybridIdentity.generate().recipient)
    store = Store(None, made, None, tmp_path)  # type: ignore[arg-type]
    store.writes("ours", made)
    told = ran(store.argue(name), capsys)
    assert told.status != 0
    assert "hunter2" not in told.err
    if wanted:
        is_told(told, 2)
        assert f"{wanted[0]} is not usable" in told.err


def test_the_console_names_the_ceremony_key_that_it_misses(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("DODOMU_CONSOLE_DATABASE_URL", "postgresql://one@localhost/two")
    told = ran(["serve"], capsys)
    is_told(told, 2)
    assert "DODOMU_CEREMONY_KEY is not set" in told.err


@pytest.mark.parametrize("name", [*verbs_with(Need.CEREMONY), *verbs_with(Need.OPENER)])
def test_without_its_key_a_verb_does_not_begin(
    name: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = VERBS[name].arguments.partition(" --ceremony-key")[0].partition("--recovery")[0]
    arguments = [one for one in bare.split() if one not in ("--ceremony-key", "{key}")]
    told = ran([*name.split(), *(one.format(relay="age1pq1", at="/") for one in arguments)], capsys)
    is_told(told, 2)
    assert "--ceremony-key" in told.err or "--recovery" in told.err


@pytest.mark.parametrize("name", verbs_with(Need.CEREMONY))
async def test_another_ceremony_s_key_signs_nothing(
    name: str, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    before = await store.everything()
    is_told(await asyncio.to_thread(ran, store.argue(name, key="theirs"), capsys))
    assert await store.everything() == before


@pytest.mark.parametrize("name", verbs_with(Need.OPENER))
async def test_another_team_s_recovery_opens_nothing(
    name: str, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    before = await store.everything()
    is_told(await asyncio.to_thread(ran, store.argue(name, recovery="theirs"), capsys))
    assert await store.everything() == before


@pytest.mark.parametrize("name", [one for one in verbs_with(Need.KEEPER) if one not in RUN_ON])
async def test_as_another_login_nothing_is_done(
    name: str, store: Store, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("DODOMU_KEEPER_DATABASE_URL", store.database.url(roles.BOT))
    before = await store.everything()
    told = await asyncio.to_thread(ran, store.argue(name), capsys)
    if name == "compartments":  # reads what every login may, and finds nothing to make
        assert (told.status, told.out.partition(".")[0]) == (0, "New compartments: none")
    else:
        is_told(told)
    assert await store.everything() == before


@pytest.mark.parametrize("name", [*RUN_ON, "database prepare"])
async def test_what_runs_on_does_not_begin_as_another_login(name: str, store: Store) -> None:
    as_bot = store.database.url(roles.BOT)
    settings = {
        "DODOMU_STATE": str(store.at / "state"),
        "DODOMU_CEREMONY_KEY": store.made.ceremony_public_hex,
        "DODOMU_SCRYPT_WORK_FACTOR": "4",
        "DODOMU_CONSOLE_PORT": "18739",
        "DODOMU_SUPERUSER_URL": as_bot,
        "DODOMU_KEEPER_DATABASE_URL": as_bot,
        "DODOMU_CONSOLE_DATABASE_URL": as_bot,
    }
    told = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "admin", *name.split()],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    is_told(Ran(told.returncode, told.stdout, told.stderr))


@pytest.mark.parametrize("name", [one for one in verbs_with(Need.FILE) if one != "open"])
def test_what_is_not_there_is_told(
    name: str, environment: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ceremony.make(datetime.now(UTC).date(), HybridIdentity.generate().recipient)
    environment.setenv("DODOMU_CEREMONY_KEY", made.ceremony_public_hex)
    store = Store(None, made, None, tmp_path)  # type: ignore[arg-type]
    store.writes("ours", made)
    told = ran(store.argue(name), capsys)
    assert told.status in (1, 2)
    is_told(told, told.status)
