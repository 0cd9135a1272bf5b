"""After the ceremony each change is one more signed manifest: a new year, a compartment for places."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from admin import ceremony, manifest_commands
from admin.keys import open_team_identity
from admin.manifests import add_compartment, place_prefix, renew, route_places, unfilled
from admin.papers import CEREMONY_KEY, CeremonyError, to_words
from storage import manifest, members
from storage.errors import BadSignatureError
from storage.manifest import Manifest
from storage.members import RECOVERY
from tests.admin.test_cli import clean_environment, run, store

__all__ = ["clean_environment", "run", "store"]

OLESHKY, KHARKIV = "UA65060070010048396", "UA63120270010096107"


async def newest(team: Any) -> Manifest:
    return await manifest.newest(team.connection, team.made.ceremony_key.public_key(), team.seen())


async def as_before_roles(team: Any, now: datetime) -> Manifest:
    """A manifest as an earlier version signed it: members by their keys alone."""
    before = await newest(team)
    bare = {
        member: keys.model_copy(update={"role": "", "compartments": []})
        for member, keys in before.members.items()
    }
    old = before.model_copy(update={"serial": before.serial + 1, "members": bare})
    await ceremony.keep_manifest(team.connection, old, manifest.sign(old, team.made.ceremony_key), now)
    return old


async def adds(team: Any, now: datetime, name: str, *places: str) -> Manifest:
    return await add_compartment(
        team.connection, name, places, signer=team.made.ceremony_key, seen=team.seen(), now=now
    )


async def routes(team: Any, now: datetime, name: str, *places: str) -> Manifest:
    return await route_places(
        team.connection, name, places, signer=team.made.ceremony_key, seen=team.seen(), now=now
    )


# ---- places -----------------------------------------------------------------------------------------


async def test_a_compartment_for_places_takes_what_would_go_to_the_team(team: Any, now: datetime) -> None:
    after = await adds(team, now, "south", "UA65", "ua23")
    assert await newest(team) == after
    assert after.serial == 2
    assert after.compartment_of("family", [OLESHKY]) == "south"
    assert after.compartment_of("family", [KHARKIV, OLESHKY]) == "south"
    assert after.compartment_of("family", [KHARKIV]) == "team"
    assert after.compartment_of("with_me", [OLESHKY]) == "whereabouts"
    assert after.compartment_of("child", [OLESHKY]) == "child"
    leaf = json.loads(
        await team.connection.fetchval("SELECT leaf FROM custody_leaves ORDER BY id DESC LIMIT 1")
    )
    assert (leaf["kind"], leaf["object"]) == ("manifest", "2")


async def test_its_identity_is_sealed_to_recovery_alone_and_given_on(team: Any, now: datetime) -> None:
    after = await adds(team, now, "south", "UA65")
    holders = await team.connection.fetch("SELECT holder FROM team_keys WHERE compartment = 'south'")
    assert [row["holder"] for row in holders] == [RECOVERY]
    sealed = await members.team_key(team.connection, "south", 1, RECOVERY)
    opened = open_team_identity(sealed, team.made.recovery, after.compartments["south"])
    assert str(opened.recipient) == after.compartments["south"].recipient
    added = await team.adds("swift", compartments=["south"])
    assert (await newest(team)).members[str(added.member.id)].compartments == ["south"]


async def test_the_longest_beginning_counts_and_a_route_can_be_changed(team: Any, now: datetime) -> None:
    await adds(team, now, "south", "UA65")
    await adds(team, now, "coast", "UA6506")
    assert (await newest(team)).compartment_of("family", [OLESHKY]) == "coast"
    changed = await routes(team, now, "coast", "UA65", "BY")
    assert changed.places == {"UA65": "coast", "UA6506": "coast", "BY": "coast"}
    back = await routes(team, now, "team", "UA6506", "BY")
    assert back.places == {"UA65": "coast", "UA6506": "team"}  # one raion of it goes to the team
    assert back.compartment_of("family", [OLESHKY]) == "team"
    assert (await routes(team, now, "team", "UA65")).places == {}


@pytest.mark.parametrize(
    ("name", "places", "told"),
    [
        ("South", ["UA65"], "small letters"),
        ("s", ["UA65"], "2 to 32"),
        ("../south", ["UA65"], "small letters"),
        ("team", ["UA65"], "a compartment team already"),
        ("south", ["UA99"], "begins no place's code"),
        ("south", ["Херсон"], "begins no place's code"),
        ("south", [""], "begins no place's code"),
        ("south", ["UA65", "PL"], "begins no place's code"),
    ],
)
async def test_what_cannot_be_a_compartment_is_told_and_nothing_is_kept(
    team: Any, now: datetime, name: str, places: list[str], told: str
) -> None:
    with pytest.raises(CeremonyError, match=told):
        await adds(team, now, name, *places)
    assert (await newest(team)).serial == 1
    assert await team.connection.fetchval("SELECT count(*) FROM team_keys") == len(ceremony.COMPARTMENTS)


async def test_a_place_has_one_way_and_a_way_leads_somewhere(team: Any, now: datetime) -> None:
    await adds(team, now, "south", "UA65")
    with pytest.raises(CeremonyError, match="UA65 is routed already, to south"):
        await adds(team, now, "coast", "UA65", "UA51")
    with pytest.raises(CeremonyError, match="no compartment coast"):
        await routes(team, now, "coast", "UA51")
    assert (await newest(team)).serial == 2


async def test_a_strangers_key_changes_nothing_and_that_is_on_record(team: Any, now: datetime) -> None:
    stranger = ceremony.make(now.date()).ceremony_key
    with pytest.raises(BadSignatureError):
        await add_compartment(team.connection, "south", ["UA65"], signer=stranger, seen=team.seen(), now=now)
    assert (await newest(team)).serial == 1
    leaf = json.loads(
        await team.connection.fetchval("SELECT leaf FROM custody_leaves ORDER BY id DESC LIMIT 1")
    )
    assert (leaf["kind"], leaf["what"]) == ("refused", "changed manifest")


def test_a_place_is_typed_in_any_case() -> None:
    assert place_prefix(" ua65 ") == "UA65"
    assert place_prefix("by") == "BY"


# ---- the year's new manifest ------------------------------------------------------------------------


async def test_a_renewed_manifest_is_the_same_for_one_more_year(team: Any, now: datetime) -> None:
    await team.adds("swift")
    before = await newest(team)
    later = now + timedelta(days=300)
    after = await renew(team.connection, before, [], signer=team.made.ceremony_key, now=later)
    assert after == before.model_copy(update={"serial": 3, "expires": date(2033, 3, 1)})
    assert await newest(team) == after


async def test_members_of_before_get_role_and_compartments_from_their_rows(team: Any, now: datetime) -> None:
    lead = (await team.adds("swift", "lead", compartments=["team", "child"])).member
    keeper = (await team.adds("owl", "keeper")).member
    old = await as_before_roles(team, now)
    filled = await unfilled(team.connection, old, now)
    said = {one.call_sign: (one.role, one.compartments, one.left) for one in filled}
    assert said == {"swift": ("lead", ("child", "team"), False), "owl": ("keeper", (), False)}
    after = await renew(team.connection, old, filled, signer=team.made.ceremony_key, now=now)
    assert after.says_who_holds()
    assert after.members[str(lead.id)].compartments == ["child", "team"]
    assert after.members[str(lead.id)].signing_key == old.members[str(lead.id)].signing_key
    assert after.members[str(keeper.id)].role == "keeper"
    assert await unfilled(team.connection, after, now) == []


async def test_who_left_before_is_named_no_more_and_what_they_signed_stays_theirs(
    team: Any, now: datetime
) -> None:
    gone = (await team.adds("swift")).member
    await team.adds("owl")
    old = await as_before_roles(team, now)
    await members.leave(team.connection, gone.id, now)
    filled = await unfilled(team.connection, old, now)
    after = await renew(team.connection, old, filled, signer=team.made.ceremony_key, now=now)
    assert str(gone.id) not in after.members
    assert after.signed_before == {str(gone.id): [gone.signing_key.hex()]}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE members SET recipient = 'age1pq1'",
        "UPDATE members SET signing_key = decode(repeat('00', 32), 'hex')",
        "DELETE FROM members",
    ],
)
async def test_a_changed_row_is_never_signed(team: Any, connect: Any, now: datetime, change: str) -> None:
    await team.adds("swift")
    old = await as_before_roles(team, now)
    superuser = await connect("superuser")
    await superuser.execute(change)
    with pytest.raises(CeremonyError, match="Nothing was signed"):
        await unfilled(team.connection, old, now)
    leaf = json.loads(
        await team.connection.fetchval("SELECT leaf FROM custody_leaves ORDER BY id DESC LIMIT 1")
    )
    assert (leaf["kind"], leaf["what"]) == ("refused", "changed recipient row")


async def test_of_two_changes_at_once_one_counts(team: Any, now: datetime) -> None:
    before = await newest(team)
    await adds(team, now, "south", "UA65")
    with pytest.raises(CeremonyError, match="at the same moment"):
        await renew(team.connection, before, [], signer=team.made.ceremony_key, now=now)
    assert (await newest(team)).compartments.keys() >= {"south"}


# ---- the command line -------------------------------------------------------------------------------


@pytest.fixture
async def signed(run: Any, store: Any, tmp_path: Path) -> tuple[object, ...]:
    papers = tmp_path / "papers"
    assert (await run("ceremony", "--out", papers)).status == 0
    return ("--ceremony-key", papers / "ceremony-key.txt")


async def test_a_compartment_is_made_routed_and_shown(
    run: Any, signed: tuple[object, ...], clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = await run("compartments", "add", "south", "--place", "UA65", "UA23", "--place", "BY", *signed)
    assert (made.status, made.err) == (0, "")
    assert "Kherson Oblast" in made.out
    assert "member give CALL_SIGN --compartment south" in made.out
    routed = await run("compartments", "route", "team", "--place", "BY", *signed)
    assert (routed.status, routed.err) == (0, "")
    assert "BY" not in routed.out
    shown = await run("manifest", "show", *signed)
    assert (shown.status, shown.err) == (0, "")
    assert "Manifest 3, valid until" in shown.out
    assert "UA65" in shown.out
    assert "by place" in shown.out
    assert "No members yet" in shown.out


async def test_show_checks_the_signature_first(
    run: Any, signed: tuple[object, ...], clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unset = await run("manifest", "show")
    assert (unset.status, unset.out) == (1, "")
    assert "DODOMU_CEREMONY_KEY is not set" in unset.err
    clean_environment.setenv("DODOMU_CEREMONY_KEY", ceremony.make(date(2031, 1, 1)).ceremony_public_hex)
    stranger = await run("manifest", "show")
    assert (stranger.status, stranger.out) == (1, "")
    assert "not signed by the ceremony key" in stranger.err
    key = ceremony.read_ceremony_key(Path(str(signed[1]))).public_key().public_bytes_raw().hex()
    clean_environment.setenv("DODOMU_CEREMONY_KEY", key)
    assert (await run("manifest", "show")).status == 0


async def test_the_paper_itself_renews_the_manifest(
    run: Any, signed: tuple[object, ...], tmp_path: Path
) -> None:
    key = ceremony.read_ceremony_key(Path(str(signed[1])))
    words = to_words(CEREMONY_KEY, key.private_bytes_raw())
    typed = tmp_path / "typed.txt"
    typed.write_text("\n".join(words).upper())
    renewed = await run("manifest", "renew", "--ceremony-key", typed)
    assert (renewed.status, renewed.err) == (0, "")
    assert "Manifest 2 is valid until" in renewed.out
    typed.write_text(" ".join([words[1], words[0], *words[2:]]))
    refused = await run("manifest", "renew", "--ceremony-key", typed)
    assert (refused.status, refused.out) == (1, "")
    assert "changed places" in refused.err


async def test_the_paper_of_another_ceremony_is_told_as_such(
    run: Any, signed: tuple[object, ...], tmp_path: Path
) -> None:
    assert (await run("ceremony", "--offline", "--out", tmp_path / "other")).status == 0
    for command in (
        ("manifest", "renew"), ("manifest", "show"), ("compartments",), ("compartments", "add", "x1", "--place", "BY")
    ):  # fmt: skip
        refused = await run(*command, "--ceremony-key", tmp_path / "other" / "ceremony-key.txt")
        assert (refused.status, refused.out) == (1, "")
        assert "it is another ceremony's, or the manifest was changed" in refused.err
    recovery = ("--recovery", tmp_path / "other" / "recovery.txt")
    refused = await run("member", "add", "swift", "--role", "lead", *signed, *recovery)
    assert (refused.status, refused.out) == (1, "")
    assert "another team's key" in refused.err


async def test_renewing_asks_first_at_a_terminal(
    run: Any, store: Any, signed: tuple[object, ...], clean_environment: pytest.MonkeyPatch
) -> None:
    clean_environment.setattr(manifest_commands, "asks", lambda: True)
    no = await run("manifest", "renew", *signed, typed="no\n")
    assert (no.status, no.err) == (1, "Nothing was signed.\n")
    gone = await run("manifest", "renew", *signed)
    assert (gone.status, gone.err) == (1, "Nothing was signed.\n")
    assert "Manifest 2" in (await run("manifest", "renew", *signed, typed="yes\n")).out
    assert "Manifest 3" in (await run("manifest", "renew", "--yes", *signed)).out


async def test_what_it_will_say_of_members_is_shown_before_it_is_signed(
    run: Any, store: Any, signed: tuple[object, ...], tmp_path: Path
) -> None:
    recovery = ("--recovery", tmp_path / "papers" / "recovery.txt")
    await run("member", "add", "swift", "--role", "lead", *signed, *recovery)
    key = ceremony.read_ceremony_key(Path(str(signed[1])))
    connection = await asyncpg.connect(store.url("dodomu_keeper"))
    try:
        before = await manifest.newest(
            connection, key.public_key(), manifest.SeenSerial(tmp_path / "seen-by-the-test")
        )
        bare = {
            at: keys.model_copy(update={"role": "", "compartments": []})
            for at, keys in before.members.items()
        }
        old = before.model_copy(update={"serial": before.serial + 1, "members": bare})
        await manifest.keep(connection, old, manifest.sign(old, key))
    finally:
        await connection.close()
    shown = await run("manifest", "show", *signed)
    assert "swift" in shown.out
    assert "not said" in shown.out
    renewed = await run("manifest", "renew", *signed)
    assert (renewed.status, renewed.err) == (0, "")
    assert "lead          opens team" in renewed.out
    assert "swift" in (after := await run("manifest", "show", *signed)).out
    assert "not said" not in after.out


@pytest.mark.parametrize(
    "command", ["manifest", "manifest renew", "manifest show", "compartments add", "compartments route"]
)
async def test_every_command_explains_itself(run: Any, command: str) -> None:
    ran = await run(*command.split(), "--help")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("usage: python -m admin")


async def test_compartments_alone_needs_the_key(run: Any) -> None:
    ran = await run("compartments")
    assert (ran.status, ran.out) == (2, "")
    assert "--ceremony-key" in ran.err
