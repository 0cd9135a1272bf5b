"""The interview engine: pure, total, and never losing an answer.

Every input has an effect at every step, and `TABLE` shows it whole. What a person gives either answers the
question, joins an answer, or is kept beside it; nothing is dropped, and nothing is asked of the clock, the
network or chance.

    interview = begin("uk", resume="лелека берег")
    turn = take(interview, Tapped(0, "o.adult"), today=date(2026, 11, 22), places=places)
    card(turn.interview, turn.notice), turn.outcome
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import Any

from flows import forms
from flows.ages import understand_age
from flows.cards import Text
from flows.dates import understand_date
from flows.echo import is_visible
from flows.form import Form, Kind, Outcome, Urgency
from flows.inputs import SPOKEN, Edited, Input, Located, Said, Sent, Tapped, Unusable, sound
from flows.interview import Answer, File, Interview, Note, Part, Point
from flows.lookup import Places, candidates
from flows.path import Slot, class_of, find, is_sendable, live_answers, next_open, path
from flows.screen import card
from flows.told import said_understood
from flows.words import command_of

FORM = "family"  # what a new interview follows


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
class _Now:
    """What one input is taken with."""

    form: Form
    slots: list[Slot]
    slot: Slot
    today: date
    places: Places

    @property
    def row(self) -> Row:
        return TABLE[self.slot.step.kind]


def begin(
    lang: str, *, resume: str = "", before: Sequence[str] = (), files: Sequence[Sent] = ()
) -> Interview:
    """Start an interview at its first screen.

    `resume` are the words, in `lang`, to come back with; `before` and `files` came before it began.
    """
    form = forms.newest(FORM)
    first = next(form.all_steps())
    interview = Interview(form.name, form.version, lang, revision=0, at=first.key, resume=resume)
    return interview.with_before(before, files)


def in_language(interview: Interview, lang: str, *, resume: str) -> Interview:
    """Continue in another language; no answer changes."""
    return replace(interview, lang=lang, resume=resume)


def take(interview: Interview, given: Input, *, today: date, places: Places) -> Turn:
    """Take one input at any state. Never raises, whatever a person does; the same input, the same turn."""
    if isinstance(given, Said | Edited):
        command = command_of(given.text)
        if command == "start":
            return Turn(interview)
        if command:
            return Turn(interview, command)
    form = interview.definition()
    slots = path(form, interview)
    now = _Now(form, slots, slots[find(slots, interview.at)], today, places)
    turn = _TAKERS[type(given)](interview, given, now)
    after = turn.interview
    if (after.at, after.picks) != (interview.at, interview.picks):
        after = replace(after, revision=interview.revision + 1)
        return replace(turn, interview=after)
    return turn


def can_send(interview: Interview) -> bool:
    """Apply the send rule (FORMS.md)."""
    form = interview.definition()
    return is_sendable(form, interview, live_answers(path(form, interview), interview))


def urgency(interview: Interview) -> Urgency:
    """Give the class of TRIAGE.md, from the answers alone."""
    form = interview.definition()
    return class_of(form, live_answers(path(form, interview), interview))


def _said(interview: Interview, given: Said, now: _Now) -> Turn:
    if not is_visible(given.text):
        return Turn(interview, notice=Text("notice.not_understood"))
    part = Part(sound(given.text), given.message)
    if given.forwarded:
        return _noted(interview, part, now, forwarded=True)
    return _MOVES[now.row.words](interview, part, now)


def _sent(interview: Interview, given: Sent, now: _Now) -> Turn:
    if any(file.id == given.file for file in interview.files):
        return Turn(interview)
    # The rest of an album follows its first picture, even when the next question already stands there.
    slot = next((f.slot for f in interview.files if given.album and f.album == given.album), now.slot.name)
    caption = sound(given.caption or "")
    file = File(
        given.file, given.kind, slot, given.message, caption, given.album or "", forwarded=given.forwarded
    )
    interview = replace(interview, files=(*interview.files, file))
    move = now.row.voice if given.kind in SPOKEN else now.row.file
    if slot != now.slot.name or given.forwarded:
        move = Move.KEEP
    if move is Move.JOIN:
        return Turn(_joined(interview, now, ()), notice=Text("notice.kept"))
    answers = now.row.words in {Move.ANSWER, Move.SEARCH}
    if answers and slot == now.slot.name and not given.forwarded and is_visible(caption):
        return _MOVES[now.row.words](interview, Part(caption, given.message), now)
    if move is Move.KEEP:
        return Turn(interview, notice=Text("notice.kept"))
    return _moved_on(interview, now, Answer(by_file=True))


def _located(interview: Interview, given: Located, now: _Now) -> Turn:
    latitude, longitude = given.latitude, given.longitude
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        return Turn(interview, notice=Text("notice.not_understood"))
    point = Point(
        now.slot.name, round(latitude, now.form.point_decimals), round(longitude, now.form.point_decimals)
    )
    if now.row.location is Move.ANSWER:
        before = interview.answers.get(now.slot.name, Answer())
        parts = before.parts if interview.picks else ()
        answer = Answer(parts=parts, understood={"point": [point.latitude, point.longitude]})
        return _moved_on(interview, now, answer)
    return Turn(replace(interview, points=(*interview.points, point)), notice=Text("notice.kept"))


def _edited(interview: Interview, given: Edited, now: _Now) -> Turn:
    """Replace the words that a message gave, wherever they are, and understand them anew."""
    if not is_visible(given.text):
        return Turn(interview, notice=Text("notice.not_understood"))
    given = replace(given, text=sound(given.text))
    files = tuple(
        replace(f, caption=given.text) if f.message == given.message else f for f in interview.files
    )
    notes = tuple(
        replace(note, words=given.text) if note.message == given.message else note for note in interview.notes
    )
    changed = replace(interview, files=files, notes=notes)
    for name, answer in interview.answers.items():
        if any(part.message == given.message for part in answer.parts):
            changed = _edit_answer(changed, name, given, now)
    messages = {file.message for file in files} | {note.message for note in notes}
    messages |= {part.message for answer in interview.answers.values() for part in answer.parts}
    if given.message not in messages:
        return Turn(interview, notice=Text("notice.edit_unknown"))
    slots = path(now.form, changed)
    if not any(slot.name == changed.at for slot in slots):
        changed = replace(changed, at=next_open(slots, changed), picks=())
    return Turn(changed, notice=Text("notice.edited"))


def _edit_answer(interview: Interview, name: str, given: Edited, now: _Now) -> Interview:
    answer = interview.answers[name]
    parts = tuple(
        replace(part, words=given.text) if part.message == given.message else part for part in answer.parts
    )
    slot = next((slot for slot in now.slots if slot.name == name), None)
    edited = replace(answer, parts=parts, understood=None)
    if slot is None:  # the path leaves it out; it is understood when it comes back
        return interview.with_answer(name, edited)
    if slot.step.kind is Kind.PLACE:
        picks, sure = candidates(edited.words, interview.lang, now.places)
        interview = interview.with_answer(name, replace(edited, understood=sure))
        if interview.at == name and interview.picks:
            return replace(interview, picks=picks)
        return interview
    edited = _understand(edited, replace(now, slot=slot))
    return interview.with_answer(name, edited)


def _unusable(interview: Interview, given: Unusable, now: _Now) -> Turn:  # noqa: ARG001 - one signature
    known = {"too_big", "empty_file", "not_received", "too_many"}
    return Turn(interview, notice=Text(f"notice.{given.what if given.what in known else 'not_understood'}"))


def _tapped(interview: Interview, given: Tapped, now: _Now) -> Turn:
    shown = card(interview)
    stands = any(button.key == given.button for row in shown.buttons for button in row)
    if given.revision != interview.revision or not stands:
        return Turn(interview, notice=Text("notice.stale"))
    act, _, value = given.button.partition(".")
    return _TAPS[act](interview, value, now)


def _tap_option(interview: Interview, value: str, now: _Now) -> Turn:
    option = now.slot.step.option(value)
    assert option is not None  # it stands on the card
    if option.outcome:
        return Turn(interview, option.outcome)
    if now.slot.name == next(now.form.all_steps()).key:
        return _moved_on(interview, now, Answer(value, understood={"consent_text": now.form.consent}))
    return _moved_on(interview, now, Answer(value, understood=dict(option.means) or None))


def _tap_pick(interview: Interview, value: str, now: _Now) -> Turn:
    before = interview.answers.get(now.slot.name, Answer())
    understood = None if value == "none" else dict(interview.picks[int(value)])
    return _moved_on(interview, now, replace(before, understood=understood))


def _tap_skip(interview: Interview, value: str, now: _Now) -> Turn:  # noqa: ARG001 - one signature
    return _moved_on(interview, now, Answer(skipped=now.slot.step.skip))


def _tap_keep(interview: Interview, value: str, now: _Now) -> Turn:  # noqa: ARG001 - one signature
    """Leave an answer as it is; at files: no more of them."""
    kept = interview.answers.get(now.slot.name, Answer(by_file=True))
    return _moved_on(interview, now, kept)


def _tap_back(interview: Interview, value: str, now: _Now) -> Turn:  # noqa: ARG001 - one signature
    if interview.picks:
        return Turn(replace(interview, picks=()))
    before = now.slots[max(find(now.slots, now.slot.name) - 1, 0)]
    return Turn(replace(interview, at=before.name))


def _tap_change(interview: Interview, value: str, now: _Now) -> Turn:  # noqa: ARG001 - one signature
    return Turn(replace(interview, at=value))


def _tap_clear(interview: Interview, value: str, now: _Now) -> Turn:  # noqa: ARG001 - one signature
    """Take back the files of this question, as the person asks."""
    files = tuple(file for file in interview.files if file.slot != now.slot.name)
    answers = {name: answer for name, answer in interview.answers.items() if name != now.slot.name}
    words = interview.answers.get(now.slot.name, Answer()).parts
    if words:
        answers[now.slot.name] = Answer(parts=words)
    # The card is the same with fewer files: a second tap on it must still be recognised as late.
    cleared = replace(interview, files=files, answers=answers, revision=interview.revision + 1)
    return Turn(cleared, notice=Text("notice.cleared"))


def _tap_hide(interview: Interview, value: str, now: _Now) -> Turn:  # noqa: ARG001 - one signature
    return Turn(interview, "hide")


def _tap_send(interview: Interview, value: str, now: _Now) -> Turn:  # noqa: ARG001 - one signature
    return Turn(interview, "send")


def _answered(interview: Interview, part: Part, now: _Now) -> Turn:
    answer = _understand(Answer(parts=(part,)), now)
    return _moved_on(interview, now, answer, notice=_say_understood(answer, interview.lang))


def _searched(interview: Interview, part: Part, now: _Now) -> Turn:
    """Look for settlements; while some are offered, more words make the search narrower."""
    before = interview.answers.get(now.slot.name, Answer())
    parts = (*before.parts, part) if interview.picks else (part,)
    answer = Answer(parts=parts)
    picks, sure = candidates(part.words, interview.lang, now.places)
    if not picks and sure is None and len(parts) > 1:
        picks, sure = candidates(answer.words, interview.lang, now.places)
    answer = replace(answer, understood=sure)
    if picks:
        return Turn(replace(interview.with_answer(now.slot.name, answer), picks=picks))
    return _moved_on(interview, now, answer, notice=_say_understood(answer, interview.lang))


def _joined_words(interview: Interview, part: Part, now: _Now) -> Turn:
    return Turn(_joined(interview, now, (part,)), notice=Text("notice.kept"))


def _joined(interview: Interview, now: _Now, parts: tuple[Part, ...]) -> Interview:
    before = interview.answers.get(now.slot.name, Answer())
    return interview.with_answer(
        now.slot.name, Answer(parts=(*before.parts, *parts), by_file=before.by_file or not parts)
    )


def _kept_words(interview: Interview, part: Part, now: _Now) -> Turn:
    return _noted(interview, part, now, forwarded=False)


def _noted(interview: Interview, part: Part, now: _Now, *, forwarded: bool) -> Turn:
    note = Note(now.slot.name, part.words, part.message, forwarded=forwarded)
    kept = replace(interview, notes=(*interview.notes, note))
    choose = now.slot.step.kind is Kind.TAP and not forwarded
    return Turn(kept, notice=Text("notice.kept_choose" if choose else "notice.kept"))


def _understand(answer: Answer, now: _Now) -> Answer:
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
        edtf = understand_date(answer.words, today=now.today)
        understood = {"edtf": edtf, "today": now.today.isoformat()} if edtf else None
    return replace(answer, understood=understood)


def _say_understood(answer: Answer, lang: str) -> Text | None:
    said = said_understood(answer.understood, lang)
    return Text("notice.understood", {"value": said}) if said else None


def _moved_on(interview: Interview, now: _Now, answer: Answer, *, notice: Text | None = None) -> Turn:
    """Set the answer and go to the first open question."""
    interview = interview.with_answer(now.slot.name, answer)
    slots = path(now.form, interview)
    return Turn(replace(interview, at=next_open(slots, interview), picks=()), notice=notice)


_MOVES: Mapping[Move, Callable[[Interview, Part, _Now], Turn]] = {
    Move.ANSWER: _answered,
    Move.SEARCH: _searched,
    Move.JOIN: _joined_words,
    Move.KEEP: _kept_words,
}
_TAPS: Mapping[str, Callable[[Interview, str, _Now], Turn]] = {
    "o": _tap_option,
    "pick": _tap_pick,
    "skip": _tap_skip,
    "keep": _tap_keep,
    "back": _tap_back,
    "change": _tap_change,
    "clear": _tap_clear,
    "hide": _tap_hide,
    "send": _tap_send,
}
_TAKERS: Mapping[type, Callable[[Interview, Any, _Now], Turn]] = {
    Said: _said,
    Tapped: _tapped,
    Sent: _sent,
    Located: _located,
    Edited: _edited,
    Unusable: _unusable,
}
