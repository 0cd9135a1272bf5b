"""Each role has the rights of its zone and no other: asked in SQL, as the role, for every table and column."""

import re
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from storage import roles
from storage.roles import BOT, CONSOLE, KEEPER, LOGIN_ROLES, OWNER, RIGHTS
from storage.tables import APPEND_ONLY, metadata
from tests.conftest import PASSWORDS

TABLES = sorted(metadata.tables)
WHOLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
PARTS = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
REFUSED = asyncpg.InsufficientPrivilegeError

# What the zones of the design may never have; written out, so that a change of `RIGHTS` cannot hide it.
NEVER = [
    *((BOT, f"SELECT {column} FROM {table}") for table, column in (
        ("bodies", "sealed"), ("files", "blob"), ("members", "call_sign"), ("team_keys", "sealed"),
        ("sessions", "member"), ("reports", "class"), ("reports", "public_code"), ("custody_leaves", "leaf"),
        ("custody_sequence", "leaf"), ("reports", "received_hour"), ("reports", "assignee"),
        ("shred_agreements", "member"))),
    *((BOT, f"DELETE FROM {table}") for table in (
        "reports", "bodies", "files", "receipts", "custody_leaves", "replies")),
    *((BOT, f"UPDATE {table} SET {column} = {column}") for table, column in (
        ("reports", "class"), ("reports", "compartment"), ("reports", "status"), ("bodies", "sealed"),
        ("files", "blob"), ("receipts", "report"), ("custody_leaves", "leaf"), ("manifests", "body"),
        ("replies", "sealed"), ("replies", "signature"), ("replies", "report"))),
    (BOT, "INSERT INTO manifests VALUES (9, '', '')"),
    *((CONSOLE, f"SELECT 1 FROM {table}") for table in (
        "chats", "drafts", "outgoing", "message_ids", "downloads", "parked", "threads", "receipts",
        "updates_taken", "draft_files")),
    *((CONSOLE, f"DELETE FROM {table}") for table in ("reports", "bodies", "files", "members", "custody_leaves")),
    (CONSOLE, "INSERT INTO manifests VALUES (9, '', '')"),
    (CONSOLE, "UPDATE members SET recipient = recipient"),
    (CONSOLE, "UPDATE members SET role = role"),
    (CONSOLE, "UPDATE reports SET public_code = public_code"),
    (CONSOLE, "UPDATE reports SET withdrawn_hour = NULL"),
    (CONSOLE, "UPDATE replies SET read_hour = NULL"),
    (CONSOLE, "UPDATE shred_agreements SET member = member"),
    *((role, "SELECT * FROM shred_due()") for role in (BOT, CONSOLE)),
    *((KEEPER, f"SELECT 1 FROM {table}") for table in (
        "chats", "drafts", "outgoing", "message_ids", "downloads", "parked", "updates_taken")),
    (KEEPER, "SELECT token_sha256 FROM sessions"),
    *((KEEPER, f"DELETE FROM {table}") for table in ("files", "bodies", "replies", "members", "custody_leaves")),
    *((KEEPER, f"UPDATE {table} SET {column} = {column}") for table, column in (
        ("bodies", "sealed"), ("bodies", "key_epoch"), ("files", "blob"), ("files", "compartment"),
        ("reports", "hold"), ("reports", "withdrawn_hour"), ("members", "call_sign"), ("manifests", "body"),
        ("custody_checkpoints", "note"))),
    *((role, "SELECT reseal_body(NULL, NULL, NULL, NULL, NULL, NULL)") for role in (BOT, CONSOLE)),
    *((role, "SELECT reseal_file(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)") for role in (BOT, CONSOLE)),
    (KEEPER, "UPDATE custody_sequence SET leaf_hash = leaf_hash"),
]  # fmt: skip


@pytest.fixture
async def superuser(fresh_database: Any) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.superuser_url)
    yield connection
    await connection.close()


def granted(role: str, table: str) -> tuple[set[str], dict[str, set[str]]]:
    """What `RIGHTS` gives: rights to the whole table, and rights to single columns."""
    whole: set[str] = set()
    parts: dict[str, set[str]] = {}
    for right, listed in re.findall(r"(\w+)(?: \(([^)]*)\))?(?:, |$)", RIGHTS[role].get(table, "")):
        if listed:
            parts.setdefault(right, set()).update(listed.split(", "))
        else:
            whole.add(right)
    return whole, parts


