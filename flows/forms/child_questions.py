"""The questions about one child that several forms ask: name, age, girl or boy, from where, when, photos."""

from flows.form import Condition, Fact, Kind, Option, Step, chosen, given

_AGES = tuple(Option(str(age), literal=str(age), means=(("age", age),)) for age in range(1, 18))
_NUMBERS = tuple(
    Option(str(number), literal=str(number), said=(str(number),), means=(("count", number),))
    for number in range(1, 11)
)
_RANGES = tuple(Option(key, literal=key) for key in ("11–20", "21–50", "50+"))

NAME = Step("name", Kind.WORDS, ask="ask.name.child", skip="unknown", hint=2)
AGE = Step(
    "age",
    Kind.AGE,
    options=(Option("0", means=(("age", 0),)), *_AGES),
    columns=6,
    skip="unknown",
    hint=1,
)
SEX = Step(
    "sex",
    Kind.CHOICE,
    options=(
        Option("girl", said=("дівчинка", "дівчина", "girl", "female", "девочка", "девушка", "дзяўчынка")),
        Option("boy", said=("хлопчик", "хлопець", "boy", "male", "мальчик", "парень", "хлопчык", "хлопец")),
    ),
    columns=2,
    skip="unknown",
)
PLACE = Step("place", Kind.PLACE, skip="unknown", hint=1)
# Whoever was not the family may know any place on the way, not only where it began.
SITE = Step("site", Kind.PLACE, skip="unknown", hint=1, anywhere=True)
WHEN = Step("when", Kind.DATE, skip="unknown", hint=1, ahead=(chosen("where", "danger", "not_yet"),))
PHOTO = Step("photo", Kind.FILES, ask="ask.photo.child", hint=2)
HOW_MANY = Step(
    "how_many",
    Kind.CHOICE,
    options=(*_NUMBERS, *_RANGES),
    columns=5,
    skip="unknown",
    hint=1,
)

ANY_FILE = Condition(Fact.FILE)
ANY_WORDS = Condition(Fact.SAID)
ANY_LINK = Condition(Fact.LINK)
FACILITY = Condition(Fact.TYPED, "place")
SITE_IS_FACILITY = Condition(Fact.TYPED, "site")

# TRIAGE.md, high, as far as the headings can tell: vital medicine; guardianship, adoption or citizenship under
# way; a closed institution.
VITAL_MEDICINE = chosen("medical", "vital")
NEW_FAMILY = chosen("now", "guardianship", "adoption", "citizenship")
CLOSED = chosen("stay", "closed")

# FORMS.md, send rule: name · photo, voice, file · age or sex + place · facility + date · link.
ENOUGH_BESIDE_NAME = (
    (ANY_FILE,),
    (given("age"), given("place")),
    (given("sex"), given("place")),
    (FACILITY, given("when")),
    (ANY_LINK,),
)
ENOUGH = ((given("name"),), *ENOUGH_BESIDE_NAME)
