"""Prepares a database: roles, schema, rights. Safe to run again; run by the operator, never by a zone's process.

await prepare(superuser_url, "dodomu", {"dodomu_bot": "…", "dodomu_console": "…", "dodomu_keeper": "…"})
"""

import asyncio
import secrets
import urllib.parse
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

from storage import roles

MIGRATIONS = Path(__file__).parent / "migrations"
_SETUP_LOCK = 0x0D0D0  # one preparation of a server at a time


async def prepare(superuser_url: str, database: str, passwords: Mapping[str, str]) -> None:
    """Makes the roles, the database and its schema be as this version needs them.

    `superuser_url` reaches any database of the server with the right to create roles and databases.
    `passwords` has one for each of `roles.LOGIN_ROLES`.
    """
    server = await asyncpg.connect(superuser_url)
    try:
        await server.execute("SELECT pg_advisory_lock($1)", _SETUP_LOCK)
        await _make_roles(server, passwords)
        if not await server.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
            await server.execute(
                f"CREATE DATABASE {_quoted(database)} OWNER {roles.OWNER} TEMPLATE template0 ENCODING 'UTF8'"
            )
        login = ", ".join(roles.LOGIN_ROLES)
        await server.execute(f"REVOKE ALL ON DATABASE {_quoted(database)} FROM PUBLIC")
        await server.execute(f"GRANT CONNECT ON DATABASE {_quoted(database)} TO {login}")
        await migrate(with_database(superuser_url, database))
    finally:
        await server.close()


async def migrate(url: str, revision: str = "head") -> None:
    """Brings the schema to `revision`, up or down, as the owner."""
    engine = create_async_engine(sqlalchemy_url(url), hide_parameters=True)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_migrate, revision)
    finally:
        await engine.dispose()


def _migrate(connection: sa.Connection, revision: str) -> None:
    connection.execute(
        sa.text("CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY)")
    )
    connection.execute(sa.text(f"ALTER TABLE alembic_version OWNER TO {roles.OWNER}"))
    connection.execute(sa.text(f"ALTER SCHEMA public OWNER TO {roles.OWNER}"))
    connection.execute(sa.text(f"SET ROLE {roles.OWNER}"))
    connection.commit()
    config = alembic_config()
    config.attributes["connection"] = connection
    current = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    connection.commit()
    down = revision == "base" or (
        current is not None and revision not in ("head", current) and revision < current
    )
    (command.downgrade if down else command.upgrade)(config, revision)
    if revision == "head":
        for statement in roles.grants():
            connection.execute(sa.text(statement))
        connection.commit()


def alembic_config() -> Config:
    """Alembic's configuration, without a file: where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def newest_revision() -> str:
    """The schema's revision that this version brings a database to."""
    newest = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert newest is not None, "there are migrations"
    return newest


async def _make_roles(server: asyncpg.Connection, passwords: Mapping[str, str]) -> None:
    existing = {row["rolname"] for row in await server.fetch("SELECT rolname FROM pg_roles")}
    if roles.OWNER not in existing:
        await server.execute(f"CREATE ROLE {roles.OWNER} NOLOGIN")
    await server.execute("SET password_encryption = 'scram-sha-256'")
    for role in roles.LOGIN_ROLES:
        verb = "ALTER" if role in existing else "CREATE"
        literal = await server.fetchval("SELECT quote_literal($1::text)", passwords[role])
        await server.execute(f"{verb} ROLE {role} LOGIN PASSWORD {literal}")
        await server.execute(f"ALTER ROLE {role} SET statement_timeout = '30s'")
        await server.execute(f"ALTER ROLE {role} SET idle_in_transaction_session_timeout = '30s'")


def new_passwords(folder: Path) -> dict[str, str]:
    """The login roles' passwords, made once and kept in `folder`, one file a role, readable by its user alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    passwords = {}
    for role in roles.LOGIN_ROLES:
        path = folder / role
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24))
        passwords[role] = path.read_text()
    return passwords


def with_database(url: str, database: str) -> str:
    """The same server, user and password, another database."""
    return urllib.parse.urlunsplit(urllib.parse.urlsplit(url)._replace(path=f"/{database}"))


def sqlalchemy_url(url: str) -> str:
    """An asyncpg URL as SQLAlchemy spells it."""
    return url.replace("postgresql://", "postgresql+asyncpg://", 1).replace(
        "postgres://", "postgresql+asyncpg://", 1
    )


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def prepare_now(superuser_url: str, database: str, passwords: Mapping[str, str]) -> None:
    """`prepare` for callers without an event loop."""
    asyncio.run(prepare(superuser_url, database, passwords))
