"""By which places a report finds its compartment: where the child was taken from first, and only what still counts."""

from collections.abc import Mapping

import pytest

from flows import Interview, forms, place_codes, placecodes
from flows.interview import Answer, Part

KHERSON, MELITOPOL = "UA65060070010048396", "UA23060070010021629"


def place(code: str) -> Answer:
    return Answer(parts=(Part("as typed"),), understood={"place": code, "country": "UA"})


def abroad(code: str, country: str) -> Answer:
    return Answer(understood={"place": code, "country": country})


CAMP = Answer(option="", understood={"facility": "zubrenok", "name": {"en": "Zubrenok"}, "country": "BY"})
MORE, ENOUGH = Answer(option="another"), Answer(option="enough")


def told(form: str, answers: Mapping[str, Answer], *, opened: tuple[str, ...] = ("journey",)) -> Interview:
    newest = forms.newest(form)
    return Interview(form, newest.version, "en", 1, newest.review.key, answers=dict(answers), opened=opened)


def test_where_the_child_was_taken_from_comes_first_then_where_it_is_now() -> None:
    interview = told(
        "family",
        {
            "leg_place#1": abroad("geonames:472045", "RU"),
            "leg_more#1": MORE,
            "leg_place#2": CAMP,
            "leg_more#2": ENOUGH,
            "place": place(KHERSON),
        },
    )
    assert place_codes(interview) == (KHERSON, "BY", "RU")


def test_the_tenth_leg_comes_after_the_ninth() -> None:
    answers = {f"leg_more#{turn}": MORE for turn in range(1, 10)}
    answers |= {"leg_place#9": abroad("geonames:1", "BY"), "leg_place#10": abroad("geonames:2", "RU")}
    assert place_codes(told("family", answers)) == ("RU", "BY")


def test_a_witness_names_where_it_began_and_where_it_was_seen() -> None:
    answers = {"site": place(MELITOPOL), "origin": place(KHERSON), "when": Answer(option="earlier")}
    assert place_codes(told("witness", answers)) == (KHERSON, MELITOPOL)


def test_each_code_counts_once() -> None:
    answers = {"place": place(KHERSON), "leg_place#1": place(KHERSON), "leg_more#1": ENOUGH}
    assert place_codes(told("family", answers)) == (KHERSON,)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(parts=(Part("beyond the river"),)),
        Answer(skipped="unknown"),
        Answer(by_file=True),
        Answer(understood={"point": [46.6, 32.6]}),
        Answer(understood={"facility": "somewhere", "name": {}, "country": ""}),
    ],
    ids=["as typed", "unknown", "voice", "a point alone", "a facility of no country"],
)
def test_a_place_that_is_no_settlement_has_no_code(answer: Answer) -> None:
    assert place_codes(told("family", {"place": answer})) == ()


def test_a_place_that_the_path_no_longer_leads_to_does_not_count() -> None:
    answers = {"place": place(KHERSON), "leg_place#1": CAMP, "leg_more#1": ENOUGH, "leg_place#2": CAMP}
    assert place_codes(told("family", answers, opened=())) == (KHERSON,)
    assert place_codes(told("child", answers, opened=())) == ()


@pytest.mark.parametrize("form", sorted({form.name for form in forms.every()}))
def test_every_question_for_a_place_is_in_the_order(form: str) -> None:
    newest = forms.newest(form)
    asked = {step.key for step in newest.all_steps() if step.kind == "place"}
    assert asked <= {"place", "origin", "site", "leg_place"}


def test_the_beginning_of_a_code_is_called_by_its_area() -> None:
    def english(prefix: str) -> str | None:
        area = placecodes.area(prefix)
        return area["en"] if area else None

    assert english("UA65") == "Kherson Oblast"
    assert english("UA6506") == "Kakhovskyi Raion"
    assert english("UA80000000000093317") == "Kyiv"
    assert english("BY") == "BY"
    assert [english(nowhere) for nowhere in ("UA99", "UA6", "UA650", "", "PL", "geonames:1")] == [None] * 6
