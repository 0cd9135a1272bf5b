"""Every kind of message that Telegram knows reaches the bot as documented, and what Telegram refuses is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rehearsal.errors import ActError

if TYPE_CHECKING:
    from rehearsal.server import Rehearsal
    from tests.rehearsal.conftest import PlainBot

CHANNEL = {
    "kind": "channel", "name": "Station news", "username": "station_news", "post": 7, "signature": "The editor",
}  # fmt: skip
ORIGINS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "user", "name": "Petro"}, "sender_user"),
    ({"kind": "hidden", "name": "A person"}, "sender_user_name"),
    ({"kind": "chat", "name": "A group"}, "sender_chat"),
    (CHANNEL, "chat"),
]


async def message(bot: PlainBot) -> dict[str, Any]:
    (update,) = await bot.updates()
    held: dict[str, Any] = update.get("message") or update["edited_message"]
    return held


@pytest.mark.parametrize(("forward", "field"), ORIGINS, ids=[origin["kind"] for origin, _ in ORIGINS])
async def test_a_forward_names_where_it_is_from(
    forward: dict[str, Any], field: str, rehearsal: Rehearsal, bot: PlainBot
) -> None:
    sent = await rehearsal.person("Olha").sends("They are here", forward=forward)
    origin = (await message(bot))["forward_origin"]
    assert field in origin
    assert forward["name"] in str(origin)
    with pytest.raises(ActError, match="forwarded cannot be edited"):
        await rehearsal.person("Olha").edits(sent, "They were here")


async def test_a_reply_holds_what_it_answers_and_what_it_quotes(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    first = await olha.sends("Здравствуйте 👋, the bus was white")
    await bot.updates()
    await olha.sends("No, yellow", reply_to=first, quote="white")
    told = await message(bot)
    assert told["reply_to_message"]["message_id"] == first.id
    assert told["quote"] == {"text": "white", "position": 29, "is_manual": True}
    with pytest.raises(ActError, match="can be quoted"):
        await olha.sends("No", reply_to=first, quote="red")
    await olha.deletes(first)
    await olha.sends("And full", reply_to=first)
    assert "reply_to_message" not in await message(bot)


async def test_a_link_can_stand_behind_words(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    sent = await olha.sends("👧 see here", links=[("here", "https://example.org/a")])
    told = await message(bot)
    link = {"type": "text_link", "offset": 7, "length": 4, "url": "https://example.org/a"}
    assert told["entities"] == [link]
    await olha.edits(sent, "see there", links=[("there", "https://example.org/b")])
    assert (await message(bot))["entities"][0]["url"] == "https://example.org/b"
    with pytest.raises(ActError, match="behind words"):
        await olha.sends("see", links=[("here", "https://example.org/")])
    with pytest.raises(ActError, match="behind words"):
        await olha.sends("here", links=[("here", "javascript:alert(1)")])


async def test_a_live_location_moves_by_edits_in_its_time(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    live = await olha.shares_location(48.0, 38.0, live_period=900)
    still = await olha.shares_location(48.0, 38.0)
    await bot.updates()
    await olha.moves(live, 48.1, 38.1)
    told = await message(bot)
    assert (told["message_id"], told["location"]["latitude"]) == (live.id, 48.1)
    assert told["edit_date"]
    with pytest.raises(ActError, match="only a live location"):
        await olha.moves(still, 48.1, 38.1)
    rehearsal.clock.advance(901)
    with pytest.raises(ActError, match="only in its time"):
        await olha.moves(live, 48.2, 38.2)
    with pytest.raises(ActError, match="a minute to a day"):
        await olha.shares_location(48.0, 38.0, live_period=1)


async def test_a_venue_is_a_location_too(rehearsal: Rehearsal, bot: PlainBot) -> None:
    await rehearsal.person("Olha").shares_venue("The school", "Long street 5", 48.0, 38.0)
    told = await message(bot)
    assert told["location"] == told["venue"]["location"] == {"latitude": 48.0, "longitude": 38.0}
    assert (told["venue"]["title"], told["venue"]["address"]) == ("The school", "Long street 5")


async def test_an_album_is_of_what_telegram_puts_together(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    first, second = await olha.sends_mixed([("photo", "", None), ("video", "a.mp4", b"v")], "Both")
    assert first.raw["media_group_id"] == second.raw["media_group_id"]
    assert (first.kind, second.kind, first.text) == ("photo", "video", "Both")
    (late,) = await olha.sends_album([None], group=first.raw["media_group_id"])
    assert late.raw["media_group_id"] == first.raw["media_group_id"]
    assert len(await bot.updates()) == 3
    with pytest.raises(ActError, match="an album is of"):
        await olha.sends_mixed([("photo", "", None), ("document", "a.txt", b"a")])
    with pytest.raises(ActError, match="an album is of"):
        await olha.sends_files([("", b"a"), ("", b"b")], kind="video_note")


async def test_an_animation_is_a_document_too(rehearsal: Rehearsal, bot: PlainBot) -> None:
    sent = await rehearsal.person("Olha").sends_file("cat.gif", b"GIF89a", kind="animation")
    told = await message(bot)
    assert told["animation"]["file_id"] == told["document"]["file_id"]
    assert sent.kind == "animation"


async def test_the_rest(rehearsal: Rehearsal, bot: PlainBot) -> None:
    olha = rehearsal.person("Olha")
    await olha.throws_dice("🏀")
    await olha.shows_story("Petro")
    contact = await olha.shares_contact("+380000000001", "Petro", last_name="Vyhadanyi")
    await olha.pins(contact)
    await olha.sets_timer()
    photo = await olha.sends_photo(caption="one")
    changed = await olha.replaces_photo(photo)
    assert changed.text == "one"
    assert changed.raw["photo"][-1]["file_unique_id"] != photo.raw["photo"][-1]["file_unique_id"]
    kinds = [shown.kind for shown in await olha.chat()]
    assert kinds == ["dice", "story", "contact", "pinned_message", "text", "photo"]
    told = [update["message"] for update in await bot.updates() if "message" in update]
    assert told[0]["dice"]["value"] in range(1, 6)
    assert told[3]["pinned_message"]["contact"]["last_name"] == "Vyhadanyi"
    for refused in (olha.throws_dice("x"), olha.shares_contact("", "Petro"), olha.shares_venue(" ")):
        with pytest.raises(ActError):
            await refused


async def test_a_file_resumes_where_a_range_begins(rehearsal: Rehearsal, bot: PlainBot) -> None:
    sent = await rehearsal.person("Olha").sends_file("a.bin", bytes(range(200)))
    file_id = sent.raw["document"]["file_id"]
    path = (await bot.asks("getFile", file_id=file_id)).result["file_path"]
    assert await bot.downloads(path, Range="bytes=150-") == (206, bytes(range(150, 200)))
    assert (await bot.downloads(path, Range="bytes=200-"))[0] == 416
    assert [called["params"]["range"] for called in await rehearsal.driver.calls("file")] == [
        "bytes=150-",
        "bytes=200-",
    ]
