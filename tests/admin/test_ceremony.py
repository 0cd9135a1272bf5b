"""The ceremony is held once, leaves two papers, and what it keeps is trusted only with its key."""

import asyncio
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admin import ceremony
from admin.ceremony import (
    CEREMONY_FILE,
    COMPARTMENTS,
    RECOVERY_FILE,
    TEAM,
    CeremonyError,
    Made,
)
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
    with ceremony.papers(team.made, tmp_path / "papers") as (_, recovery_paper):
        recovery = ceremony.read_recovery(recovery_paper)
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
    with pytest.raises(CeremonyError, match="once"), ceremony.papers(again, tmp_path / "papers"):
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


async def test_papers_stay_when_nobody_knows_whether_the_database_kept_the_rest(
    tmp_path: Path, now: datetime
) -> None:
    with pytest.raises(ConnectionError), ceremony.papers(ceremony.make(now.date()), tmp_path / "papers"):
        raise ConnectionError
    assert {path.name for path in (tmp_path / "papers").iterdir()} == {CEREMONY_FILE, RECOVERY_FILE}


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


# ---- the papers -------------------------------------------------------------------------------------


@pytest.fixture
def made(now: datetime) -> Made:
    return ceremony.make(now.date())


@pytest.fixture
def papers(made: Made, tmp_path: Path) -> tuple[Path, Path]:
    with ceremony.papers(made, tmp_path / "papers") as paths:
        return paths


def test_papers_are_readable_by_their_user_alone(papers: tuple[Path, Path]) -> None:
    assert [path.stat().st_mode & 0o777 for path in papers] == [0o600, 0o600]
    assert papers[0].parent.stat().st_mode & 0o777 == 0o700


def test_papers_are_read_with_the_words_above_the_key_and_without(
    papers: tuple[Path, Path], made: Made, tmp_path: Path
) -> None:
    def key_alone(paper: Path, begins: str) -> Path:
        text = paper.read_text()
        path = tmp_path / "alone.txt"
        path.write_text(text[text.index(begins) :])
        return path

    for signer in (papers[0], key_alone(papers[0], "-----BEGIN")):
        assert ceremony.read_ceremony_key(signer).private_bytes_raw() == made.ceremony_key.private_bytes_raw()
    for recovery in (papers[1], key_alone(papers[1], "AGE-SECRET-KEY-PQ-1")):
        assert ceremony.read_recovery(recovery).reveal() == made.recovery.reveal()


def test_papers_are_never_overwritten(papers: tuple[Path, Path], made: Made) -> None:
    before = [path.read_bytes() for path in papers]
    with pytest.raises(CeremonyError, match="already"), ceremony.papers(made, papers[0].parent):
        pass
    assert [path.read_bytes() for path in papers] == before


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"words", b"AGE-SECRET-KEY-PQ-1QQQQ\n"])
def test_a_file_that_is_no_key_is_told_as_such(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "paper.txt"
    path.write_bytes(content)
    with pytest.raises(CeremonyError, match="is not a ceremony key"):
        ceremony.read_ceremony_key(path)
    with pytest.raises(CeremonyError, match="is not a recovery identity"):
        ceremony.read_recovery(path)


def test_the_two_papers_are_not_taken_for_each_other(papers: tuple[Path, Path]) -> None:
    with pytest.raises(CeremonyError):
        ceremony.read_ceremony_key(papers[1])
    with pytest.raises(CeremonyError):
        ceremony.read_recovery(papers[0])


def test_a_recovery_identity_copied_with_a_mistake_is_told_without_repeating_it(
    papers: tuple[Path, Path],
) -> None:
    secret = papers[1].read_text().split()[-1]
    wrong = secret[:-1] + ("Q" if secret[-1] != "Q" else "P")
    papers[1].write_text(wrong)
    with pytest.raises(CeremonyError) as told:
        ceremony.read_recovery(papers[1])
    assert wrong not in str(told.value)


def test_a_paper_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CeremonyError, match=r"gone\.txt cannot be read"):
        ceremony.read_ceremony_key(tmp_path / "gone.txt")


def test_what_a_ceremony_makes_does_not_show_its_secrets(made: Made) -> None:
    shown = repr(made)
    assert made.recovery.reveal() not in shown
    assert made.teams[TEAM].reveal() not in shown
    assert made.ceremony_key.private_bytes_raw().hex() not in shown
