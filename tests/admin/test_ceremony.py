"""The ceremony is held once, leaves two papers, and what it keeps is trusted only with its key."""

import asyncio
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admin import ceremony, papers
from admin.ceremony import COMPARTMENTS, TEAM, CeremonyError
from admin.keys import open_team_identity
from flows import forms
from seal import HybridIdentity, WrongKeyError
from storage import manifest, members, roles
from storage.errors import BadSignatureError, SwappedRowError
from storage.members import RECOVERY


async def test_the_first_manifest_is_signed_and_routes_families_to_the_team(team: Any) -> None:
    key = team.made.ceremony_key.public_key()
    kept = await manifest.newest(team.connection, key, team.seen())
    assert (kept.serial, kept.expires, kept.members) == (1, date(2032, 5, 5), {})
    assert kept.compartment_of("family") == TEAM
    assert {form for form, name in kept.routing.items() if name != TEAM} == {"child", "with_me"}
    assert (kept.compartment_of("child"), kept.compartment_of("with_me")) == ("child", "whereabouts")
    assert set(kept.routing) == {form.name for form in forms.every()}
    assert len({kept.compartments[name].recipient for name in COMPARTMENTS}) == len(COMPARTMENTS)
    assert kept.compartments[TEAM].recipient == str(team.made.teams[TEAM].recipient)
    assert kept.recovery == str(team.made.recovery.recipient)


async def test_the_printed_recovery_identity_opens_the_team_identity(team: Any, tmp_path: Path) -> None:
    with papers.written(team.made.ceremony_key, team.made.recovery, tmp_path / "papers") as files:
        recovery = ceremony.read_recovery(files.recovery)
    key = await members.team_key(team.connection, TEAM, 1, RECOVERY)
    opened = open_team_identity(key, recovery, team.made.manifest.compartments[TEAM])
    assert opened.reveal() == team.made.teams[TEAM].reveal()


async def test_a_stranger_does_not_open_the_team_identity(team: Any) -> None:
    key = await members.team_key(team.connection, TEAM, 1, RECOVERY)
    with pytest.raises(WrongKeyError):
        open_team_identity(key, HybridIdentity.generate(), team.made.manifest.compartments[TEAM])


async def test_a_team_identity_that_the_manifest_does_not_name_is_refused(team: Any) -> None:
    key = await members.team_key(team.connection, TEAM, 1, RECOVERY)
    other = ceremony.make(date(2031, 1, 1)).manifest.compartments[TEAM]
    with pytest.raises(SwappedRowError):
        open_team_identity(key, team.made.recovery, other)


async def test_a_second_ceremony_changes_nothing_and_leaves_no_papers(
    team: Any, tmp_path: Path, now: datetime
) -> None:
    again = ceremony.make(now.date())
    with (
        pytest.raises(CeremonyError, match="once"),
        papers.written(again.ceremony_key, again.recovery, tmp_path / "papers"),
    ):
        await ceremony.keep(team.connection, again, now)
    assert list((tmp_path / "papers").iterdir()) == []
    assert await team.connection.fetchval("SELECT count(*) FROM manifests") == 1


async def test_of_two_ceremonies_at_once_one_counts(connect: Any, now: datetime) -> None:
    connections = [await connect(roles.KEEPER) for _ in range(2)]
    held = await asyncio.gather(
        *(ceremony.keep(connection, ceremony.make(now.date()), now) for connection in connections),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in held) == ["CeremonyError", "NoneType"]
    assert await connections[0].fetchval("SELECT count(*) FROM team_keys") == len(COMPARTMENTS)
    assert await connections[0].fetchval("SELECT count(*) FROM custody_leaves") == 2


async def test_the_ceremony_and_its_manifest_are_in_the_custody_log(team: Any) -> None:
    rows = await team.connection.fetch("SELECT leaf FROM custody_leaves ORDER BY id")
    leaves = [json.loads(row["leaf"]) for row in rows]
    assert [(leaf["kind"], leaf["object"]) for leaf in leaves] == [
        ("manifest", "1"),
        ("ceremony", team.made.ceremony_public_hex),
    ]


async def test_a_recipient_changed_in_the_manifest_row_is_refused(team: Any, connect: Any) -> None:
    stranger = ceremony.make(date(2031, 1, 1)).manifest
    superuser = await connect("superuser")
    changed = team.made.manifest.model_copy(update={"compartments": stranger.compartments})
    await superuser.execute("UPDATE manifests SET body = $1", changed.to_bytes())
    with pytest.raises(BadSignatureError):
        await manifest.newest(team.connection, team.made.ceremony_key.public_key(), team.seen())


async def test_a_manifest_of_another_ceremony_is_refused(team: Any) -> None:
    with pytest.raises(BadSignatureError):
        await manifest.newest(team.connection, Ed25519PrivateKey.generate().public_key(), team.seen())


def test_what_a_ceremony_makes_does_not_show_its_secrets(now: datetime) -> None:
    made = ceremony.make(now.date())
    shown = repr(made)
    assert made.recovery.reveal() not in shown
    assert made.teams[TEAM].reveal() not in shown
    assert made.ceremony_key.private_bytes_raw().hex() not in shown
