"""What follows in the same sitting: a few questions, the headings, sharing decided later; it joins what was sent."""

import flows
from flows.interview import Interview
from tests.flows import laws
from tests.flows.conftest import Teller, says_of, teller


def witness_in_ukrainian(teller: Teller) -> None:
    teller.taps("Так, почнімо. Мені є 18", "Це було при мені", "Було раніше")
    teller.says("Тихе")
    teller.sends()
    teller.taps("Готово", "3", "Надіслати")
    teller.goes_on()


@teller("uk")
def test_a_witness_decides_about_sharing_once_it_is_safe(uncle: Teller) -> None:
    witness_in_ukrainian(uncle)
    uncle.sees("Чи можна відповісти вам у цьому чаті?")
    assert "Назад" not in uncle.buttons()  # what is sent cannot be gone back to
    uncle.taps("Ні, прийду зі словами", "Зрозуміло", "Так", "Лише ООН і суду в Гаазі")
    uncle.sees("Це приєднається до надісланого.")
    uncle.sees_not("файлів")
    uncle.taps("Надіслати")
    assert uncle.outcome == "send"
    content = flows.body(uncle.interview)
    assert content["addition"] is True
    assert content["sharing"] == {"find": "yes", "courts": "un_icc"}
    assert content["answer_here"] == "words"
    assert [entry["step"] for entry in content["answers"]] == ["answer", "find", "courts"]


@teller("uk")
def test_only_what_is_new_is_said_of_sharing(uncle: Teller) -> None:
    witness_in_ukrainian(uncle)
    uncle.taps("Пропустити", "Зрозуміло", "Пропустити", "Ні", "Надіслати")
    content = flows.body(uncle.interview)
    assert content["sharing"] == {"courts": "no"}
    assert "answer_here" not in content


@teller("uk")
def test_a_witness_tells_the_day_and_the_journey(uncle: Teller) -> None:
    witness_in_ukrainian(uncle)
    uncle.taps("Пропустити", "Зрозуміло", "Пропустити", "Пропустити")
    # Nothing was added: there is nothing to send, and the headings stand at once.
    assert "Надіслати" not in uncle.buttons()
    uncle.taps("Дорога")
    uncle.says("восени 22-го")
    uncle.taps("До повідомлення")
    uncle.sees("«восени 22-го» · осінь 2022")
    uncle.taps("Надіслати")
    content = flows.body(uncle.interview)
    assert says_of(content, "day")["understood"]["edtf"] == "2022-23"
    assert content["urgency"] == "normal"


@teller("uk")
def test_an_organisation_is_offered_by_its_published_name_and_never_taken_without_a_tap(
    uncle: Teller,
) -> None:
    witness_in_ukrainian(uncle)
    uncle.taps("Пропустити", "Зрозуміло", "Пропустити", "Пропустити", "Люди й написи")
    uncle.says("люди, казали: Табір Тихий")
    uncle.sees("Може, йдеться про цю організацію?")
    uncle.taps("Табір Тихий", "До повідомлення", "Надіслати")
    told = says_of(flows.body(uncle.interview), "takers")
    assert told["words"] == ["люди, казали: Табір Тихий"]
    assert told["understood"]["organisation"] == "invented"
    uncle.goes_on()
    uncle.taps("Люди й написи")
    uncle.says("двоє в цивільному")  # nobody's name: no question about it
    uncle.sees_not("організацію")


@teller("ru")
def test_an_insider_is_offered_the_court_in_the_hague_first(clerk: Teller) -> None:
    clerk.taps("Да, начнём. Мне есть 18", "Знаю с работы или есть документ", "Понятно, дальше")
    clerk.taps("То, что знаю, словами")
    clerk.says("Приказ о поездке")
    clerk.taps("Не знаю", "Не знаю", "Не знаю", "Отправить")
    clerk.goes_on()
    assert next(iter(clerk.buttons())) == "Только ООН и суду в Гааге"
    clerk.taps("Только ООН и суду в Гааге", "Да, телефон вижу только я", "Да, 10–18 по Киеву", "Нет")
    clerk.taps("Отправить")
    assert flows.body(clerk.interview)["sharing"] == {"courts": "un_icc", "find": "no"}


@teller("en")
def test_a_mother_adds_another_child_with_all_that_is_common(mother: Teller) -> None:
    mother.taps("Yes, let us begin. I am 18 or older", "My family, or in my care", "I do not know where")
    mother.says("Zlata")
    mother.taps(
        "8", "Girl", "I don’t know", "I don’t know", "Skip", "Skip", "Skip", "Skip", "I have read this"
    )
    mother.taps("Send")
    mother.goes_on()
    mother.taps("One more child")
    mother.says("Ostap")
    mother.taps("9", "Boy", "Skip", "No, that is all")
    mother.sees("<b>Name (2):</b> “Ostap”")
    mother.taps("Send")
    content = flows.body(mother.interview)
    assert [(entry["step"], entry["turn"]) for entry in content["answers"]] == [
        (step, 2) for step in ("name", "age", "sex", "photo")
    ]


@teller("en")
def test_vital_medicine_told_later_raises_the_class(mother: Teller) -> None:
    mother.taps("Yes, let us begin. I am 18 or older", "My family, or in my care", "I do not know where")
    mother.says("Zlata")
    mother.skips_to_the_review()
    assert flows.body(mother.interview)["urgency"] == "normal"
    mother.taps("Add more", "The child", "Skip", "Skip", "Skip", "Skip", "Yes, cannot do without it")
    mother.taps("To the message")
    assert flows.body(mother.interview)["urgency"] == "high"


def test_a_child_and_who_adds_are_asked_nothing_more() -> None:
    for way in (("o.minor", "o.taken", "skip", "o.words"), ("o.adult", "o.sent_before")):
        interview = flows.begin("uk")
        for button in way:
            interview = laws.take(interview, flows.Tapped(interview.revision, button)).interview
        interview = laws.take(interview, flows.Said("ще слово", 1)).interview
        assert flows.can_send(interview)
        assert flows.once_sent(interview) is None


def test_what_follows_remembers_buttons_and_no_word() -> None:
    interview = flows.begin("uk", resume="лелека берег")
    for given in (
        flows.Tapped(0, "o.adult"),
        flows.Tapped(1, "o.saw"),
        flows.Tapped(2, "o.earlier"),
        flows.Said("Тихе, біля млина", 1),
        flows.Sent("file-1", "photo", 2, caption="під’їзд"),
    ):
        interview = laws.take(interview, given).interview
    following = flows.once_sent(interview)
    assert following is not None
    assert following.context == {"consent": "adult", "know": "saw", "when": "earlier"}
    kept = str(following.to_json())
    assert "млин" not in kept
    assert "під’їзд" not in kept
    assert "file-1" not in kept
    assert Interview.from_json(following.to_json()) == following
