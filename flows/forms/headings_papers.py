"""What may be told of papers and proceedings, and what may be sent with them; nothing new is ever asked for."""

from flows.form import Kind, Option, Step, chosen, given, not_chosen
from flows.forms.headings_child import NO, YES

SIGNED = Step(
    "signed",
    Kind.CHOICE,
    options=(NO, Option("rest"), Option("no_choice"), YES, Option("unknown")),
    hint=1,
    whole=True,  # that nobody is blamed is always said
)
RESIDENCE = Step("residence", Kind.CHOICE, options=(YES, NO, Option("pending")), skip="unknown", hint=1)
# TRIAGE.md, high: guardianship, adoption or citizenship under way.
_MADE = (
    Option("guardianship", said=("опіка", "під опікою", "guardianship", "опека", "апека")),
    Option(
        "adoption", said=("усиновлення", "удочеріння", "adoption", "усыновление", "удочерение", "усынаўленне")
    ),
    Option("citizenship", said=("громадянство", "citizenship", "гражданство", "грамадзянства")),
)
NOW = Step("now", Kind.CHOICE, options=(Option("there"), Option("moved"), *_MADE), skip="unknown", hint=1)
NOW_SELF = Step("now", Kind.CHOICE, ask="ask.now.self", options=_MADE, skip="unknown", hint=1)
NEW_PAPERS = Step("new_papers", Kind.WORDS, hint=1)
REPORTED = Step(
    "reported",
    Kind.CHOICE,
    options=(
        Option("police"),
        Option("bureau"),
        Option("ombudsperson"),
        Option("red_cross"),
        Option("nowhere"),
    ),
    hint=1,
)
REPORT_NUMBER = Step(
    "report_number", Kind.WORDS, when=(given("reported"), not_chosen("reported", "nowhere")), hint=1
)
STATEMENT = Step("statement", Kind.CHOICE, options=(YES, NO), columns=2, hint=1)
STATEMENT_BY = Step("statement_by", Kind.WORDS, when=(chosen("statement", "yes"),))

FILES = Step("files", Kind.FILES, hint=2)
# A copy may point to whoever sends it, and a file keeps its author: that way of sending is never hinted here.
SAFE_FILES = Step("files", Kind.FILES, ask="ask.files.work", hint=2)
LINKS = Step("links", Kind.WORDS, hint=1)
DOCUMENTS = Step("documents", Kind.WORDS, hint=1)
ANYTHING = Step("anything", Kind.WORDS, hint=1)
INVESTIGATOR = Step(
    "investigator", Kind.CHOICE, options=(Option("team"), Option("other"), NO), hint=1, whole=True
)
INVESTIGATOR_HOW = Step("investigator_how", Kind.WORDS, when=(chosen("investigator", "other"),), hint=1)
LAST = (LINKS, DOCUMENTS, ANYTHING, INVESTIGATOR, INVESTIGATOR_HOW)
