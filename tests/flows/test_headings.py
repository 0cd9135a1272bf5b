"""All that FORMS.md lets a reporter add is asked under some heading, in each form's own words, and nothing else."""

import pytest

import flows
from flows import forms
from flows.form import Condition, Fact, Heading, Kind, Repeat, Step
from flows.forms import headings
from flows.forms.opening import OPENING
from flows.interview import Answer, Part
from flows.path import path
from tests.flows import laws
from tests.flows.conftest import Teller

# FORMS.md, Fields: each U cell, and the steps that ask it. None: the table has «never asked» there.
ASKED_BY: dict[str, tuple[str | None, str | None, str | None]] = {
    # field: (family, witness, insider)
    "called at home": ("called", "name", "name"),
    "name in new papers": ("new_name", "name", "new_name"),
    "several children": ("another.name another.age another.sex another.photo", "ages", "ages"),
    "age, sex, number": ("age sex", "ages sexes how_many", "ages sexes how_many"),
    "height, eyes, hair, marks, clothes": ("looks", "looks", "looks"),
    "languages": ("languages", "looks", "languages"),
    "photo": ("photo", "photos files", "files"),
    "public pages, phone": ("pages", "links", "pages"),
    "medical need, vital medicine, disability": ("medical medicine disability",) * 3,
    "situation before": ("situation", "situation", "situation"),
    "institution, group or class": ("institution", "institution", "institution"),
    "brothers and sisters; who else": ("siblings group", "siblings group", "siblings group"),
    "taken from": ("place", "site origin", "site origin"),
    "once or going on": ("times", "times", "times"),
    "date": ("when", "when", "period"),
    "pretext": ("pretext", "pretext", "pretext"),
    "promised return, what was answered": ("return_date return_answer",) * 3,
    "who took them": ("takers", "takers", "takers"),
    "transport, plate, group, route": ("transport plate group route",) * 3,
    "papers signed": ("signed", None, "signed"),
    "legs": ("leg_place leg_way leg_dates leg_known leg_more stay",) * 3,
    "last contact": ("last_contact contact_how contact_place", None, None),
    "now": ("now new_papers", "now", "now new_papers"),
    "parents' names": ("parents", None, None),
    "court decision on residence": ("residence", None, None),
    "who may fetch": ("fetch", None, None),
    "what the family, the child wishes": ("wish child_wish", None, None),
    "already reported to, number": ("reported report_number", None, "reported report_number"),
    "statement already taken, by whom": ("statement statement_by", None, "statement statement_by"),
    "files, links, documents": ("files links documents",) * 3,
    "answer in this chat, safe hours": ("answer push", "answer push", "answer push"),
    "sharing": ("find courts", "find courts", "find courts"),
    "trained investigator, how": ("investigator investigator_how",) * 3,
    "anything else": ("anything",) * 3,
}
# The grown child and the person a child is with: the family's questions, without those that make no sense to them.
NOT_ASKED = {
    "self": {
        "another.name another.age another.sex another.photo": "one tells of oneself; brothers and sisters have a place",
        "called": "the name is told in the core",
        "looks": "nobody is looked for",
        "photo": "no photo is asked (VOICE.md)",
        "pages": "nobody is looked for",
        "leg_known": "whoever was there knows it from there",
        "last_contact contact_how contact_place": "it is the person who writes",
        "residence": "of age",
        "fetch": "of age",
        "wish child_wish": "asked as own_wish",
    },
    "with_me": {
        "looks": "the child is there",
        "pages": "the child is there",
        "stay": "the child is there",
        "last_contact contact_how contact_place": "the child is there",
        "wish": "the wish of whoever the child is with is not the family's",
    },
}
FORMS = ("family", "witness", "insider", "self", "with_me")


def steps_of(form: str) -> set[str]:
    """Every step's key; one that is asked of one more child also as `another.KEY`."""
    found: set[str] = set()
    for entry in forms.newest(form).all_entries():
        steps = entry.steps if isinstance(entry, Repeat) else (entry,)
        another = isinstance(entry, Repeat) and entry.key == "another"
        found |= {f"another.{step.key}" if another else step.key for step in steps}
    return found


@pytest.mark.parametrize("field", ASKED_BY)
def test_every_optional_field_of_the_table_has_its_question(field: str) -> None:
    for form, keys in zip(("family", "witness", "insider"), ASKED_BY[field], strict=True):
        assert set((keys or "").split()) <= steps_of(form), form


