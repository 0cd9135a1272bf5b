"""What words, a voice, a file and a location do at a question of each kind: `TABLE` is the whole of it.

What a person gives either answers the question, joins an answer, or is kept beside it; nothing is dropped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import Any, Final

from flows import dates
from flows.ages import understand_age
from flows.cards import Text
from flows.form import Form, Kind, Outcome
from flows.interview import Answer, Interview, Note, Part
from flows.lookup import EVERYWHERE, Places, as_json, candidates, facility_candidates, organisation_candidates
from flows.path import Slot, holds, live_answers, next_open, path
from flows.told import said_understood

MOST_OFFERED: Final = 5
SETTLEMENT_DECIMALS: Final = 1  # of a degree, about 10 km: the settlement, never the house
Offers = tuple[tuple[Mapping[str, Any], ...], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one input led to: the new state, what the chat must do besides, and a line to show first."""

    interview: Interview
    outcome: Outcome | None = None
    notice: Text | None = None


class Move(Enum):
    """What an input does at a step."""

    ANSWER = "it is the answer; the next question follows"
    SEARCH = "it is the answer; places like it are offered"
    JOIN = "it joins the answer; the question stays until Done"
    KEEP = "it is kept beside; the question stays"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: what words, a voice, another file and a location do."""

    words: Move
    voice: Move
    file: Move
    location: Move


# The whole machine. Buttons do what their card says; an edit does again what the edited words did; a caption
# is words; what cannot be used changes nothing, at any step.
TABLE: Mapping[Kind, Row] = {
    Kind.TAP: Row(Move.KEEP, Move.KEEP, Move.KEEP, Move.KEEP),
    Kind.CHOICE: Row(Move.ANSWER, Move.ANSWER, Move.KEEP, Move.KEEP),
    Kind.WORDS: Row(Move.ANSWER, Move.ANSWER, Move.KEEP, Move.KEEP),
    Kind.AGE: Row(Move.ANSWER, Move.ANSWER, Move.KEEP, Move.KEEP),
    Kind.DATE: Row(Move.ANSWER, Move.ANSWER, Move.KEEP, Move.KEEP),
    Kind.PLACE: Row(Move.SEARCH, Move.ANSWER, Move.KEEP, Move.ANSWER),
    Kind.FILES: Row(Move.JOIN, Move.JOIN, Move.JOIN, Move.KEEP),
    Kind.AGAIN: Row(Move.KEEP, Move.KEEP, Move.KEEP, Move.KEEP),
    Kind.REVIEW: Row(Move.KEEP, Move.KEEP, Move.KEEP, Move.KEEP),
}


@dataclass(frozen=True, slots=True)
class Now:
    """What one input is taken with."""

    interview: Interview
    form: Form
    slots: list[Slot]
    slot: Slot
    today: date
    places: Places

    @property
    def live(self) -> Mapping[str, Answer]:
        """The answers that count."""
        return live_answers(self.slots, self.interview)

    @property
    def row(self) -> Row:
        """What this kind of question does with each input."""
        return TABLE[self.slot.step.kind]


def _answered(interview: Interview, part: Part, now: Now) -> Turn:
    if now.slot.step.organisations:
        return _searched(interview, part, now)
    answer = understand(Answer(parts=(part,)), now)
    return moved_on(interview, now, answer, notice=say_understood(answer, interview.lang))


def _searched(interview: Interview, part: Part, now: Now) -> Turn:
    """Look for settlements, or organisations; while some are offered, more words make the search narrower."""
    before = interview.answers.get(now.slot.name, Answer())
    parts = (*before.parts, part) if interview.picks else (part,)
    answer = Answer(parts=parts)
    picks, sure = offers(part.words, interview.lang, now.slot, now.places)
    if not picks and sure is None and len(parts) > 1:
        picks, sure = offers(answer.words, interview.lang, now.slot, now.places)
    answer = replace(answer, understood=sure)
    if picks:
        return Turn(replace(interview.with_answer(now.slot.name, answer), picks=picks))
    return moved_on(interview, now, answer, notice=say_understood(answer, interview.lang))


def _joined_words(interview: Interview, part: Part, now: Now) -> Turn:
    return Turn(joined(interview, now, (part,)), notice=Text("notice.kept"))


def joined(interview: Interview, now: Now, parts: tuple[Part, ...]) -> Interview:
    """Add words, or none with a file, to the answer that is asked for."""
    before = interview.answers.get(now.slot.name, Answer())
    return interview.with_answer(
        now.slot.name, Answer(parts=(*before.parts, *parts), by_file=before.by_file or not parts)
    )


def _kept_words(interview: Interview, part: Part, now: Now) -> Turn:
    note = Note(now.slot.name, part.words, part.message)
    return noted(interview, note, choose=now.slot.step.kind is Kind.TAP)


def noted(interview: Interview, note: Note, *, choose: bool = False) -> Turn:
    """Keep words beside the answers; `choose`: only a button can answer what is asked."""
    kept = replace(interview, notes=(*interview.notes, note))
    return Turn(kept, notice=Text("notice.kept_choose" if choose else "notice.kept"))


def understand(answer: Answer, now: Now) -> Answer:
    """Add what the words mean, where that is sure; the name of a button means the button."""
    step = now.slot.step
    kind = step.kind
    if kind is Kind.CHOICE:
        word = answer.words.strip(" .,!").casefold()
        option = next((option.key for option in step.options if word in option.said), "")
        return replace(answer, option=option)
    understood: dict[str, Any] | None = None
    if kind is Kind.AGE:
        understood = understand_age(answer.words, today=now.today)
    elif kind is Kind.DATE:
        understood = _date(answer.words, now)
    return replace(answer, understood=understood)


def _date(words: str, now: Now) -> dict[str, Any] | None:
    """Understand a date where this question may have one; what is not certain says so."""
    step = now.slot.step
    behind = dates.understand(words, today=now.today)
    leans_ahead = any(holds(condition, now.live, now.slot.turn) for condition in step.ahead)
    found = behind
    if leans_ahead or step.any_time:
        ahead = dates.understand(words, today=now.today, ahead=True)
        certain = (one for one in (behind, ahead) if one is not None and one.certain)
        found = next(certain, ahead or behind if leans_ahead else behind or ahead)
    if found is None:
        return None
    unsure = {} if found.certain else {"unsure": True}
    return {"edtf": found.edtf, "today": now.today.isoformat(), **unsure}


def offers(words: str, lang: str, slot: Slot, places: Places) -> Offers:
    """Look up what words may mean, as far as this question reaches: what to choose from, or what is meant."""
    if slot.step.organisations:
        return organisation_candidates(words, lang, places), None
    if not slot.step.anywhere:
        return candidates(words, lang, places)
    picks, sure = candidates(words, lang, places, countries=EVERYWHERE)
    facilities = facility_candidates(words, lang, places)
    if not facilities:
        return picks, sure
    settlements = (sure,) if sure else picks
    return (*facilities, *settlements)[:MOST_OFFERED], None


def at_point(latitude: float, longitude: float, now: Now) -> dict[str, Any]:
    """Say where a point is: the nearest settlement, and the point itself only as exactly as the form keeps it."""
    near = now.places.nearest(latitude, longitude)
    place = dict(as_json(near.place)) if near else {}
    decimals = now.form.point_decimals
    if place and decimals <= SETTLEMENT_DECIMALS:
        return place
    return {**place, "point": [round(latitude, decimals), round(longitude, decimals)]}


def say_understood(answer: Answer, lang: str) -> Text | None:
    """Say what was understood, or None; Back is the one tap that corrects it."""
    said = said_understood(answer.understood, lang)
    if said is None:
        return None
    unsure = bool(answer.understood and answer.understood.get("unsure"))
    return Text("notice.understood_unsure" if unsure else "notice.understood", {"value": said})


def moved_on(interview: Interview, now: Now, answer: Answer, *, notice: Text | None = None) -> Turn:
    """Set the answer and go to the next open question: of the heading, if it stands under one."""
    interview = interview.with_answer(now.slot.name, answer)
    slots = path(now.form, interview)
    at = next_open(slots, interview, now.slot.heading)
    return Turn(replace(interview, at=at, picks=(), menu=""), notice=notice)


MOVES: Mapping[Move, Callable[[Interview, Part, Now], Turn]] = {
    Move.ANSWER: _answered,
    Move.SEARCH: _searched,
    Move.JOIN: _joined_words,
    Move.KEEP: _kept_words,
}
