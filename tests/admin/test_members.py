"""A member signs in with what was shown once; a row that was changed or swapped opens nothing."""

import asyncio
import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest

from admin import keys
from admin.ceremony import CHILD, TEAM, WHEREABOUTS, make
from admin.keys import check_named, open_team_identity, seal_team_identity, unlock
from admin.members import Added, MemberError, Opener, add, give
from flows import returnwords
from seal import HybridIdentity, ScryptIdentity, SealError, WrongKeyError, open_bytes, parse_identities
from storage import manifest, members, roles
from storage.errors import BadSignatureError, ManifestError, SwappedRowError
from storage.manifest import Manifest
from storage.members import RECOVERY


async def newest(team: Any) -> Manifest:
    return await manifest.newest(team.connection, team.made.ceremony_key.public_key(), team.seen())


# ---- adding -----------------------------------------------------------------------------------------


async def test_a_new_member_unlocks_their_keys_and_opens_the_team_identity(team: Any) -> None:
    added = await team.adds("swift")
    row = await members.by_call_sign(team.connection, "swift")
    current = await newest(team)
    check_named(row, current)
    me = unlock(row, added.passphrase)
    assert me.totp_secret == added.totp_secret
    assert me.signing_key.public_key().public_bytes_raw() == row.signing_key
    key = await members.team_key(team.connection, TEAM, 1, me.member)
    opened = open_team_identity(key, me.identity, current.compartments[TEAM])
    assert opened.reveal() == team.made.teams[TEAM].reveal()


async def test_a_member_adds_the_next_without_recovery(team: Any) -> None:
    first = await team.adds_and_unlocks("swift")
    added = await team.adds("heron", by=first)
    second = unlock(added.member, added.passphrase)
    key = await members.team_key(team.connection, TEAM, 1, second.member)
    opened = open_team_identity(key, second.identity, (await newest(team)).compartments[TEAM])
    assert opened.reveal() == team.made.teams[TEAM].reveal()


async def test_each_member_is_in_the_next_manifest_and_in_the_custody_log(team: Any) -> None:
    swift, heron = await team.adds("swift"), await team.adds("heron", "lead")
    assert (swift.serial, heron.serial) == (2, 3)
    assert set((await newest(team)).members) == {str(swift.member.id), str(heron.member.id)}
    rows = await team.connection.fetch("SELECT leaf FROM custody_leaves ORDER BY id")
    acts = [json.loads(row["leaf"]) for row in rows][2:]
    assert [(act["kind"], act["object"]) for act in acts] == [
        ("manifest", "2"),
        ("member added", str(swift.member.id)),
        ("manifest", "3"),
        ("member added", str(heron.member.id)),
    ]


@pytest.mark.parametrize("role", ["keeper", "auditor"])
async def test_who_never_opens_a_report_gets_no_team_identity(team: Any, role: str) -> None:
    added = await team.adds("owl", role)
    assert await members.team_keys(team.connection, added.member.id) == []
    unlocked = unlock(added.member, added.passphrase)
    with pytest.raises(MemberError, match="must hold it"):
        await team.adds("wren", by=unlocked)


@pytest.mark.parametrize(
    "call_sign", ["", "s", "Swift", "9lives", "so swift", "s" * 33, "ластівка", "swift\n"]
)
async def test_a_call_sign_that_cannot_be_is_refused_before_anything_is_made(
    team: Any, call_sign: str
) -> None:
    with pytest.raises(MemberError, match="call sign has"):
        await team.adds(call_sign)


async def test_an_unknown_role_is_refused(team: Any) -> None:
    with pytest.raises(MemberError, match="analyst"):
        await team.adds("swift", "admiral")


async def test_a_call_sign_is_never_given_twice_even_after_its_member_left(team: Any, now: datetime) -> None:
    added = await team.adds("swift")
    with pytest.raises(MemberError, match="taken"):
        await team.adds("swift")
    assert await members.leave(team.connection, added.member.id, now)
    with pytest.raises(MemberError, match="taken"):
        await team.adds("swift")
    assert (await newest(team)).serial == 2


