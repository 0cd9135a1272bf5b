"""Every state meets every input: nothing raises, nothing is lost, nothing is invented, every card is in bounds.

The states: each step of each path, fresh, answered in each way it can be, being changed from the review, and
with places to choose from. The inputs: each kind of word, file, point, edit and tap, the stale and the forged.
"""

import math
import random
from collections.abc import Iterator, Sequence
from functools import cache

import pytest

import flows
from flows import forms
from flows.form import ANOTHER, Form, Kind
from flows.interview import Interview
from flows.path import Slot, find, path
from tests.flows import laws

RAIN = "\u202e\u200b\u2066"  # right-to-left override, zero width space, isolate
WORDS = (
    "Zlata",
    "Так",
    "girl",
    "8",
    "около 9 лет",
    "40",
    "осінь 2022",
    "30.02.2022",
    "3000",
    "Зелене",
    "Тихе",
    "x" * 4096,
    "\U0001f600" * 2048,
    "<b>&amp;{team}</b>",
    f"{RAIN}Оля{RAIN}",
    "عبد الله",
    "e" + "\u0301" * 500,
    "line\nline\nline\nline\nline",
    "https://t.me/example",
    "\ud800 half a pair",
    "%s {0} {answer}",
)
UNSEEN = ("", " \n ", "\u200b\u2060\u202e", "\x00\x07")
COMMANDS = ("erase", "Сховати", "/hide@dodomu_bot", "/start ref")
KINDS = ("photo", "document", "video", "video_note", "voice", "audio", "animation")


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


def _signature(interview: Interview) -> tuple[object, ...]:
    """What makes two states the same for the engine: not which words, but which kinds of answers stand where."""
    slots = path(interview.definition(), interview)
    slot = slots[find(slots, interview.at)]
    own = interview.answers.get(slot.name)
    return (
        slot.name,
        interview.sent,
        interview.opened or (not interview.sent and tuple(s.name for s in slots)),
        slot.heading and _decided(interview, slots),
        bool(interview.picks),
        interview.menu,
        own and (own.option, bool(own.parts), own.skipped, own.by_file, bool(own.understood)),
        bool(interview.files),
        flows.can_send(interview),
        flows.urgency(interview),
    )


def _states(form: str, starts: Sequence[Interview]) -> Iterator[Interview]:
    """Walk every way of answering every step, keeping one state of each signature; one heading at a time."""
    seen: set[tuple[object, ...]] = set()
    waiting = list(starts)
    while waiting:
        interview = waiting.pop()
        signature = _signature(interview)
        if signature in seen or interview.form != form:
            continue
        seen.add(signature)
        yield interview
        slots = path(interview.definition(), interview)
        slot = slots[find(slots, interview.at)]
        step = slot.step
        options = tuple(option.key for option in step.options if slot.turn < TURNS or option.key != ANOTHER)
        ways = _answers_of(step.kind, options)
        deciding = step.key in _deciding(interview.definition())
        if deciding:
            ways = (*(flows.Tapped(0, f"o.{option}") for option in options), *ways)
        acts = {"change", "pick", "back", "menu", "review"} | (set() if interview.opened else {"open"})
        # Under a heading nothing is told that the core did not: one way through it is enough.
        if slot.heading:
            ways, acts = ways if deciding else (ways[0], flows.Tapped(0, "skip")), {"pick", "review"}
        moves = tuple(flows.Tapped(0, key) for key in laws.keys(interview) if key.split(".")[0] in acts)
        waiting += [laws.take(interview, _at(interview.revision, way)).interview for way in (*ways, *moves)]


def _decided(interview: Interview, slots: list[Slot]) -> tuple[str, ...]:
    """Which optional questions the answers so far have added or taken away."""
    return tuple(slot.name for slot in slots if slot.heading in interview.opened)


def _deciding(form: Form) -> set[str]:
    """The steps that others depend on."""
    return {condition.step for step in form.all_steps() for condition in step.when}


def _begun(form: str) -> Interview:
    """An interview of this form at its first own question."""
    interview = flows.begin("uk", resume="лелека берег")
    taps = ("o.minor",) if form == "child" else ("o.adult", f"o.{LEADS_TO[form]}")
    for tap in taps:
        interview = laws.take(interview, flows.Tapped(interview.revision, tap)).interview
    assert interview.form == form
    return interview


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


def _all_buttons() -> set[str]:
    buttons = {"back", "hide", "skip", "keep", "clear", "send", "pick.0", "pick.4", "pick.none", "pick.99"}
    buttons |= {
        "review",
        "menu.more",
        "menu.change",
        "menu.",
        "open.child",
        "open.journey",
        "open.",
        "open.x",
    }
    for form in forms.every():
        for step in form.all_steps():
            buttons |= {f"change.{step.key}", *(f"o.{option.key}" for option in step.options)}
    return buttons | {
        "",
        ".",
        "o.",
        "o.nothing",
        "nothing",
        "change.",
        "change.review",
        "pick.x",
        "pick.-1",
        "é" * 30,
    }


