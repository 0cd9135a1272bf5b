"""How a bot is told: polling with offsets, webhooks with retries, one queue per chat and one for taps."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from rehearsal.webhook import SECRET_HEADER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rehearsal.server import Rehearsal
    from tests.rehearsal.conftest import PlainBot

SECRET = "a-secret_42"
GO = {"inline_keyboard": [[{"text": "Go", "callback_data": "x"}]]}


@dataclass
class Endpoint:
    """A webhook of a bot that answers what the test says, in turn, then 200."""

    url: str = ""
    answers: list[web.Response] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
    secrets: list[str | None] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        update = await request.json()
        self.secrets.append(request.headers.get(SECRET_HEADER))
        async with self.changed:
            self.heard.append(update)
            self.changed.notify_all()
        await self.gate.wait()
        return self.answers.pop(0) if self.answers else web.Response()

    async def has_heard(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: len(self.heard) >= count)
        return self.heard


async def listening(endpoint: Endpoint) -> web.AppRunner:
    app = web.Application()
    app.router.add_post("/hook", endpoint.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    endpoint.gate.set()
    return runner


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    opened = Endpoint()
    runner = await listening(opened)
    yield opened
    opened.gate.set()
    await runner.cleanup()


def texts(updates: list[dict[str, Any]]) -> list[str]:
    return [update["message"]["text"] for update in updates if "message" in update]


async def test_polling_repeats_until_the_offset_confirms(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    for word in ("one", "two", "three"):
        await olha.sends(word)
    first = (await bot.asks("getUpdates", limit=2)).result
    assert texts(first) == ["one", "two"]
    assert first == (await bot.asks("getUpdates", limit=2)).result
    assert [update["update_id"] - first[0]["update_id"] for update in first] == [0, 1]
    rest = (await bot.asks("getUpdates", offset=first[1]["update_id"] + 1)).result
    assert texts(rest) == ["three"]
    assert (await olha.view())["unheard"] == 1
    assert (await bot.asks("getUpdates", offset=rest[0]["update_id"] + 1)).result == []
    await olha.is_heard()


async def test_a_negative_offset_forgets_all_but_the_newest(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    for word in ("one", "two", "three"):
        await olha.sends(word)
    assert texts((await bot.asks("getUpdates", offset=-1)).result) == ["three"]
    assert texts((await bot.asks("getUpdates")).result) == ["three"]


async def test_dates_are_seconds_and_the_chat_instance_stays(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    sent = await olha.sends("/start")
    assert sent.raw["date"] == 1_800_000_000
    assert sent.raw["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    await bot.asks("sendMessage", chat_id=await olha.id(), text="a", reply_markup=GO)
    await olha.taps("Go")
    await olha.taps("Go")
    queries = [update["callback_query"] for update in await bot.updates() if "callback_query" in update]
    assert len({query["id"] for query in queries}) == 2
    assert len({query["chat_instance"] for query in queries}) == 1
    assert queries[0]["message"]["reply_markup"] == GO


async def test_allowed_updates_persist_when_omitted(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    await bot.asks("getUpdates", allowed_updates=["callback_query"])
    await olha.sends("unheard")
    assert (await bot.asks("getUpdates")).result == []
    await bot.asks("getUpdates", allowed_updates=[])
    await olha.sends("heard")
    assert texts((await bot.asks("getUpdates")).result) == ["heard"]


async def test_a_second_poll_ends_the_first_by_409(rehearsal: Rehearsal, bot: PlainBot) -> None:
    first = asyncio.create_task(bot.asks("getUpdates", timeout=30))
    while rehearsal.world.bots[1000].poller is None:
        await bot.asks("getMe")
    second = asyncio.create_task(bot.asks("getUpdates", timeout=30))
    code, sentence = (await first).refusal
    assert code == 409
    assert sentence.startswith("Conflict: terminated by other getUpdates request")
    await rehearsal.person("Olha").sends("hello")
    assert texts((await second).result) == ["hello"]


async def test_polling_is_409_while_a_webhook_is_set(bot: PlainBot, endpoint: Endpoint) -> None:
    waiting = asyncio.create_task(bot.asks("getUpdates", timeout=30))
    await asyncio.sleep(0)
    assert (await bot.asks("setWebhook", url=endpoint.url)).result is True
    code, sentence = (await bot.asks("getUpdates")).refusal
    assert (code, "webhook is active" in sentence) == (409, True)
    assert (await waiting).refusal[0] == 409
    assert (await bot.asks("deleteWebhook")).result is True
    assert (await bot.asks("getUpdates")).result == []


async def test_the_webhook_gets_the_secret(rehearsal: Rehearsal, bot: PlainBot, endpoint: Endpoint) -> None:
    bad = await bot.asks("setWebhook", url=endpoint.url, secret_token="no spaces")
    assert bad.refusal == (400, "Bad Request: secret token contains unallowed characters")
    await bot.asks("setWebhook", url=endpoint.url, secret_token=SECRET)
    await rehearsal.person("Olha").sends("hello")
    await endpoint.has_heard(1)
    assert endpoint.secrets == [SECRET]


async def test_the_next_message_waits_for_the_2xx_but_a_tap_does_not(
    rehearsal: Rehearsal, bot: PlainBot, endpoint: Endpoint
) -> None:
    olha, taras = rehearsal.person("Olha"), rehearsal.person("Taras")
    await olha.sends("/start")
    await bot.updates()
    await bot.asks("getUpdates", offset=2**40)
    await bot.asks("sendMessage", chat_id=await olha.id(), text="a", reply_markup=GO)
    endpoint.gate.clear()
    await bot.asks("setWebhook", url=endpoint.url)
    await olha.sends("one")
    await olha.sends("two")
    await olha.taps("Go")
    await taras.sends("three")
    heard = await endpoint.has_heard(3)
    # Olha's second message is not among them: her first has no 2xx yet.
    assert sorted(texts(heard)) == ["one", "three"]
    assert sum("callback_query" in update for update in heard) == 1
    assert (await olha.view())["unheard"] == 3
    endpoint.gate.set()
    assert texts((await endpoint.has_heard(4))[3:]) == ["two"]
    await olha.is_heard()


async def test_a_failed_delivery_comes_again(rehearsal: Rehearsal, bot: PlainBot, endpoint: Endpoint) -> None:
    endpoint.answers = [web.Response(status=500), web.Response(status=503, headers={"Retry-After": "0"})]
    await bot.asks("setWebhook", url=endpoint.url)
    olha = rehearsal.person("Olha")
    await olha.sends("one")
    heard = await endpoint.has_heard(3)
    assert len({update["update_id"] for update in heard}) == 1
    info = (await bot.asks("getWebhookInfo")).result
    assert info["last_error_message"] == "Wrong response from the webhook: 503 Service Unavailable"
    await olha.is_heard()


async def test_several_targets_are_used_in_turn(
    rehearsal: Rehearsal, bot: PlainBot, endpoint: Endpoint
) -> None:
    other = Endpoint()
    runner = await listening(other)
    await rehearsal.driver.use_targets([endpoint.url, other.url])
    await bot.asks("setWebhook", url="https://bot.example.org/hook")
    for name in ("Olha", "Taras", "Marta", "Ivan"):
        await rehearsal.person(name).sends("hello")
    assert len(await endpoint.has_heard(2)) == len(await other.has_heard(2)) == 2
    await runner.cleanup()


async def test_a_target_that_is_down_is_passed_over(
    rehearsal: Rehearsal, bot: PlainBot, endpoint: Endpoint
) -> None:
    await rehearsal.driver.use_targets(["http://127.0.0.1:9/hook", endpoint.url])
    await bot.asks("setWebhook", url=endpoint.url)
    await rehearsal.person("Olha").sends("hello")
    await endpoint.has_heard(1)
    assert (await bot.asks("getWebhookInfo")).result["last_error_message"] == "Connection refused"


async def test_23_hours_of_410_close_the_webhook(
    rehearsal: Rehearsal, bot: PlainBot, endpoint: Endpoint
) -> None:
    endpoint.answers = [web.Response(status=410) for _ in range(1000)]
    await bot.asks("setWebhook", url=endpoint.url)
    await rehearsal.person("Olha").sends("hello")
    await endpoint.has_heard(2)
    rehearsal.clock.advance(23 * 3600)
    async with asyncio.timeout(10):
        while (await bot.asks("getWebhookInfo")).result["url"]:
            await bot.asks("getMe")
    assert texts(await bot.updates()) == ["hello"]


async def test_messages_wait_a_day(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    await olha.sends("old")
    rehearsal.clock.advance(24 * 3600 - 1)
    await olha.sends("new")
    assert texts((await bot.asks("getUpdates")).result) == ["old", "new"]
    rehearsal.clock.advance(1)
    assert texts((await bot.asks("getUpdates")).result) == ["new"]


async def test_after_a_quiet_week_the_update_id_is_another(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    await olha.sends("one")
    (before,) = await bot.updates()
    rehearsal.clock.advance(8 * 24 * 3600)
    await olha.sends("two")
    await olha.sends("three")
    (after, next_one) = (await bot.asks("getUpdates")).result
    assert abs(after["update_id"] - before["update_id"]) > 1
    assert next_one["update_id"] == after["update_id"] + 1
