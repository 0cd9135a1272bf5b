"""Each test's database is its own, empty, and open to the roles alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from storage import roles

if TYPE_CHECKING:
    from tests.conftest import Database


@pytest.mark.parametrize("attempt", [1, 2])
async def test_starts_empty_though_another_test_wrote(attempt: int, fresh_database: Database) -> None:
    database = await asyncpg.connect(fresh_database.superuser_url)
    try:
        assert await database.fetchval("SELECT to_regclass('written_by_a_test')") is None
        await database.execute("CREATE TABLE written_by_a_test ()")
    finally:
        await database.close()


@pytest.mark.parametrize("role", roles.LOGIN_ROLES)
async def test_lets_each_role_in(role: str, fresh_database: Database) -> None:
    connection = await asyncpg.connect(fresh_database.url(role))
    try:
        assert await connection.fetchval("SELECT current_user") == role
        assert await connection.fetchval("SELECT count(*) FROM manifests") == 0
    finally:
        await connection.close()