async def test_two_members_added_at_once_are_both_signed_or_told_to_try_again(
    team: Any, connect: Any
) -> None:
    other = await connect(roles.KEEPER)
    ended = await asyncio.gather(
        team.adds("swift"), team.adds("heron", connection=other), return_exceptions=True
    )
    added = [one for one in ended if isinstance(one, Added)]
    assert added
    assert all(isinstance(one, Added | MemberError) for one in ended)
    assert set((await newest(team)).members) == {str(one.member.id) for one in added}
    assert {one.call_sign for one in await members.everyone(team.connection)} == {
        one.member.call_sign for one in added
    }


async def test_another_ceremonys_key_signs_nobody_in(team: Any, now: datetime) -> None:
    stranger = make(now.date())
    with pytest.raises(BadSignatureError):
        await add(
            team.connection, "swift", "analyst", signer=stranger.ceremony_key,
            opener=Opener(RECOVERY, team.made.recovery), seen=team.seen(), work_factor=4, now=now,
        )  # fmt: skip
    assert await members.everyone(team.connection) == []


async def test_another_teams_recovery_opens_nothing_for_a_newcomer(team: Any, now: datetime) -> None:
    with pytest.raises(MemberError, match="does not open"):
        await add(
            team.connection, "swift", "analyst", signer=team.made.ceremony_key,
            opener=Opener(RECOVERY, HybridIdentity.generate()), seen=team.seen(), work_factor=4, now=now,
        )  # fmt: skip
    assert await members.everyone(team.connection) == []


async def test_nothing_secret_of_a_member_stands_in_the_database(team: Any, connect: Any) -> None:
    added = await team.adds("swift")
    me = unlock(added.member, added.passphrase)
    superuser = await connect("superuser")
    kept = b""
    for table in ("members", "team_keys", "manifests", "custody_leaves"):
        for row in await superuser.fetch(f"SELECT * FROM {table}"):
            kept += b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    raw = me.signing_key.private_bytes_raw()
    secrets = [
        added.passphrase.encode(), added.totp_secret.encode(), me.identity.reveal().encode(), raw,
        raw.hex().encode(), team.made.teams[TEAM].reveal().encode(), team.made.recovery.reveal().encode(),
    ]  # fmt: skip
    assert added.member.recipient.encode() in kept  # the search does find what is there
    assert [secret for secret in secrets if secret in kept] == []


async def test_rows_and_answers_do_not_show_secrets(team: Any) -> None:
    added = await team.adds("swift")
    me = unlock(added.member, added.passphrase)
    shown = repr(added) + repr(me) + repr(await members.team_keys(team.connection, me.member))
    for secret in (added.passphrase, added.totp_secret, me.identity.reveal(), added.member.identity.hex()):
        assert secret not in shown
    assert "swift" in shown


# ---- unlocking --------------------------------------------------------------------------------------


async def test_another_passphrase_opens_nothing(team: Any) -> None:
    added = await team.adds("swift")
    with pytest.raises(WrongKeyError):
        unlock(added.member, keys.new_passphrase())
    with pytest.raises(WrongKeyError):
        unlock(added.member, "")


async def test_a_passphrase_is_forgiven_its_case_and_its_spaces(team: Any) -> None:
    added = await team.adds("swift")
    typed = f"  {added.passphrase.upper().replace('-', '  ')} "
    assert unlock(added.member, typed).member == added.member.id


def test_a_passphrase_is_seven_words_of_the_list() -> None:
    words = keys.new_passphrase().split("-")
    assert len(words) == 7
    assert len(returnwords.numbers(" ".join(words), "en")) == 7
    assert keys.new_passphrase() != keys.new_passphrase()


async def test_parts_of_two_rows_put_together_are_noticed(team: Any) -> None:
    swift, heron = await team.adds("swift"), await team.adds("heron")
    for part in ("id", "recipient", "signing_key", "signing_secret", "totp"):
        mixed = dataclasses.replace(swift.member, **{part: getattr(heron.member, part)})
        with pytest.raises((SwappedRowError, SealError)):
            unlock(mixed, swift.passphrase)