def _inputs(interview: Interview) -> Iterator[flows.Input]:
    for words in (*WORDS, *UNSEEN, *COMMANDS):
        yield flows.Said(words, 500)
        yield flows.Said(words, None, forwarded=True)
        yield flows.Edited(words, 7)
        yield flows.Edited(words, 9)
    yield flows.Edited("nothing of ours", -1)
    for kind in KINDS:
        yield flows.Sent("new", kind, 501)
        yield flows.Sent("new", kind, 501, caption="Зелене", album="a")
        yield flows.Sent("new", kind, None, caption="", forwarded=True)
        yield flows.Sent("p", kind, 9)
    for degrees in ((46.63541, 32.61692), (-90.0, 180.0), (math.nan, 1.0), (1.0, math.inf)):
        yield flows.Located(*degrees, 502)
    for what in ("sticker", "poll", "contact", "too_big", "empty_file", "not_received", "", "../x"):
        yield flows.Unusable(what)
    for button in _all_buttons() | set(laws.keys(interview)):
        yield flows.Tapped(interview.revision, button)
    for revision in (interview.revision - 1, interview.revision + 1, -1, 2**70):
        yield flows.Tapped(revision, "send")
        yield flows.Tapped(revision, "hide")


@cache
def _states_of(form: str) -> tuple[Interview, ...]:
    """States before sending, and after it."""
    before = tuple(_states(form, [_begun(form)]))
    sendable = [interview for interview in before if flows.can_send(interview)]
    following = {}
    for interview in sendable:
        if (then := flows.once_sent(interview)) is not None:
            following.setdefault(
                (then.context.get("when"), then.context.get("where"), flows.urgency(then)), then
            )
    return before + tuple(_states(form, list(following.values())))


@pytest.fixture(params=FORMS)
def states(request: pytest.FixtureRequest) -> tuple[Interview, ...]:
    return _states_of(request.param)


@pytest.mark.parametrize("form", FORMS)
def test_the_walk_reaches_every_step_of_every_path(form: str) -> None:
    states = _states_of(form)
    steps = {step.key for step in forms.newest(form).all_steps()}
    assert steps == {interview.at.partition("#")[0] for interview in states}
    assert any(interview.picks for interview in states) or form in {"child", "later"}
    assert any(interview.sent for interview in states) or form in {"child", "later"}


def test_every_state_takes_every_input(states: tuple[Interview, ...]) -> None:
    chance = random.Random(22)
    for interview in states:
        laws.review_equals_body(interview)
        inputs = list(_inputs(interview))
        # Each state meets a part, each kind of question all: hundreds of states stand at each.
        for given in chance.sample(inputs, min(len(inputs), 60)):
            laws.obey(interview, given, laws.take(interview, given))


def test_a_stale_or_forged_tap_changes_nothing_and_says_so(states: tuple[Interview, ...]) -> None:
    for interview in states:
        shown = laws.keys(interview)
        for button in random.Random(22).sample(sorted(_all_buttons() - set(shown)), 40):
            turn = laws.take(interview, flows.Tapped(interview.revision, button))
            assert turn == flows.Turn(interview, notice=flows.Text("notice.stale"))
        for button in shown:
            turn = laws.take(interview, flows.Tapped(interview.revision - 1, button))
            assert turn == flows.Turn(interview, notice=flows.Text("notice.stale"))


def test_every_button_shown_does_something(states: tuple[Interview, ...]) -> None:
    for interview in states:
        for button in laws.keys(interview):
            turn = laws.take(interview, flows.Tapped(interview.revision, button))
            assert turn.outcome is not None or turn.interview != interview, (interview.at, button)


def test_two_taps_at_once_are_one_tap(states: tuple[Interview, ...]) -> None:
    for interview in states:
        for button in laws.keys(interview):
            once = laws.take(interview, flows.Tapped(interview.revision, button))
            if once.outcome is None:
                twice = laws.take(once.interview, flows.Tapped(interview.revision, button))
                assert twice.interview == once.interview


def test_every_question_can_be_left_and_every_optional_one_skipped(states: tuple[Interview, ...]) -> None:
    for interview in states:
        slots = path(interview.definition(), interview)
        step = slots[find(slots, interview.at)].step
        shown = laws.keys(interview)
        if step.skip and not interview.picks:
            assert {"skip", "keep"} & set(shown), interview.at


def test_hide_erase_and_start_come_before_anything_else(states: tuple[Interview, ...]) -> None:
    for interview in states:
        for words, outcome in (("стерти", "erase"), ("hide", "hide"), ("/start", None)):
            assert laws.take(interview, flows.Said(words, 1)) == flows.Turn(interview, outcome)
