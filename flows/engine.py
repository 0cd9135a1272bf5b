"""The interview engine: pure, total, and never losing an answer.

Every input has an effect at every step: `flows.moves.TABLE` shows it whole, `flows.taps` has the buttons. Nothing is
asked of the clock, the network or chance.

    interview = begin("uk", resume="лелека берег")
    turn = take(interview, Tapped(0, "o.adult"), today=date(2026, 11, 22), places=places)
    card(turn.interview, turn.notice), turn.outcome
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from flows import forms
from flows.cards import Text
from flows.echo import is_visible
from flows.form import Kind, Urgency
from flows.inputs import SPOKEN, Claimed, Edited, Input, Located, Said, Sent, Tapped, Unusable, sound
from flows.interview import Answer, File, Interview, Note, Part, Point
from flows.lookup import Places
from flows.moves import (
    MOVES,
    Move,
    Now,
    Turn,
    at_point,
    joined,
    moved_on,
    noted,
    offers,
    say_understood,
    understand,
)
from flows.path import class_of, find, is_sendable, live_answers, next_open, path
from flows.taps import FORM, tapped
from flows.words import command_of

MOST_LATITUDE, MOST_LONGITUDE = 90, 180  # degrees


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
    now = Now(interview, form, slots, slots[find(slots, interview.at)], today, places)
    turn = _TAKERS[type(given)](interview, given, now)
    after = turn.interview
    if _shown_by(after) != _shown_by(interview):
        after = replace(after, revision=interview.revision + 1)
        return replace(turn, interview=after)
    return turn


def _shown_by(interview: Interview) -> tuple[Any, ...]:
    """What decides which buttons stand; answers may add or take away one, but never give one another meaning."""
    return interview.form, interview.at, interview.picks, interview.menu, interview.opened


def once_sent(interview: Interview) -> Interview | None:
    """Give what may follow in the same sitting: what is asked after sending, and the headings; None for a form
    that has neither. Of what was told only the chosen buttons stay, for conditions look at them.
    """
    form = interview.definition()
    if not form.after and not form.headings:
        return None
    slots = path(form, interview)
    live = live_answers(slots, interview)
    context = {name: answer.option for name, answer in live.items() if answer.option and "#" not in name}
    following = Interview(
        form.name,
        form.version,
        interview.lang,
        revision=interview.revision + 1,
        at=slots[-1].name,
        resume=interview.resume,
        sent=True,
        context=context,
    )
    if interview.sent:  # what is asked after sending was asked by now, and is not asked again
        return following
    return replace(following, at=next_open(path(form, following), following))


def can_send(interview: Interview) -> bool:
    """Apply the send rule (FORMS.md)."""
    form = interview.definition()
    return is_sendable(form, interview, live_answers(path(form, interview), interview))


def urgency(interview: Interview) -> Urgency:
    """Give the class of TRIAGE.md, from the answers alone."""
    form = interview.definition()
    return class_of(form, live_answers(path(form, interview), interview))


def _said(interview: Interview, given: Said, now: Now) -> Turn:
    if not is_visible(given.text):
        return Turn(interview, notice=Text("notice.not_understood"))
    words = sound(given.text)
    if given.forwarded:
        note = Note(now.slot.name, words, given.message, forwarded=True, origin=sound(given.origin))
        return noted(interview, note)
    answered = _slot_of(interview, given.reply_to)
    if answered and answered != now.slot.name:
        return noted(interview, Note(answered, words, given.message))
    return MOVES[now.row.words](interview, Part(words, given.message), now)


def _claimed(interview: Interview, given: Claimed, now: Now) -> Turn:
    """Keep another person's details as what somebody says of them, at any question."""
    if not is_visible(given.words):
        return Turn(interview, notice=Text("notice.not_understood"))
    words, origin = sound(given.words), sound(given.origin)
    return noted(
        interview, Note(now.slot.name, words, given.message, given.forwarded, origin, claim=given.kind)
    )


def _slot_of(interview: Interview, message: int | None) -> str:
    """Give the question that a message answered, if it answered one: a reply to it belongs there."""
    if message is None:
        return ""
    answers = interview.answers.items()
    return next(
        (name for name, answer in answers if any(part.message == message for part in answer.parts)), ""
    )


