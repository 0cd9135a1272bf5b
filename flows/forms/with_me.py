"""What is asked of the person a child is with now: first what protects both, then the child, never the address."""

from dataclasses import replace

from flows.form import Form, chosen, given
from flows.forms import headings
from flows.forms.child_questions import AGE, ANY_WORDS, ENOUGH, NAME, PHOTO, PLACE, SEX, WHEN
from flows.forms.insider import SAFE, URGENT
from flows.forms.opening import NEEDS, OPENING, REVIEW, urgent
from flows.forms.sharing import ANSWER, COURTS, FIND, PUSH, ROWS, SAFETY

WITH_ME_1 = Form(
    name="with_me",
    version=1,
    consent=1,
    steps=(
        *OPENING,
        replace(SAFE, ask="ask.safe.with_me"),
        *urgent(URGENT, "ask.urgent.with_me"),
        replace(NAME, ask="ask.name.with_me", hint=1),  # no word of a voice here
        AGE,
        SEX,
        replace(PLACE, ask="ask.place.with_me"),
        replace(WHEN, ask="ask.when.with_me", ahead=()),
        replace(PHOTO, ask="ask.photo.with_me"),
        replace(FIND, ask="ask.find.with_me"),
        COURTS,
        ANSWER,
        PUSH,
        SAFETY,
        REVIEW,
    ),
    needs=(*NEEDS, given("safe")),
    send=ENOUGH,
    send_critical=((ANY_WORDS,),),
    urgency=((URGENT, "critical"), (chosen("know", "with_me"), "high")),  # high: location known now
    sharing=ROWS,
    answer_here="answer",
    point_decimals=1,
    headings=headings.WITH_ME,
)
