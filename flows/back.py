"""The way back with seven words: what is read in a message, and every card that follows. Pure.

asked("LANTERN river, …")          # Asked(numbers=(…seven…), lang="en"); None: these are not seven return words
home("reading", answers=1, shares=True)

Until an answer comes, and when nothing opens, the cards are the same for everyone: `wait`, `unknown`, `hint`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from flows import returnwords
from flows.body import BODY_VERSION, links_in
from flows.cards import Button, Card, Text
from flows.forms import newest
from flows.inputs import Claimed, Edited, Located, Said, Sent, sound

WORDS = 7
OPEN = "back.open"  # the button below the neutral word
FORM = "later"  # the form whose words name what is added here
SHARING = ("find", "courts")
EXACT_AT_LEAST = 4  # of seven: fewer, and it is a sentence that happens to resemble them
_NEARLY = range(WORDS - 1, WORDS + 2)
_NOT_A_LETTER = re.compile(r"[\W\d_]+")

_STATUS: Mapping[str, Text] = {
    "received": Text("back.status.received"),
    "reading": Text("back.status.reading"),
    "answer": Text("back.status.answer"),
    "closed": Text("back.status.closed"),
}
_CLEAR = Button("clear_chat", Text("back.clear"))
_HOME = (Button("back.home", Text("back.back")),)


@dataclass(frozen=True, slots=True)
class Asked:
    """Seven return words: their numbers, and the language they were written in."""

    numbers: tuple[int, ...] = field(repr=False)
    lang: str


# ---- what is read -----------------------------------------------------------------------------------


def asked(text: str) -> Asked | None:
    """Read a whole message as seven return words; slips are forgiven where most of them are clear."""
    numbers = returnwords.numbers(text)
    if numbers is None or len(numbers) != WORDS:
        return None
    typed = _words(text)
    exact = {lang: _exact(typed, returnwords.words(numbers, lang)) for lang in returnwords.languages()}
    lang = max(exact, key=lambda each: exact[each])
    return Asked(numbers, lang) if exact[lang] >= EXACT_AT_LEAST else None


def nearly(text: str) -> bool:
    """Say whether a whole message looks like return words, and one is missing, too many or unreadable."""
    typed = _words(text)
    if len(typed) not in _NEARLY:
        return False
    return any(_readable(typed, lang) >= WORDS - 1 for lang in returnwords.languages())


def _words(text: str) -> list[str]:
    plain = (_NOT_A_LETTER.sub("", chunk) for chunk in text[: returnwords.LENGTH_CAP].split())
    return [word for word in plain if word]


def _exact(typed: list[str], meant: list[str]) -> int:
    """How many are written whole, or as their first four letters."""
    pairs = [
        (returnwords.fold(left), returnwords.fold(right)) for left, right in zip(typed, meant, strict=False)
    ]
    return sum(left in {right, right[: returnwords.KEY]} for left, right in pairs)


def _readable(typed: list[str], lang: str) -> int:
    """How many are return words of this language; none unless most are clear."""
    clear = sum(returnwords.fold(word) in _list(lang) for word in typed)
    return sum(returnwords.numbers(word, lang) is not None for word in typed) if clear > EXACT_AT_LEAST else 0


@cache
def _list(lang: str) -> frozenset[str]:
    return frozenset(map(returnwords.fold, returnwords.words(range(returnwords.COUNT), lang)))


def words_of(given: Said | Edited | Sent | Located | Claimed) -> str:
    """Give what an input says that no question asked for; a point only as exact as a settlement."""
    if isinstance(given, Located):
        return f"{given.latitude:.1f}, {given.longitude:.1f}"
    if isinstance(given, Claimed):
        return sound(given.words)
    return sound((given.caption or "") if isinstance(given, Sent) else given.text)


# ---- what is shown ----------------------------------------------------------------------------------


def wait() -> Card:
    """Ask for patience, whatever the words are."""
    return Card((Text("back.wait"),), ((_CLEAR,),))


def unknown() -> Card:
    """Say that nothing opens: wrong words, words of no report, words of a withdrawn report."""
    return Card((Text("back.unknown"),), ((Button("start", Text("back.start")),), (_CLEAR,)))


def hint() -> Card:
    """Say how return words are written."""
    return Card((Text("back.hint"),), ((_CLEAR,),))


def locked() -> Card:
    """Ask for the words: this chat alone opens nothing."""
    return Card((Text("back.locked"),), ((_CLEAR,),))


def hello() -> Card:
    """Give the one neutral word that may come by itself."""
    return Card((Text("back.push"),), ((Button(OPEN, Text("back.push.open")),),))


def home(status: str, *, answers: int, shares: bool) -> Card:
    """Tell the public status ("received", "reading", "answer", "closed") and what can be done."""
    read = ((Button("back.read", Text("back.read")),),) if answers else ()
    share = ((Button("back.share", Text("back.share")),),) if shares else ()
    return Card(
        (_STATUS[status], Text("back.stands")),
        (
            *read,
            (Button("back.write", Text("back.write")),),
            *share,
            (Button("back.withdraw", Text("back.withdraw")),),
            (_CLEAR,),
        ),
    )


def reply(text: str, *, more: bool) -> Card:
    """Show one answer of the team."""
    following = ((Button("back.next", Text("back.next")),),) if more else ()
    return Card(
        (Text("back.reply", {"text": text}),),
        (*following, (Button("back.write", Text("back.write")),), _HOME, (_CLEAR,)),
    )


def no_reply() -> Card:
    """Say that the answer cannot be shown: it did not prove to be the team's."""
    return Card((Text("back.reply.none"),), (_HOME,))


