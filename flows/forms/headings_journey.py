"""What may be told of the journey: why, with whom, how, what was promised, and each place on the way.

A leg is one stay: where, from which country to which, from when to when, how it is known. From Belarus to Russia is an
answer of its own, for that is what the mission asks.
"""

from flows.form import ANOTHER, Condition, Kind, Option, Repeat, Step, given, not_chosen
from flows.forms.headings_child import only_if, worded

# The insider's core asks which place it is about; that may be any place on the way.
ORIGIN = Step("origin", Kind.PLACE, skip="unknown", hint=1)
PRETEXT = Step(
    "pretext",
    Kind.CHOICE,
    options=(
        Option("rest", said=("відпочинок", "rest", "отдых", "адпачынак")),
        Option("treatment", said=("лікування", "treatment", "лечение", "лячэнне")),
        Option("evacuation", said=("евакуація", "evacuation", "эвакуация", "эвакуацыя")),
        Option("study", said=("навчання", "study", "учёба", "учеба", "вучоба")),
        Option("competition", said=("змагання", "competition", "соревнования", "спаборніцтвы")),
    ),
    columns=2,
    hint=1,
)
TAKERS = Step("takers", Kind.WORDS, hint=1, organisations=True)
TRANSPORT = Step(
    "transport",
    Kind.CHOICE,
    options=(
        Option("bus", said=("автобус", "автобусом", "bus", "аўтобус")),
        Option("train", said=("потяг", "потягом", "поїзд", "поїздом", "train", "поезд", "цягнік")),
        Option("plane", said=("літак", "літаком", "plane", "самолёт", "самолет", "самалёт")),
        Option("car", said=("авто", "машина", "машиною", "car", "аўто")),
    ),
    columns=2,
    hint=1,
)
PLATE = Step("plate", Kind.WORDS, hint=1)
ROUTE = Step("route", Kind.WORDS)
GROUP = Step("group", Kind.WORDS, hint=1)
TIMES = Step(
    "times", Kind.CHOICE, options=(Option("once"), Option("again"), Option("ongoing")), skip="unknown"
)
RETURN_DATE = Step("return_date", Kind.DATE, options=(Option("none"),), skip="unknown", hint=1, any_time=True)
RETURN_ANSWER = Step(
    "return_answer",
    Kind.CHOICE,
    options=(
        Option("wait"),
        Option("come"),
        Option("refused"),
        Option("silent"),
        Option("not_asked"),
    ),
    hint=1,
)

_LEG_PLACE = Step("leg_place", Kind.PLACE, skip="unknown", hint=1, anywhere=True)
_LEG_WAY = Step(
    "leg_way",
    Kind.CHOICE,
    options=(
        Option("to_belarus"),
        Option("to_russia"),
        Option("belarus_russia"),
        Option("russia_belarus"),
        Option("inside"),
    ),
    skip="unknown",
)
_LEG_DATES = Step("leg_dates", Kind.DATE, skip="unknown", hint=1)
_HEARD = (Option("people"), Option("papers"), Option("internet"))
_LEG_KNOWN = Step("leg_known", Kind.CHOICE, options=(Option("child"), *_HEARD))
_LEG_SEEN = Step("leg_known", Kind.CHOICE, options=(Option("seen"), Option("children"), *_HEARD))
_LEG_MORE = Step("leg_more", Kind.AGAIN, options=(Option(ANOTHER), Option("enough")), skip="", told=False)


def legs(*conditions: Condition) -> Repeat:
    """Give the legs of one child, asked only if the conditions hold."""
    steps = (_LEG_PLACE, _LEG_WAY, _LEG_DATES, _LEG_KNOWN, _LEG_MORE)
    return Repeat("legs", tuple(only_if(step, *conditions) for step in steps))


LEGS_CHILDREN = Repeat(
    "legs",
    (
        worded(_LEG_PLACE, "children"),
        _LEG_WAY,
        worded(_LEG_DATES, "children"),
        _LEG_SEEN,
        worded(_LEG_MORE, "children"),
    ),
)
# Whoever was there knows it from being there.
LEGS_SELF = Repeat(
    "legs",
    (worded(_LEG_PLACE, "self"), _LEG_WAY, worded(_LEG_DATES, "self"), worded(_LEG_MORE, "self")),
)
# TRIAGE.md, high: `closed` is the closed institution.
STAY = Step(
    "stay",
    Kind.CHOICE,
    options=(
        Option("family"),
        Option("camp"),
        Option("boarding"),
        Option("hospital"),
        Option("closed"),
    ),
    skip="unknown",
    hint=1,
)
# TRIAGE.md, high: a date within 7 days is a contact just lost; `still` is none lost.
LAST_CONTACT = Step(
    "last_contact", Kind.DATE, options=(Option("still"), Option("never")), skip="unknown", hint=1
)
_TALKED = (given("last_contact"), not_chosen("last_contact", "never"))
CONTACT_HOW = Step(
    "contact_how",
    Kind.CHOICE,
    options=(Option("call"), Option("messages"), Option("met"), Option("others")),
    columns=2,
    when=_TALKED,
)
CONTACT_PLACE = Step("contact_place", Kind.WORDS, when=_TALKED, hint=1)

# What a person who was there saw and heard; who else saw it is not asked.
SIGNS = Step("signs", Kind.WORDS, hint=1)
OVERHEARD = Step("overheard", Kind.WORDS, hint=1)
