"""A lost passphrase: new keys by recovery or by two leads, which open all again; the old ones are worth nothing."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pyotp
import pytest

from admin import resets
from admin.ceremony import CHILD, TEAM
from admin.keys import Unlocked, unlock
from admin.members import Added, MemberError, Opener, give
from admin.resets import Reset
from seal import HybridIdentity, WrongKeyError
from storage import manifest, members, replies, roles
from storage.errors import ManifestError, RefusedReplyError
from tests.admin.stolen import Thief, everything
from tests.admin.team_acts import Acts


@pytest.fixture
async def acts(team: Any, connect: Any, now: datetime) -> Acts:
    return Acts(team, await connect(roles.BOT), now)


def unlocked(done: Reset) -> Unlocked:
    return unlock(done.member, done.passphrase)


async def proves(
    acts: Acts, added: Added, code: str | None = None, *, later: timedelta = timedelta()
) -> Unlocked:
    now = acts.now + later
    return await resets.lead(
        acts.team.connection, added.member.call_sign, added.passphrase,
        code or pyotp.TOTP(added.totp_secret).at(now),
        ceremony_key=acts.team.made.ceremony_key.public_key(), seen=acts.team.seen(), now=now,
    )  # fmt: skip


# ---- by recovery ------------------------------------------------------------------------------------


async def test_recovery_gives_everything_back_under_new_keys(acts: Acts, connect: Any) -> None:
    superuser, console = await connect("superuser"), await connect(roles.CONSOLE)
    heron, swift = await acts.joins("heron"), await acts.joins("swift", "analyst", TEAM, CHILD)
    await acts.rotates(TEAM)
    await superuser.execute(
        "INSERT INTO factors (id, member, kind, sealed, added_hour) SELECT gen_random_uuid(), id, 'recovery codes',"
        " $1, $2 FROM members",
        b"age-encryption.org/v1", acts.now,
    )  # fmt: skip
    for one in (heron, swift):
        await acts.signs_in(console, one.member)
    done = await acts.recovers("swift")
    assert (done.member.id, done.not_given, done.undelivered) == (swift.member, {}, {})
    row = await members.by_call_sign(acts.team.connection, "swift")
    assert row == done.member
    again = unlocked(done)
    assert again.totp_secret == done.totp_secret != swift.totp_secret
    assert sorted(await acts.opens(again)) == [(CHILD, 1), (TEAM, 1), (TEAM, 2)]
    named = await acts.newest()
    before = named.signed_before
    assert before == {str(swift.member): [swift.signing_key.public_key().public_bytes_raw().hex()]}
    assert (named.members[str(swift.member)].role, named.serial) == ("analyst", done.serial)
    # Sessions and second factors of before are gone, and only theirs.
    assert [r["member"] for r in await console.fetch("SELECT member FROM sessions")] == [heron.member]
    left = await console.fetch("SELECT member FROM factors WHERE removed_hour IS NULL")
    assert [r["member"] for r in left] == [heron.member]
    (leaf,) = await acts.acts("member reset")
    assert (leaf["object"], leaf["by"], leaf["manifest"]) == (str(swift.member), ["recovery"], done.serial)


async def test_the_old_passphrase_and_the_old_keys_open_nothing_any_more(acts: Acts, connect: Any) -> None:
    superuser = await connect("superuser")
    await acts.joins("heron")
    added = await acts.team.adds("swift")
    old = unlock(added.member, added.passphrase)
    await acts.recovers("swift")
    row = await members.by_call_sign(acts.team.connection, "swift")
    with pytest.raises(WrongKeyError):
        unlock(row, added.passphrase)
    await acts.is_told("He has been seen in another town")
    thief = Thief([old.identity])
    thief.copies(await everything(superuser))
    assert thief.opened == {}
    # The old row put back is not what the manifest names.
    await superuser.execute(
        "UPDATE members SET recipient = $1, signing_key = $2, identity = $3, signing_secret = $4, totp = $5"
        " WHERE id = $6",
        added.member.recipient, added.member.signing_key, added.member.identity, added.member.signing_secret,
        added.member.totp, added.member.id,
    )  # fmt: skip
    assert unlock(await members.by_call_sign(acts.team.connection, "swift"), added.passphrase)
    with pytest.raises(ManifestError):
        await acts.opens(old)


async def test_another_teams_recovery_resets_nobody(acts: Acts) -> None:
    await acts.joins("swift")
    with pytest.raises(MemberError, match="does not open with this key"):
        await resets.by_recovery(
            acts.team.connection, "swift", signer=acts.team.made.ceremony_key, recovery=HybridIdentity.generate(),
            seen=acts.team.seen(), work_factor=4, now=acts.now,
        )  # fmt: skip
    assert await acts.acts("member reset") == []
    assert [leaf["what"] for leaf in await acts.acts("refused")] == ["changed recipient row"]


# ---- by two leads -----------------------------------------------------------------------------------


async def test_two_leads_reset_a_third_and_every_process_takes_it(acts: Acts, connect: Any) -> None:
    heron, wren = [await acts.team.adds(one, "lead") for one in ("heron", "wren")]
    swift = await acts.joins("swift")
    done = await acts.two_reset("swift", await proves(acts, heron), await proves(acts, wren))
    assert done.not_given == {}
    again = unlocked(done)
    assert set(await acts.opens(again)) == {(TEAM, 1)}
    for role in roles.LOGIN_ROLES:
        connection = await connect(role)
        named = await manifest.newest(connection, acts.team.made.ceremony_key.public_key(), acts.team.seen())
        assert (named.serial, named.members[str(swift.member)].recipient) == (
            done.serial,
            done.member.recipient,
        )
    (leaf,) = await acts.acts("member reset")
    assert leaf["by"] == sorted([str(heron.member.id), str(wren.member.id)])
    # A report after it opens for the one who was reset; the ceremony key signs on from here.
    report = await acts.is_told("He has been seen in another town")
    assert report
    assert (await acts.rotates(TEAM)).serial == done.serial + 1
    assert set(await acts.opens(again)) == {(TEAM, 1), (TEAM, 2)}


async def test_two_leads_give_what_they_hold_and_name_what_they_do_not(acts: Acts) -> None:
    heron, wren = await acts.joins("heron", "lead", TEAM), await acts.joins("wren", "lead", TEAM)
    await acts.joins("owl", "safeguarding", TEAM, CHILD)
    await acts.rotates(CHILD)
    done = await acts.two_reset("owl", heron, wren)
    assert done.not_given == {CHILD: [1, 2]}
    again = unlocked(done)
    assert set(await acts.opens(again)) == {(TEAM, 1)}
    # Whoever holds it gives the rest; the manifest named them for it all the while.
    await give(
        acts.team.connection, "owl", CHILD, signer=acts.team.made.ceremony_key, opener=acts.recovery,
        seen=acts.team.seen(), now=acts.now,
    )  # fmt: skip
    assert set(await acts.opens(again)) == {(TEAM, 1), (CHILD, 1), (CHILD, 2)}


async def test_each_of_two_leads_gives_what_they_have(acts: Acts) -> None:
    heron, wren = await acts.joins("heron", "lead", TEAM), await acts.joins("wren", "lead", CHILD)
    await acts.joins("owl", "safeguarding", TEAM, CHILD)
    assert (await acts.two_reset("owl", heron, wren)).not_given == {}


async def test_a_lead_who_was_reset_gives_again_only_what_they_have(acts: Acts) -> None:
    heron, wren = await acts.joins("heron", "lead", TEAM), await acts.joins("wren", "lead", TEAM)
    await acts.joins("lark", "lead", CHILD)
    lark = unlocked(await acts.two_reset("lark", heron, wren))
    assert await acts.opens(lark) == {}
    await acts.joins("owl", "safeguarding", TEAM, CHILD)
    assert (await acts.two_reset("owl", heron, lark)).not_given == {CHILD: [1]}
    with pytest.raises(MemberError, match="must hold it"):
        await acts.team.adds("robin", by=lark, compartments=[CHILD])


async def test_nobody_resets_themselves_nor_is_one_lead_two_nor_an_analyst_a_lead(acts: Acts) -> None:
    heron, wren = await acts.joins("heron", "lead"), await acts.joins("wren", "lead")
    swift = await acts.joins("swift")
    with pytest.raises(MemberError, match="Two leads together are two people"):
        await acts.two_reset("swift", heron, heron)
    with pytest.raises(MemberError, match="Nobody resets their own keys"):
        await acts.two_reset("heron", heron, wren)
    with pytest.raises(MemberError, match="would count for nobody"):
        await acts.two_reset("wren", heron, swift)
    with pytest.raises(MemberError, match="no member robin"):
        await acts.two_reset("robin", heron, wren)
    assert await acts.acts("member reset") == []
    assert [leaf["what"] for leaf in await acts.acts("refused")] == ["changed manifest"]


async def test_a_lead_who_left_resets_nobody_and_nobody_resets_who_left(acts: Acts) -> None:
    heron, wren = await acts.joins("heron", "lead"), await acts.joins("wren", "lead")
    await acts.joins("swift")
    await acts.joins("owl")
    await acts.leaves("wren")
    with pytest.raises(MemberError, match="would count for nobody"):
        await acts.two_reset("swift", heron, wren)
    await acts.leaves("owl")
    with pytest.raises(MemberError, match="owl left already"):
        await acts.recovers("owl")


async def test_a_reset_and_another_change_at_once_end_in_one_that_is_whole(acts: Acts, connect: Any) -> None:
    heron, wren = await acts.joins("heron", "lead"), await acts.joins("wren", "lead")
    await acts.joins("swift")
    reset, rotated = await asyncio.gather(
        acts.two_reset("swift", heron, wren),
        acts.rotates(connection=await connect(roles.KEEPER)),
        return_exceptions=True,
    )
    assert [one for one in (reset, rotated) if not isinstance(one, Exception)]
    if isinstance(reset, Reset):
        assert await acts.opens(unlocked(reset))
    else:
        assert "Try again" in str(reset)
    assert await acts.newest()


# ---- what each of the two proves --------------------------------------------------------------------


async def test_a_leads_code_works_once_whatever_comes_of_it(acts: Acts) -> None:
    heron = await acts.team.adds("heron", "lead")
    assert (await proves(acts, heron)).member == heron.member.id
    with pytest.raises(MemberError, match="used this code already"):
        await proves(acts, heron)
    with pytest.raises(MemberError, match="used this code already"):  # nor an older one
        await proves(acts, heron, pyotp.TOTP(heron.totp_secret).at(acts.now - timedelta(seconds=30)))
    assert await proves(acts, heron, later=timedelta(seconds=60))
    refused = [(leaf["what"], leaf["object"]) for leaf in await acts.acts("refused")]
    assert refused == [("code used before", str(heron.member.id))] * 2


async def test_a_wrong_passphrase_a_wrong_code_and_who_is_no_lead_are_refused_and_on_record(
    acts: Acts,
) -> None:
    heron, swift = await acts.team.adds("heron", "lead"), await acts.team.adds("swift")
    near = {
        pyotp.TOTP(heron.totp_secret).at(acts.now + timedelta(seconds=30 * drift)) for drift in range(-1, 2)
    }
    wrong_code = next(code for code in ("000000", "111111", "222222", "333333") if code not in near)
    with pytest.raises(MemberError, match="The code is not heron's"):
        await proves(acts, heron, wrong_code)
    for wrong in ("", swift.passphrase):
        with pytest.raises(MemberError, match="does not open heron's identity") as error:
            await resets.lead(
                acts.team.connection, "heron", wrong, "000000",
                ceremony_key=acts.team.made.ceremony_key.public_key(), seen=acts.team.seen(), now=acts.now,
            )  # fmt: skip
        assert not wrong or wrong not in str(error.value)
    with pytest.raises(MemberError, match="swift is no lead"):
        await proves(acts, swift)
    with pytest.raises(MemberError, match="no member nobody"):
        await resets.lead(
            acts.team.connection, "nobody", "", "", ceremony_key=acts.team.made.ceremony_key.public_key(),
            seen=acts.team.seen(), now=acts.now,
        )  # fmt: skip
    assert [leaf["what"] for leaf in await acts.acts("refused")] == ["code", "passphrase", "passphrase"]


async def test_a_row_whose_parts_are_anothers_proves_nothing(acts: Acts, connect: Any) -> None:
    heron, wren = [await acts.team.adds(one, "lead") for one in ("heron", "wren")]
    superuser = await connect("superuser")
    await superuser.execute(
        "UPDATE members SET identity = $1, signing_secret = $2, totp = $3 WHERE id = $4",
        wren.member.identity, wren.member.signing_secret, wren.member.totp, heron.member.id,
    )  # fmt: skip
    with pytest.raises(MemberError, match="does not open"):
        await resets.lead(
            acts.team.connection, "heron", wren.passphrase, pyotp.TOTP(wren.totp_secret).at(acts.now),
            ceremony_key=acts.team.made.ceremony_key.public_key(), seen=acts.team.seen(), now=acts.now,
        )  # fmt: skip
    assert [leaf["what"] for leaf in await acts.acts("refused")] == ["changed member row"]


# ---- what they wrote --------------------------------------------------------------------------------


async def test_what_they_wrote_stays_theirs_and_the_old_key_signs_nothing_that_goes_out(acts: Acts) -> None:
    swift = await acts.joins("swift")
    named = await acts.newest()
    report = await acts.is_told("She waited at the blue gate")

    def says(number: int, key: Any) -> replies.Reply:
        return replies.compose(
            report, number, "We looked for her there.", member=swift.member, key=key,
            to=[named.compartments[TEAM].key()], now=acts.now,
        )  # fmt: skip

    before = says(1, swift.signing_key)
    again = unlocked(await acts.recovers("swift"))
    after, team = says(2, again.signing_key), list((await acts.opens(again)).values())
    named = await acts.newest()
    assert replies.read_reply(before, team, named).text == "We looked for her there."
    assert replies.open_reply(after, team, named) == replies.read_reply(after, team, named).text
    with pytest.raises(RefusedReplyError):
        replies.open_reply(before, team, named)


def test_what_is_shown_once_is_in_no_repr() -> None:
    row: Any = None
    done = Reset(row, 2, {}, {}, "seven-words", "BASE32")
    assert "seven" not in repr(done) + repr(Opener(members.RECOVERY, HybridIdentity.generate()))
    assert "BASE32" not in repr(done)
