"""The database is down: the person is told to wait, nothing is acknowledged, and afterwards nothing is missing."""

import asyncio
import json

import pytest

from tests.faults import kit
from tests.line import stories
from tests.line.kit import HOOK

WAIT = "Nothing can be kept right now."


@pytest.mark.parametrize("webhooks", [0, 2], ids=["polling", "webhook"])
async def test_an_answer_waits_at_telegram_until_the_database_is_back(
    lasting_house: kit.House, webhooks: int
) -> None:
    house = lasting_house
    async with kit.bots(house, webhooks=webhooks) as bots:
        olha = house.rehearsal.person("Olha", language="en")
        await stories.begins(olha)
        await olha.taps("My family, or in my care")
        await olha.taps("I do not know where")
        await olha.sees("What is the child’s name?")

        await asyncio.to_thread(house.database.server.stop, immediate=True)
        await olha.sends("Olena Vyhadana")
        await olha.sees(WAIT)
        assert (await olha.view())["unheard"] == 1
        if webhooks:
            body = json.dumps({"update_id": 1, "message": _greeting(await olha.id())}).encode()
            assert (await kit.posts(bots[0].address, body, HOOK["webhook_secret"].encode()))[0] == 503
        await asyncio.to_thread(house.database.server.restart)

        await olha.sees("How old was the child", timeout_s=30)
        await olha.sees_no_more(WAIT)
        await olha.is_heard()
        await olha.sees_only(1)


def _greeting(person: int) -> dict[str, object]:
    sender = {"id": person, "is_bot": False, "first_name": "Olha", "language_code": "en"}
    chat = {"id": person, "type": "private", "first_name": "Olha"}
    return {"message_id": 1, "date": 1_700_000_000, "chat": chat, "from": sender, "text": "hello"}
