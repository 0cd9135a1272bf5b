"""Each form keeps the order of the voice, asks nothing that is never asked, and demands only what must be known.

The lists here are written by hand, from the design's pages, and not derived from the forms.
"""

import itertools
from collections.abc import Iterator

import pytest

from flows import forms
from flows.form import Kind, Repeat, Step
from flows.interview import Answer, Interview, Part
from flows.path import Slot, path
from locales.catalogues import parse, source

LANGUAGES = ("uk", "en")
TEXTS = {
    lang: {str(m.id): str(m.string) for m in parse(source(lang, "forms")) if m.id and m.string}
    for lang in LANGUAGES
}
NAMES = ("family", "witness", "insider", "self", "with_me", "child", "later")
WRITTEN = Answer(parts=(Part("кілька слів"),))


def told(name: str, /, **answers: str | Answer) -> Interview:
    """An interview in which these were answered: a button by its key, or a whole answer."""
    form = forms.newest(name)
    given = {step: Answer(said) if isinstance(said, str) else said for step, said in answers.items()}
    return Interview(form.name, form.version, "uk", revision=0, at="consent", answers=given)


def asked(name: str, /, **answers: str | Answer) -> str:
    """The questions of the core that these answers lead through, in order."""
    return " ".join(slot.name for slot in path(forms.newest(name), told(name, **answers)))


# The voice's order of questions. Before Send; what is asked after it follows in its own list.
ORDER: list[tuple[str, dict[str, str | Answer], str]] = [
    (
        "family",
        {"where": "unknown", "answer": "chat"},
        "consent know where name age sex place when photo find courts answer push review",
    ),
    (
        "family",
        {"where": "known", "answer": "words"},
        "consent know where name age sex place when photo find courts answer safety review",
    ),
    (
        "family",
        {"where": "not_yet", "answer": "chat"},
        "consent know where name age sex place when photo find courts answer push review",
    ),
    (
        "family",
        {"where": "danger", "urgent": WRITTEN, "answer": "chat"},
        "consent know where urgent urgent_next name age sex place when photo find courts answer push review",
    ),
    (
        "family",
        {"where": "home", "answer": "chat"},
        "consent know where home_how name age place when courts answer push review",
    ),
    (
        "family",
        {"where": "unknown", "name": "list", "answer": "chat"},
        "consent know where name list how_many place when find courts answer push review",
    ),
    ("witness", {"when": "earlier"}, "consent know when site photos how_many review"),
    (
        "witness",
        {"when": "going", "urgent": WRITTEN},
        "consent know when urgent urgent_next site photos how_many review",
    ),
    (
        "witness",
        {"when": "now", "urgent": WRITTEN},
        "consent know when urgent urgent_next site photos how_many review",
    ),
    (
        "insider",
        {"safe": "next", "have": "words"},
        "consent know safe have describe site period how_many review",
    ),
    (
        "insider",
        {"safe": "next", "have": "document", "traceable": "describe"},
        "consent know safe have traceable describe site period how_many review",
    ),
    (
        "insider",
        {"safe": "next", "have": "list", "traceable": "no"},
        "consent know safe have traceable document site period how_many review",
    ),
    (
        "insider",
        {"safe": "next", "have": "document", "traceable": "later"},
        "consent know safe have traceable site period how_many review",
    ),
    (
        "insider",
        {"safe": "urgent", "urgent": WRITTEN, "have": "words"},
        "consent know safe urgent urgent_next have describe site period how_many review",
    ),
    (
        "self",
        {"where": "home", "answer": "chat"},
        "consent know where name age sex place when find courts answer push review",
    ),
    (
        "with_me",
        {"safe": "next", "answer": "words"},
        "consent know safe name age sex place when photo find courts answer safety review",
    ),
    ("child", {"door": "taken"}, "consent door tell safe_answer review"),
    ("later", {}, "consent know add review"),
]
AFTER = {
    "family": "",
    "witness": "answer push safety find courts",
    "insider": "courts answer push safety find",
    "self": "",
    "with_me": "",
    "child": "",
    "later": "",
}


@pytest.mark.parametrize(("name", "answers", "order"), ORDER)
def test_the_order_is_the_voices(name: str, answers: dict[str, str | Answer], order: str) -> None:
    assert asked(name, **answers) == order


@pytest.mark.parametrize("name", NAMES)
def test_what_is_asked_after_sending(name: str) -> None:
    assert " ".join(step.key for step in forms.newest(name).after) == AFTER[name]


def test_there_are_no_other_forms() -> None:
    assert {form.name for form in forms.every()} == set(NAMES)


def test_every_way_of_knowing_leads_to_its_form() -> None:
    for form in forms.every():
        if form.name == "child" or (form.name, form.version) == ("family", 1):
            continue
        consent, know = (next(s for s in form.all_steps() if s.key == key) for key in ("consent", "know"))
        assert {option.key: option.form for option in know.options} == {
            "family": "family",
            "self": "self",
            "saw": "witness",
            "heard": "witness",
            "work": "insider",
            "with_me": "with_me",
            "sent_before": "later",
        }
        assert {o.key: o.form or o.outcome for o in consent.options} == {
            "adult": None,
            "minor": "child",
            "later": "not_now",
        }


