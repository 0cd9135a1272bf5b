"""Every state meets every input: nothing raises, nothing is lost, nothing is invented, every card is in bounds.

The states are walked in `tests.flows.states`. The inputs: each kind of word, file, point, edit and tap, the stale and
the forged.
"""

import math
import random
from functools import cache
from itertools import product

import pytest

import flows
from flows import forms
from flows.form import Outcome
from flows.interview import Interview
from flows.path import find, path
from tests.flows import laws
from tests.flows.states import FORMS, every_state_of

SAMPLE = 6  # inputs that each state meets; one state of each kind of question meets all
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


@cache
def _all_buttons() -> tuple[str, ...]:
    """Every button of every form, and what somebody may forge."""
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
    forged = {
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
    return tuple(sorted(buttons | forged))


@cache
def _inputs() -> tuple[flows.Input, ...]:
    """Everything but taps."""
    given: list[flows.Input] = []
    for words in (*WORDS, *UNSEEN, *COMMANDS):
        given += [flows.Said(words, 500), flows.Said(words, None, forwarded=True, origin="Канал <b>")]
        given += [flows.Said(words, 501, reply_to=7), flows.Edited(words, 7), flows.Edited(words, 9)]
        given.append(flows.Claimed("contact", words, 503, origin=words))
    given.append(flows.Edited("nothing of ours", -1))
    for kind in KINDS:
        given += [
            flows.Sent("new", kind, 501),
            flows.Sent("new", kind, 501, caption="Зелене", album="a"),
            flows.Sent("new", kind, None, caption="", forwarded=True),
            flows.Sent("p", kind, 9),
        ]
    for degrees in ((46.63541, 32.61692), (-90.0, 180.0), (-90.1, 0.0), (math.nan, 1.0), (1.0, math.inf)):
        given += [flows.Located(*degrees, 502), flows.Located(*degrees, 502, name="Вокзал\nвул. Лісова")]
        given.append(flows.Located(*degrees, 502, name="Вокзал", forwarded=True, origin="Оля"))
    for what in ("sticker", "poll", "contact", "too_big", "empty_file", "not_received", "", "../x"):
        given.append(flows.Unusable(what))
    return tuple(given)


def _taps(interview: Interview) -> list[flows.Input]:
    """Taps on what stands, on what does not, and on what stood before."""
    taps = [flows.Tapped(interview.revision, button) for button in laws.keys(interview)]
    stale = (interview.revision - 1, interview.revision + 1, -1, 2**70)
    return [*taps, *(flows.Tapped(*tap) for tap in product(stale, ("send", "hide")))]


@pytest.fixture(params=FORMS)
def states(request: pytest.FixtureRequest) -> tuple[Interview, ...]:
    return every_state_of(request.param)


@pytest.mark.parametrize("form", FORMS)
def test_the_walk_reaches_every_step_of_every_path(form: str) -> None:
    states = every_state_of(form)
    steps = {step.key for step in forms.newest(form).all_steps()}
    assert steps == {interview.at.partition("#")[0] for interview in states}
    assert any(interview.picks for interview in states) or form in {"child", "later"}
    assert any(interview.sent for interview in states) or form in {"child", "later"}
    assert {heading.key for heading in forms.newest(form).headings} == {
        heading for interview in states if interview.sent for heading in interview.opened
    }


def test_every_state_takes_every_input(states: tuple[Interview, ...]) -> None:
    chance = random.Random(22)
    met: set[tuple[object, ...]] = set()
    for interview in states:
        laws.review_equals_body(interview)
        inputs = [*_inputs(), *_taps(interview)]
        kind = _asks(interview)
        some = inputs if kind not in met else chance.sample(inputs, SAMPLE)
        met.add(kind)
        for given in some:
            laws.obey(interview, given, laws.take(interview, given))


def _asks(interview: Interview) -> tuple[object, ...]:
    """What kind of question stands there, and whether it was answered."""
    slots = path(interview.definition(), interview)
    slot = slots[find(slots, interview.at)]
    answered = slot.name in interview.answers
    return slot.step.kind, bool(slot.turn), answered, interview.sent, bool(interview.picks), interview.menu


def test_every_card_is_three_short_lines_in_every_language(states: tuple[Interview, ...]) -> None:
    for interview in states:
        laws.card_is_in_bounds_in_every_language(interview)


def test_a_stale_or_forged_tap_changes_nothing_and_says_so(states: tuple[Interview, ...]) -> None:
    chance = random.Random(22)
    for interview in states:
        shown = laws.keys(interview)
        forged = [button for button in chance.sample(_all_buttons(), 8) if button not in shown]
        taps = [flows.Tapped(interview.revision, button) for button in forged]
        taps += [flows.Tapped(interview.revision - 1, button) for button in shown[:8]]
        for tap in taps:
            assert laws.take(interview, tap) == flows.Turn(interview, notice=flows.Text("notice.stale"))


def test_every_button_shown_does_something_once(states: tuple[Interview, ...]) -> None:
    """Two taps at once are one tap."""
    chance = random.Random(22)
    for interview in states:
        shown = laws.keys(interview)
        for button in chance.sample(shown, min(len(shown), SAMPLE)):
            tap = flows.Tapped(interview.revision, button)
            once = laws.take(interview, tap)
            assert once.outcome is not None or once.interview != interview, (interview.at, button)
            if once.outcome is None:
                assert laws.take(once.interview, tap).interview == once.interview


def test_every_question_can_be_left_and_every_optional_one_skipped(states: tuple[Interview, ...]) -> None:
    for interview in states:
        slots = path(interview.definition(), interview)
        step = slots[find(slots, interview.at)].step
        shown = laws.keys(interview)
        if step.skip and not interview.picks:
            assert {"skip", "keep"} & set(shown), interview.at


COMES_FIRST: tuple[tuple[str, Outcome | None], ...] = (
    ("стерти", "erase"),
    ("hide", "hide"),
    ("/start", None),
)


def test_hide_erase_and_start_come_before_anything_else(states: tuple[Interview, ...]) -> None:
    for interview in states:
        for words, outcome in COMES_FIRST:
            assert laws.take(interview, flows.Said(words, 1)) == flows.Turn(interview, outcome)
