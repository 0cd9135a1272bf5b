"""The door for those under 18: no interview, no name, no file, no sharing; a few words if they wish.

Nothing else is asked, and nothing must be said: how we may answer is enough to send.
"""

from dataclasses import replace

from flows.form import Form, Kind, Option, Step, chosen, given
from flows.forms.child_questions import ANY_WORDS
from flows.forms.opening import OPENING, REVIEW

CHILD_1 = Form(
    name="child",
    version=1,
    consent=1,
    steps=(
        OPENING[0],
        Step(
            "door",
            Kind.TAP,
            options=(Option("taken"), Option("other"), Option("clear", outcome="erase")),
            skip="",
            hint=2,
            whole=True,
        ),
        Step("tell", Kind.WORDS, variants=((chosen("door", "other"), "ask.tell.other"),), hint=1, whole=True),
        Step(
            "safe_answer",
            Kind.CHOICE,
            options=(Option("chat"), Option("words")),
            skip="",
            hint=1,
            whole=True,
        ),
        replace(REVIEW, ask="ask.review.child"),
    ),
    needs=(chosen("consent", "minor"), chosen("door", "taken", "other")),
    send=((ANY_WORDS,), (given("safe_answer"),)),
    send_critical=(),
    # TRIAGE.md: a child writing of itself.
    urgency=((chosen("door", "taken"), "critical"), (chosen("door", "other"), "high")),
    sharing=(),
    answer_here="safe_answer",
    point_decimals=1,
)