def test_the_first_version_stays_as_it_was() -> None:
    """Reports were sent with it: its steps and buttons can be read for ever."""
    form = forms.get("family", 1)
    assert " ".join(step.key for step in form.all_steps()) == (
        "consent know where urgent urgent_next name age sex place when photo find courts answer safety review"
    )
    options = {step.key: " ".join(o.key for o in step.options) for step in form.all_steps() if step.options}
    ages = " ".join(map(str, range(18)))
    assert options == {
        "consent": "adult minor later",
        "know": "family self saw heard work with_me",
        "where": "danger known unknown home not_yet",
        "urgent_next": "more",
        "age": ages,
        "sex": "girl boy",
        "find": "yes ask no",
        "courts": "all un_icc ask no",
        "answer": "chat words",
        "safety": "seen",
    }


# FORMS.md, fields marked R: these have no Skip. The rest of those without one are cards to read, or the end.
REQUIRED = {
    "family": {"consent", "know", "where"},
    "witness": {"consent", "know", "when"},
    "insider": {"consent", "know", "safe", "traceable"},
    "self": {"consent", "know", "where"},
    "with_me": {"consent", "know", "safe"},
    "child": {"consent", "door", "safe_answer"},
    "later": {"consent", "know", "add"},
}


@pytest.mark.parametrize("name", NAMES)
def test_only_what_must_be_known_cannot_be_skipped(name: str) -> None:
    form = forms.newest(name)
    read = {"urgent_next", "safety", "review"}
    core = [step for entry in (*form.steps, *form.after) for step in steps_of(entry)]
    assert {step.key for step in core if not step.skip} - read == REQUIRED[name]
    for heading in form.headings:
        for step in itertools.chain.from_iterable(map(steps_of, heading.steps)):
            assert step.skip or step.kind is Kind.AGAIN, step.key


def steps_of(entry: Step | Repeat) -> tuple[Step, ...]:
    return entry.steps if isinstance(entry, Repeat) else (entry,)


@pytest.mark.parametrize("name", ["family", "self", "with_me", "witness", "insider"])
def test_where_it_was_may_be_unknown(name: str) -> None:
    places = [step for step in forms.newest(name).all_steps() if step.key in {"place", "site", "origin"}]
    assert places
    assert {step.skip for step in places} == {"unknown"}


@pytest.mark.parametrize("name", NAMES)
def test_consent_text_is_the_first_screens(name: str) -> None:
    form = forms.newest(name)
    assert form.consent == 1
    assert next(form.all_steps()).key == "consent"
    assert not next(form.all_steps()).ask


# Read one by one against FORMS.md, *never asked*. A new question is read so before it is added here.
REVIEWED = """
    consent know where urgent urgent_next home_how name list how_many age sex place when photo find courts
    answer push safety review
    photos day site
    safe have traceable describe document period
    door tell safe_answer
    add
    another called new_name looks languages medical medicine disability pages parents ages sexes situation
    institution siblings fetch wish child_wish own_wish
    origin pretext takers transport plate route group times return_date return_answer
    leg_place leg_way leg_dates leg_known leg_more stay last_contact contact_how contact_place signs overheard
    signed residence now new_papers reported report_number statement statement_by
    files links documents anything investigator investigator_how
    """


def test_every_question_was_read_against_what_is_never_asked() -> None:
    assert {step.key for form in forms.every() for step in form.all_steps()} == set(REVIEWED.split())


def test_insiders_find_the_courts_without_prosecutors_first() -> None:
    courts = next(step for step in forms.newest("insider").all_steps() if step.key == "courts")
    assert courts.options[0].key == "un_icc"


def every_path(name: str) -> Iterator[list[Slot]]:
    """Every path of a form that buttons and headings can lead through."""
    form = forms.newest(name)
    forks = {condition.step for step in form.all_steps() for condition in step.when}
    steps = {step.key: step for step in form.all_steps() if step.key in forks and step.options}
    ways = [[*(option.key for option in step.options), ""] for step in steps.values()]
    opened = tuple(heading.key for heading in form.headings)
    for choice in itertools.product(*ways):
        answers = {key: Answer(option) for key, option in zip(steps, choice, strict=True) if option}
        answers["urgent"] = WRITTEN
        for sent in (False, True):
            context = {key: answer.option for key, answer in answers.items() if sent and answer.option}
            yield path(
                form,
                Interview(
                    form.name,
                    form.version,
                    "uk",
                    revision=0,
                    at="consent",
                    answers={} if sent else answers,
                    opened=opened,
                    sent=sent,
                    context=context,
                ),
            )


def test_every_path_of_every_form_ends_with_the_review() -> None:
    for name in NAMES:
        for step in forms.newest(name).all_steps():
            assert step.kind is not Kind.REVIEW or step.key == "review"
    for name in ("witness", "child", "later", "insider"):
        for slots in every_path(name):
            assert slots[-1].step.kind is Kind.REVIEW
            assert len({slot.name for slot in slots}) == len(slots)


def required_inputs(order: str) -> int:
    """Inputs from /start to the receipt: /start, the language, one for each question, Send for the review."""
    return 2 + len(order.split())


def test_the_way_is_short() -> None:
    for name, answers, order in ORDER:
        if name == "family" and "urgent" not in answers:
            assert required_inputs(order) <= 16, answers
        if name == "witness" and "urgent" not in answers:
            assert required_inputs(order) + 3 <= 12  # three photos, then Done
        if "urgent" in answers:
            before = order[: order.index("urgent_next")]
            assert required_inputs(before) + 1 <= 7, name
    assert required_inputs("consent door tell") + 1 <= 7


def test_every_heading_has_its_name() -> None:
    for lang in LANGUAGES:
        assert all(
            TEXTS[lang][f"heading.{heading.key}"] for form in forms.every() for heading in form.headings
        )
