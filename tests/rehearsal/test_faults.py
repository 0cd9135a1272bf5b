"""Faults by switch strike what they are meant for, as often as asked, and nothing else."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING

import aiohttp
import pytest

from rehearsal.errors import ActError
from rehearsal.faults import Faults, Kind

if TYPE_CHECKING:
    from rehearsal.server import Rehearsal
    from tests.rehearsal.conftest import PlainBot


async def chat_of(rehearsal: Rehearsal, name: str = "Olha") -> int:
    person = rehearsal.person(name)
    await person.sends("/start")
    return await person.id()


async def test_429_says_how_long_and_ends(rehearsal: Rehearsal, bot: PlainBot) -> None:
    chat = await chat_of(rehearsal)
    rehearsal.faults.add("too_many_requests", method="sendMessage", times=2, retry_after_s=7)
    for _ in range(2):
        answer = await bot.asks("sendMessage", chat_id=chat, text="a")
        assert answer.refusal == (429, "Too Many Requests: retry after 7")
        assert answer.body["parameters"] == {"retry_after": 7}
        assert (await bot.asks("getMe")).result
    assert (await bot.asks("sendMessage", chat_id=chat, text="a")).result
    assert [message.text for message in await rehearsal.person("Olha").chat()] == ["/start", "a"]


async def test_a_fault_meant_for_one_chat_leaves_the_others(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha, taras = await chat_of(rehearsal), await chat_of(rehearsal, "Taras")
    await rehearsal.driver.fault("blocked", chat=olha)
    assert (await bot.asks("sendMessage", chat_id=olha, text="a")).refusal[0] == 403
    assert (await bot.asks("sendMessage", chat_id=taras, text="a")).result
    await rehearsal.driver.clear_faults()
    assert (await bot.asks("sendMessage", chat_id=olha, text="a")).result


@pytest.mark.parametrize(("done", "standing"), [(False, 1), (True, 2)])
async def test_a_server_error_before_or_after_the_deed(
    rehearsal: Rehearsal, bot: PlainBot, standing: int, *, done: bool
) -> None:
    chat = await chat_of(rehearsal)
    rehearsal.faults.add(Kind.SERVER_ERROR, method="sendMessage", times=1, status=503, done=done)
    assert (await bot.asks("sendMessage", chat_id=chat, text="a")).refusal == (503, "Service Unavailable")
    assert len(await rehearsal.person("Olha").chat()) == standing
    called = (await rehearsal.driver.calls("sendMessage"))[-1]
    assert (called["fault"], called["error"]) == ("server_error", None)


@pytest.mark.parametrize("kind", ["cut", "timeout"])
async def test_an_answer_that_never_comes(rehearsal: Rehearsal, bot: PlainBot, kind: str) -> None:
    rehearsal.faults.add(kind, method="getMe", times=1, hold_s=0.05)
    began = time.monotonic()
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await bot.asks("getMe")
    assert kind == "cut" or time.monotonic() - began >= 0.05
    assert (await bot.asks("getMe")).result


async def test_a_download_cut_in_its_middle(rehearsal: Rehearsal, bot: PlainBot) -> None:
    content = b"x" * 4_000_000
    sent = (await rehearsal.person("Olha").sends_file("a.bin", content)).raw["document"]
    path = (await bot.asks("getFile", file_id=sent["file_id"])).result["file_path"]
    rehearsal.faults.add("cut", method="file", times=1)
    with pytest.raises(aiohttp.ClientPayloadError):
        await bot.downloads(path)
    assert await bot.downloads(path) == (200, content)


async def test_duplicate_comes_again_after_it_was_confirmed(rehearsal: Rehearsal, bot: PlainBot) -> None:
    rehearsal.faults.add("duplicate", times=1)
    await rehearsal.person("Olha").sends("hello")
    first = await bot.updates()
    assert await bot.updates() == first
    await bot.asks("getUpdates", offset=first[0]["update_id"] + 1)
    assert (await bot.asks("getUpdates")).result == []


async def test_reordered_comes_after_the_next(rehearsal: Rehearsal, bot: PlainBot) -> None:
    rehearsal.faults.add(Kind.REORDERED, times=1)
    olha = rehearsal.person("Olha")
    await olha.sends("one")
    assert (await bot.asks("getUpdates")).result == []
    assert (await olha.view())["unheard"] == 1
    await olha.sends("two")
    updates = await bot.updates()
    assert [update["message"]["text"] for update in updates] == ["two", "one"]
    assert updates[0]["update_id"] < updates[1]["update_id"]


async def test_late_holds_the_chat_in_order_and_no_other(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha, taras = rehearsal.person("Olha"), rehearsal.person("Taras")
    rehearsal.faults.add("late", times=1, hold_s=0.2, chat=await olha.id())
    await olha.sends("one")
    await olha.sends("two")
    await taras.sends("three")
    assert [update["message"]["text"] for update in await bot.updates()] == ["three"]
    assert [update["message"]["text"] for update in await bot.updates()] == ["one", "two"]


def test_chance_is_a_chance() -> None:
    faults = Faults(random.Random(3))
    faults.add("cut", probability=0.25)
    struck = sum(faults.strikes_call("getMe", None) is not None for _ in range(1000))
    assert 200 < struck < 300


def test_polling_is_struck_only_when_named() -> None:
    faults = Faults(random.Random(3))
    faults.add("cut")
    assert faults.strikes_call("getUpdates", None) is None
    faults.add("cut", method="getUpdates")
    assert faults.strikes_call("getUpdates", None) is not None


async def test_an_unknown_kind_is_refused(rehearsal: Rehearsal) -> None:
    with pytest.raises(ActError, match="a fault has a kind of"):
        await rehearsal.driver.fault("earthquake")


async def test_many_at_once_under_faults_lose_nothing(rehearsal: Rehearsal, bot: PlainBot) -> None:
    for kind in ("duplicate", "reordered", "late"):
        rehearsal.faults.add(kind, probability=0.2, hold_s=0.01)
    people = [rehearsal.person(f"Person {number}") for number in range(20)]

    async def talks(place: int) -> None:
        for count in range(5):
            await people[place].sends(f"{place}:{count}")

    await asyncio.gather(*map(talks, range(20)))
    heard: set[str] = set()
    async with asyncio.timeout(10):
        while len(heard) < 100:
            heard |= {update["message"]["text"] for update in await bot.updates(timeout=1)}
    assert heard == {f"{place}:{count}" for place in range(20) for count in range(5)}