@pytest.mark.parametrize("form", ["self", "with_me"])
def test_the_grown_child_and_who_keeps_a_child_are_asked_what_a_family_is(form: str) -> None:
    left_out = set(" ".join(NOT_ASKED[form]).split())
    for field, (family, _, _) in ASKED_BY.items():
        assert set((family or "").split()) - left_out <= steps_of(form), field
    assert not left_out & steps_of(form)
    assert "own_wish" in steps_of("self")


@pytest.mark.parametrize(("form", "column"), [("family", 0), ("witness", 1), ("insider", 2)])
def test_a_question_the_table_denies_a_form_is_not_in_it(form: str, column: int) -> None:
    others = {
        key
        for row in ASKED_BY.values()
        if row[column] is None
        for cell in row
        if cell
        for key in cell.split()
    }
    asked = {key for row in ASKED_BY.values() if (cell := row[column]) for key in cell.split()}
    assert not (others - asked) & steps_of(form)


@pytest.mark.parametrize("form", FORMS)
def test_no_question_stands_under_a_heading_that_the_table_does_not_know(form: str) -> None:
    known = {key for row in ASKED_BY.values() for cell in row if cell for key in cell.split()}
    known |= {
        "another.another",
        "signs",
        "overheard",
        "own_wish",
        "day",
    }  # who took them: signs, words; own wish; when
    under = {
        f"another.{step.key}" if heading.key == "another" else step.key
        for heading in forms.newest(form).headings
        for step in every_step(heading)
    }
    assert under <= known


def every_step(heading: Heading) -> list[Step]:
    return [
        step for entry in heading.steps for step in (entry.steps if isinstance(entry, Repeat) else (entry,))
    ]


# VOICE.md, Order of questions.
VOICE = {
    "child": "called new_name looks languages medical medicine pages parents",
    "journey": "pretext takers transport group return_date return_answer leg_place leg_dates leg_known last_contact",
    "papers": "signed residence now reported statement",
    "family": "situation institution siblings fetch wish",
    "files": "files links",
}


@pytest.mark.parametrize("heading", VOICE)
def test_a_family_is_asked_in_the_order_of_the_voice(heading: str) -> None:
    found = forms.newest("family").heading(heading)
    assert found
    asked = [step.key for step in every_step(found)]
    wanted = VOICE[heading].split()
    assert [key for key in asked if key in wanted] == wanted


EVERY = [(form, heading) for form in FORMS for heading in forms.newest(form).headings]


EVERY_FORM_AND_HEADING = pytest.mark.parametrize(
    ("form", "heading"), EVERY, ids=[f"{form}-{heading.key}" for form, heading in EVERY]
)


@EVERY_FORM_AND_HEADING
def test_each_question_can_be_skipped_or_answered_in_words(form: str, heading: Heading) -> None:
    for step in every_step(heading):
        assert step.skip or step.kind is Kind.AGAIN, step.key
        assert step.kind is not Kind.TAP, step.key


@EVERY_FORM_AND_HEADING
def test_it_has_a_name_and_three_lines_in_every_language(form: str, heading: Heading) -> None:
    for texts in laws.TEXTS.values():
        assert 0 < len(texts.plain(flows.Text(f"heading.{heading.key}"))) <= 30
        for step in every_step(heading):
            ask = step.ask or f"ask.{step.key}"
            asked = [texts.plain(flows.Text(ask))]
            asked += texts.plain(flows.Text(f"{ask}.hint")).split("\n") if step.hint else []
            assert len(asked) == 1 + step.hint <= 3, ask
            if step.told:
                assert len(texts.plain(flows.Text(f"ask.{step.key}.label"))) <= 30, step.key


@EVERY_FORM_AND_HEADING
def test_what_it_depends_on_is_told_before(form: str, heading: Heading) -> None:
    """After sending only buttons of the core are remembered: nothing here may hang on its words."""
    under = {step.key for step in every_step(heading)}
    core = {entry.key for entry in forms.newest(form).steps if isinstance(entry, Step)}
    for step in every_step(heading):
        for condition in (*step.when, *heading.when):
            assert condition.step in under | core, step.key
            assert condition.step in under or condition.fact in {Fact.CHOSEN, Fact.NOT_CHOSEN}, step.key


def test_several_children_are_spoken_of_as_several_and_the_grown_child_as_you() -> None:
    texts = laws.TEXTS["en"]
    for form in ("witness", "insider", "self"):
        for heading in forms.newest(form).headings:
            for step in every_step(heading):
                ask = step.ask or f"ask.{step.key}"
                said = texts.plain(flows.Text(ask)).casefold()
                if form == "self":
                    assert "the child" not in said.replace("who else of the children", ""), ask
                else:
                    assert "the child " not in said, ask
                    assert "the child’s" not in said, ask


