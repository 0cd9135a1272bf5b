"""What is asked of a grown person who was the child taken: the family's order, in the second person, no photo."""

from dataclasses import replace

from flows.form import Form, Kind, Option, Step, chosen, given
from flows.forms import headings
from flows.forms.child_questions import (
    AGE,
    ANY_WORDS,
    CLOSED,
    ENOUGH,
    NAME,
    NEW_FAMILY,
    PLACE,
    SEX,
    VITAL_MEDICINE,
    WHEN,
)
from flows.forms.opening import NEEDS, OPENING, REVIEW, urgent
from flows.forms.sharing import ANSWER, COURTS, FIND, PUSH, ROWS, SAFETY

_DANGER = chosen("where", "danger")

SELF_1 = Form(
    name="self",
    version=1,
    consent=1,
    steps=(
        *OPENING,
        Step(
            "where",
            Kind.TAP,
            ask="ask.where.self",
            options=tuple(map(Option, ("danger", "there", "home", "elsewhere"))),
            skip="",
            hint=1,
        ),
        *urgent(_DANGER, "ask.urgent.self"),
        replace(NAME, ask="ask.name.self"),
        replace(AGE, ask="ask.age.self"),
        replace(SEX, ask="ask.sex.self"),
        replace(PLACE, ask="ask.place.self"),
        replace(WHEN, ask="ask.when.self", ahead=()),
        replace(FIND, ask="ask.find.self"),
        COURTS,
        ANSWER,
        PUSH,
        SAFETY,
        REVIEW,
    ),
    needs=(*NEEDS, given("where")),
    send=ENOUGH,
    send_critical=((ANY_WORDS,),),
    urgency=(
        (_DANGER, "critical"),
        (chosen("where", "there"), "high"),  # location known now
        (chosen("where", "home"), "normal"),
        (VITAL_MEDICINE, "high"),
        (NEW_FAMILY, "high"),
        (CLOSED, "high"),
    ),
    sharing=ROWS,
    answer_here="answer",
    point_decimals=1,
    headings=headings.SELF,
)
