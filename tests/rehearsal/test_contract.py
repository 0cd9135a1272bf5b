"""aiogram and python-telegram-bot pass the same stories against the rehearsal, by polling and by webhook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rehearsal import on_aiogram, on_ptb
from tests.rehearsal.conftest import TOKEN
from tests.rehearsal.stories import LONG_WAIT_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rehearsal.driver import Person
    from rehearsal.server import Rehearsal

WAYS = {
    "aiogram by polling": on_aiogram.polling,
    "aiogram by webhook": on_aiogram.webhook,
    "python-telegram-bot by polling": on_ptb.polling,
    "python-telegram-bot by webhook": on_ptb.webhook,
}


@pytest.fixture(params=WAYS)
async def olha(
    request: pytest.FixtureRequest, rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Person]:
    # Without it python-telegram-bot warns that its next version tells times as timedelta.
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    async with WAYS[request.param](rehearsal.url, TOKEN):
        yield rehearsal.person("Olha")


async def test_cards_taps_and_popups(olha: Person) -> None:
    await olha.sends("/start")
    card = await olha.sees("First card")
    assert card.raw["entities"] == [{"type": "bold", "offset": 0, "length": 5}]
    await olha.taps("Stay")
    assert await olha.sees_popup() == "Nothing changed"
    await olha.taps("Next")
    assert await olha.sees_popup() == "Going on"
    second = await olha.sees("Second card")
    assert (second.id, second.buttons) == (card.id, ())
    await olha.is_heard()


async def test_edits_and_deletions(olha: Person) -> None:
    sent = await olha.sends("Sofika")
    await olha.sees("heard Sofika")
    await olha.edits(sent, "Sofiika")
    await olha.sees("now Sofiika")
    await olha.sends("delete")
    await olha.sees_only(2)
    assert [message.text for message in await olha.chat()] == ["heard Sofika", "now Sofiika"]


async def test_photos_down_and_up(olha: Person) -> None:
    sent = await olha.sends_photo(caption="here")
    content = await olha.content_of(sent)
    answer = await olha.sees(f"{len(content)} bytes")
    assert answer.kind == "photo"
    assert answer.raw["photo"][-1]["file_id"] != sent.raw["photo"][-1]["file_id"]


async def test_files_down_and_up_byte_for_byte(olha: Person) -> None:
    content = bytes(range(256)) * 1000
    sent = await olha.sends_file("список.bin", content)
    both = await olha.sees_only(2)
    assert await olha.content_of(both[1]) == content
    assert both[1].raw["document"]["file_name"] == "список.bin"
    assert both[1].raw["document"]["file_id"] != sent.raw["document"]["file_id"]


async def test_a_file_over_20_mb(olha: Person) -> None:
    await olha.sends_big_file()
    await olha.sees("too big")


async def test_albums_both_ways(olha: Person) -> None:
    await olha.sends_album([None, None])
    await olha.sees("2 photos")
    await olha.sends("album")
    await olha.sees("new")
    album = [message for message in await olha.chat() if not message.own and message.kind == "photo"]
    assert len({message.raw["media_group_id"] for message in album}) == 1
    assert [message.raw.get("has_media_spoiler") for message in album] == [True, None, None]


async def test_429_tells_how_long_to_wait(olha: Person, rehearsal: Rehearsal) -> None:
    rehearsal.faults.add("too_many_requests", method="sendMessage", times=1, retry_after_s=LONG_WAIT_S)
    await olha.sends("hello")
    await olha.sees(f"wait {LONG_WAIT_S} s")


async def test_an_update_that_comes_twice_is_told_twice(olha: Person, rehearsal: Rehearsal) -> None:
    rehearsal.faults.add("duplicate", times=1)
    await olha.sends("hello")
    assert [message.text for message in await olha.sees_only(3)] == ["hello", "heard hello", "heard hello"]


@pytest.mark.parametrize("library", [on_aiogram, on_ptb], ids=["aiogram", "python-telegram-bot"])
async def test_a_poll_beside_a_webhook_is_a_conflict(library: object, rehearsal: Rehearsal) -> None:
    module = on_aiogram if library is on_aiogram else on_ptb
    async with module.webhook(rehearsal.url, TOKEN):
        assert await module.poll_conflicts(rehearsal.url, TOKEN)
