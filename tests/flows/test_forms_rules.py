"""When each form can be sent, and how urgent it is: the send rule of FORMS.md and the classes of TRIAGE.md."""

from dataclasses import replace

import pytest

from flows import forms
from flows.interview import Answer, Part
from flows.path import class_of, is_sendable, live_answers, path
from tests.flows.test_forms import WRITTEN, told


def sendable(name: str, /, **answers: str | Answer) -> bool:
    interview = told(name, consent="minor" if name == "child" else "adult", **answers)
    form = forms.newest(name)
    return is_sendable(form, interview, live_answers(path(form, interview), interview))


def urgency(name: str, /, **answers: str | Answer) -> str:
    interview = told(name, **answers)
    form = forms.newest(name)
    return class_of(form, live_answers(path(form, interview), interview))


PLACE = Answer(parts=(Part("Тихе"),), understood={"place": "P1"})
FACILITY = Answer(parts=(Part("табір біля озера"),))


@pytest.mark.parametrize(
    ("name", "answers", "enough"),
    [
        ("family", {"know": "family", "where": "unknown", "name": WRITTEN}, True),
        ("family", {"know": "family", "name": WRITTEN}, False),  # where the child is now was not answered
        ("family", {"know": "family", "where": "unknown", "name": "list"}, False),
        ("family", {"know": "family", "where": "unknown", "name": "list", "list": WRITTEN}, True),
        ("family", {"know": "family", "where": "home", "home_how": WRITTEN}, False),
        ("witness", {"know": "saw", "when": "earlier", "site": PLACE}, False),
        ("witness", {"know": "saw", "when": "earlier", "site": PLACE, "how_many": "3"}, True),
        ("witness", {"know": "heard", "when": "earlier", "site": PLACE, "photos": WRITTEN}, True),
        ("witness", {"know": "heard", "when": "earlier", "site": FACILITY}, True),
        ("witness", {"know": "saw", "when": "going"}, False),
        ("witness", {"know": "saw", "when": "going", "urgent": WRITTEN}, True),
        ("insider", {"know": "work", "safe": "next"}, False),
        ("insider", {"know": "work", "safe": "next", "describe": WRITTEN}, True),
        ("insider", {"know": "work", "safe": "urgent", "urgent": WRITTEN}, True),
        ("insider", {"know": "work", "describe": WRITTEN}, False),
        ("self", {"know": "self", "where": "home", "name": WRITTEN}, True),
        ("self", {"know": "self", "where": "danger", "urgent": WRITTEN}, True),
        ("with_me", {"know": "with_me", "safe": "next", "sex": "girl", "place": PLACE}, True),
        ("child", {"door": "taken"}, False),
        ("child", {"door": "taken", "tell": WRITTEN}, True),
        ("child", {"door": "other", "safe_answer": "chat"}, True),
        ("later", {"know": "sent_before"}, False),
        ("later", {"know": "sent_before", "add": WRITTEN}, True),
    ],
)
def test_the_send_rule(name: str, answers: dict[str, str | Answer], enough: bool) -> None:  # noqa: FBT001 - a table's column
    assert sendable(name, **answers) is enough


def day(edtf: str) -> Answer:
    return Answer(understood={"edtf": edtf, "today": "2026-11-22"})


@pytest.mark.parametrize(
    ("name", "answers", "expected"),
    [
        ("family", {"where": "danger"}, "critical"),
        ("family", {"where": "known"}, "high"),
        ("family", {"where": "unknown"}, "normal"),
        ("family", {"where": "home", "when": day("2026-11-10")}, "normal"),
        ("family", {"where": "unknown", "when": day("2026-11-10")}, "high"),
        ("family", {"where": "unknown", "when": day("2026-09-10")}, "normal"),
        ("family", {"where": "unknown", "age": day("2009-01-01")}, "high"),
        ("witness", {"when": "going"}, "critical"),
        ("witness", {"when": "now"}, "critical"),
        ("witness", {"when": "earlier"}, "normal"),
        ("witness", {"when": day("2026-11-10")}, "high"),
        ("insider", {"safe": "urgent"}, "critical"),
        ("insider", {"safe": "next", "period": "ongoing"}, "high"),
        ("insider", {"safe": "next", "period": day("2022-23")}, "normal"),
        ("self", {"where": "danger"}, "critical"),
        ("self", {"where": "there"}, "high"),
        ("self", {"where": "elsewhere"}, "normal"),
        ("with_me", {"know": "with_me", "safe": "urgent"}, "critical"),
        ("with_me", {"know": "with_me", "safe": "next"}, "high"),
        ("child", {"door": "taken"}, "critical"),
        ("child", {"door": "other"}, "high"),
        ("later", {"add": WRITTEN}, "normal"),
    ],
)
def test_the_class_of_the_core(name: str, answers: dict[str, str | Answer], expected: str) -> None:
    assert urgency(name, **answers) == expected


@pytest.mark.parametrize(
    ("heading", "answers"),
    [
        ("child", {"medical": "vital"}),
        ("papers", {"now": "guardianship"}),
        ("papers", {"now": "adoption"}),
        ("papers", {"now": "citizenship"}),
        ("journey", {"stay": "closed"}),
        ("journey", {"last_contact": day("2026-11-18")}),
    ],
)
def test_the_class_hears_what_is_told_under_a_heading(heading: str, answers: dict[str, str | Answer]) -> None:
    form = forms.newest("family")
    interview = told("family", where="unknown", **answers)
    assert class_of(form, live_answers(path(form, interview), interview)) == "normal"
    opened = replace(interview, opened=(heading,))
    assert class_of(form, live_answers(path(form, opened), opened)) == "high"
