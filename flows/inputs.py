"""Everything a person can do in an interview, as plain values; none of them shows its content in a repr.

Said("Olha, 8", message=12)    Tapped(revision=3, button="o.girl")    Unusable("sticker")
"""

from dataclasses import dataclass

# Kinds of a sent file that can answer a question by themselves: a person speaks in them.
SPOKEN = frozenset({"voice", "audio", "video_note"})


@dataclass(frozen=True, slots=True, repr=False)
class Said:
    """Words. `message` is Telegram's message id, by which an edit can replace them.

    `origin` is whose words a forward claims to be: a name as shown, never an id. `reply_to` is the message
    that was answered, ours or theirs, whether it still stands or not.
    """

    text: str
    message: int | None = None
    forwarded: bool = False
    origin: str = ""
    reply_to: int | None = None


@dataclass(frozen=True, slots=True)
class Tapped:
    """A button, with the revision of the card it stood on."""

    revision: int
    button: str


@dataclass(frozen=True, slots=True, repr=False)
class Sent:
    """A file that is already kept under our own id `file`; `kind` is Telegram's word for it."""

    file: str
    kind: str
    message: int | None = None
    caption: str | None = None
    album: str | None = None
    forwarded: bool = False
    origin: str = ""
    reply_to: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Located:
    """A point on the map, in degrees. `name` are the words that came with it: a venue's title and address."""

    latitude: float
    longitude: float
    message: int | None = None
    reply_to: int | None = None
    name: str = ""
    forwarded: bool = False
    origin: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Claimed:
    """A third person's details, sent unasked: kept as a claim beside the answers, never as an answer.

    `kind` is "contact"; `words` are the name and the telephone number, each on its line.
    """

    kind: str
    words: str
    message: int | None = None
    reply_to: int | None = None
    forwarded: bool = False
    origin: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Edited:
    """New words of an earlier message: they replace the answer which that message gave."""

    text: str
    message: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """Something that cannot be an answer: "sticker", "poll", "dice", "story", "too_big", "empty_file", …"""

    what: str


def sound(text: str) -> str:
    """Give a text that UTF-8 can carry: half of a surrogate pair is no character and becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


Input = Said | Tapped | Sent | Located | Claimed | Edited | Unusable
