"""What must hold for every state and every input, whatever happened before: the laws all other tests lean on."""

import json
import re
from collections.abc import Collection
from dataclasses import replace
from datetime import date
from typing import ClassVar, NamedTuple

import flows
from flows.form import Kind
from flows.inputs import sound
from flows.interview import Interview
from flows.path import all_words, find, path
from flows.reading import rows
from flows.told import beside, told
from flows.words import command_of
from locales import Texts, offered

TODAY = date(2026, 11, 22)
TEXTS = {lang: Texts.load(lang, domains=("forms", "bot")) for lang in offered("forms")}
MESSAGE_UNITS = 4096  # UTF-16 units, Telegram's limit for a message
BUTTON_KEY_BYTES = 40
BUTTON_CHARACTERS = 40
LINE_CHARACTERS = 160  # with the operator's own words in it


class Gazetteer:
    """Three invented settlements: one alone, two of one name."""

    class Facility:
        id = "invented"
        name: ClassVar = {"uk": "Табір Тихий", "en": "Tykhyi camp"}
        country = "BY"

    class Near(NamedTuple):
        place: "Gazetteer.Place"

    class Place:
        def __init__(self, id: str, name: str, raion: str) -> None:  # noqa: A002 - the field's name
            self.id = id
            self.name = dict.fromkeys(("uk", "ru", "be", "en"), name)
            self.hromada = {"uk": f"{raion} громада", "en": f"{raion} hromada"}
            self.raion = {"uk": f"{raion} район", "en": f"{raion} raion"}
            self.oblast = {"uk": "Перша область", "en": "First oblast"}

    ALL = (
        Place("P1", "Тихе", "Лісовий"),
        Place("P2", "Зелене", "Лісовий"),
        Place("P3", "Зелене", "Степовий"),
    )

    def suggest(
        self,
        text: str,
        lang: str,
        countries: Collection[str] = ("UA",),  # noqa: ARG002 - all are in one
    ) -> list["Gazetteer.Place"]:
        return [place for place in self.ALL if place.name[lang].casefold() in text.casefold()]

    def nearest(self, latitude: float, longitude: float) -> "Gazetteer.Near | None":
        return self.Near(self.ALL[0]) if (round(latitude), round(longitude)) == (47, 33) else None

    def organisations(self, text: str, lang: str) -> list["Gazetteer.Facility"]:
        return self.facilities(text, lang)

    def facilities(self, text: str, lang: str) -> list["Gazetteer.Facility"]:  # noqa: ARG002 - named in one
        return [one for one in (self.Facility(),) if one.name["uk"].casefold() in text.casefold()]


PLACES = Gazetteer()


def take(interview: Interview, given: flows.Input) -> flows.Turn:
    return flows.take(interview, given, today=TODAY, places=PLACES)


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shown(interview: Interview, notice: flows.Text | None = None) -> str:
    """The card's text as it would go out, in the interview's language."""
    return TEXTS[interview.lang].page(flows.card(interview, notice).texts)


def keys(interview: Interview) -> list[str]:
    return [button.key for row in flows.card(interview).buttons for button in row]


def obey(before: Interview, given: flows.Input, turn: flows.Turn) -> None:
    """All laws of one turn."""
    after = turn.interview
    _is_a_state(after)
    _loses_nothing(before, given, turn)
    _keeps_what_came(before, given, turn)
    _invents_nothing(before, given, after)
    _bumps_its_revision(before, after)
    if turn.outcome is not None:
        assert after == before
    if turn.outcome == "send":
        assert flows.can_send(before)
    _card_is_in_bounds(after, turn.notice)


def review_equals_body(interview: Interview) -> None:
    """What the review lists is what is sealed, and all words are in it, unchanged."""
    if not flows.can_send(interview):
        return
    slots = path(interview.definition(), interview)
    content = flows.body(interview)
    json.dumps(content, allow_nan=False, ensure_ascii=False).encode()  # as it is sealed
    reviewed = [row.slot.step.key for row in told(slots, interview)]
    assert [entry["step"] for entry in content["answers"]] == reviewed
    assert [entry["step"] for entry in content["beside"]] == [row.slot for row in beside(slots, interview)]
    sealed = [
        words for entry in (*content["answers"], *content["beside"]) for words in entry.get("words", ())
    ]
    captions = [file["caption"] for file in content["files"] if "caption" in file]
    assert sorted(sealed + captions) == sorted(all_words(interview))
    listed = [file for entry in (*content["answers"], *content["beside"]) for file in entry.get("files", ())]
    assert sorted(listed) == sorted(file["id"] for file in content["files"])
    read = rows(content, TEXTS[interview.lang])
    assert len(read) == len(content["answers"]) + len(content["beside"])
    for words in all_words(interview):
        assert any(words in row.words for row in read)


def _is_a_state(interview: Interview) -> None:
    wire = json.loads(json.dumps(interview.to_json(), allow_nan=False, ensure_ascii=False).encode())
    assert Interview.from_json(wire) == interview
    slots = path(interview.definition(), interview)
    assert any(slot.name == interview.at for slot in slots)
    assert flows.urgency(interview) in {"critical", "high", "normal"}


