"""Who leaves opens nothing that comes after; who stays opens all; nothing that they wrote is lost or sent unvouched."""

import asyncio
import dataclasses
import uuid
from datetime import datetime
from typing import Any

import asyncpg
import pytest

from admin.ceremony import CHILD, TEAM, make
from admin.keys import new_member, new_passphrase, unlock
from admin.leaving import Left
from admin.members import MemberError, Opener
from seal import HybridIdentity, WrongKeyError, open_bytes
from storage import members, replies, roles
from storage.errors import BadSignatureError, ManifestError, RefusedReplyError
from storage.members import RECOVERY
from tests.admin.stolen import Thief, everything
from tests.admin.team_acts import Acts

OLD, NEW = "She waited at the blue gate", "He has been seen in another town"


@pytest.fixture
async def acts(team: Any, connect: Any, now: datetime) -> Acts:
    return Acts(team, await connect(roles.BOT), now)


async def test_who_left_opens_nothing_new_with_all_that_they_had_and_a_copy_of_the_database(
    acts: Acts, connect: Any
) -> None:
    """By the keys, not by the rules: every age file of the store is tried, and whatever is found in one on all."""
    superuser = await connect("superuser")
    swift, heron = await acts.joins("swift", "analyst", TEAM, CHILD), await acts.joins("heron")
    await acts.is_told(OLD)
    await acts.is_told(OLD, CHILD)
    thief = Thief([swift.identity])
    thief.copies(await everything(superuser))
    before = len(thief.opened)
    assert thief.reads(OLD)  # they could read it then, and this test can fail

    await acts.leaves("swift", even_so=True)
    new = {await acts.is_told(NEW), await acts.is_told(NEW, CHILD)}
    bodies = await superuser.fetch("SELECT sealed FROM bodies WHERE report = ANY($1)", list(new))
    thief.copies(await everything(superuser))
    assert len(bodies) == 2
    for body in bodies:
        for identity in thief.identities.values():
            with pytest.raises(WrongKeyError):
                open_bytes(body["sealed"], [identity])
    assert not thief.reads(NEW)
    assert len(thief.opened) == before

    for who in (heron.identity, acts.team.made.recovery):
        stays = Thief([who])
        stays.copies(await everything(superuser))
        assert stays.reads(OLD)
        assert stays.reads(NEW)


async def test_who_stays_opens_every_epoch(acts: Acts) -> None:
    heron = await acts.joins("heron")
    for call_sign in ("swift", "wren"):
        await acts.joins(call_sign)
        await acts.leaves(call_sign)
    assert set(await acts.opens(heron)) == {(TEAM, 1), (TEAM, 2), (TEAM, 3)}
    # Who comes later, too.
    owl = await acts.joins("owl")
    assert set(await acts.opens(owl)) == {(TEAM, 1), (TEAM, 2), (TEAM, 3)}
    recovery = await members.team_keys(acts.team.connection, RECOVERY)
    assert [key.epoch for key in recovery if key.compartment == TEAM] == [1, 2, 3]


async def test_leaving_is_one_act_with_its_leaves(acts: Acts, connect: Any) -> None:
    console = await connect(roles.CONSOLE)
    swift, heron, lark = [await acts.joins(*one) for one in (("swift",), ("heron",), ("lark", "lead", CHILD))]
    for one in (swift, swift, heron, lark):
        await acts.signs_in(console, one.member)
    left = await acts.leaves("swift", opener=Opener(heron.member, heron.identity))
    assert (left.member.id, left.compartments, left.undelivered) == (swift.member, (TEAM,), {})
    assert await members.team_keys(acts.team.connection, swift.member) == []
    assert await members.by_call_sign(acts.team.connection, "swift") is None
    # Who holds the compartment signs in again, with its new key; others go on.
    assert [row["member"] for row in await console.fetch("SELECT member FROM sessions")] == [lark.member]
    named = await acts.newest()
    assert (named.serial, set(named.members)) == (left.serial, {str(heron.member), str(lark.member)})
    assert {name: of.epoch for name, of in named.compartments.items()} == {
        "team": 2,
        "child": 1,
        "whereabouts": 1,
    }
    assert named.compartments[TEAM].former == {1: acts.team.made.manifest.compartments[TEAM].recipient}
    (gone,) = await acts.acts("member left")
    assert (gone["object"], gone["manifest"]) == (str(swift.member), left.serial)
    (epoch,) = await acts.acts("epoch")
    assert (epoch["object"], epoch["epoch"], len(epoch["recipient_sha256"])) == (TEAM, 2, 64)
    # The name stays in the record.
    assert "swift" in {one.call_sign for one in await members.everyone(acts.team.connection)}


async def test_who_left_is_not_let_in_even_if_the_row_says_otherwise(acts: Acts, connect: Any) -> None:
    swift = await acts.joins("swift")
    await acts.leaves("swift", even_so=True)
    superuser = await connect("superuser")
    await superuser.execute("UPDATE members SET left_hour = NULL")
    with pytest.raises(ManifestError):
        await acts.opens(swift)


