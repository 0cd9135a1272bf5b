"""The server on this machine: who starts it, who stops it, who may enter, what it tells."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from storage import programs
from storage.local import Server, acquire
from storage.setup import sqlalchemy_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROJECT = Path(__file__).parents[2]
USER = """
import sys
from pathlib import Path
from storage.local import acquire
with acquire(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder made by a first start, not in use when a test begins."""
    root = tmp_path_factory.mktemp("local")
    acquire(root).close()
    return root


@pytest.fixture
def server(root: Path) -> Iterator[Server]:
    with acquire(root) as server:
        yield server


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a path that is short, as those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@contextlib.contextmanager
def another_user(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the server until its input is closed, or it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", USER, root],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as user:
        try:
            assert user.stdout is not None
            assert user.stdout.readline() == "in\n"
            yield user
        finally:
            user.kill()


def postmaster(root: Path) -> int:
    return int((root / "data" / "postmaster.pid").read_text().split()[0])


def listens(root: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(root / "socket" / ".s.PGSQL.5432"))
        except OSError:
            return False
    return True


def until(condition: Callable[[], bool], *, within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


async def ask(url: str, question: str, *arguments: object) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question, *arguments)
    finally:
        await connection.close()


async def test_first_start_makes_a_private_folder_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    with acquire(tmp_path / "new" / "postgres", progress=said.append) as server:
        assert await ask(server.superuser_url(), "SHOW server_version_num") >= "150000"
    secret = tmp_path / "new" / "postgres" / "superuser.secret"
    assert len(said) == 1
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700


def test_a_start_that_was_cut_short_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "data.new").mkdir()
    (tmp_path / "data.new" / "PG_VERSION").write_text("18\n")
    (tmp_path / "superuser.secret").write_text("of the attempt that was cut short")
    with acquire(tmp_path, durable=False):
        assert listens(tmp_path)


async def test_is_durable_unless_told_otherwise(server: Server, cluster: Server) -> None:
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        assert await ask(server.superuser_url(), f"SHOW {setting}") == "on"
        assert await ask(cluster.superuser_url(), f"SHOW {setting}") == "off"


def test_a_second_user_finds_the_same_server(root: Path, server: Server) -> None:
    first = postmaster(root)
    with acquire(root):
        assert postmaster(root) == first
    assert listens(root)


def test_the_last_one_out_stops_it(root: Path) -> None:
    first, second = acquire(root), acquire(root)
    first.close()
    first.close()
    assert listens(root)
    second.close()
    until(lambda: not listens(root))


def test_it_outlives_the_one_who_started_it(root: Path) -> None:
    with another_user(root) as starter:
        started = postmaster(root)
        with acquire(root):
            starter.kill()
            starter.wait()
            assert postmaster(root) == started
            assert listens(root)


def test_it_stops_when_its_only_user_is_killed(root: Path) -> None:
    with another_user(root) as user:
        user.kill()
        user.wait()
        until(lambda: not listens(root))
    with acquire(root):
        assert listens(root)


async def test_what_was_committed_is_there_after_a_crash(root: Path, server: Server) -> None:
    await ask(server.superuser_url(), "CREATE TABLE kept AS SELECT 7 AS number")
    os.kill(postmaster(root), signal.SIGKILL)
    with acquire(root) as again:
        assert await ask(again.superuser_url(), "SELECT number FROM kept") == 7


def test_a_reused_pid_is_neither_believed_nor_killed(root: Path) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as bystander:
        with acquire(root) as server:
            os.kill(postmaster(root), signal.SIGKILL)
            until(lambda: not listens(root))
            for name in ("data/postmaster.pid", "socket/.s.PGSQL.5432.lock"):
                lines = (root / name).read_text().split("\n")
                (root / name).write_text("\n".join([str(bystander.pid), *lines[1:]]))
            server.stop()
            server.restart()
            assert listens(root)
        assert bystander.poll() is None


async def test_stops_and_starts_again_under_its_users(server: Server) -> None:
    for immediate in (False, True):
        server.stop(immediate=immediate)
        with pytest.raises(OSError, match=r"PGSQL|No such file"):
            await ask(server.superuser_url(), "SELECT 1")
        server.restart(immediate=immediate)
        assert await ask(server.superuser_url(), "SELECT 1") == 1


async def test_a_wrong_password_is_refused(server: Server) -> None:
    for password in ("wrong", ""):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(server.url("postgres", password, "postgres"), "SELECT 1")
    await ask(server.superuser_url(), "CREATE ROLE olha LOGIN PASSWORD 'a'")
    stored = await ask(server.superuser_url(), "SELECT rolpassword FROM pg_authid WHERE rolname = 'olha'")
    assert str(stored).startswith("SCRAM-SHA-256$")


async def test_any_password_fits_into_the_url(server: Server) -> None:
    password = "p@ss/w:o rd?&#%'\"+й"
    literal = await ask(server.superuser_url(), "SELECT quote_literal($1)", password)
    await ask(server.superuser_url(), f"CREATE ROLE iryna LOGIN PASSWORD {literal}")
    url = server.url("iryna", password, "postgres")
    assert await ask(url, "SELECT current_user") == "iryna"
    engine = create_async_engine(sqlalchemy_url(url))
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT current_user")) == "iryna"
    await engine.dispose()


def test_it_shows_no_password(root: Path, server: Server) -> None:
    assert (root / "superuser.secret").read_text() not in f"{server!r}{server}"


def test_it_listens_on_no_port(root: Path, server: Server) -> None:
    links = [str(entry.readlink()) for entry in Path(f"/proc/{postmaster(root)}/fd").iterdir()]
    sockets = {
        link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:")
    }
    assert sockets
    for table in ("tcp", "tcp6", "udp", "udp6"):
        rows = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        assert not sockets & {row.split()[9] for row in rows}


def test_it_has_no_special_right_and_none_of_our_environment(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DODOMU_SECRET", "an invented secret")
    monkeypatch.setenv("PGPORT", "6543")
    with acquire(root):
        process = Path(f"/proc/{postmaster(root)}")
        rights = [line for line in (process / "status").read_text().splitlines() if line.startswith("CapEff")]
        assert rights == ["CapEff:\t0000000000000000"]
        assert b"DODOMU" not in (process / "environ").read_bytes()


async def test_its_log_repeats_nothing_that_was_said(root: Path, server: Server) -> None:
    name = "Марійка-Злата"
    connection = await asyncpg.connect(server.superuser_url())
    try:
        await connection.execute("CREATE TEMP TABLE people (name text UNIQUE, age int CHECK (age < 18))")
        await connection.execute("INSERT INTO people VALUES ($1, 5)", name)
        for statement, arguments in (
            ("INSERT INTO people VALUES ($1, 6)", (name,)),
            ("INSERT INTO people VALUES ($1, 19)", (f"{name} 2",)),
            ("SELECT $1::text::int", (name,)),
            (f"SELECT '{name}'::uuid", ()),
            (f"SELEKT '{name}'", ()),
            ("SELECT pg_terminate_backend(pg_backend_pid()), $1::text", (name,)),
        ):
            with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
                await connection.fetch(statement, *arguments)
    finally:
        await connection.close()
    server.stop()
    logs = [(root / "start.log"), *(root / "log").iterdir()]
    written = b"".join(log.read_bytes() for log in logs)
    assert b"ready to accept connections" in written
    assert "Марійка".encode() not in written
    assert b"SELEKT" not in written


def test_a_long_path_gets_its_socket_elsewhere(
    tmp_path: Path, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / ("long-" * 20)
    monkeypatch.setattr("tempfile.tempdir", str(short))
    with acquire(root, durable=False) as server:
        (elsewhere,) = short.glob("dodomu-*")
        assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o700
        assert str(elsewhere).replace("/", "%2F") in server.superuser_url()
        assert (elsewhere / ".s.PGSQL.5432").is_socket()
    elsewhere.chmod(0o755)
    with pytest.raises(programs.FolderError, match="Others may enter"):
        acquire(root, durable=False)
    monkeypatch.setattr("tempfile.tempdir", str(root))
    with pytest.raises(programs.FolderError, match="TMPDIR"):
        acquire(root, durable=False)


def test_data_of_another_version_are_refused(root: Path) -> None:
    version = root / "data" / "PG_VERSION"
    ours = version.read_text()
    version.write_text("15\n")
    try:
        with pytest.raises(programs.VersionError, match="made by PostgreSQL 15"):
            acquire(root)
    finally:
        version.write_text(ours)


def test_a_durable_folder_is_not_used_carelessly(root: Path, server: Server) -> None:
    with pytest.raises(programs.FolderError, match="was made durable"):
        acquire(root, durable=False)
    assert listens(root)


@pytest.mark.parametrize(("status", "told"), [(1, "unshare --user"), (7, "every folder above")])
def test_root_is_told_what_to_do_when_it_may_not(
    status: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unshare = tmp_path / "unshare"
    unshare.write_text(f"#!/bin/sh\nexit {status}\n")
    unshare.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(programs.NotAllowedError, match=told) as refusal:
        programs.check_root_may(programs.binaries() / "postgres", tmp_path)
    assert "DODOMU_DATABASE_URL" in str(refusal.value)


def test_a_start_that_fails_says_why(tmp_path: Path) -> None:
    acquire(tmp_path, durable=False).close()
    (tmp_path / "data" / "global" / "pg_control").rename(tmp_path / "pg_control")
    with pytest.raises(programs.StartError, match="pg_control"):
        acquire(tmp_path, durable=False)
