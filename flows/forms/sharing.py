"""What a reporter decides about the report: who else may have it, and how an answer may come.

Silence is always the narrowest: the team only, and no message first.
"""

from dataclasses import replace

from flows.form import Kind, Option, Step, chosen, not_chosen

_YES = ("так", "yes", "да", "ок", "ok")
_NO = ("ні", "no", "нет", "не")
_UN_ICC = Option("un_icc")
_ALL, _ASK, _NONE = Option("all"), Option("ask"), Option("no", said=_NO)

FIND = Step(
    "find",
    Kind.CHOICE,
    options=(Option("yes", said=_YES), Option("ask"), Option("no", said=_NO)),
    hint=2,
    whole=True,
)
COURTS = Step("courts", Kind.CHOICE, options=(_ALL, _UN_ICC, _ASK, _NONE), hint=2, whole=True)
# Who knows from work may be known to the prosecutors of a country: those without them come first.
COURTS_FROM_WORK = replace(COURTS, options=(_UN_ICC, _ALL, _ASK, _NONE))

ANSWER = Step("answer", Kind.CHOICE, options=(Option("chat"), Option("words")), hint=1, whole=True)
# The words to come back with are already there.
ANSWER_ONCE_SENT = replace(ANSWER, ask="ask.answer.sent")

# One neutral word, by the reporter's clock, 10 to 18; unanswered: none.
PUSH = Step(
    "push",
    Kind.CHOICE,
    options=(Option("kyiv"), Option("moscow"), Option("central"), Option("no", said=_NO)),
    when=(chosen("answer", "chat"),),
    hint=1,
    whole=True,
)
SAFETY = Step(
    "safety",
    Kind.TAP,
    options=(Option("seen"),),
    skip="",
    when=(not_chosen("answer", "chat"),),
    hint=2,
    whole=True,
    told=False,
)
ROWS = ("find", "courts")  # the two rows of sharing
