"""A new epoch: what comes from now on opens with another identity, and what was before still opens."""

import asyncio
import hashlib
from datetime import datetime
from typing import Any

import pytest

from admin.ceremony import CHILD, TEAM, WHEREABOUTS, routing
from admin.keys import open_team_identity
from admin.members import MemberError
from seal import HybridIdentity, WrongKeyError, open_bytes
from storage import manifest, members, roles
from storage.errors import SwappedRowError
from storage.manifest import Manifest
from tests.admin.team_acts import Acts


@pytest.fixture
async def acts(team: Any, connect: Any, now: datetime) -> Acts:
    return Acts(team, await connect(roles.BOT), now)


async def epochs_of(acts: Acts, report: Any, connect: Any) -> tuple[int, bytes]:
    row = await (await connect("superuser")).fetchrow(
        "SELECT key_epoch, sealed FROM bodies WHERE report = $1", report
    )
    return row["key_epoch"], row["sealed"]


async def test_a_report_after_it_is_sealed_to_the_new_identity_alone(acts: Acts, connect: Any) -> None:
    heron = await acts.joins("heron")
    before = await acts.is_told("before")
    await acts.rotates(TEAM)
    after = await acts.is_told("after")
    teams = await acts.opens(heron)
    for report, epoch, words in ((before, 1, b"before"), (after, 2, b"after")):
        at, sealed = await epochs_of(acts, report, connect)
        assert at == epoch
        assert words in open_bytes(sealed, [teams[TEAM, epoch]])
        other = [team for (_, number), team in teams.items() if number != epoch]
        with pytest.raises(WrongKeyError):
            open_bytes(sealed, other)


async def test_all_compartments_or_those_that_are_named(acts: Acts, connect: Any) -> None:
    console = await connect(roles.CONSOLE)
    heron, owl = await acts.joins("heron"), await acts.joins("owl", "safeguarding", CHILD)
    for one in (heron, owl):
        await acts.signs_in(console, one.member)
    named = await acts.rotates(CHILD)
    assert {name: of.epoch for name, of in named.compartments.items()} == {TEAM: 1, CHILD: 2, WHEREABOUTS: 1}
    assert [row["member"] for row in await console.fetch("SELECT member FROM sessions")] == [heron.member]
    named = await acts.rotates()
    assert {name: of.epoch for name, of in named.compartments.items()} == {TEAM: 2, CHILD: 3, WHEREABOUTS: 2}
    assert sorted(await acts.opens(owl)) == [(CHILD, 1), (CHILD, 2), (CHILD, 3)]
    assert sorted(await acts.opens(heron)) == [(TEAM, 1), (TEAM, 2)]
    leaves = await acts.acts("epoch")
    assert [(leaf["compartment"], leaf["epoch"]) for leaf in leaves] == [
        (CHILD, 2), (CHILD, 3), (TEAM, 2), (WHEREABOUTS, 2),
    ]  # fmt: skip
    recipients = [
        named.compartments[CHILD].former[2],
        *(named.compartments[name].recipient for name in (CHILD, TEAM)),
    ]
    assert [leaf["recipient_sha256"] for leaf in leaves[:3]] == [
        hashlib.sha256(recipient.encode()).hexdigest() for recipient in recipients
    ]


async def test_a_compartment_that_there_is_not_is_named(acts: Acts) -> None:
    with pytest.raises(MemberError, match=r"no compartment attic\. There are: child, team, whereabouts"):
        await acts.rotates(TEAM, "attic")
    assert (await acts.newest()).serial == 1


async def test_two_at_once_make_one_epoch_each_or_are_told_to_try_again(acts: Acts, connect: Any) -> None:
    heron = await acts.joins("heron")
    others = [await connect(roles.KEEPER) for _ in range(3)]
    ended = await asyncio.gather(
        *(acts.rotates(TEAM, connection=one) for one in others), return_exceptions=True
    )
    made = [one for one in ended if isinstance(one, Manifest)]
    assert made
    assert all("Try again" in str(one) for one in ended if not isinstance(one, Manifest))
    assert sorted(await acts.opens(heron)) == [(TEAM, epoch) for epoch in range(1, len(made) + 2)]


async def test_what_is_sealed_under_an_epoch_that_never_was_or_is_anothers_is_refused(acts: Acts) -> None:
    heron = await acts.joins("heron")
    await acts.rotates(TEAM)
    named = (await acts.newest()).compartments[TEAM]
    key = await members.team_key(acts.team.connection, TEAM, 1, heron.member)
    assert open_team_identity(key, heron.identity, named).reveal() == acts.team.made.teams[TEAM].reveal()
    for other in (
        named.model_copy(update={"former": {}}),
        named.model_copy(update={"former": {1: named.recipient}}),
        named.model_copy(update={"former": {1: str(HybridIdentity.generate().recipient)}}),
    ):
        with pytest.raises(SwappedRowError):
            open_team_identity(key, heron.identity, other)


async def test_a_manifest_that_does_not_say_who_holds_what_is_renewed_first(acts: Acts) -> None:
    heron = await acts.joins("heron")
    await acts.joins("swift")
    named = await acts.newest()
    bare = {
        member: keys.model_copy(update={"role": "", "compartments": []})
        for member, keys in named.members.items()
    }
    old = named.model_copy(update={"serial": named.serial + 1, "members": bare, "routing": routing()})
    await manifest.keep(acts.team.connection, old, manifest.sign(old, acts.team.made.ceremony_key))
    assert set(await acts.opens(heron)) == {(TEAM, 1)}  # meanwhile their row says what they are
    for act in (
        acts.rotates(),
        acts.leaves("swift", even_so=True),
        acts.becomes("swift", "lead", even_so=True),
        acts.recovers("swift"),
    ):
        with pytest.raises(MemberError, match="python -m admin manifest renew"):
            await act
