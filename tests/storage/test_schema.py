"""What stands in the database in clear is one list, and the migrations make exactly what the models say."""

import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from storage import roles, setup
from storage.columns import CLEAR_COLUMNS, SEALED_COLUMNS
from storage.tables import APPEND_ONLY, metadata

ALEMBIC = {"alembic_version": {"version_num"}}  # the number of the schema's version, and nothing else
LOCK_NOT_AVAILABLE = "55P03"


@pytest.fixture
async def superuser(fresh_database: Any) -> Any:
    connection = await asyncpg.connect(fresh_database.superuser_url)
    yield connection
    await connection.close()


async def columns(connection: asyncpg.Connection) -> dict[str, dict[str, str]]:
    """Every column of every table that is not PostgreSQL's own, with its type."""
    found: dict[str, dict[str, str]] = {}
    for row in await connection.fetch(
        """SELECT c.table_schema, c.table_name, c.column_name, c.data_type FROM information_schema.columns c
           WHERE c.table_schema NOT IN ('pg_catalog', 'information_schema')"""
    ):
        assert row["table_schema"] == "public"
        found.setdefault(row["table_name"], {})[row["column_name"]] = row["data_type"]
    return found


async def test_every_column_is_either_clear_or_sealed(superuser: asyncpg.Connection) -> None:
    stands = {table: set(listed) for table, listed in (await columns(superuser)).items()}
    told = {
        table: set(CLEAR_COLUMNS.get(table, ())) | set(SEALED_COLUMNS.get(table, ()))
        for table in {*CLEAR_COLUMNS, *SEALED_COLUMNS}
    }
    assert stands == told | ALEMBIC


def test_no_column_is_both() -> None:
    assert {table: CLEAR_COLUMNS[table] & sealed for table, sealed in SEALED_COLUMNS.items()} == {
        table: frozenset() for table in SEALED_COLUMNS
    }


async def test_what_is_sealed_is_bytes(superuser: asyncpg.Connection) -> None:
    stands = await columns(superuser)
    types = {stands[table][column] for table, sealed in SEALED_COLUMNS.items() for column in sealed}
    assert types == {"bytea"}


async def test_nothing_else_holds_data(superuser: asyncpg.Connection) -> None:
    """No view, foreign table, large object or schema that the list of columns would not see."""
    kinds = await superuser.fetch(
        """SELECT c.relkind::text AS kind, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
           AND c.relkind NOT IN ('r', 'i', 'S')"""
    )
    assert kinds == []
    assert await superuser.fetchval("SELECT count(*) FROM pg_largeobject_metadata") == 0


async def test_the_models_are_what_the_migrations_make(fresh_database: Any) -> None:
    engine = create_async_engine(setup.sqlalchemy_url(fresh_database.superuser_url))
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(_differences) == []
    finally:
        await engine.dispose()


def _differences(connection: sa.Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata))


async def test_constraints_and_indexes_are_those_of_the_models(
    superuser: asyncpg.Connection, fresh_database: Any
) -> None:
    """Alembic compares no CHECKs: so the models are made beside, in a schema of their own, and both are read."""
    engine = create_async_engine(setup.sqlalchemy_url(fresh_database.superuser_url))
    try:
        async with engine.begin() as connection:
            await connection.execute(sa.schema.CreateSchema("models"))
            beside = await connection.execution_options(schema_translate_map={None: "models"})
            await beside.run_sync(metadata.create_all)
    finally:
        await engine.dispose()
    made = await _guards(superuser, "public")
    assert made - await _guards(superuser, "models") == {
        ("alembic_version", "PRIMARY KEY (version_num)"),
        ("alembic_version", "NOT NULL version_num"),
    }
    assert await _guards(superuser, "models") <= made


async def _guards(connection: asyncpg.Connection, schema: str) -> set[tuple[str, str]]:
    constraints = await connection.fetch(
        "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = $1::text::regnamespace",
        schema,
    )
    indexes = await connection.fetch(
        "SELECT indexname::text, indexdef FROM pg_indexes WHERE schemaname = $1 AND indexname NOT LIKE 'alembic%'",
        schema,
    )
    return {
        (where.replace(f"{schema}.", ""), what.replace(f"{schema}.", ""))
        for where, what in map(tuple, [*constraints, *indexes])
    }


