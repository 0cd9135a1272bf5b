"""What a family is asked: where the child is now, the child, from where and when, and what may be shared.

Home skips urgency, looks and tracing; *I have a list* skips what is asked of one child.
"""

from dataclasses import replace

from flows.form import Condition, Fact, Form, Kind, Option, Step, chosen, given, not_chosen
from flows.forms import headings
from flows.forms.child_questions import (
    AGE,
    ANY_WORDS,
    CLOSED,
    ENOUGH_BESIDE_NAME,
    HOW_MANY,
    NAME,
    NEW_FAMILY,
    PHOTO,
    PLACE,
    SEX,
    VITAL_MEDICINE,
    WHEN,
)
from flows.forms.opening import NEEDS, OPENING, REVIEW, urgent
from flows.forms.sharing import ANSWER, COURTS, FIND, PUSH, ROWS, SAFETY

_DANGER = chosen("where", "danger")
_HOME = chosen("where", "home")
_NOT_HOME = not_chosen("where", "home")
_NOT_YET = chosen("where", "not_yet")
_LIST = chosen("name", "list")
_ONE_CHILD = not_chosen("name", "list")

_WHERE = Step(
    "where",
    Kind.TAP,
    options=tuple(map(Option, ("danger", "known", "unknown", "home", "not_yet"))),
    skip="",
)

FAMILY_2 = Form(
    name="family",
    version=2,
    consent=1,
    steps=(
        *OPENING,
        _WHERE,
        *urgent(_DANGER, "ask.urgent"),
        Step("home_how", Kind.WORDS, when=(_HOME,), hint=1, whole=True),
        replace(NAME, options=(Option("list"),)),
        Step("list", Kind.FILES, when=(_LIST,), hint=2),
        replace(HOW_MANY, when=(_LIST,)),
        replace(
            AGE,
            when=(_ONE_CHILD,),
            variants=((chosen("where", "not_yet", "danger"), "ask.age.not_yet"),),
        ),
        replace(SEX, when=(_ONE_CHILD, _NOT_HOME)),
        replace(
            PLACE,
            variants=(
                (_LIST, "ask.place.list"),
                (_NOT_YET, "ask.place.not_yet"),
                (_DANGER, "ask.place.danger"),
            ),
        ),
        replace(
            WHEN,
            variants=((_LIST, "ask.when.list"), (_NOT_YET, "ask.when.not_yet"), (_DANGER, "ask.when.danger")),
        ),
        replace(PHOTO, when=(_ONE_CHILD, _NOT_HOME)),
        replace(FIND, when=(_NOT_HOME,)),
        COURTS,
        ANSWER,
        PUSH,
        SAFETY,
        REVIEW,
    ),
    needs=(*NEEDS, given("where")),
    send=((given("name"), _ONE_CHILD), (given("list"),), *ENOUGH_BESIDE_NAME),
    send_critical=((ANY_WORDS,),),
    # TRIAGE.md, urgency. Who is home is in no hurry, whatever else was said.
    urgency=(
        (_DANGER, "critical"),
        (_HOME, "normal"),
        (Condition(Fact.SOON, "when", days=3), "critical"),
        (chosen("where", "known"), "high"),
        (Condition(Fact.RECENT, "when", days=30), "high"),
        (Condition(Fact.ADULT_SOON, "age", days=90), "high"),
        (VITAL_MEDICINE, "high"),
        (NEW_FAMILY, "high"),
        (CLOSED, "high"),
        (Condition(Fact.RECENT, "last_contact", days=7), "high"),
    ),
    sharing=ROWS,
    answer_here="answer",
    point_decimals=1,
    headings=headings.FAMILY,
)
