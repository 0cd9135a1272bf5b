"""`python -m admin reseal`: the whole store is sealed to the keys of today, and what cannot be is named."""

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from admin import member_commands
from admin.telling import CommandError, database_told, say

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping

    from admin.reseal import Outcome
    from admin.settings import TrustedSettings

# What the act needs is imported in it, as in `admin.__main__`.
# ruff: noqa: PLC0415

_WHY = {
    "missing": "its sealed file is not there",
    "unavailable": "the place of the sealed files did not answer",
    "wrong_key": "none of these keys opens it",
    "tampered": "it is not what was received",
    "malformed": "it is not an age file",
    "swapped": "it does not belong where it stands",
}


def add_to(reseal: argparse.ArgumentParser) -> None:
    """Who opens it all."""
    member_commands.needs_identity(reseal)
    reseal.set_defaults(act=_reseal)


def _reseal(chosen: argparse.Namespace) -> None:
    from admin.settings import TrustedSettings, load

    settings = load(TrustedSettings)
    if not settings.ceremony_key:
        raise CommandError(
            "DODOMU_CEREMONY_KEY is not set. Expected: the 64 hexadecimal digits that the ceremony printed; what it has"
            " not signed is not trusted."
        )
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with settings.database(say) as url:
        outcome, codes = asyncio.run(_all(url, settings, chosen))
    say(f"Sealed anew: {outcome.bodies} bodies and {outcome.files} files.")
    if outcome.refused:
        say(f"Refused, and left as they are: {len(outcome.refused)}.")
        for one in outcome.refused.values():
            say(f"  {one.item} {one.id} of report {codes.get(one.report, '')}: {_WHY[one.why]}")
    if outcome.left:
        say(
            f"Left: {outcome.left}. They came meanwhile, another run has them in hand, or this key does not open their"
            " compartment. Run it again, or with another key."
        )
    if outcome.refused or outcome.left:
        raise CommandError("Not everything is sealed to the present keys.")


async def _all(
    url: str, settings: "TrustedSettings", chosen: argparse.Namespace
) -> "tuple[Outcome, Mapping[uuid.UUID, str]]":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from admin import reseal
    from admin.openers import current
    from admin.progress import Progress
    from admin.settings import seen_manifest
    from storage import database, resealing
    from storage.blobs import Blobs
    from storage.manifest import SeenSerial

    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(settings.ceremony_key))
    seen, now = SeenSerial(seen_manifest(settings.state, "keeper")), datetime.now(UTC)
    blobs = Blobs.open(settings.blobs_at, settings.s3())
    with database_told():
        async with database.pool(url, size=reseal.CONNECTIONS) as connections:
            async with connections.acquire() as connection:
                kept = await current(connection, key, seen, now)
                opener = await member_commands.opener_of(connection, chosen)
                keys = await reseal.keys_of(connection, kept.manifest, opener, now)
            work = reseal.Resealing(
                connections, blobs, kept.manifest, keys, actor=reseal.actor_of(opener),
                now=lambda: datetime.now(UTC),
            )  # fmt: skip
            with Progress(await work.due(), sys.stdout, time.monotonic) as progress:
                outcome = await work.run(progress)
            reports = [one.report for one in outcome.refused.values()]
            return outcome, await resealing.desk_codes(connections, reports)
