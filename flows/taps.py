"""What each button does. A button counts only while it stands on the card that was tapped.

taken = tapped(interview, Tapped(3, "o.girl"), now)
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from flows import forms
from flows.cards import Text
from flows.forms.opening import OPENING
from flows.inputs import Tapped
from flows.interview import Answer, Interview
from flows.moves import Now, Turn, moved_on
from flows.path import answer_at, find, path
from flows.screen import card

FORM = "family"  # what a new interview follows until it is known how the person knows


def tapped(interview: Interview, given: Tapped, now: Now) -> Turn:
    """Take a tap: it does what its button says, or nothing, if another card stands by now."""
    shown = card(interview, slots=now.slots)
    stands = any(button.key == given.button for row in shown.buttons for button in row)
    if given.revision != interview.revision or not stands:
        return Turn(interview, notice=Text("notice.stale"))
    act, _, value = given.button.partition(".")
    return _TAPS[act](interview, value, now)


def _tap_option(interview: Interview, value: str, now: Now) -> Turn:
    option = now.slot.step.option(value)
    assert option is not None  # it stands on the card
    if option.outcome:
        return Turn(interview, option.outcome)
    answer = Answer(value, understood=dict(option.means) or None)
    if now.slot.name == next(now.form.all_steps()).key:
        answer = Answer(value, understood={"consent_text": now.form.consent})
    if any(other.form for other in now.slot.step.options):
        interview, now = _in_its_form(interview.with_answer(now.slot.name, answer), now)
    return moved_on(interview, now, answer)


def _in_its_form(interview: Interview, now: Now) -> tuple[Interview, Now]:
    """Go on in the form that the opening answers lead to; what was answered stays, also what it does not ask."""
    chosen = (step.option(interview.answers.get(step.key, Answer()).option) for step in OPENING)
    name = next((option.form for option in chosen if option and option.form), FORM)
    if name == interview.form:
        return interview, now
    form = forms.newest(name)
    return replace(interview, form=form.name, version=form.version), replace(now, form=form)


def _tap_pick(interview: Interview, value: str, now: Now) -> Turn:
    before = interview.answers.get(now.slot.name, Answer())
    understood = None if value == "none" else dict(interview.picks[int(value)])
    return moved_on(interview, now, replace(before, understood=understood))


def _tap_skip(interview: Interview, value: str, now: Now) -> Turn:  # noqa: ARG001 - one signature
    return moved_on(interview, now, Answer(skipped=now.slot.step.skip))


def _tap_keep(interview: Interview, value: str, now: Now) -> Turn:  # noqa: ARG001 - one signature
    """Leave an answer as it is; at files: no more of them."""
    kept = interview.answers.get(now.slot.name, Answer(by_file=True))
    return moved_on(interview, now, kept)


def _tap_back(interview: Interview, value: str, now: Now) -> Turn:  # noqa: ARG001 - one signature
    """Close what is offered, else show the question before; before the first of a heading stands the review."""
    if interview.picks or interview.menu:
        return Turn(replace(interview, picks=(), menu=""))
    at = find(now.slots, now.slot.name)
    before = now.slots[max(at - 1, 0)]
    if now.slot.heading and (at == 0 or before.heading != now.slot.heading):
        before = now.slots[-1]
    return Turn(replace(interview, at=before.name))


def _tap_change(interview: Interview, value: str, now: Now) -> Turn:  # noqa: ARG001 - one signature
    return Turn(replace(interview, at=value, menu=""))


def _tap_review(interview: Interview, value: str, now: Now) -> Turn:  # noqa: ARG001 - one signature
    return Turn(replace(interview, at=now.slots[-1].name, picks=(), menu=""))


def _tap_menu(interview: Interview, value: str, now: Now) -> Turn:  # noqa: ARG001 - one signature
    return Turn(replace(interview, menu=value))


def _tap_open(interview: Interview, value: str, now: Now) -> Turn:
    """Open a heading at its first open question, or at its first."""
    opened = interview.opened if value in interview.opened else (*interview.opened, value)
    interview = replace(interview, opened=opened, menu="")
    slots = [slot for slot in path(now.form, interview) if slot.heading == value]
    unanswered = (slot for slot in slots if answer_at(slot, interview) is None)
    return Turn(replace(interview, at=next(unanswered, slots[0]).name))


def _tap_clear(interview: Interview, value: str, now: Now) -> Turn:  # noqa: ARG001 - one signature
    """Take back the files of this question, as the person asks."""
    files = tuple(file for file in interview.files if file.slot != now.slot.name)
    answers = {name: answer for name, answer in interview.answers.items() if name != now.slot.name}
    words = interview.answers.get(now.slot.name, Answer()).parts
    if words:
        answers[now.slot.name] = Answer(parts=words)
    # The card is the same with fewer files: a second tap on it must still be recognised as late.
    cleared = replace(interview, files=files, answers=answers, revision=interview.revision + 1)
    return Turn(cleared, notice=Text("notice.cleared"))


def _tap_hide(interview: Interview, value: str, now: Now) -> Turn:  # noqa: ARG001 - one signature
    return Turn(interview, "hide")


def _tap_send(interview: Interview, value: str, now: Now) -> Turn:  # noqa: ARG001 - one signature
    return Turn(interview, "send")


_TAPS: Mapping[str, Callable[[Interview, str, Now], Turn]] = {
    "o": _tap_option,
    "pick": _tap_pick,
    "skip": _tap_skip,
    "keep": _tap_keep,
    "back": _tap_back,
    "change": _tap_change,
    "review": _tap_review,
    "menu": _tap_menu,
    "open": _tap_open,
    "clear": _tap_clear,
    "hide": _tap_hide,
    "send": _tap_send,
}