def write(notice: Text | None = None) -> Card:
    """Invite words, voice or photos; after each, say that it is with the team."""
    return Card((notice or Text("back.write.ask"),), (_HOME, (_CLEAR,)))


def share(notice: tuple[Text, ...] = ()) -> Card:
    """Offer the rows of sharing."""
    rows = tuple((Button(f"back.share.{row}", Text(f"ask.{row}.label")),) for row in SHARING)
    return Card(notice or (Text("back.share.ask"),), (*rows, _HOME))


def share_row(row: str) -> Card:
    """Ask one row of sharing, in the words of the interview."""
    options = tuple((Button(f"back.share.{row}.{key}", Text(f"ask.{row}.{key}")),) for key in options_of(row))
    return Card(consent_texts(row), (*options, _HOME))


def withdraw() -> Card:
    """Ask whether to withdraw; asked twice."""
    return Card(
        (Text("back.withdraw.ask"),), ((Button("back.withdraw.yes", Text("back.withdraw.yes")),), _HOME)
    )


def withdraw_sure() -> Card:
    """Ask again."""
    return Card(
        (Text("back.withdraw.again"),), ((Button("back.withdraw.sure", Text("back.withdraw.sure")),), _HOME)
    )


def withdrawn() -> Card:
    """Say that it is done."""
    return Card((Text("back.withdrawn"),), ((_CLEAR,),))


# ---- what is sealed ---------------------------------------------------------------------------------


def options_of(row: str) -> tuple[str, ...]:
    """Give the options of a row of sharing, widest first."""
    step = next(step for step in newest("family").all_steps() if step.key == row)
    return tuple(option.key for option in step.options)


def consent_texts(row: str) -> tuple[Text, ...]:
    """Give the whole question that consent answers."""
    return Text(f"ask.{row}"), Text(f"ask.{row}.hint")


def shared(row: str, option: str, words: str, lang: str) -> dict[str, Any]:
    """Give a decision about sharing as an addition: the option, and the very words that were agreed to."""
    entry = {
        "step": row,
        "label": f"ask.{row}.label",
        "option": option,
        "option_label": f"ask.{row}.{option}",
        "asked": words,
        "consent": newest("family").consent,
    }
    return addition([entry], lang, sharing={row: option})


def said(given: Said | Edited | Located | Claimed, lang: str) -> dict[str, Any]:
    """Give words to the team as an addition; whose they claim to be stands beside them."""
    entry: dict[str, Any] = {"step": "add", "label": "ask.add.label", "words": [words_of(given)]}
    if getattr(given, "forwarded", False):
        entry["forwarded"] = True
    if origin := getattr(given, "origin", ""):
        entry["origin"] = origin
    if isinstance(given, Claimed):
        entry["claim"] = given.kind
    beside = bool(entry.keys() & {"forwarded", "origin", "claim"})
    return addition([] if beside else [entry], lang, beside=[entry] if beside else [])


def addition(
    answers: list[dict[str, Any]],
    lang: str,
    *,
    beside: list[dict[str, Any]] | None = None,
    sharing: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Give what is sealed of an addition besides its ids, time and files."""
    form = newest(FORM)
    return {
        "language": lang,
        "form": form.name,
        "form_version": form.version,
        "answers": {
            "body": BODY_VERSION,
            "form": form.name,
            "version": form.version,
            "language": lang,
            "sharing": dict(sharing or {}),
            "answers": answers,
            "beside": beside or [],
            "files": [],
            "links": links_in(
                words for entry in (*answers, *(beside or ())) for words in entry.get("words", ())
            ),
            "addition": True,
        },
    }
