"""The command line says what was done, or in one sentence why not; secrets are shown once and only there."""

import asyncio
import io
import os
import re
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from admin import __main__ as cli
from admin import keys
from admin.settings import (
    AddressSettings,
    ConsoleSettings,
    KeeperSettings,
    PrepareSettings,
    SettingsError,
    load,
)
from storage import members, roles, setup, tables

SECRET = "a-very-secret-password"
PUBLIC_KEY = "ab" * 32


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.startswith("DODOMU_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DODOMU_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DODOMU_SCRYPT_WORK_FACTOR", "4")
    return monkeypatch


@pytest.fixture
def run(
    clean_environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Awaitable[Ran]]:
    async def run_it(*arguments: object, typed: str = "") -> Ran:
        clean_environment.setattr(sys, "stdin", io.StringIO(typed))
        status = await asyncio.to_thread(_status, [str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    return run_it


def _status(arguments: list[str]) -> int:
    try:
        return cli.main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.fixture
def store(clean_environment: pytest.MonkeyPatch, fresh_database: Any) -> Any:
    clean_environment.setenv("DODOMU_KEEPER_DATABASE_URL", fresh_database.url(roles.KEEPER))
    return fresh_database


# ---- from nothing to two members --------------------------------------------------------------------


async def test_a_team_is_set_up_by_the_command_line_alone(run: Any, store: Any, tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    held = await run("ceremony", "--out", papers)
    assert (held.status, held.err) == (0, "")
    assert re.search(r"DODOMU_CEREMONY_KEY=[0-9a-f]{64}\n", held.out)
    assert (papers / "recovery.txt").read_text().split()[-1] not in held.out

    signed = ("--ceremony-key", papers / "ceremony-key.txt")
    added = await run(
        "member", "add", "swift", "--role", "lead", *signed, "--recovery", papers / "recovery.txt"
    )
    assert (added.status, added.err) == (0, "")
    passphrase = await _unlocks(store, "swift", added.out)

    second = await run(
        "member", "add", "heron", "--role", "analyst", *signed, "--as", "swift", typed=f"{passphrase}\n"
    )
    assert (second.status, second.err) == (0, "")
    await _unlocks(store, "heron", second.out)

    recovered = (*signed, "--recovery", papers / "recovery.txt")
    given = await run("member", "give", "heron", "--compartment", "child", *recovered)
    assert (given.status, given.err) == (0, "")
    assert "heron opens reports of child" in given.out
    again = await run("member", "give", "heron", "--compartment", "child", *recovered)
    assert (again.status, again.err) == (1, "heron has child already.\n")
    complete = await run("compartments", *signed)
    assert (complete.status, complete.out) == (
        0,
        "New compartments: none. The reports of every form have their way.\n",
    )

    listed = await run("member", "list")
    assert [line.split()[:3] for line in listed.out.splitlines()] == [
        ["heron", "analyst", "joined"],
        ["swift", "lead", "joined"],
    ]
    assert passphrase not in listed.out + second.out


async def _unlocks(store: Any, call_sign: str, out: str) -> str:
    """The passphrase that was shown; it and the address for the authenticator app belong to the row."""
    (passphrase,) = re.findall(r"^  ([a-z]+(?:-[a-z]+){6})$", out, re.MULTILINE)
    connection = await asyncpg.connect(store.url(roles.CONSOLE))
    try:
        row = await members.by_call_sign(connection, call_sign)
    finally:
        await connection.close()
    assert row is not None
    assert keys.totp_address(keys.unlock(row, passphrase).totp_secret, call_sign) in out
    return str(passphrase)


async def test_a_second_ceremony_is_refused(run: Any, store: Any, tmp_path: Path) -> None:
    assert (await run("ceremony", "--out", tmp_path / "one")).status == 0
    again = await run("ceremony", "--out", tmp_path / "two")
    assert (again.status, again.out) == (1, "")
    assert "held once" in again.err
    assert not (tmp_path / "two").exists()


async def test_what_a_member_cannot_be_added_with_is_told(run: Any, store: Any, tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    await run("ceremony", "--out", papers)
    key, recovery = papers / "ceremony-key.txt", papers / "recovery.txt"

    async def refused(call_sign: str, *rest: object, typed: str = "") -> str:
        ran = await run("member", "add", call_sign, "--role", "analyst", *rest, typed=typed)
        assert (ran.status, ran.out) == (1, "")
        assert "Traceback" not in ran.err
        return str(ran.err)

    assert "2 to 32" in await refused("Olha Petrenko", "--ceremony-key", key, "--recovery", recovery)
    assert "no ceremony key" not in await refused("swift", "--ceremony-key", key, "--recovery", key)
    assert "not a ceremony key" in await refused("swift", "--ceremony-key", recovery, "--recovery", recovery)
    gone = tmp_path / "gone"
    assert "cannot be read" in await refused("swift", "--ceremony-key", key, "--recovery", gone)
    assert "no member owl" in await refused("swift", "--ceremony-key", key, "--as", "owl")
    await run("member", "add", "heron", "--role", "lead", "--ceremony-key", key, "--recovery", recovery)
    told = await refused("swift", "--ceremony-key", key, "--as", "heron", typed=f"{SECRET}\n")
    assert "passphrase does not open" in told
    assert SECRET not in told


async def test_no_members_yet_is_told(run: Any, store: Any) -> None:
    assert "no members yet" in (await run("member", "list")).out


async def test_a_database_by_url_is_prepared_again_without_harm(
    run: Any, fresh_database: Any, clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # The roles belong to the whole server: with the passwords that the other tests use, nothing changes for them.
    folder = tmp_path / "state" / "roles"
    folder.mkdir(parents=True)
    for role in roles.LOGIN_ROLES:
        (folder / role).write_text(f"password-of-{role}")
    clean_environment.setenv("DODOMU_SUPERUSER_URL", fresh_database.superuser_url)
    ran = await run("database", "prepare")
    assert (ran.status, ran.err) == (0, "")
    assert fresh_database.name in ran.out
    assert "password-of" not in ran.out


# ---- a database that cannot be used -----------------------------------------------------------------


async def test_a_database_that_was_never_prepared_is_told(
    run: Any, cluster: Any, clean_environment: pytest.MonkeyPatch, template: str
) -> None:
    for database, password in (("no_such_database", "password-of-dodomu_keeper"), (template, SECRET)):
        url = cluster.url(roles.KEEPER, password, database)
        clean_environment.setenv("DODOMU_KEEPER_DATABASE_URL", url)
        ran = await run("member", "list")
        assert (ran.status, ran.out) == (1, "")
        assert "python -m admin database prepare" in ran.err
        assert SECRET not in ran.err


async def test_a_role_of_another_zone_is_told(
    run: Any, fresh_database: Any, clean_environment: pytest.MonkeyPatch
) -> None:
    clean_environment.setenv("DODOMU_KEEPER_DATABASE_URL", fresh_database.url(roles.BOT))
    ran = await run("member", "list")
    assert (ran.status, ran.out) == (1, "")
    assert "refuses this role" in ran.err


async def test_a_database_that_is_down_is_told(
    run: Any, clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers here
        url = f"postgresql://u:{SECRET}@127.0.0.1:{unused.getsockname()[1]}/dodomu"
        clean_environment.setenv("DODOMU_KEEPER_DATABASE_URL", url)
        clean_environment.setenv("DODOMU_SUPERUSER_URL", url)
        for command in (["member", "list"], ["ceremony", "--out", str(tmp_path)], ["database", "prepare"]):
            ran = await run(*command)
            assert (ran.status, ran.out) == (1, "")
            assert "does not answer" in ran.err
            assert SECRET not in ran.err
    assert not (tmp_path / "recovery.txt").exists()


# ---- settings ---------------------------------------------------------------------------------------


async def test_a_setting_that_is_missing_is_named_with_what_is_expected(run: Any) -> None:
    ran = await run("serve")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("DODOMU_CEREMONY_KEY is not set. Expected: the public half")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("DODOMU_CEREMONY_KEY", SECRET),
        ("DODOMU_CEREMONY_KEY", "ab" * 31),
        ("DODOMU_CONSOLE_DATABASE_URL", f"mysql://u:{SECRET}@h/d"),
        ("DODOMU_CONSOLE_DATABASE_URL", f"postgresql://u:{SECRET}@h:port/d"),
        ("DODOMU_CONSOLE_DATABASE_URL", f"postgresql://u:{SECRET}@h"),
        ("DODOMU_CONSOLE_PORT", "0"),
        ("DODOMU_CONSOLE_PORT", SECRET),
        ("DODOMU_SESSION_MINUTES", "soon"),
        ("DODOMU_SCRYPT_WORK_FACTOR", "31"),
    ],
)
async def test_a_malformed_setting_is_named_without_its_value(
    run: Any, clean_environment: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    clean_environment.setenv("DODOMU_CEREMONY_KEY", PUBLIC_KEY)
    clean_environment.setenv(setting, value)
    ran = await run("serve")
    assert (ran.status, ran.out) == (2, "")
    assert re.fullmatch(rf"{setting} is not usable\. Expected: .+\.\n", ran.err)
    assert SECRET not in ran.err


def test_several_wrong_settings_are_told_together(clean_environment: pytest.MonkeyPatch) -> None:
    clean_environment.setenv("DODOMU_CONSOLE_PORT", "x")
    with pytest.raises(SettingsError) as told:
        load(ConsoleSettings)
    assert [line.split()[0] for line in str(told.value).splitlines()] == [
        "DODOMU_CEREMONY_KEY",
        "DODOMU_CONSOLE_PORT",
    ]


def test_every_setting_says_what_is_expected() -> None:
    for settings in (ConsoleSettings, KeeperSettings, PrepareSettings, AddressSettings):
        for field in settings.model_fields.values():
            assert field.description


def test_settings_do_not_show_their_secrets(clean_environment: pytest.MonkeyPatch) -> None:
    clean_environment.setenv("DODOMU_CEREMONY_KEY", PUBLIC_KEY)
    clean_environment.setenv("DODOMU_CONSOLE_DATABASE_URL", f"postgresql://u:{SECRET}@h/d")
    clean_environment.setenv("DODOMU_S3_SECRET_ACCESS_KEY", SECRET)
    settings = load(ConsoleSettings)
    assert SECRET not in repr(settings) + str(settings)
    assert settings.s3() == {"secret_access_key": SECRET}
    assert settings.ceremony_public_key().public_bytes_raw().hex() == PUBLIC_KEY
    with settings.database() as url:
        assert url == f"postgresql://u:{SECRET}@h/d"


def test_an_empty_setting_is_an_unset_one(clean_environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clean_environment.setenv("DODOMU_KEEPER_DATABASE_URL", "")
    settings = load(KeeperSettings)
    assert settings.keeper_database_url is None
    assert settings.blobs_at == str(tmp_path / "state" / "blobs")


# ---- the rest ---------------------------------------------------------------------------------------


async def test_the_console_opens_in_the_browser(run: Any, clean_environment: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    clean_environment.setattr("webbrowser.open", lambda address: not opened.append(address))
    clean_environment.setenv("DODOMU_CONSOLE_HOST", "::1")
    assert (await run("open")).status == 0
    assert opened == ["http://localhost:8080"]
    clean_environment.setattr("webbrowser.open", lambda _: False)
    without = await run("open")
    assert (without.status, without.out) == (1, "http://localhost:8080\n")
    assert "no browser" in without.err


@pytest.mark.parametrize(
    "command",
    [
        "",
        "database",
        "database prepare",
        "ceremony",
        "relay",
        "member",
        "member add",
        "member give",
        "member list",
        "compartments",
        "serve",
        "keeper",
        "open",
    ],
)
async def test_every_command_explains_itself(run: Any, command: str) -> None:
    ran = await run(*command.split(), "--help")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("usage: python -m admin")


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["ceremony"], ["member", "add", "swift", "--role", "admiral"]]
)
async def test_a_command_that_is_none_is_told(run: Any, arguments: list[str]) -> None:
    ran = await run(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("usage: python -m admin")


def test_the_roles_of_the_command_line_are_those_of_the_store() -> None:
    assert cli.ROLES == tables.ROLES


def test_help_does_not_wait_for_what_the_acts_need() -> None:
    heavy = "{'sqlalchemy', 'asyncpg', 'pydantic', 'cryptography', 'fastapi'}"
    program = (
        f"import sys, admin.__main__ as cli; cli.parser(); sys.exit(str(sorted({heavy} & set(sys.modules))))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.stderr.strip() == "[]"


def test_passwords_of_the_roles_are_made_once(tmp_path: Path) -> None:
    assert setup.new_passwords(tmp_path) == setup.new_passwords(tmp_path)