# ---- what the database says counts for nothing ------------------------------------------------------


async def test_planted_rows_give_nobody_the_new_epoch(acts: Acts, connect: Any) -> None:
    superuser = await connect("superuser")
    swift, heron = await acts.joins("swift"), await acts.joins("heron", "lead", CHILD)
    words = new_passphrase()
    stranger = new_member(words, 4).row("stranger", "lead", acts.now)
    await members.add(superuser, stranger)
    for holder in (stranger.id, heron.member):  # a holder whom the manifest does not name, and one of another
        await members.put_team_key(superuser, members.TeamKey(TEAM, 1, holder, b"age-encryption.org/v1"))
    await superuser.execute("UPDATE members SET role = 'lead' WHERE id = $1", heron.member)
    await acts.leaves("swift", even_so=True)
    await acts.rotates()
    rows = await superuser.fetch("SELECT holder, compartment FROM team_keys WHERE epoch > 1")
    assert {(row["holder"], row["compartment"]) for row in rows} == {
        (RECOVERY, TEAM), (RECOVERY, CHILD), (RECOVERY, "whereabouts"), (heron.member, CHILD),
    }  # fmt: skip
    thief = Thief([unlock(stranger, words).identity, swift.identity])
    await acts.is_told(NEW)
    thief.copies(await everything(superuser))
    assert not thief.reads(NEW)


async def test_a_recipient_changed_in_the_row_gets_nothing(acts: Acts, connect: Any) -> None:
    superuser = await connect("superuser")
    await acts.joins("swift")
    heron = await acts.joins("heron")
    mine = HybridIdentity.generate()
    await superuser.execute(
        "UPDATE members SET recipient = $1 WHERE id = $2", str(mine.recipient), heron.member
    )
    await acts.leaves("swift")
    await acts.is_told(NEW)
    thief = Thief([mine])
    thief.copies(await everything(superuser))
    assert thief.opened == {}
    # And whoever names that member is told; it is on record.
    with pytest.raises(ManifestError):
        await acts.leaves("heron", even_so=True)
    assert [(leaf["what"], leaf["object"]) for leaf in await acts.acts("refused")] == [
        ("changed recipient row", str(heron.member))
    ]


async def test_a_role_changed_in_the_row_is_refused(acts: Acts, connect: Any) -> None:
    superuser = await connect("superuser")
    heron = await acts.joins("heron")
    await superuser.execute("UPDATE members SET role = 'lead'")
    with pytest.raises(ManifestError, match="another role"):
        await acts.opens(heron)
    with pytest.raises(ManifestError, match="another role"):
        await acts.leaves("heron", even_so=True)
    assert [leaf["what"] for leaf in await acts.acts("refused")] == ["changed member row"]


# ---- who may ----------------------------------------------------------------------------------------


async def test_who_never_was_or_left_already_is_told_so(acts: Acts) -> None:
    await acts.joins("swift")
    await acts.joins("heron")
    with pytest.raises(MemberError, match="no member wren"):
        await acts.leaves("wren")
    await acts.leaves("swift")
    with pytest.raises(MemberError, match="swift left already, 2031-05-06"):
        await acts.leaves("swift")
    with pytest.raises(MemberError, match="swift left already"):
        await acts.becomes("swift", "lead")


async def test_the_second_key_is_of_somebody_who_stays_and_whom_the_manifest_names(acts: Acts) -> None:
    swift = await acts.joins("swift")
    heron = await acts.joins("heron")
    with pytest.raises(MemberError, match="Nobody signs their own leaving"):
        await acts.leaves("swift", opener=Opener(swift.member, swift.identity))
    for holder in (RECOVERY, heron.member, uuid.uuid4()):
        with pytest.raises(MemberError, match="does not open with this key"):
            await acts.leaves("swift", opener=Opener(holder, HybridIdentity.generate()))
    assert {leaf["what"] for leaf in await acts.acts("refused")} == {"changed recipient row"}
    assert await acts.acts("member left") == []


async def test_another_ceremonys_key_takes_nobody_out(acts: Acts) -> None:
    await acts.joins("swift")
    stranger = dataclasses.replace(acts.team, made=make(acts.now.date()))
    with pytest.raises(BadSignatureError):
        await Acts(stranger, acts.bot, acts.now).leaves("swift", even_so=True)
    assert [leaf["what"] for leaf in await acts.acts("refused")] == ["changed manifest"]


async def test_the_last_of_their_kind_leave_only_if_it_is_meant(acts: Acts) -> None:
    await acts.joins("heron", "lead", CHILD)
    await acts.joins("swift")
    with pytest.raises(MemberError) as error:
        await acts.leaves("heron")
    assert "heron is the last lead" in str(error.value)
    assert "heron is the last who opens child" in str(error.value)
    assert str(error.value).endswith("say it again with --even-so.")
    with pytest.raises(MemberError, match="the last lead"):
        await acts.becomes("heron", "analyst")
    assert await acts.acts("member left", "role changed") == []
    assert (await acts.leaves("heron", even_so=True)).compartments == (CHILD,)
    with pytest.raises(MemberError) as error:
        await acts.leaves("swift")
    assert "lead" not in str(error.value)  # there was none any more


