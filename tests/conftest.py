"""What tests share: one PostgreSQL a run, for all xdist workers, and a database of its own for each test."""

import asyncio
import fcntl
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from storage import roles, setup
from storage.local import Server, acquire

PASSWORDS = {role: f"password-of-{role}" for role in roles.LOGIN_ROLES}
TEMPLATE = "dodomu_template"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what tests counted (`record_property("counted", …)`), whichever worker they ran in."""
    for report in terminalreporter.getreports("passed"):
        for name, figure in report.user_properties:
            if name == "counted":
                terminalreporter.write_line(f"counted: {figure}")


@dataclass(frozen=True)
class Database:
    """One test's own database, migrated and empty."""

    server: Server
    name: str

    def url(self, role: str) -> str:
        """As one of `roles.LOGIN_ROLES`."""
        return self.server.url(role, PASSWORDS[role], self.name)

    @property
    def superuser_url(self) -> str:
        return self.server.superuser_url(self.name)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """One folder for the whole run, the same in each xdist worker."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if hasattr(request.config, "workerinput") else own


@pytest.fixture(scope="session")
def cluster(run_folder: Path) -> Iterator[Server]:
    """The run's PostgreSQL; it forgets everything in a power cut, and is fast."""
    with acquire(run_folder / "postgres", durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def template(cluster: Server, run_folder: Path) -> str:
    """The name of a database as `setup.prepare` makes it; nobody connects to it."""
    with (run_folder / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        asyncio.run(_make_template(cluster))
    return TEMPLATE


@pytest.fixture
async def fresh_database(cluster: Server, template: str) -> AsyncIterator[Database]:
    """A copy of the template, gone after the test."""
    name = f"test_{uuid.uuid4().hex}"
    server = await asyncpg.connect(cluster.superuser_url())
    try:
        await server.execute(
            f"CREATE DATABASE {name} OWNER {roles.OWNER} TEMPLATE {template} STRATEGY FILE_COPY"
        )
        # A copy does not inherit who may connect.
        await server.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        await server.execute(f"GRANT CONNECT ON DATABASE {name} TO {', '.join(roles.LOGIN_ROLES)}")
    finally:
        await server.close()
    yield Database(cluster, name)
    server = await asyncpg.connect(cluster.superuser_url())
    try:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await server.close()


async def _make_template(cluster: Server) -> None:
    server = await asyncpg.connect(cluster.superuser_url())
    try:
        if await server.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", TEMPLATE):
            return
        making = f"{TEMPLATE}_new"  # renamed when complete: a half-made one is never copied
        await server.execute(f"DROP DATABASE IF EXISTS {making}")
        await setup.prepare(cluster.superuser_url(), making, PASSWORDS)
        await server.execute(f"ALTER DATABASE {making} RENAME TO {TEMPLATE}")
    finally:
        await server.close()
