"""The family form's version 1, kept as it was so that what was sent with it stays readable: never changed.

Every kind of *how do you know* went through this core; the kind is recorded.
"""

from flows.form import Condition, Fact, Form, Kind, Option, Step, chosen, given, not_chosen

_YES = ("так", "yes", "да", "ок", "ok")
_NO = ("ні", "no", "нет", "не")

_OPENING = (
    Step(
        "consent",
        Kind.TAP,
        options=(
            Option("adult"),
            Option("minor", outcome="under_18"),
            Option("later", outcome="not_now"),
        ),
        skip="",
        hint=2,
        whole=True,
        told=False,  # recorded apart, with the version of the text
        plain=True,
    ),
    Step(
        "know",
        Kind.TAP,
        options=tuple(map(Option, ("family", "self", "saw", "heard", "work", "with_me"))),
        skip="",
        hint=1,
        resume=True,
    ),
    Step(
        "where",
        Kind.TAP,
        options=tuple(map(Option, ("danger", "known", "unknown", "home", "not_yet"))),
        skip="",
    ),
)

_URGENT = (
    Step("urgent", Kind.WORDS, when=(chosen("where", "danger"),), hint=1),
    Step(
        "urgent_next",
        Kind.TAP,
        options=(Option("more"),),
        skip="",
        when=(chosen("where", "danger"), given("urgent")),
        hint=1,
        whole=True,
        told=False,
    ),
)

_AGES = tuple(Option(str(age), literal=str(age), means=(("age", age),)) for age in range(1, 18))

_CHILD = (
    Step(
        "name",
        Kind.WORDS,
        skip="unknown",
        variants=((chosen("where", "home"), "ask.name.home"),),
        hint=2,
    ),
    Step(
        "age",
        Kind.AGE,
        options=(Option("0", means=(("age", 0),)), *_AGES),
        columns=6,
        skip="unknown",
        variants=((chosen("where", "not_yet", "danger"), "ask.age.not_yet"),),
        hint=1,
    ),
    Step(
        "sex",
        Kind.CHOICE,
        options=(
            Option("girl", said=("дівчинка", "дівчина", "girl", "female", "девочка", "дзяўчынка")),
            Option("boy", said=("хлопчик", "хлопець", "boy", "male", "мальчик", "хлопчык")),
        ),
        columns=2,
        skip="unknown",
    ),
    Step(
        "place",
        Kind.PLACE,
        skip="unknown",
        variants=(
            (chosen("where", "not_yet"), "ask.place.not_yet"),
            (chosen("where", "danger"), "ask.place.danger"),
        ),
        hint=1,
    ),
    Step(
        "when",
        Kind.DATE,
        skip="unknown",
        when=(not_chosen("where", "not_yet"),),
        variants=((chosen("where", "danger"), "ask.when.danger"),),
        hint=1,
    ),
    # Who knows from work is invited to send nothing before «can this copy be traced to you?» can be asked.
    Step("photo", Kind.FILES, when=(not_chosen("know", "work"),), hint=1),
)

_SHARING = (
    Step(
        "find",
        Kind.CHOICE,
        options=(Option("yes", said=_YES), Option("ask"), Option("no", said=_NO)),
        when=(not_chosen("where", "home"),),
        hint=2,
        whole=True,
    ),
    Step(
        "courts",
        Kind.CHOICE,
        options=(Option("all"), Option("un_icc"), Option("ask"), Option("no", said=_NO)),
        hint=2,
        whole=True,
    ),
    Step("answer", Kind.CHOICE, options=(Option("chat"), Option("words")), hint=1, whole=True),
    Step(
        "safety",
        Kind.TAP,
        options=(Option("seen"),),
        skip="",
        when=(not_chosen("answer", "chat"),),
        hint=2,
        whole=True,
        told=False,
    ),
)

_ANY_FILE = Condition(Fact.FILE)
_ANY_WORDS = Condition(Fact.SAID)

FAMILY_1 = Form(
    name="family",
    version=1,
    consent=1,
    steps=(*_OPENING, *_URGENT, *_CHILD, *_SHARING, Step("review", Kind.REVIEW, skip="", told=False)),
    needs=(chosen("consent", "adult"), given("know")),
    # FORMS.md, send rule: name · photo, voice, file · age or sex + place · facility + date · link.
    send=(
        (given("name"),),
        (_ANY_FILE,),
        (given("age"), given("place")),
        (given("sex"), given("place")),
        (Condition(Fact.TYPED, "place"), given("when")),
        (Condition(Fact.LINK),),
    ),
    send_critical=((_ANY_WORDS,),),
    # TRIAGE.md, urgency: what this core can tell.
    urgency=(
        (chosen("where", "danger"), "critical"),
        (chosen("where", "known"), "high"),
        (Condition(Fact.RECENT, "when", days=30), "high"),
        (Condition(Fact.ADULT_SOON, "age", days=90), "high"),
    ),
    sharing=("find", "courts"),
    answer_here="answer",
    point_decimals=1,
)