def _sent(interview: Interview, given: Sent, now: Now) -> Turn:
    if any(file.id == given.file for file in interview.files):
        return Turn(interview)
    # The rest of an album follows its first picture, even when the next question already stands there.
    slot = next((f.slot for f in interview.files if given.album and f.album == given.album), now.slot.name)
    caption = sound(given.caption or "")
    file = File(
        given.file,
        given.kind,
        slot,
        given.message,
        caption,
        given.album or "",
        forwarded=given.forwarded,
        origin=sound(given.origin),
    )
    interview = replace(interview, files=(*interview.files, file))
    move = now.row.voice if given.kind in SPOKEN else now.row.file
    if slot != now.slot.name or given.forwarded:
        move = Move.KEEP
    if move is Move.JOIN:
        return Turn(joined(interview, now, ()), notice=Text("notice.kept"))
    answers = now.row.words in {Move.ANSWER, Move.SEARCH}
    if answers and slot == now.slot.name and not given.forwarded and is_visible(caption):
        return MOVES[now.row.words](interview, Part(caption, given.message), now)
    if move is Move.KEEP:
        return Turn(interview, notice=Text("notice.kept"))
    return moved_on(interview, now, Answer(by_file=True))


def _located(interview: Interview, given: Located, now: Now) -> Turn:
    latitude, longitude = given.latitude, given.longitude
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        return Turn(interview, notice=Text("notice.not_understood"))
    if not (abs(latitude) <= MOST_LATITUDE and abs(longitude) <= MOST_LONGITUDE):
        return Turn(interview, notice=Text("notice.not_understood"))
    name = (Part(sound(given.name), given.message),) if is_visible(given.name) else ()
    if now.row.location is Move.ANSWER and not given.forwarded:
        before = interview.answers.get(now.slot.name, Answer())
        parts = (*before.parts, *name) if interview.picks else name
        answer = Answer(parts=parts, understood=at_point(latitude, longitude, now))
        return moved_on(interview, now, answer, notice=say_understood(answer, interview.lang))
    decimals = now.form.point_decimals
    point = Point(now.slot.name, round(latitude, decimals), round(longitude, decimals))
    kept = replace(interview, points=(*interview.points, point))
    origin = sound(given.origin)
    notes = (Note(now.slot.name, part.words, part.message, given.forwarded, origin) for part in name)
    return Turn(replace(kept, notes=(*kept.notes, *notes)), notice=Text("notice.kept"))


def _edited(interview: Interview, given: Edited, now: Now) -> Turn:
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


def _edit_answer(interview: Interview, name: str, given: Edited, now: Now) -> Interview:
    answer = interview.answers[name]
    parts = tuple(
        replace(part, words=given.text) if part.message == given.message else part for part in answer.parts
    )
    slot = next((slot for slot in now.slots if slot.name == name), None)
    edited = replace(answer, parts=parts, understood=None)
    if slot is None:  # the path leaves it out; it is understood when it comes back
        return interview.with_answer(name, edited)
    if slot.step.kind is Kind.PLACE or slot.step.organisations:
        picks, sure = offers(edited.words, interview.lang, slot, now.places)
        interview = interview.with_answer(name, replace(edited, understood=sure))
        if interview.at == name and interview.picks:
            return replace(interview, picks=picks)
        return interview
    edited = understand(edited, replace(now, slot=slot))
    return interview.with_answer(name, edited)


def _unusable(interview: Interview, given: Unusable, now: Now) -> Turn:  # noqa: ARG001 - one signature
    known = {"too_big", "empty_file", "not_received", "too_many", "too_much", "too_long"}
    return Turn(interview, notice=Text(f"notice.{given.what if given.what in known else 'not_understood'}"))


_TAKERS: Mapping[type, Callable[[Interview, Any, Now], Turn]] = {
    Said: _said,
    Tapped: tapped,
    Sent: _sent,
    Located: _located,
    Claimed: _claimed,
    Edited: _edited,
    Unusable: _unusable,
}
