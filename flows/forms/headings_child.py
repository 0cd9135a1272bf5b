"""What may be told of the child and of the family: each question optional, each asked once.

A question that is asked of several children, or of the person who was the child, has other words for it
(`Step.ask`); its short name and its buttons stay the same, so that reports read alike.
"""

from dataclasses import replace

from flows.form import ANOTHER, Condition, Kind, Option, Repeat, Step, chosen, not_chosen
from flows.forms.child_questions import AGE, NAME, PHOTO, SEX

YES = Option("yes", said=("так", "yes", "да", "ок", "ok"))
NO = Option("no", said=("ні", "no", "нет", "не"))

# Only the family's form asks where the child is now: at home, and before any journey, less is asked.
AWAY = not_chosen("where", "home")
GONE = not_chosen("where", "not_yet")


def worded(step: Step, words: str, *, hint: int | None = None) -> Step:
    """Give the same question in other words: the texts `ask.KEY.WORDS`, with as many hint lines."""
    return replace(step, ask=f"ask.{step.key}.{words}", hint=step.hint if hint is None else hint)


def only_if(step: Step, *conditions: Condition) -> Step:
    """Give the same question, asked only if these hold too."""
    return replace(step, when=(*conditions, *step.when))


# One more child, with all that is common kept as it was told.
ANOTHER_CHILD = Repeat(
    "another",
    (
        worded(NAME, "another", hint=1),
        worded(AGE, "another"),
        worded(SEX, "another"),
        worded(PHOTO, "another", hint=1),
        Step("another", Kind.AGAIN, options=(Option(ANOTHER), Option("enough")), skip="", hint=1, told=False),
    ),
    first=2,
)

NAMES = worded(NAME, "children", hint=1)
CALLED = Step("called", Kind.WORDS, hint=1)
NEW_NAME = Step("new_name", Kind.WORDS, hint=1)
LOOKS = Step("looks", Kind.WORDS, hint=1)
LANGUAGES = Step(
    "languages",
    Kind.CHOICE,
    options=(
        Option("ukrainian", said=("українська", "українською", "ukrainian", "украинский", "украінская")),
        Option("russian", said=("російська", "російською", "russian", "русский", "руская", "расейская")),
        Option("both", said=("обидві", "обидві мови", "both", "оба", "абедзве")),
    ),
    hint=1,
)
# TRIAGE.md, high: `vital` is the urgent medical need.
MEDICAL = Step("medical", Kind.CHOICE, options=(Option("vital"), Option("need"), NO), skip="unknown")
MEDICINE = Step("medicine", Kind.WORDS, when=(chosen("medical", "vital", "need"),))
DISABILITY = Step("disability", Kind.CHOICE, options=(YES, NO), columns=2, skip="unknown", hint=1)
PAGES = Step("pages", Kind.WORDS, hint=1)
PARENTS = Step("parents", Kind.WORDS, hint=1)

AGES = Step(
    "ages", Kind.CHOICE, options=(Option("small"), Option("school"), Option("older"), Option("mixed")), hint=1
)
SEXES = Step("sexes", Kind.CHOICE, options=(Option("girls"), Option("boys"), Option("both")), columns=2)

SITUATION = Step(
    "situation",
    Kind.CHOICE,
    options=(
        Option("family"),
        Option("one_parent"),
        Option("guardianship"),
        Option("orphan"),
        Option("institution"),
        Option("hardship"),
    ),
    columns=2,
    skip="unknown",
)
INSTITUTION = Step("institution", Kind.WORDS, hint=1)
# TRIAGE.md, within normal: `apart` comes first.
SIBLINGS = Step("siblings", Kind.CHOICE, options=(Option("together"), Option("apart"), NO), hint=1)
FETCH = Step(
    "fetch",
    Kind.CHOICE,
    options=(Option("parent"), Option("grandparent"), Option("relative"), Option("nobody")),
    hint=1,
)
WISH = Step("wish", Kind.CHOICE, options=(Option("home"), Option("know"), Option("contact"), Option("wait")))
CHILD_WISH = Step(
    "child_wish", Kind.CHOICE, options=(Option("home"), Option("stay"), Option("unsure")), hint=1
)
OWN_WISH = Step(
    "own_wish",
    Kind.CHOICE,
    options=(Option("family"), Option("return"), Option("papers"), Option("tell")),
)