def test_what_triage_looks_at_is_a_button() -> None:
    steps = {
        step.key: {option.key for option in step.options}
        for form in FORMS
        for heading in forms.newest(form).headings
        for step in every_step(heading)
    }
    assert "vital" in steps["medical"]
    assert {"guardianship", "adoption", "citizenship"} <= steps["now"]
    assert "closed" in steps["stay"]
    assert "apart" in steps["siblings"]
    assert "belarus_russia" in steps["leg_way"]
    assert (
        next(s for h in headings.FAMILY for s in every_step(h) if s.key == "last_contact").kind is Kind.DATE
    )


def test_an_insider_is_invited_to_send_only_what_cannot_point_to_them() -> None:
    files = [s for h in headings.INSIDER for s in every_step(h) if s.kind is Kind.FILES]
    assert [step.when for step in files] == [(Condition(Fact.CHOSEN, "traceable", ("no",)),)]
    for form in ("insider", "with_me"):
        for heading in forms.newest(form).headings:
            for step in every_step(heading):
                for texts in laws.TEXTS.values():
                    hint = (
                        texts.plain(flows.Text(f"{step.ask or f'ask.{step.key}'}.hint")) if step.hint else ""
                    )
                    assert "as a file" not in hint
                    assert "файлом" not in hint


@pytest.mark.parametrize("where", ["home", "not_yet", "unknown"])
def test_a_family_is_not_asked_what_cannot_be(where: str) -> None:
    form = forms.newest("family")
    given = {step.key: Answer(step.options[0].key) for step in OPENING} | {"where": Answer(where)}
    opened = tuple(heading.key for heading in form.headings)
    interview = flows.Interview("family", form.version, "uk", 0, "review", answers=given, opened=opened)
    asked = {slot.step.key for slot in path(form, interview) if slot.heading}
    gone = {"leg_place", "transport", "siblings", "return_answer"}
    away = {"last_contact", "stay", "fetch", "wish", "now"}
    assert (gone <= asked, bool(gone & asked)) == (where != "not_yet",) * 2
    assert (away <= asked, bool(away & asked)) == (where == "unknown",) * 2
    assert {"pretext", "takers", "return_date", "signed", "situation"} <= asked


def test_legs_follow_each_other_and_the_way_to_russia_has_its_name() -> None:
    form = forms.newest("witness")
    turn = {
        "leg_place#1": Answer(skipped="unknown"),
        "leg_way#1": Answer("to_belarus"),
        "leg_more#1": Answer("another"),
    }
    interview = flows.Interview("witness", form.version, "en", 0, "review", answers=turn, opened=("journey",))
    names = [slot.name for slot in path(form, interview)]
    assert names.index("leg_more#1") < names.index("leg_place#2") < names.index("leg_way#2")
    assert "leg_place#3" not in names
    assert laws.TEXTS["en"].plain(flows.Text("ask.leg_way.belarus_russia")) == "From Belarus to Russia"


def test_a_mother_adds_two_legs_of_the_journey_and_stops_there(mother: Teller) -> None:
    form = forms.newest("family")
    core = {entry.key: Answer(skipped="skip") for entry in form.steps if isinstance(entry, Step)}
    told = {
        "consent": Answer("adult"),
        "know": Answer("family"),
        "where": Answer("unknown"),
        "name": Answer("list"),
    }
    answers = core | told | {"name": Answer(parts=(Part("Zlata", 1),))}
    answers.pop("review")
    mother.interview = flows.Interview("family", form.version, "en", 0, "review", answers=answers)
    mother.taps("Add more", "The journey", "Rest")
    mother.says("a foundation")
    mother.taps("Bus", *["Skip"] * 3, "Once", "No date was named", "To come and fetch")
    mother.says("a camp near a lake")
    mother.taps("To Belarus")
    mother.says("September 2022")
    mother.taps("From the child", "Yes, to one more place")
    mother.sees("Where was the child taken to?")
    mother.taps("I don’t know", "From Belarus to Russia", "To the message")
    mother.sees("a foundation", "From Belarus to Russia")
    legs = [
        (entry["step"], entry["turn"])
        for entry in flows.body(mother.interview)["answers"]
        if entry.get("turn")
    ]
    assert ("leg_way", 2) in legs
    assert ("leg_dates", 1) in legs