async def test_what_only_grows_is_guarded_by_two_triggers_each(superuser: asyncpg.Connection) -> None:
    triggers = await superuser.fetch("SELECT tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal")
    assert {(row["tgname"], row["tgenabled"]) for row in triggers} == {
        (f"{table}_{ends}", "O") for table in APPEND_ONLY for ends in ("only_grow", "never_truncated")
    }


async def test_up_down_and_up_again_with_data(superuser: asyncpg.Connection, fresh_database: Any) -> None:
    before = await _shape(superuser)
    await _fill(superuser)
    await setup.migrate(fresh_database.superuser_url, "base")
    assert (await columns(superuser)).keys() == ALEMBIC.keys()
    assert await superuser.fetchval("SELECT count(*) FROM pg_proc WHERE proname = 'refuse_change'") == 0
    await setup.migrate(fresh_database.superuser_url)
    assert await _shape(superuser) == before
    await setup.migrate(fresh_database.superuser_url)  # again changes nothing
    assert await _shape(superuser) == before
    bot = await asyncpg.connect(fresh_database.url(roles.BOT))  # the rights came back too
    try:
        assert await bot.fetchval("SELECT count(*) FROM drafts") == 0
    finally:
        await bot.close()


async def _fill(connection: asyncpg.Connection) -> None:
    """A report in every table that hangs together by foreign keys."""
    await connection.execute(
        """INSERT INTO chats VALUES (sha256('chat'));
        INSERT INTO drafts (id, chat, active, version, day, salt, sealed, expires_on)
          VALUES (gen_random_uuid(), sha256('chat'), true, 1, current_date, sha256(''), '', current_date);
        INSERT INTO reports (id, public_code, desk_code, form, form_version, received_hour, class, compartment)
          VALUES ('00000000-0000-0000-0000-000000000001', 'A', 'B', 'family', 1, now(), 'normal', 'team');
        INSERT INTO bodies VALUES (
          gen_random_uuid(), '00000000-0000-0000-0000-000000000001', 1, '', sha256(''), 1);
        INSERT INTO receipts VALUES (sha256('words'), '00000000-0000-0000-0000-000000000001');
        INSERT INTO custody_leaves (leaf) VALUES ('{}');
        INSERT INTO custody_sequence SELECT 0, id, sha256(leaf) FROM custody_leaves"""
    )


async def _shape(connection: asyncpg.Connection) -> Any:
    """Columns, constraints, indexes, triggers and rights."""
    questions = (
        "SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE conname !~ '^pg_'",
        "SELECT indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT tgname::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT oid::regclass::text, relacl::text FROM pg_class WHERE relkind = 'r' AND relacl IS NOT NULL",
        "SELECT attrelid::regclass::text, attname::text, attacl::text FROM pg_attribute WHERE attacl IS NOT NULL",
    )
    answers = [sorted(map(tuple, await connection.fetch(question)), key=repr) for question in questions]
    return await columns(connection), answers


def _migrations() -> list[Path]:
    return sorted((setup.MIGRATIONS / "versions").glob("*.py"))


@pytest.mark.parametrize("path", _migrations(), ids=lambda path: path.stem)
def test_a_migration_gives_up_rather_than_make_intake_wait(path: Path) -> None:
    source = path.read_text()
    for way in ("upgrade", "downgrade"):
        body = source.partition(f"def {way}()")[2].partition("\ndef ")[0]
        first = body.partition('"""')[2].partition('"""')[2].strip().splitlines()[:2]
        assert re.search(r"SET LOCAL lock_timeout = '\d+s'", first[0]), way
        assert re.search(r"SET LOCAL statement_timeout = '\d+s'", first[1]), way


async def test_a_migration_that_meets_a_lock_changes_nothing(
    superuser: asyncpg.Connection, fresh_database: Any
) -> None:
    """An intake that holds its tables is not waited for: the whole migration is taken back and can be tried again."""
    before = await _shape(superuser)
    async with superuser.transaction():
        await superuser.execute(f"LOCK TABLE {', '.join(metadata.tables)} IN ROW EXCLUSIVE MODE")
        with pytest.raises(sa.exc.DBAPIError) as refused:
            await setup.migrate(fresh_database.superuser_url, "base")
        assert getattr(refused.value.orig, "sqlstate", "") == LOCK_NOT_AVAILABLE
    assert await _shape(superuser) == before
