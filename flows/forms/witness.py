"""What is asked of someone who saw children being moved, or heard of it; little, for they may be in a hurry.

No text says that they saw it: the same questions go to those who heard.
"""

from dataclasses import replace

from flows.form import Condition, Fact, Form, Kind, Option, Step, chosen, given
from flows.forms import headings
from flows.forms.child_questions import (
    ANY_FILE,
    ANY_LINK,
    ANY_WORDS,
    CLOSED,
    HOW_MANY,
    NEW_FAMILY,
    SITE,
    SITE_IS_FACILITY,
    VITAL_MEDICINE,
)
from flows.forms.headings_journey import ORIGIN
from flows.forms.opening import NEEDS, OPENING, REVIEW, urgent
from flows.forms.sharing import ANSWER_ONCE_SENT, COURTS, FIND, PUSH, ROWS, SAFETY

# TRIAGE.md: being moved now, or within 72 hours.
_GOING_ON = chosen("when", "now", "going")
# One question too many before sending: the date, for who tapped «earlier», and where the way began.
_DAY = Step("day", Kind.DATE, skip="unknown", when=(chosen("when", "earlier"),), hint=1)
_HEADINGS = tuple(
    replace(heading, steps=(_DAY, ORIGIN, *heading.steps)) if heading.key == "journey" else heading
    for heading in headings.WITNESS
)

WITNESS_1 = Form(
    name="witness",
    version=1,
    consent=1,
    steps=(
        *OPENING,
        # No Skip: where a family says where the child is, this says it.
        Step(
            "when",
            Kind.DATE,
            ask="ask.when.witness",
            options=(Option("now"), Option("earlier"), Option("going")),
            skip="",
            hint=1,
            any_time=True,
        ),
        *urgent(_GOING_ON, "ask.urgent.witness"),
        SITE,
        Step("photos", Kind.FILES, skip="next", hint=2, whole=True),
        replace(HOW_MANY, ask="ask.how_many.witness"),
        REVIEW,
    ),
    needs=(*NEEDS, given("when")),
    # FORMS.md, send rule; of several children the number stands for age and sex, words for photos.
    send=(
        (ANY_FILE,),
        (ANY_LINK,),
        (SITE_IS_FACILITY, given("when")),
        (given("how_many"), given("site")),
        (given("photos"), given("site")),
        (given("name"),),
    ),
    send_critical=((ANY_WORDS,),),
    urgency=(
        (_GOING_ON, "critical"),
        (Condition(Fact.SOON, "when", days=3), "critical"),
        (Condition(Fact.RECENT, "when", days=30), "high"),
        (Condition(Fact.RECENT, "day", days=30), "high"),
        (VITAL_MEDICINE, "high"),
        (NEW_FAMILY, "high"),
        (CLOSED, "high"),
    ),
    sharing=ROWS,
    answer_here="answer",
    point_decimals=5,  # about 1 m: where it was seen matters
    after=(ANSWER_ONCE_SENT, PUSH, SAFETY, FIND, COURTS),
    headings=_HEADINGS,
)
