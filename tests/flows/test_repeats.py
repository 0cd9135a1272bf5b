"""A form with a repeat, as the later forms will have: several children in one report, each with its own path."""

import pytest

import flows
from flows import forms
from flows.form import ANOTHER, Form, Kind, Option, Repeat, Step, chosen, given
from flows.path import path
from flows.screen import card
from tests.flows import laws

CHILD = Repeat(
    "child",
    (
        Step("name", Kind.WORDS),
        Step("sex", Kind.CHOICE, options=(Option("girl"), Option("boy"))),
        Step("age", Kind.AGE, when=(chosen("sex", "girl"),)),
        Step("more", Kind.AGAIN, options=(Option(ANOTHER), Option("enough")), skip="", told=False),
    ),
    limit=3,
)
TRIAL = Form(
    name="trial",
    version=1,
    consent=1,
    steps=(
        Step("consent", Kind.TAP, options=(Option("adult"),), skip="", told=False, plain=True),
        CHILD,
        Step("review", Kind.REVIEW, skip="", told=False),
    ),
    needs=(chosen("consent", "adult"),),
    send=((given("name"),),),
    send_critical=(),
    urgency=(),
    sharing=(),
    answer_here="answer",
    point_decimals=1,
)


@pytest.fixture
def interview(monkeypatch: pytest.MonkeyPatch) -> flows.Interview:
    monkeypatch.setitem(forms._ALL, ("trial", 1), TRIAL)
    return flows.Interview("trial", 1, "en", revision=0, at="consent")


def run(interview: flows.Interview, *inputs: str) -> flows.Interview:
    """Taps, where such a button stands; else words."""
    for given_ in inputs:
        stands = given_ in laws.keys(interview)
        taken = flows.Tapped(interview.revision, given_) if stands else flows.Said(given_, interview.revision)
        interview = laws.take(interview, taken).interview
        assert flows.Interview.from_json(interview.to_json()) == interview
    return interview


def test_each_turn_has_its_own_answers_and_its_own_path(interview: flows.Interview) -> None:
    interview = run(interview, "o.adult", "Zlata", "o.girl", "8", "o.another", "Ostap", "o.boy", "o.enough")
    assert interview.at == "review"
    assert [slot.name for slot in path(TRIAL, interview)] == [
        "consent",
        "name#1",
        "sex#1",
        "age#1",
        "more#1",
        "name#2",
        "sex#2",  # no age: that was asked of a girl, and the other turn does not count here
        "more#2",
        "review",
    ]
    laws.review_equals_body(interview)
    content = flows.body(interview)
    assert [(entry["step"], entry["turn"]) for entry in content["answers"]][-2:] == [("name", 2), ("sex", 2)]


def test_the_limit_ends_a_repeat_without_asking(interview: flows.Interview) -> None:
    child = ("o.boy", "o.another")
    interview = run(interview, "o.adult", "A", *child, "B", *child, "C", "o.boy")
    assert interview.at == "review"


def test_any_one_name_lets_it_be_sent(interview: flows.Interview) -> None:
    interview = run(interview, "o.adult", "skip", "o.boy", "o.another", "Zlata")
    assert flows.can_send(interview)


def test_a_turn_added_from_the_review_is_asked_at_once(interview: flows.Interview) -> None:
    interview = run(interview, "o.adult", "Zlata", "o.boy", "o.enough", "back", "o.another")
    assert interview.at == "name#2"
    assert "change.name#1" in {
        button.key
        for row in card(run(interview, "Olha", "o.boy", "o.enough", "menu.change")).buttons
        for button in row
    }
