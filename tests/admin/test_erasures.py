"""The ledger outlives the database: what was shredded stands in it, whenever the power goes."""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from admin import keeper as keeping
from storage import database, roles
from storage.erasures import NAME, Ledger, keep_up
from storage.errors import LedgerError
from tests.admin.backing import opened_store

ONE, OTHER, THIRD = (uuid.UUID(int=number) for number in (1, 2, 3))
HOUR = "2031-05-06T07Z"


def test_what_is_added_is_read_again_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "apart" / NAME)
    assert ledger.read() == {}
    assert ledger.add([]) == 0
    assert (tmp_path / "apart" / NAME).read_bytes() == b""
    assert ledger.add([(ONE, HOUR), (OTHER, HOUR)]) == 2
    assert ledger.add([(OTHER, "2031-09-09T09Z"), (THIRD, HOUR)]) == 1
    assert ledger.read() == {ONE: HOUR, OTHER: HOUR, THIRD: HOUR}
    assert (tmp_path / "apart" / NAME).stat().st_mode & 0o777 == 0o600
    lines = (tmp_path / "apart" / NAME).read_text().splitlines()
    assert [json.loads(line)["report"] for line in lines] == [str(ONE), str(OTHER), str(THIRD)]


def test_a_line_that_was_cut_off_does_not_count_and_does_not_stay(tmp_path: Path) -> None:
    path = tmp_path / NAME
    ledger = Ledger(path)
    ledger.add([(ONE, HOUR), (OTHER, HOUR)])
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    assert ledger.read() == {ONE: HOUR}
    assert ledger.add([(OTHER, HOUR)]) == 1
    assert path.read_bytes() == whole


def test_a_line_that_is_no_erasure_is_told_and_nothing_is_added(tmp_path: Path) -> None:
    path = tmp_path / NAME
    for line in ("{}", "[]", "words", '{"report":"x","hour":"y"}', '"report"'):
        path.write_text(f'{{"hour":"{HOUR}","report":"{ONE}"}}\n{line}\n')
        with pytest.raises(LedgerError, match="Line 2 of the ledger"):
            Ledger(path).read()
        with pytest.raises(LedgerError):
            Ledger(path).add([(OTHER, HOUR)])


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be written"):
        Ledger(tmp_path / "file" / NAME).add([(ONE, HOUR)])


async def test_what_was_shredded_before_the_power_went_is_noted_the_next_time(
    fresh_database: Any, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    async with opened_store(fresh_database, tmp_path, now) as store:
        gone, stays = await store.takes("goes"), await store.takes("stays")
        await store.shreds(gone.report)  # and its line was not written
        async with database.pool(store.database.url(roles.KEEPER), size=1) as connections:
            await keeping.shred_due(connections, store.blobs, store.ledger, now)
        assert store.ledger.read() == {gone.report: f"{now:%Y-%m-%dT%H}Z"}
        assert await keep_up(store.keeper, store.ledger, now) == 0
        assert stays.report not in store.ledger.read()


async def test_the_keeper_waits_for_a_ledger_that_is_away(fresh_database: Any, tmp_path: Path) -> None:
    assert issubclass(LedgerError, keeping.AWAY)
    async with opened_store(fresh_database, tmp_path, datetime.now(UTC)) as store:
        (tmp_path / "ledger").write_text("not mounted")
        async with database.pool(store.database.url(roles.KEEPER), size=1) as connections:
            with pytest.raises(LedgerError):
                await keeping.shred_due(connections, store.blobs, store.ledger, store.now)
