"""The states of every form: each step of each path, fresh, answered in each way, changed, with places to choose from.

every_state_of("witness") walks them once; before sending and after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

import flows
from flows import forms
from flows.form import ANOTHER, Form, Kind
from flows.interview import Interview
from flows.path import Slot, find, path
from tests.flows import laws

TURNS = 3  # of a repeat
LEADS_TO = {
    "family": "family",
    "self": "self",
    "witness": "heard",
    "insider": "work",
    "with_me": "with_me",
    "later": "sent_before",
}
FORMS = (*LEADS_TO, "child")


@cache
def every_state_of(form: str) -> tuple[Interview, ...]:
    """Give the states before sending, and after it."""
    before = tuple(_states(form, [begun(form)]))
    sendable = [interview for interview in before if flows.can_send(interview)]
    following: dict[tuple[object, ...], Interview] = {}
    for interview in sendable:
        if (then := flows.once_sent(interview)) is not None:
            following.setdefault((_leads_through(then), flows.urgency(then)), then)
    return before + tuple(_states(form, list(following.values())))


def _answers_of(step_kind: Kind, step_options: tuple[str, ...]) -> tuple[flows.Input, ...]:
    """Each way in which a step can be answered, as inputs at revision 0."""
    ways: list[flows.Input] = [flows.Tapped(0, f"o.{option}") for option in step_options[:2]]
    if step_kind is not Kind.TAP:
        ways += [flows.Said("Zlata about 8", 7), flows.Sent("v", "voice", 8), flows.Tapped(0, "skip")]
    if step_kind is Kind.PLACE:
        ways += [flows.Said("Зелене", 7), flows.Said("Тихе", 7), flows.Located(46.6, 32.6)]
    if step_kind in {Kind.AGE, Kind.DATE}:
        ways += [flows.Said("02.03.2014", 7)]
    if step_kind is Kind.FILES:
        ways += [flows.Sent("p", "photo", 9, caption="with words"), flows.Tapped(0, "keep")]
    return tuple(ways)


def _at(revision: int, given: flows.Input) -> flows.Input:
    return flows.Tapped(revision, given.button) if isinstance(given, flows.Tapped) else given


def _signatures(interview: Interview) -> set[tuple[object, ...]]:
    """What makes two states the same for the engine: not which words, but which kinds of answers stand where.

    A state is new if it stands on a new path, or if its own answer is of a new kind; not for each pair of them.
    """
    slots = path(interview.definition(), interview)
    slot = slots[find(slots, interview.at)]
    own = interview.answers.get(slot.name)
    here = (slot.name, interview.sent, bool(interview.picks), interview.menu)
    way = interview.opened or _leads_through(interview)
    kind = own and (own.option, bool(own.parts), own.skipped, own.by_file, bool(own.understood))
    enough = bool(interview.files), flows.can_send(interview), flows.urgency(interview)
    return {("way", *here, way, slot.heading and _decided(interview, slots)), ("own", *here, kind, enough)}


def _states(form: str, starts: Sequence[Interview]) -> Iterator[Interview]:
    """Walk every way of answering every step, keeping one state of each signature; one heading at a time."""
    seen: set[tuple[object, ...]] = set()
    waiting = list(starts)
    deciding = _deciding(forms.newest(form))
    while waiting:
        interview = waiting.pop()
        new = _signatures(interview) - seen
        if not new or interview.form != form:
            continue
        seen |= new
        yield interview
        waiting += [laws.take(interview, given).interview for given in _ways_on(interview, deciding)]


def _ways_on(interview: Interview, deciding: set[str]) -> list[flows.Input]:
    """What a person may do next that leads to another state: answers, and the buttons that move about."""
    slots = path(interview.definition(), interview)
    slot = slots[find(slots, interview.at)]
    step = slot.step
    options = tuple(option.key for option in step.options if slot.turn < TURNS or option.key != ANOTHER)
    ways = _answers_of(step.kind, options)
    if step.key in deciding:
        ways = (*(flows.Tapped(0, f"o.{option}") for option in options), *ways)
    acts = {"change", "pick", "back", "menu", "review"} | (set() if interview.opened else {"open"})
    # Under a heading nothing is told that the core did not: one way through it is enough.
    if slot.heading:
        ways = ways if step.key in deciding else (ways[0], flows.Tapped(0, "skip"))
        acts = {"pick", "review"}
    moves = (flows.Tapped(0, key) for key in laws.keys(interview) if key.split(".")[0] in acts)
    return [_at(interview.revision, way) for way in (*ways, *moves)]


def _leads_through(interview: Interview) -> tuple[str, ...]:
    """The path, with all that could be opened on it."""
    form = interview.definition()
    opened = tuple(heading.key for heading in form.headings)
    return tuple(slot.name for slot in path(form, replace(interview, opened=opened)))


def _decided(interview: Interview, slots: list[Slot]) -> tuple[str, ...]:
    """Which optional questions the answers so far have added or taken away."""
    return tuple(slot.name for slot in slots if slot.heading in interview.opened)


def _deciding(form: Form) -> set[str]:
    """The steps that others depend on."""
    return {condition.step for step in form.all_steps() for condition in step.when}


def begun(form: str) -> Interview:
    """An interview of this form at its first own question."""
    interview = flows.begin("uk", resume="лелека берег")
    taps = ("o.minor",) if form == "child" else ("o.adult", f"o.{LEADS_TO[form]}")
    for tap in taps:
        interview = laws.take(interview, flows.Tapped(interview.revision, tap)).interview
    assert interview.form == form
    return interview