def _loses_nothing(before: Interview, given: flows.Input, turn: flows.Turn) -> None:
    after = turn.interview
    if not isinstance(given, flows.Edited):
        for slot, answer in before.answers.items():
            if slot != before.at:
                assert after.answers[slot] == answer
        assert after.notes[: len(before.notes)] == before.notes
    assert after.points[: len(before.points)] == before.points
    cleared = turn.notice is not None and turn.notice.key == "notice.cleared"
    if cleared:
        assert given == flows.Tapped(before.revision, "clear")
    if not cleared and not isinstance(given, flows.Edited):
        assert after.files[: len(before.files)] == before.files
    if cleared:
        assert [file for file in before.files if file.slot != before.at] == list(after.files)


def _keeps_what_came(before: Interview, given: flows.Input, turn: flows.Turn) -> None:
    after = turn.interview
    if turn.outcome is not None:
        return
    if isinstance(given, flows.Said) and command_of(given.text) is None and flows.echo.is_visible(given.text):
        assert sound(given.text) in all_words(after)
    if isinstance(given, flows.Sent):
        assert given.file in {file.id for file in after.files}
        if given.caption:
            assert sound(given.caption) in all_words(after)
    if isinstance(given, flows.Claimed) and flows.echo.is_visible(given.words):
        assert after.notes[-1].claim == given.kind
        assert after.notes[-1].words == sound(given.words)
    if isinstance(given, flows.Located) and abs(given.latitude) <= 90 and abs(given.longitude) <= 180:
        answer = after.answers.get(before.at)
        is_answer = answer is not None and {"point", "place"} & set(answer.understood or {})
        assert is_answer or len(after.points) == len(before.points) + 1
        if given.forwarded:  # somebody else's place is nobody's answer
            assert after.answers == before.answers
        if flows.echo.is_visible(given.name):
            assert sound(given.name) in all_words(after)


def _invents_nothing(before: Interview, given: flows.Input, after: Interview) -> None:
    words = set(all_words(before))
    if isinstance(given, flows.Said | flows.Edited):
        words.add(sound(given.text))
    if isinstance(given, flows.Sent) and given.caption:
        words.add(sound(given.caption))
    if isinstance(given, flows.Claimed | flows.Located):
        words.add(sound(given.words if isinstance(given, flows.Claimed) else given.name))
    assert set(all_words(after)) <= words
    files = {file.id for file in before.files} | ({given.file} if isinstance(given, flows.Sent) else set())
    assert {file.id for file in after.files} <= files
    for slot, answer in after.answers.items():
        if answer == before.answers.get(slot):
            continue
        if answer.option and not answer.parts:
            assert isinstance(given, flows.Tapped)
        if answer.by_file and not before.answers.get(slot):
            assert isinstance(given, flows.Sent) or given == flows.Tapped(before.revision, "keep")
    if isinstance(given, flows.Tapped) and given.revision != before.revision:
        assert after == before
    if isinstance(given, flows.Unusable):
        assert after == before


def _bumps_its_revision(before: Interview, after: Interview) -> None:
    assert after.revision in {before.revision, before.revision + 1}
    if _asked(after) != _asked(before):
        assert after.revision == before.revision + 1


def _asked(interview: Interview) -> tuple[object, ...]:
    return interview.form, interview.at, interview.picks, interview.menu


def card_is_in_bounds_in_every_language(interview: Interview) -> None:
    """The card as each language says it, also below the longest notices."""
    for lang in TEXTS:
        said = replace(interview, lang=lang)
        _card_is_in_bounds(said, None)
        _card_is_in_bounds(said, flows.Text("notice.kept_choose"))


def _card_is_in_bounds(interview: Interview, notice: flows.Text | None) -> None:
    card = flows.card(interview, notice)
    page = TEXTS[interview.lang].page(card.texts)
    assert 0 < units(page) <= MESSAGE_UNITS
    page.encode("utf-8")  # no half of a surrogate pair goes out
    slots = path(interview.definition(), interview)
    step = slots[find(slots, interview.at)].step
    if step.kind is not Kind.REVIEW:
        lines = page.split("\n")
        assert len(lines) <= (4 if step.whole and notice else 3), page
        shown = (TEXTS[interview.lang].plain(text) for text in card.texts if not text.params)
        assert all(len(line) <= LINE_CHARACTERS for text in shown for line in text.split("\n")), page
    found = [button.key for row in card.buttons for button in row]
    assert len(found) == len(set(found))
    for key in found:
        assert len(key.encode()) <= BUTTON_KEY_BYTES
        assert ":" not in key
    if not step.plain:
        assert "back" in found or interview.sent  # nothing stands before what is asked after sending
        assert "hide" in found
    _buttons_are_in_bounds(card, TEXTS[interview.lang])


def _buttons_are_in_bounds(card: flows.Card, texts: Texts) -> None:
    named: list[str] = []
    for row in card.buttons:
        assert 1 <= len(row) <= 8
        for button in row:
            if isinstance(button.text, str):  # the name of a place, or a number
                assert 0 < units(button.text) <= 100
                continue
            label = texts.plain(button.text)
            assert 0 < len(label) <= BUTTON_CHARACTERS, label
            assert not re.search(r"[<>&{}\n]", label)
            named.append(label)
    assert len(named) == len(set(named)), named  # two buttons of one name are one too many