async def test_a_strangers_row_under_a_members_call_sign_is_not_in_the_manifest(
    team: Any, connect: Any
) -> None:
    added = await team.adds("swift")
    stranger = keys.new_member("a stranger's own words", 4).row("swift", "lead", added.member.joined_hour)
    superuser = await connect("superuser")
    await superuser.execute(
        """UPDATE members SET id = $1, recipient = $2, signing_key = $3, identity = $4, signing_secret = $5,
           totp = $6""",
        stranger.id, stranger.recipient, stranger.signing_key, stranger.identity, stranger.signing_secret,
        stranger.totp,
    )  # fmt: skip
    row = await members.by_call_sign(team.connection, "swift")
    assert unlock(row, "a stranger's own words").member == stranger.id
    with pytest.raises(ManifestError):
        check_named(row, await newest(team))
    with pytest.raises(ManifestError):
        check_named(dataclasses.replace(row, id=added.member.id), await newest(team))


# ---- team identities --------------------------------------------------------------------------------


async def test_a_team_key_row_swapped_for_another_is_refused(team: Any, connect: Any) -> None:
    swift, heron = await team.adds_and_unlocks("swift"), await team.adds_and_unlocks("heron")
    compartment = team.made.manifest.compartments[TEAM]
    superuser = await connect("superuser")
    # Another holder's copy in swift's row.
    await superuser.execute(
        """UPDATE team_keys SET sealed = (SELECT sealed FROM team_keys WHERE holder = $2) WHERE holder = $1""",
        swift.member,
        heron.member,
    )
    key = await members.team_key(team.connection, TEAM, 1, swift.member)
    with pytest.raises(WrongKeyError):
        open_team_identity(key, swift.identity, compartment)
    # Heron's own copy, moved under another epoch.
    await superuser.execute("UPDATE team_keys SET epoch = 2 WHERE holder = $1", heron.member)
    key = await members.team_key(team.connection, TEAM, 2, heron.member)
    with pytest.raises(SwappedRowError):
        open_team_identity(key, heron.identity, compartment.model_copy(update={"epoch": 2}))


async def test_a_team_identity_that_a_stranger_sealed_to_a_member_is_refused(team: Any) -> None:
    swift = await team.adds_and_unlocks("swift")
    recipient = str(swift.identity.recipient)
    planted = seal_team_identity(HybridIdentity.generate(), TEAM, 1, swift.member, recipient)
    with pytest.raises(SwappedRowError):
        open_team_identity(planted, swift.identity, team.made.manifest.compartments[TEAM])


# ---- the second factor ------------------------------------------------------------------------------

AT = datetime(2031, 5, 6, 7, 8, 10, tzinfo=UTC)
STEP = int(AT.timestamp()) // 30
SECRET = pyotp.random_base32()


def code(step: int) -> str:
    return pyotp.TOTP(SECRET).generate_otp(step)


def test_a_code_is_taken_one_step_either_way() -> None:
    taken = [keys.totp_step(SECRET, code(STEP + drift), AT) for drift in (-1, 0, 1)]
    # Two steps may share a code by chance; the later one is then the one used up.
    assert all(
        step is not None and step >= STEP + drift for step, drift in zip(taken, (-1, 0, 1), strict=True)
    )
    spaced = f" {code(STEP)[:3]} {code(STEP)[3:]} "
    assert keys.totp_step(SECRET, spaced, AT) == taken[1]


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "-12345"])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert keys.totp_step(SECRET, typed, AT) is None


