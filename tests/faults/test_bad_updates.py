"""Updates that cannot be taken are parked, not lost; nobody but Telegram can bring one; wrong settings are named."""

import json
from typing import Any

import pytest

from rehearsal.driver import Person
from tests.faults import kit
from tests.line import stories
from tests.line.kit import HOOK, TOKEN, Line

PARKED = "This message could not be read yet."
SECRET_WORDS = "Olena Vyhadana is at the river"


async def _forwards_from_a_hidden_user(person: Person) -> None:
    """What a real Telegram once sent and aiogram could not decode: no `sender_user_name`."""
    update = await _update(person, {"text": SECRET_WORDS})
    update["message"]["forward_origin"] = {"type": "hidden_user", "date": 1_700_000_000}
    await person.sends_raw(update)


async def _update(person: Person, content: dict[str, Any]) -> dict[str, Any]:
    number = await person.id()
    sender = {"id": number, "is_bot": False, "first_name": person.name, "language_code": "en"}
    chat = {"id": number, "type": "private", "first_name": person.name}
    return {"message": {"message_id": 9, "date": 1_700_000_000, "chat": chat, "from": sender, **content}}


async def test_a_poison_update_is_parked_and_its_sender_goes_on(line: Line, house: kit.House) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await _forwards_from_a_hidden_user(olha)
    await olha.sees(PARKED)
    await olha.is_heard()
    await olha.sends("/start")
    await olha.sees("Please choose a language.")

    status, out, err = await kit.says(house, "parked")
    assert status == 0
    assert "forward_origin: {type: str, date: int}" in out
    assert "ValidationError" in out
    status, again, err_again = await kit.says(house, "parked", "--retry")
    assert (status, again.splitlines()[-1]) == (0, "0 taken, 1 still parked")
    told = out + err + again + err_again
    assert not [value for value in ("Vyhadana", "Olha", str(await olha.id())) if value in told]


async def test_an_update_without_a_readable_chat_is_parked_too(line: Line, house: kit.House) -> None:
    olha = line.person("Olha")
    await olha.sends_raw({"message": {"text": SECRET_WORDS}})
    await olha.sends_raw({"callback_query": SECRET_WORDS})
    await olha.sends_raw({"message": {"chat": {"id": -100, "type": "group"}, "text": "not for us"}})
    await olha.is_heard()
    assert await house.asks("SELECT count(*) FROM parked") == 2
    await olha.sends("/start")
    await olha.sees("Please choose a language.")


async def test_what_could_not_be_taken_is_taken_when_it_can_be(line: Line, house: kit.House) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await olha.taps("Skip")
    await stories.shares(olha)
    await kit.publishes(house.team, serial=2, routing={})  # the lead forgot this form
    await line.app.trust.read()
    await olha.taps("Send")
    await olha.sees(PARKED)
    await olha.is_heard()
    assert await house.asks("SELECT count(*) FROM reports") == 0

    await kit.publishes(house.team, serial=3, routing={"family": "team"})
    status, out, _ = await kit.says(house, "parked", "--retry")
    assert (status, out.splitlines()[-1]) == (0, "1 taken, 0 still parked")
    receipt = await stories.sees_receipt(olha)
    (report,) = await house.team.reports()
    assert report["code"] == receipt.code


WRONG_SECRETS = [
    b"",
    b"another-secret-of-16",
    HOOK["webhook_secret"][:-1].encode(),
    "ключ-від-дому".encode(),
    b"\xff\xfe",
]
NO_UPDATES = [b"", b"not json", b"[1]", b"\xff"]


async def test_only_telegram_can_bring_an_update(house: kit.House) -> None:
    olha = house.rehearsal.person("Olha", language="en")
    update = json.dumps({"update_id": 7, **await _update(olha, {"text": "/start"})}).encode()
    secret = HOOK["webhook_secret"].encode()
    async with kit.bots(house, webhooks=1) as (bot,):
        for wrong in WRONG_SECRETS:
            assert await kit.posts(bot.address, update, wrong) == (401, b"")
        for body in NO_UPDATES:
            assert await kit.posts(bot.address, body, secret) == (400, b"")
        assert await house.asks("SELECT count(*) FROM updates_taken") == 0
        assert await kit.is_healthy(bot)
        # The same update with the right secret is taken, and nothing stands in the answer's body.
        assert await kit.posts(bot.address, update, secret) == (200, b"")
        await house.comes_true("SELECT count(*) = 1 FROM updates_taken")


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("DODOMU_BOT_TOKEN", None, "DODOMU_BOT_TOKEN is not set"),
        ("DODOMU_BOT_TOKEN", "a-token", "DODOMU_BOT_TOKEN is not a token"),
        ("DODOMU_CEREMONY_KEY", None, "DODOMU_CEREMONY_KEY is not set"),
        ("DODOMU_CEREMONY_KEY", "zz", "DODOMU_CEREMONY_KEY is not 64 hexadecimal digits"),
        ("DODOMU_DRAFT_DAYS", "soon", "days a draft can be continued"),
        ("DODOMU_WEBHOOK_URL", "https://bot.example/webhook", "DODOMU_WEBHOOK_SECRET: 16"),
        ("DODOMU_LOG_LEVEL", "LOUD", "DODOMU_LOG_LEVEL is not DEBUG, INFO, WARNING or ERROR"),
    ],
)
async def test_a_setting_that_cannot_be_used_is_named(
    house: kit.House, setting: str, value: str | None, expected: str
) -> None:
    status, out, err = await kit.says(house, **{setting: value})
    assert (status, out) == (2, "")
    assert expected in err
    assert TOKEN not in err
    assert "Traceback" not in err