@pytest.mark.parametrize("role", LOGIN_ROLES)
async def test_a_role_has_exactly_its_rights(role: str, superuser: asyncpg.Connection) -> None:
    """Every table × right and every column × right, as PostgreSQL itself sees them."""
    for table in [*TABLES, "alembic_version"]:
        whole, parts = granted(role, table)
        for right in WHOLE:
            has = await superuser.fetchval("SELECT has_table_privilege($1, $2, $3)", role, table, right)
            assert has == (right in whole), f"{role}: {right} on {table}"
        columns = metadata.tables[table].columns.keys() if table in metadata.tables else ["version_num"]
        for column in columns:
            for right in PARTS:
                has = await superuser.fetchval(
                    "SELECT has_column_privilege($1, $2, $3, $4)", role, table, column, right
                )
                expected = right in whole or column in parts.get(right, ())
                assert has == expected, f"{role}: {right} on {table}.{column}"


@pytest.mark.parametrize("role", LOGIN_ROLES)
async def test_what_a_role_lacks_it_is_refused(role: str, fresh_database: Any) -> None:
    """The same, really asked: one statement for each right that the role has not at all."""
    connection = await asyncpg.connect(fresh_database.url(role))
    asked = 0
    try:
        for table in [*TABLES, "alembic_version"]:
            whole, parts = granted(role, table)
            columns = metadata.tables[table].columns.keys() if table in metadata.tables else ["version_num"]
            statements = {
                "SELECT": [f'SELECT "{c}" FROM {table}' for c in columns if c not in parts.get("SELECT", ())],
                "UPDATE": [
                    f'UPDATE {table} SET "{c}" = DEFAULT' for c in columns if c not in parts.get("UPDATE", ())
                ],
                "INSERT": [f"INSERT INTO {table} DEFAULT VALUES"],
                "DELETE": [f"DELETE FROM {table}"],
                "TRUNCATE": [f"TRUNCATE {table} CASCADE"],
            }
            for right, ways in statements.items():
                for statement in ways if right not in whole else ():
                    with pytest.raises(REFUSED):
                        await connection.execute(statement)
                    asked += 1
    finally:
        await connection.close()
    assert asked > 100


@pytest.mark.parametrize("role", LOGIN_ROLES)
async def test_a_zone_is_refused_what_it_may_never_have(role: str, fresh_database: Any) -> None:
    connection = await asyncpg.connect(fresh_database.url(role))
    try:
        for statement in (statement for who, statement in NEVER if who == role):
            with pytest.raises(asyncpg.PostgresError) as refused:
                await connection.execute(statement)
            assert refused.value.sqlstate == REFUSED.sqlstate, statement
    finally:
        await connection.close()


@pytest.mark.parametrize("role", LOGIN_ROLES)
async def test_a_role_can_make_nothing_and_become_nobody(role: str, fresh_database: Any) -> None:
    connection = await asyncpg.connect(fresh_database.url(role))
    try:
        for statement in (
            "CREATE TABLE public.mine ()",
            "CREATE TEMP TABLE mine ()",
            "CREATE SCHEMA mine",
            f"SET ROLE {OWNER}",
            f"SET SESSION AUTHORIZATION {OWNER}",
            *(f"SET ROLE {other}" for other in LOGIN_ROLES if other != role),
            "SET session_replication_role = replica",
            "ALTER TABLE bodies DISABLE TRIGGER ALL",
            "SELECT pg_read_file('postgresql.conf')",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "SELECT rolpassword FROM pg_authid",
            "CREATE EXTENSION dblink",
        ):
            with pytest.raises(asyncpg.PostgresError) as refused:
                await connection.execute(statement)
            assert refused.value.sqlstate == REFUSED.sqlstate, statement
    finally:
        await connection.close()


async def test_no_role_has_more_than_its_name(superuser: asyncpg.Connection) -> None:
    rows = await superuser.fetch(
        """SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolcanlogin
           FROM pg_roles WHERE rolname = ANY($1)""",
        [OWNER, *LOGIN_ROLES],
    )
    assert {row["rolname"]: row["rolcanlogin"] for row in rows} == {
        OWNER: False,
        **dict.fromkeys(LOGIN_ROLES, True),
    }
    assert not any(any(tuple(row)[1:6]) for row in rows)
    assert (
        await superuser.fetchval(
            "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = ANY($1)",
            [OWNER, *LOGIN_ROLES],
        )
        == 0
    )


