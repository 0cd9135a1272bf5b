"""What is asked of someone who knows from work: first what protects them, and no file until its trace is asked.

A file is invited only after «it cannot point to me»; to describe is the default. *Not now* asks for neither: it
is answered anew from the review. No text here invites a voice, for a voice identifies.
"""

from dataclasses import replace

from flows.form import Condition, Fact, Form, Kind, Option, Step, chosen, given, not_chosen
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
from flows.forms.opening import NEEDS, OPENING, REVIEW, urgent
from flows.forms.sharing import ANSWER_ONCE_SENT, COURTS_FROM_WORK, FIND, PUSH, ROWS, SAFETY

URGENT = chosen("safe", "urgent")
SAFE = Step(
    "safe",
    Kind.TAP,
    options=(Option("next"), Option("urgent")),
    skip="",
    hint=2,
    whole=True,
    told=False,
)
_PAPER = chosen("have", "document", "list")
_LIST = chosen("have", "list")

INSIDER_1 = Form(
    name="insider",
    version=1,
    consent=1,
    steps=(
        *OPENING,
        SAFE,
        *urgent(URGENT, "ask.urgent.insider"),
        Step("have", Kind.CHOICE, options=tuple(map(Option, ("words", "document", "list"))), hint=1),
        Step(
            "traceable",
            Kind.TAP,
            options=tuple(map(Option, ("describe", "no", "later"))),
            skip="",
            when=(_PAPER,),
            hint=2,
            whole=True,
        ),
        Step(
            "describe",
            Kind.WORDS,
            when=(not_chosen("traceable", "no", "later"),),
            variants=((_LIST, "ask.describe.list"), (_PAPER, "ask.describe.document")),
            hint=1,
            whole=True,
        ),
        Step(
            "document",
            Kind.FILES,
            when=(_PAPER, chosen("traceable", "no")),
            variants=((_LIST, "ask.document.list"),),
            hint=1,
        ),
        replace(SITE, ask="ask.site.insider"),
        Step("period", Kind.DATE, options=(Option("ongoing"),), skip="unknown", hint=1),
        replace(HOW_MANY, ask="ask.how_many.insider"),
        REVIEW,
    ),
    needs=(*NEEDS, given("safe")),
    # FORMS.md, send rule; a description stands for the document it describes.
    send=(
        (given("describe"),),
        (given("document"),),
        (ANY_FILE,),
        (ANY_LINK,),
        (SITE_IS_FACILITY, given("period")),
        (given("how_many"), given("site")),
        (given("name"),),
    ),
    send_critical=((ANY_WORDS,),),
    urgency=(
        (URGENT, "critical"),
        (chosen("period", "ongoing"), "high"),
        (Condition(Fact.RECENT, "period", days=30), "high"),
        (VITAL_MEDICINE, "high"),
        (NEW_FAMILY, "high"),
        (CLOSED, "high"),
    ),
    sharing=ROWS,
    answer_here="answer",
    point_decimals=1,
    after=(COURTS_FROM_WORK, ANSWER_ONCE_SENT, PUSH, SAFETY, FIND),
    headings=headings.INSIDER,
)