async def test_two_who_take_somebody_out_at_once_do_it_once(acts: Acts, connect: Any) -> None:
    await acts.joins("heron")
    await acts.joins("swift")
    others = [await connect(roles.KEEPER) for _ in range(2)]
    ended = await asyncio.gather(
        *(acts.leaves("swift", connection=one) for one in others), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in ended) == ["Left", "MemberError"]
    refused = next(one for one in ended if isinstance(one, MemberError))
    assert "Try again" in str(refused) or "left already" in str(refused)
    assert len(await acts.acts("member left", "epoch")) == 2


async def test_two_who_change_the_manifest_at_once_end_in_one_that_is_whole(acts: Acts, connect: Any) -> None:
    heron = await acts.joins("heron")
    await acts.joins("swift")
    others = [await connect(roles.KEEPER) for _ in range(2)]
    left, rotated = await asyncio.gather(
        acts.leaves("swift", connection=others[0]), acts.rotates(connection=others[1]), return_exceptions=True
    )
    assert isinstance(left, Left) or "Try again" in str(left)
    assert not (isinstance(left, MemberError) and isinstance(rotated, MemberError))
    named = await acts.newest()
    assert {key[1] for key in await acts.opens(heron) if key[0] == TEAM} == set(
        range(1, named.compartments[TEAM].epoch + 1)
    )


# ---- what they wrote --------------------------------------------------------------------------------


async def has_answered(
    acts: Acts, me: Any, number: int, report: uuid.UUID, connection: asyncpg.Connection
) -> Any:
    named = await acts.newest()
    reply = replies.compose(
        report, number, "We looked for her there.", member=me.member, key=me.signing_key,
        to=[named.compartments[TEAM].key()], now=acts.now,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO replies (id, report, number, member, sealed, signature, written_hour)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        reply.id, report, number, me.member, reply.sealed, reply.signature, reply.written_hour,
    )  # fmt: skip
    return reply


async def test_answers_that_nobody_read_are_named_and_all_stay_readable_for_the_team(
    acts: Acts, connect: Any
) -> None:
    superuser = await connect("superuser")
    swift, heron = await acts.joins("swift"), await acts.joins("heron")
    first, second = await acts.is_told(OLD), await acts.is_told(NEW)
    reply = await has_answered(acts, swift, 1, first, superuser)
    await superuser.execute("UPDATE replies SET read_hour = $1", acts.now)
    for number, report in ((2, first), (1, second), (2, second)):
        await has_answered(acts, swift, number, report, superuser)
    await has_answered(acts, heron, 3, second, superuser)
    codes = {
        row["id"]: row["desk_code"] for row in await superuser.fetch("SELECT id, desk_code FROM reports")
    }

    left = await acts.leaves("swift")
    assert left.undelivered == {codes[first]: 1, codes[second]: 2}
    named = await acts.newest()
    team = list((await acts.opens(heron)).values())
    assert replies.read_reply(reply, team, named).text == "We looked for her there."
    with pytest.raises(RefusedReplyError):
        replies.open_reply(reply, team, named)
    # What is signed by no key of theirs is nobody's, for the team too.
    forged = dataclasses.replace(reply, signature=heron.signing_key.sign(reply.to_sign()))
    with pytest.raises(RefusedReplyError):
        replies.read_reply(forged, team, named)


# ---- another role -----------------------------------------------------------------------------------


async def test_another_role_is_signed_and_ends_the_sessions(acts: Acts, connect: Any) -> None:
    console = await connect(roles.CONSOLE)
    await acts.joins("heron", "lead")
    swift = await acts.joins("swift")
    await acts.signs_in(console, swift.member)
    assert await acts.becomes("swift", "lead") == ()
    assert (await acts.newest()).members[str(swift.member)].role == "lead"
    assert set(await acts.opens(swift)) == {(TEAM, 1)}
    assert await console.fetchval("SELECT count(*) FROM sessions") == 0
    (leaf,) = await acts.acts("role changed")
    assert (leaf["object"], leaf["role"], leaf["was"]) == (str(swift.member), "lead", "analyst")
    with pytest.raises(MemberError, match="lead already"):
        await acts.becomes("swift", "lead")
    with pytest.raises(MemberError, match="A role is one of"):
        await acts.becomes("swift", "admiral")


async def test_who_becomes_keeper_opens_nothing_new(acts: Acts, connect: Any) -> None:
    superuser = await connect("superuser")
    await acts.joins("heron")
    swift = await acts.joins("swift")
    assert await acts.becomes("swift", "keeper") == (TEAM,)
    assert await acts.opens(swift) == {}
    await acts.is_told(NEW)
    thief = Thief([swift.identity])
    thief.copies(await everything(superuser))
    assert not thief.reads(NEW)
    assert await acts.becomes("swift", "analyst") == ()
    assert await acts.opens(swift) == {}  # until they are given it again