@pytest.mark.parametrize("password", ["", "guessed"])
async def test_the_owner_cannot_log_in(password: str, cluster: Any, template: str) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await asyncpg.connect(cluster.url(OWNER, password, template))


@pytest.mark.parametrize("role", LOGIN_ROLES)
async def test_only_the_password_opens_by_scram(
    role: str, fresh_database: Any, superuser: asyncpg.Connection
) -> None:
    kept = await superuser.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = $1", role)
    assert kept.startswith("SCRAM-SHA-256$")
    assert PASSWORDS[role] not in kept
    methods = await superuser.fetch("SELECT DISTINCT auth_method FROM pg_hba_file_rules")
    assert [row["auth_method"] for row in methods] == ["scram-sha-256"]
    for wrong in ("", "wrong", PASSWORDS[next(other for other in LOGIN_ROLES if other != role)]):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(fresh_database.server.url(role, wrong, fresh_database.name))


@pytest.mark.parametrize("who", ["owner", "superuser"])
async def test_what_only_grows_refuses_even_its_owner(who: str, superuser: asyncpg.Connection) -> None:
    """The triggers stand before owner and superuser too; who takes them down first is found by checkpoints."""
    await _one_of_each(superuser)
    if who == "owner":
        await superuser.execute(f"SET ROLE {OWNER}")
    for table in APPEND_ONLY:
        before = await superuser.fetch(f"SELECT * FROM {table}")
        assert before
        column = metadata.tables[table].columns.keys()[-1]
        for statement in (
            f'UPDATE {table} SET "{column}" = "{column}"',
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ):
            with pytest.raises(REFUSED, match="only grows"):
                await superuser.execute(statement)
        assert await superuser.fetch(f"SELECT * FROM {table}") == before


async def _one_of_each(connection: asyncpg.Connection) -> None:
    await connection.execute(
        """INSERT INTO reports (id, public_code, desk_code, form, form_version, received_hour, class, compartment)
          VALUES ('00000000-0000-0000-0000-000000000001', 'A', 'B', 'family', 1, now(), 'normal', 'team');
        INSERT INTO bodies VALUES ('00000000-0000-0000-0000-000000000002',
          '00000000-0000-0000-0000-000000000001', 1, '', sha256(''), 1);
        INSERT INTO files VALUES ('00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000001',
          '00000000-0000-0000-0000-000000000002', 'b', sha256(''), 1, 1, 'team');
        INSERT INTO receipts VALUES (sha256('words'), '00000000-0000-0000-0000-000000000001');
        INSERT INTO manifests VALUES (1, '', '');
        INSERT INTO custody_leaves (leaf) VALUES ('{}');
        INSERT INTO custody_sequence SELECT 0, id, sha256(leaf) FROM custody_leaves;
        INSERT INTO custody_tiles VALUES (0, 0, decode(repeat('00', 8192), 'hex'), sha256(''));
        INSERT INTO custody_checkpoints VALUES (1, '', now());
        INSERT INTO custody_publications VALUES (1, 'here', now());
        INSERT INTO custody_cosignatures VALUES (1, 'witness', '');
        INSERT INTO custody_timestamps VALUES (1, 'authority', '');
        INSERT INTO members (id, call_sign, role, recipient, signing_key, identity, signing_secret, totp, joined_hour)
          VALUES ('00000000-0000-0000-0000-000000000004', 'swift', 'lead', '', sha256(''), '', '', '', now());
        INSERT INTO factors (id, member, kind, sealed, added_hour) VALUES ('00000000-0000-0000-0000-000000000005',
          '00000000-0000-0000-0000-000000000004', 'recovery codes', '', now());
        INSERT INTO used_codes VALUES ('00000000-0000-0000-0000-000000000005', 1, now())"""
    )


def test_every_table_of_the_rights_exists() -> None:
    assert {table for tables in RIGHTS.values() for table in tables} <= set(TABLES)
    assert roles.RIGHTS.keys() == set(LOGIN_ROLES)
