"""What someone adds who wrote before: anything, as much as there is. Who has the seven words may use them."""

from flows.form import Form, Kind, Step
from flows.forms.child_questions import ANY_WORDS
from flows.forms.opening import NEEDS, OPENING, REVIEW

LATER_1 = Form(
    name="later",
    version=1,
    consent=1,
    steps=(*OPENING, Step("add", Kind.FILES, skip="", hint=2), REVIEW),
    needs=NEEDS,
    send=((ANY_WORDS,),),
    send_critical=(),
    urgency=(),
    sharing=(),
    answer_here="",  # how to answer was said with the first message
    point_decimals=1,
)
