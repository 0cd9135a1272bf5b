"""In the console: who left or lost the passphrase is out at once; who stays opens old and new, signing in again."""

import asyncio
import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from admin import epochs, leaving, resets
from admin.ceremony import CHILD, TEAM
from admin.keys import seal_team_identity
from admin.members import Opener
from storage import members, roles
from storage.manifest import SeenSerial
from storage.members import RECOVERY
from tests.console.conftest import Person, Served, Team, rows

OLD, NEW = "Zlata Vyhadana", "Danylo Vyhadanyi"


def keys(team: Team) -> dict[str, Any]:
    return {
        "signer": team.made.ceremony_key,
        "seen": SeenSerial(team.folder / "seen-keeper"),
        "now": datetime.now(UTC),
    }


async def takes(team: Team, name: str) -> str:
    """A report, sealed by the newest manifest."""
    team.made = dataclasses.replace(team.made, manifest=await team.newest())
    return f"/reports/{await team.takes_report(name=name)}"


async def refusals(served: Served) -> list[tuple[str, str]]:
    kept = await rows(served.database.url(roles.CONSOLE), "SELECT leaf FROM custody_leaves ORDER BY id")
    leaves = [json.loads(row["leaf"]) for row in kept]
    return [(leaf["what"], leaf["object"]) for leaf in leaves if leaf["kind"] == "refused"]


async def test_who_leaves_is_out_at_once_and_who_stays_opens_all(
    team: Team, served: Served, person: Callable[..., Any]
) -> None:
    swift, heron = await person("swift"), await person("heron", "lead")
    old = await takes(team, OLD)
    for one in (swift, heron):
        assert OLD in (await one.opens(old)).text
    await leaving.leave(team.connection, "swift", opener=Opener(RECOVERY, team.made.recovery), **keys(team))
    new = await takes(team, NEW)
    for path in (old, new):
        shut = await swift.opens(path)
        assert OLD not in shut.text
        assert shut.path.startswith("/sign-in")
    served.clock.moves(minutes=1)
    again = await swift.signs_in()
    assert again.path.startswith("/sign-in")
    # Who stays signs in again, for the new key, and has both.
    assert (await heron.opens(new)).path.startswith("/sign-in")
    served.clock.moves(minutes=1)
    assert (await heron.signs_in()).path == "/queue"
    assert OLD in (await heron.opens(old)).text
    assert NEW in (await heron.opens(new)).text


async def test_after_a_reset_the_old_passphrase_and_code_let_nobody_in(
    team: Team, served: Served, person: Callable[..., Any]
) -> None:
    swift = await person("swift")
    old = await takes(team, OLD)
    done = await resets.by_recovery(
        team.connection, "swift", recovery=team.made.recovery, work_factor=4, **keys(team)
    )
    assert (await swift.opens(old)).path.startswith("/sign-in")
    served.clock.moves(minutes=1)
    assert (await swift.signs_in()).path.startswith("/sign-in")
    assert ("passphrase", str(done.member.id)) in await refusals(served)
    again = Person(
        served,
        dataclasses.replace(
            swift.added, member=done.member, passphrase=done.passphrase, totp_secret=done.totp_secret
        ),
    )
    served.clock.moves(minutes=1)
    try:
        assert (await again.signs_in()).path == "/queue"
        assert OLD in (await again.opens(old)).text
    finally:
        await again.http.close()


async def test_a_team_key_that_the_manifest_gives_to_others_opens_no_compartment(
    team: Team, served: Served, person: Callable[..., Any]
) -> None:
    """Somebody who holds it seals it to a friend and plants the row: the wall is the manifest's."""
    heron = await person("heron", signed_in=False)
    child = await team.takes("child")
    recipient = heron.added.member.recipient
    planted = seal_team_identity(team.made.teams[CHILD], CHILD, 1, heron.added.member.id, recipient)
    await members.put_team_key(team.connection, planted)
    assert (await heron.signs_in()).path == "/queue"
    assert (await heron.opens(f"/reports/{child}")).status == 404
    assert ("changed team key", str(heron.added.member.id)) in await refusals(served)


async def test_everyone_opens_every_epoch_after_many(
    team: Team, served: Served, person: Callable[..., Any]
) -> None:
    reports = {}
    for number in range(3):
        name = f"Zlata {number}"
        reports[await takes(team, name)] = name
        await epochs.rotate(team.connection, [TEAM], **keys(team))
    swift = await person("swift")
    pages = await asyncio.gather(*(swift.opens(path) for path in reports))
    assert [name in page.text for page, name in zip(pages, reports.values(), strict=True)] == [True] * 3
