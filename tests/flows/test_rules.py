"""The send rule and the class, by FORMS.md and TRIAGE.md."""

from datetime import date

import pytest

import flows
from tests.flows import laws

BEGUN = ("o.adult", "o.family")


def told(*inputs: flows.Input | str, today: date = laws.TODAY) -> flows.Interview:
    interview = flows.begin("en")
    for given in inputs:
        taken = flows.Tapped(interview.revision, given) if isinstance(given, str) else given
        turn = flows.take(interview, taken, today=today, places=laws.PLACES)
        assert turn.notice is None or turn.notice.key != "notice.stale", given
        interview = turn.interview
    return interview


def test_the_kind_alone_is_not_enough() -> None:
    assert not flows.can_send(told(*BEGUN, "o.unknown"))
    with pytest.raises(flows.NotSendableError):
        flows.body(told(*BEGUN, "o.unknown"))


def test_nothing_is_sent_without_consent_and_kind() -> None:
    assert not flows.can_send(told(flows.Sent("f", "photo"), flows.Said("help", 1)))
    assert not flows.can_send(told("o.adult", flows.Sent("f", "photo"), flows.Said("help", 1)))


@pytest.mark.parametrize(
    ("inputs", "enough"),
    [
        ((flows.Said("Zlata", 1),), True),
        ((flows.Sent("f", "photo"),), True),
        ((flows.Sent("f", "voice"),), True),
        (("skip", "o.8"), False),
        (("skip", "o.8", "skip", flows.Said("Тихе", 1)), True),
        (("skip", "skip", "o.girl", flows.Said("Тихе", 1)), True),
        (
            ("skip", "skip", "skip", flows.Said("Тихе", 1), flows.Said("2022", 2)),
            False,
        ),  # a settlement and a date
        (("skip", "skip", "skip", flows.Said("camp by the lake", 1), flows.Said("2022", 2)), True),
        (("skip", "skip", "skip", flows.Said("see https://example.org/a", 1)), True),
        (("skip", "skip", "skip", "skip", "skip", "skip"), False),
    ],
)
def test_what_is_enough(inputs: tuple[flows.Input | str, ...], enough: bool) -> None:  # noqa: FBT001 - a table's column
    assert flows.can_send(told(*BEGUN, "o.unknown", *inputs)) is enough


def test_in_danger_any_words_are_enough() -> None:
    assert not flows.can_send(told(*BEGUN, "o.danger"))
    assert flows.can_send(told(*BEGUN, "o.danger", flows.Said("tomorrow", 1)))


def test_classes() -> None:
    assert flows.urgency(told(*BEGUN, "o.danger")) == "critical"
    assert flows.urgency(told(*BEGUN, "o.known")) == "high"
    assert flows.urgency(told(*BEGUN, "o.home")) == "normal"
    no_name_to_place = ("skip", "skip", "skip", "skip")
    assert flows.urgency(told(*BEGUN, "o.unknown", *no_name_to_place, flows.Said("10.11.2026", 1))) == "high"
    assert (
        flows.urgency(told(*BEGUN, "o.unknown", *no_name_to_place, flows.Said("10.09.2026", 1))) == "normal"
    )
    assert flows.urgency(told(*BEGUN, "o.unknown", "skip", flows.Said("01.01.2009", 1))) == "high"
    assert flows.urgency(told(*BEGUN, "o.unknown", "skip", flows.Said("01.01.2012", 1))) == "normal"


def test_the_class_counts_from_the_day_it_was_said() -> None:
    answers = (*BEGUN, "o.unknown", "skip", "skip", "skip", "skip", flows.Said("10.11.2026", 1))
    interview = told(*answers, today=date(2026, 11, 22))
    assert flows.body(told(*answers, flows.Sent("f", "photo")))["urgency"] == "high"
    assert interview.answers["when"].understood == {"edtf": "2026-11-10", "today": "2026-11-22"}


def test_an_answer_off_the_path_decides_nothing_but_its_words_are_sent() -> None:
    interview = told(*BEGUN, "o.danger", flows.Said("tomorrow by bus", 1), "o.more", flows.Said("Zlata", 2))
    interview = laws.take(interview, flows.Tapped(interview.revision, "back")).interview  # age → name
    for _ in range(3):
        interview = laws.take(interview, flows.Tapped(interview.revision, "back")).interview
    assert interview.at == "where"
    interview = laws.take(interview, flows.Tapped(interview.revision, "o.home")).interview
    assert flows.urgency(interview) == "normal"
    assert flows.body(interview)["beside"] == [
        {"step": "urgent", "label": "ask.urgent.label", "words": ["tomorrow by bus"]}
    ]
