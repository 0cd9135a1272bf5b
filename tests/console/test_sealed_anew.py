"""What was sealed anew after a new epoch is shown as before; what only claims to be is refused by name."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg

from admin import epochs, reseal
from admin.members import Opener
from admin.progress import Progress
from storage import database, roles
from storage.bodies import seal_body
from storage.manifest import SeenSerial
from storage.members import RECOVERY
from tests.console.conftest import NAME, Clock, Team, addresses, picture


async def reseals(team: Team) -> reseal.Outcome:
    """A new epoch, and the whole store under it."""
    now, seen = datetime.now(UTC), SeenSerial(team.folder / "seen-keeper")
    of = await epochs.rotate(team.connection, (), signer=team.made.ceremony_key, seen=seen, now=now)
    keys = await reseal.keys_of(team.connection, of, Opener(RECOVERY, team.made.recovery), now)
    async with database.pool(team.database.url(roles.KEEPER)) as connections:
        work = reseal.Resealing(connections, team.blobs, of, keys, actor="recovery", now=lambda: now)
        with Progress(await work.due(), io.StringIO(), lambda: 0.0) as progress:
            return await work.run(progress)


async def test_a_report_sealed_anew_is_shown_with_its_files(
    team: Team, clock: Clock, person: Callable[..., Any]
) -> None:
    photo = picture()
    report = await team.takes_report(await team.file(photo))
    swift = await person("swift")
    before = await swift.opens(f"/reports/{report}")
    outcome = await reseals(team)
    assert (outcome.bodies, outcome.files, outcome.left) == (1, 1, 0)
    clock.moves(seconds=31)  # a code is good once
    await swift.signs_in()
    page = await swift.opens(f"/reports/{report}")
    assert page.status == 200, page.text
    assert NAME in page.text
    (address,) = addresses(page.text)
    assert addresses(before.text) == [address]
    assert (await swift.opens(address)).data == photo
    assert (await swift.opens(f"{address}/blurred")).headers["content-type"] == "image/jpeg"


async def test_a_file_that_only_claims_to_be_sealed_anew_is_refused(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    mine, other = await team.file(picture("red")), await team.file(picture("blue"))
    report = await team.takes_report(mine)
    swift = await person("swift")
    await superuser.execute(
        "UPDATE files SET key_epoch = 2, blob = $2, ciphertext_sha256 = $3, sealed_size = $4 WHERE id = $1",
        mine.id, other.blob, other.ciphertext_sha256, other.sealed_size,
    )  # fmt: skip
    (address,) = addresses((await swift.opens(f"/reports/{report}")).text)
    page = await swift.opens(address)
    assert page.status == 409
    assert "changed or damaged after it was sealed" in page.text
    # An earlier epoch than the body names is no later sealing.
    await superuser.execute("UPDATE files SET key_epoch = 0 WHERE id = $1", mine.id)
    page = await swift.opens(address)
    assert page.status == 409
    assert "Something else stands" in page.text


async def test_a_body_forged_through_resealing_is_refused_by_name(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    """It opens and names its row; what the receipt committed to is something else."""
    report = await team.takes_report()
    swift = await person("swift")
    (row,) = await superuser.fetch("SELECT id, ciphertext_sha256 FROM bodies WHERE report = $1", report)
    content = {"report": str(report), "received": datetime.now(UTC).isoformat(), "answers": {}, "files": []}
    key = team.made.teams["team"].recipient
    body = seal_body("report", row["id"], 1, {**content, "salt": bytes(32).hex()}, [key])
    assert await superuser.fetchval(
        "SELECT reseal_body($1, $2, $3, $4, 2, $5)",
        row["id"], row["ciphertext_sha256"], body.sealed, body.ciphertext_sha256, b'{"kind":"resealed"}',
    )  # fmt: skip
    page = await swift.opens(f"/reports/{report}")
    assert page.status == 409
    assert page.headers["x-refused"] == "swapped"
