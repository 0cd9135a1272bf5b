"""What a message without a file holds, and in what manner it is sent: as an answer, or passed on from another.

location(48.5, 34.5, live_period=900)      # {"location": {"latitude": 48.5, …}}
Manner(origin=hidden("Somebody", now))     # a forward of one who hides their account
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rehearsal.errors import ActError

if TYPE_CHECKING:
    from rehearsal.botapi import Json
    from rehearsal.world import ChatState, World

LIVE_SECONDS = range(60, 86_401)  # sendLocation, live_period
FOREVER = 0x7FFFFFFF  # a live location until it is stopped
DICE = {"🎲": 6, "🎯": 6, "🎳": 6, "🏀": 5, "⚽": 5, "🎰": 64}  # the highest value of each
FAR_CHANNEL = -1_001_000_000_000  # ids of channels lie below


@dataclass(frozen=True)
class Manner:
    """How something is sent. `reply_to` is a message of this chat, `quote` words of it; `origin` a MessageOrigin."""

    reply_to: int | None = None
    quote: str = ""
    origin: Json | None = None
    group: str | None = None  # the media_group_id of an album that goes on

    def fields(self, chat: ChatState) -> Json:
        """Return what a Message says of it. Raises ActError."""
        if self.origin is not None:
            if self.reply_to is not None:
                raise ActError("what is forwarded answers nothing")
            return {"forward_origin": self.origin}
        replied = chat.messages.get(self.reply_to) if self.reply_to else None
        if replied is None:  # one that is gone meanwhile is answered by a message that answers nothing
            return {}
        fields: Json = {"reply_to_message": {k: v for k, v in replied.items() if k != "reply_to_message"}}
        if self.quote:
            held = str(replied.get("text") or replied.get("caption") or "")
            if self.quote not in held:
                raise ActError("only what the message says can be quoted")
            position = len(held[: held.index(self.quote)].encode("utf-16-le")) // 2
            fields["quote"] = {"text": self.quote, "position": position, "is_manual": True}
        return fields


# Where something is forwarded from


def origin(world: World, given: Json) -> Json:
    """Return a MessageOrigin: {"kind": "user" | "hidden" | "chat" | "channel", "name", "username", "signature"}."""
    name, date = str(given.get("name") or "").strip(), world.clock.date()
    if not name:
        raise ActError("a forward says from whom")
    signed = {"author_signature": str(given["signature"])} if given.get("signature") else {}
    public = {"username": str(given["username"])} if given.get("username") else {}
    far = {"id": FAR_CHANNEL - len(name), "title": name, **public}
    match given.get("kind"):
        case "user":
            person = world.person_named(name)
            return {"type": "user", "date": date, "sender_user": person.user()}
        case "hidden":
            return {"type": "hidden_user", "date": date, "sender_user_name": name}
        case "chat":
            return {"type": "chat", "date": date, "sender_chat": {**far, "type": "supergroup"}, **signed}
        case "channel":
            posted = int(given.get("post") or 1)
            chat = {**far, "type": "channel"}
            return {"type": "channel", "date": date, "chat": chat, "message_id": posted, **signed}
    raise ActError("a forward is from a user, hidden, chat or channel")


# What is sent


def location(latitude: float, longitude: float, live_period: int | None = None) -> Json:
    """Return a point, or the first of a live location, which moves for so many seconds. Raises ActError."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # noqa: PLR2004 - degrees on Earth
        raise ActError("a point has a latitude of -90 to 90 and a longitude of -180 to 180 degrees")
    if live_period is not None and live_period not in LIVE_SECONDS and live_period != FOREVER:
        raise ActError("a live location lasts from a minute to a day, or until it is stopped")
    live = {} if live_period is None else {"live_period": live_period}
    return {"location": {"latitude": latitude, "longitude": longitude, **live}}


def venue(latitude: float, longitude: float, title: str, address: str) -> Json:
    """Return a place with a name. Raises ActError."""
    if not title.strip():
        raise ActError("a place has a name")
    point = location(latitude, longitude)
    return {"venue": {**point, "title": title, "address": address}, **point}


def contact(phone: str, name: str, last_name: str = "", vcard: str = "") -> Json:
    """Return somebody's contact. Raises ActError."""
    if not phone.strip() or not name.strip():
        raise ActError("a contact has a name and a telephone number")
    more = {"last_name": last_name, "vcard": vcard}
    return {
        "contact": {"phone_number": phone, "first_name": name, **{k: v for k, v in more.items() if v}},
    }


def dice(world: World, emoji: str = "🎲") -> Json:
    """Return a throw. Raises ActError."""
    if emoji not in DICE:
        raise ActError(f"what can be thrown is one of {' '.join(DICE)}")
    return {"dice": {"emoji": emoji, "value": world.chance.randint(1, DICE[emoji])}}


def story(world: World, name: str) -> Json:
    """Return a story that somebody shows."""
    person = world.person_named(name)
    return {"story": {"chat": person.chat(), "id": world.chance.randrange(1, 1000)}}


def poll(world: World, question: str, options: list[str]) -> Json:
    """Return a poll."""
    rows = [{"persistent_id": world.token(8), "text": option, "voter_count": 0} for option in options]
    return {
        "poll": {
            "id": str(world.chance.randrange(10**18, 10**19)),
            "question": question,
            "options": rows,
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
            "allows_revoting": True,
            "members_only": False,
        }
    }


def hidden_links(text: str, links: list[tuple[str, str]]) -> list[Json]:
    """Return entities by which words of a text lead to addresses that it does not show. Raises ActError."""
    entities = []
    for words, url in links:
        if words not in text or not url.startswith(("http://", "https://", "tg://")):
            raise ActError("a link stands behind words of the text and has an address")
        offset = len(text[: text.index(words)].encode("utf-16-le")) // 2
        length = len(words.encode("utf-16-le")) // 2
        entities.append({"type": "text_link", "offset": offset, "length": length, "url": url})
    return entities
