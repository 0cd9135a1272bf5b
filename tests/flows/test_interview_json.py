"""A draft is read back exactly, or refused by name; nothing of it shows in a repr."""

import pytest

import flows
from tests.flows import laws


def draft() -> flows.Interview:
    interview = flows.begin("uk", resume="лелека берег")
    for given in (
        flows.Tapped(0, "o.adult"),
        flows.Said("secret note", 1),
        flows.Sent("file-1", "photo", 2, caption="secret caption", album="a"),
        flows.Located(46.6, 32.6, 3),
    ):
        interview = laws.take(interview, given).interview
    return interview


@pytest.mark.parametrize("form", ["nobody", "", None, 7, [], {}])
def test_an_unknown_form_is_refused(form: object) -> None:
    with pytest.raises(flows.UnknownFormError):
        flows.Interview.from_json({**draft().to_json(), "form": form})


@pytest.mark.parametrize("version", [0, 3, -1, "1", None, []])
def test_an_unknown_version_is_refused(version: object) -> None:
    with pytest.raises(flows.UnknownFormError):
        flows.Interview.from_json({**draft().to_json(), "version": version})


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"form": "family"},
        {**draft().to_json(), "answers": []},
        {**draft().to_json(), "answers": {"name": 5}},
        {**draft().to_json(), "files": [[1, 2, 3, 4, 5, 6, 7, 8, 9]]},
        {**draft().to_json(), "notes": 5},
        {**draft().to_json(), "at": "nowhere"},
        {**draft().to_json(), "at": None},
    ],
)
def test_what_is_no_interview_is_refused_without_quoting_it(broken: dict[str, object]) -> None:
    with pytest.raises(flows.MalformedInterviewError) as refused:
        flows.Interview.from_json(broken)
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_nothing_shows_in_a_repr() -> None:
    interview = draft()
    values = [
        interview,
        interview.notes,
        interview.files,
        interview.points,
        interview.answers,
        flows.card(interview),
        laws.take(interview, flows.Said("secret words", 5)),
        flows.Said("secret words", 5),
        flows.Sent("f", "photo", caption="secret caption"),
        flows.Edited("secret words", 5),
        flows.Located(46.6, 32.6),
        flows.Text("card.resume", {"resume": "secret phrase"}),
    ]
    for value in values:
        assert "secret" not in repr(value)
        assert "46.6" not in repr(value)
        assert "лелека" not in repr(value)
