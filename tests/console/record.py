"""What the custody log tells of a console that a test has used."""

import json
from typing import Any

from tests.console.conftest import Person, Team


async def leaves(team: Team, kind: str) -> list[dict[str, Any]]:
    rows = await team.connection.fetch("SELECT leaf FROM custody_leaves ORDER BY id")
    told = [json.loads(row["leaf"]) for row in rows]
    return [leaf for leaf in told if leaf["kind"] == kind]


async def refusals(team: Team) -> list[tuple[str, str]]:
    return [(leaf["what"], leaf["object"]) for leaf in await leaves(team, "refused")]


def name_of(someone: Person) -> str:
    assert someone.added is not None
    return str(someone.added.member.id)