def test_a_code_of_long_ago_is_none() -> None:
    for age in (timedelta(minutes=2), timedelta(minutes=-2), timedelta(days=1)):
        near = {code(STEP + drift) for drift in (-1, 0, 1)}
        old = code(int((AT - age).timestamp()) // 30)
        assert (keys.totp_step(SECRET, old, AT) is None) == (old not in near)


def test_an_authenticator_app_that_reads_the_address_shows_the_same_code() -> None:
    read = pyotp.parse_uri(keys.totp_address(SECRET, "swift"))
    assert isinstance(read, pyotp.TOTP)
    assert (read.at(AT), read.name, read.issuer) == (code(STEP), "swift", "Dodomu")


async def test_a_code_works_once_and_no_older_one_after_it(team: Any, connect: Any) -> None:
    me = await team.adds("swift")
    consoles = [await connect(roles.CONSOLE) for _ in range(4)]
    used = await asyncio.gather(*(members.use_totp_step(console, me.member.id, STEP) for console in consoles))
    assert sorted(used) == [False, False, False, True]
    assert not await members.use_totp_step(consoles[0], me.member.id, STEP - 1)
    assert await members.use_totp_step(consoles[0], me.member.id, STEP + 1)


# ---- compartments -----------------------------------------------------------------------------------


async def compartments_of(team: Any, member: Any) -> list[str]:
    return [key.compartment for key in await members.team_keys(team.connection, member.id)]


async def test_a_member_has_the_compartments_they_were_given_and_no_other(team: Any) -> None:
    swift, owl = (
        await team.adds("swift"),
        await team.adds("owl", "safeguarding", compartments=[CHILD, TEAM, CHILD]),
    )
    assert await compartments_of(team, swift.member) == [TEAM]
    assert await compartments_of(team, owl.member) == [CHILD, TEAM]
    me = unlock(owl.member, owl.passphrase)
    key = await members.team_key(team.connection, CHILD, 1, me.member)
    opened = open_team_identity(key, me.identity, team.made.manifest.compartments[CHILD])
    assert opened.reveal() == team.made.teams[CHILD].reveal()


async def test_nobody_gives_on_what_they_do_not_hold_nor_what_there_is_not(team: Any) -> None:
    swift = await team.adds_and_unlocks("swift")
    with pytest.raises(MemberError, match=r"of child .* must hold it"):
        await team.adds("owl", by=swift, compartments=[CHILD])
    with pytest.raises(MemberError, match="There are: child, team, whereabouts"):
        await team.adds("owl", compartments=["attic"])
    assert [one.call_sign for one in await members.everyone(team.connection)] == ["swift"]


async def given(team: Any, now: datetime, call_sign: str, compartment: str) -> Any:
    return await give(
        team.connection, call_sign, compartment, signer=team.made.ceremony_key,
        opener=Opener(RECOVERY, team.made.recovery), seen=team.seen(), now=now,
    )  # fmt: skip


async def test_a_member_is_given_one_compartment_more(team: Any, now: datetime) -> None:
    added = await team.adds("owl")
    assert (await given(team, now, "owl", WHEREABOUTS)).id == added.member.id
    assert await compartments_of(team, added.member) == [TEAM, WHEREABOUTS]
    rows = await team.connection.fetch("SELECT leaf FROM custody_leaves ORDER BY id")
    leaf = json.loads(rows[-1]["leaf"])
    assert (leaf["kind"], leaf["object"], leaf["compartment"]) == (
        "compartment given", str(added.member.id), WHEREABOUTS,
    )  # fmt: skip
    with pytest.raises(MemberError, match="has whereabouts already"):
        await given(team, now, "owl", WHEREABOUTS)
    with pytest.raises(MemberError, match="no member wren"):
        await given(team, now, "wren", CHILD)
    await team.adds("keeper-one", "keeper")
    with pytest.raises(MemberError, match="opens no report"):
        await given(team, now, "keeper-one", CHILD)


async def test_a_compartment_is_given_to_no_key_that_the_manifest_does_not_name(
    team: Any, now: datetime, connect: Any
) -> None:
    await team.adds("owl")
    superuser = await connect("superuser")
    await superuser.execute("UPDATE members SET recipient = $1", str(HybridIdentity.generate().recipient))
    with pytest.raises(ManifestError):
        await given(team, now, "owl", CHILD)


# ---- leaving ----------------------------------------------------------------------------------------


async def test_who_left_is_listed_and_found_no_more(team: Any, now: datetime) -> None:
    added = await team.adds("swift")
    assert await members.leave(team.connection, added.member.id, now)
    assert not await members.leave(team.connection, added.member.id, now)
    assert await members.by_call_sign(team.connection, "swift") is None
    (listed,) = await members.everyone(team.connection)
    assert (listed.call_sign, listed.left_hour) == ("swift", now.replace(minute=0, second=0))


# ---- without this software --------------------------------------------------------------------------


async def test_age_files_alone_lead_from_a_passphrase_or_the_recovery_paper_to_the_team(team: Any) -> None:
    """As docs/keys.md tells it: only age, JSON, and what the database holds."""
    added = await team.adds("swift")
    line = open_bytes(added.member.identity, [ScryptIdentity(added.passphrase)]).decode()
    for holder, paper in (
        (added.member.id, line),
        (RECOVERY, f"# a comment\n{team.made.recovery.reveal()}\n"),
    ):
        row = await members.team_key(team.connection, TEAM, 1, holder)
        content = json.loads(open_bytes(row.sealed, parse_identities(paper)))
        assert content["identity"] == team.made.teams[TEAM].reveal()
