"""The family interview as people live it."""

import flows
from flows.reading import rows
from tests.flows import laws
from tests.flows.conftest import Teller

BEGIN = "Yes, let us begin. I am 18 or older"


def test_a_mother_tells_everything_and_sends(mother: Teller) -> None:
    mother.sees("a child who was taken away", "We cannot protect your phone", "The word “erase”")
    mother.taps(BEGIN)
    mother.sees("How do you know about the child?", "We do not ask your name.", "лелека берег")
    mother.taps("My family, or in my care")
    mother.taps("I do not know where")
    mother.sees("What is the child’s name?")
    mother.says("Zlata Vyhadana")
    mother.sees("How old was the child when taken?")
    mother.taps("8")
    mother.taps("Girl")
    mother.says("Зелене")
    mother.sees("Which of these places?")
    mother.taps("Зелене, Степовий raion, First oblast")
    mother.says("autumn 2022")
    mother.sees("Written down as: autumn 2022.", "photos of the child")
    first, second = mother.sends(album="a"), mother.sends(album="a")
    scan = mother.sends("document", caption="her certificate")
    mother.sees("files: 3")
    mother.taps("Done", "Yes", "Only the UN and the ICC", "Yes, only I see this phone")
    mother.sees("When there is an answer, may one word come from this bot: “Hello”?")
    mother.taps("Yes, 10–18 Kyiv time")
    mother.sees(
        "This is your message.",
        "<b>How known:</b> My family, or in my care",
        "<b>Name:</b> “Zlata Vyhadana”",
        "<b>Age:</b> 8",
        "<b>From where:</b> “Зелене” · Зелене, Степовий raion, First oblast",
        "<b>When:</b> “autumn 2022” · autumn 2022",
        "<b>Photos and files:</b> files: 3",
        "<b>For courts:</b> Only the UN and the ICC",
    )
    mother.taps("Send")
    assert mother.outcome == "send"

    content = flows.body(mother.interview)
    assert content["language"] == "en"
    assert content["consent"] == {"consent_text": 1}
    assert content["urgency"] == "normal"
    assert content["sharing"] == {"find": "yes", "courts": "un_icc"}
    assert content["answer_here"] == "chat"
    assert [file["id"] for file in content["files"]] == [first, second, scan]

    # An analyst reads it in another language than it was told in.
    read = {row.label: row for row in rows(content, laws.TEXTS["uk"])}
    assert read["Звідки відомо"].understood == "Це моя родина або під моєю опікою"
    assert read["Ім’я"].words == "Zlata Vyhadana"
    assert read["Коли"].words == "autumn 2022"
    assert read["Коли"].understood == "осінь 2022"
    assert read["Фото й файли"].files == (first, second, scan)
    assert read["Фото й файли"].words == "her certificate"


def test_a_grandmother_knows_almost_nothing(grandmother: Teller) -> None:
    grandmother.taps("Так, почнімо. Мені є 18", "Це моя родина або під моєю опікою", "Не знаю, де")
    grandmother.taps("Не знаю", "Не знаю", "Дівчинка", "Не знаю", "Не знаю", "Пропустити")
    grandmother.taps("Пропустити", "Пропустити", "Пропустити")
    grandmother.sees("«Сховати» прибирає все")
    grandmother.taps("Зрозуміло")
    grandmother.sees(
        "<b>Дівчинка чи хлопчик:</b> Дівчинка",
        "<b>Ім’я:</b> невідомо",
        "Щоб надіслати, досить чогось одного",
    )
    assert "Надіслати" not in grandmother.buttons()
    grandmother.taps("Змінити відповідь")
    grandmother.sees("Яку відповідь змінити?")
    grandmother.taps("Звідки")
    grandmother.says("інтернат біля річки")
    grandmother.taps("Надіслати")
    assert grandmother.outcome == "send"
    content = flows.body(grandmother.interview)
    assert content["sharing"] == {"find": "team_only", "courts": "team_only"}
    assert content["answer_here"] == "words"


def test_a_child_in_danger_is_told_of_in_seven_touches(mother: Teller) -> None:
    # Two more than counted here stand before the interview: /start and the language.
    mother.taps(BEGIN, "My family, or in my care", "About to be moved, or in danger")
    mother.sees("by voice")
    assert "Send now" not in mother.buttons()
    mother.says("They take the boys from the blue house tomorrow")
    mother.sees("We are not an emergency service.")
    mother.taps("Send now")
    assert mother.outcome == "send"
    content = flows.body(mother.interview)
    assert content["urgency"] == "critical"
    assert rows(content, laws.TEXTS["en"])[2].words == "They take the boys from the blue house tomorrow"


def test_a_voice_is_enough_in_danger_and_more_may_follow(mother: Teller) -> None:
    mother.taps(BEGIN, "My family, or in my care", "About to be moved, or in danger")
    mother.sends("voice")
    mother.taps("Add more")
    mother.says("Tymko")
    assert "Send now" in mother.buttons()


def test_not_now_ends_at_once_and_under_18_is_a_door(mother: Teller) -> None:
    mother.taps("Not now")
    assert mother.outcome == "not_now"
    mother.taps("I am under 18")
    assert mother.interview.form == "child"
    mother.sees("It is good that you wrote.")


def test_a_child_at_home_is_not_questioned_for_us(mother: Teller) -> None:
    mother.taps(BEGIN, "My family, or in my care", "Already home")
    mother.sees("Please do not question the child for us")
    mother.says("In May, with a volunteer")
    mother.says("Ostap")
    mother.taps("9", "I don’t know", "I don’t know")  # and neither girl or boy, nor a photo
    mother.sees("May we give this to investigators")  # and no question about a search


def test_a_child_not_yet_taken_is_asked_when_it_might_be(mother: Teller) -> None:
    mother.taps(BEGIN, "My family, or in my care", "Not taken yet")
    mother.says("Ostap")
    mother.sees("How old is the child?")
    mother.taps("9", "Boy")
    mother.sees("might the child be taken from")
    mother.taps("I don’t know")
    mother.sees("When might the child be taken?")
    mother.says("in summer")
    assert mother.interview.answers["when"].understood == {
        "edtf": "2027-22",
        "today": "2026-11-22",
        "unsure": True,
    }
    mother.sees("photos of the child")


def test_back_keeps_every_later_answer(mother: Teller) -> None:
    mother.taps(BEGIN, "My family, or in my care", "I do not know where")
    mother.says("Zlata")
    mother.taps("8", "Girl", "Back", "Back", "Back")
    mother.sees("What is the child’s name?", "Here now: “Zlata”")
    mother.says("Zlatka")
    mother.sees("Where was the child taken from?")  # the first open question, not the next one again
    mother.taps("Back", "Leave as it is")
    mother.sees("Where was the child taken from?")
    assert mother.interview.answers["age"].option == "8"


def test_an_edit_replaces_what_that_message_said(mother: Teller) -> None:
    mother.taps(BEGIN, "My family, or in my care", "I do not know where")
    name = mother.says("Zlta")
    age = mother.says("about 8")
    mother.edits(name, "Zlata")
    mother.sees("Changed.")
    mother.edits(age, "about 9")
    assert mother.interview.answers["name"].words == "Zlata"
    assert mother.interview.answers["age"].understood == {"age": 9, "about": True}
    mother.edits(7, "something of another day")
    mother.sees("can no longer be changed")


def test_an_edit_changes_a_typed_choice_and_a_typed_place(mother: Teller) -> None:
    mother.taps(BEGIN, "My family, or in my care", "I do not know where", "I don’t know", "I don’t know")
    sex = mother.says("girl")
    assert mother.interview.answers["sex"].option == "girl"
    mother.edits(sex, "boy")
    assert mother.interview.answers["sex"].option == "boy"
    mother.edits(sex, "twins, a boy and a girl")
    assert mother.interview.answers["sex"].option == ""
    place = mother.says("Зелене")
    mother.edits(place, "Тихе")
    assert (mother.interview.answers["place"].understood or {})["place"] == "P1"


def test_a_settlement_named_exactly_is_taken_and_shown(mother: Teller) -> None:
    mother.taps(
        BEGIN, "My family, or in my care", "I do not know where", "I don’t know", "I don’t know", "Girl"
    )
    mother.says("Тихе")
    mother.sees("Written down as: Тихе, Лісовий raion, First oblast.", "When was the child taken?")


def test_none_of_these_keeps_the_place_as_typed(mother: Teller) -> None:
    mother.taps(
        BEGIN, "My family, or in my care", "I do not know where", "I don’t know", "I don’t know", "Girl"
    )
    mother.says("Зелене")
    mother.says("near the Зелене mill")  # written more exactly: both are kept
    mother.taps("None of these")
    answer = mother.interview.answers["place"]
    assert answer.words == "Зелене\nnear the Зелене mill"
    assert answer.understood is None


def test_words_where_only_a_button_answers_are_kept(mother: Teller) -> None:
    mother.says("please help, they took my sister")
    mother.sees("Your words are kept.", "Here you can tell us")
    mother.taps(BEGIN, "My family, or in my care", "I know where")
    mother.says("Zlata")
    assert {row.words for row in rows(flows.body(mother.interview), laws.TEXTS["en"])} >= {
        "please help, they took my sister"
    }


def test_an_album_stays_together_though_the_next_question_stands(mother: Teller) -> None:
    mother.taps(BEGIN, "My family, or in my care", "I know where")
    first = mother.sends(caption="Zlata and her brother", album="a")
    mother.sees("How old was the child")  # the caption was the name
    second = mother.sends(album="a")
    mother.sees("Kept.", "How old was the child")
    assert [(file.id, file.slot) for file in mother.interview.files] == [(first, "name"), (second, "name")]


def test_files_can_be_taken_back_before_sending(mother: Teller) -> None:
    mother.taps(BEGIN, "My family, or in my care", "I know where")
    mother.says("Zlata")
    mother.taps("8", "Girl", "I don’t know", "I don’t know")
    mother.sends()
    card = mother.interview.revision
    mother.taps("Take the files back")
    assert not mother.interview.files
    mother.sends()
    mother.does(flows.Tapped(card, "clear"))  # the same button, tapped twice
    mother.sees("That button no longer works")
    assert len(mother.interview.files) == 1


def test_a_forwarded_text_answers_nothing_and_is_kept(mother: Teller) -> None:
    mother.taps(BEGIN, "My family, or in my care", "I know where")
    mother.says("A post of some channel about a camp", forwarded=True)
    mother.sees("Kept.", "What is the child’s name?")
    mother.says("Zlata")
    assert ("Name, forwarded", "A post of some channel about a camp") in {
        (row.label, row.words) for row in rows(flows.body(mother.interview), laws.TEXTS["en"])
    }


def test_a_family_point_is_kept_as_coarse_as_a_settlement(mother: Teller) -> None:
    mother.taps(BEGIN, "My family, or in my care", "I know where")
    mother.does(flows.Located(46.63541, 32.61692, 5))
    mother.says("Zlata")
    mother.taps("8", "Girl")
    mother.does(flows.Located(46.63541, 32.61692, 6))
    content = flows.body(mother.interview)
    assert "46.63" not in str(content)
    assert [entry["understood"] for entry in content["beside"]] == [{"point": [46.6, 32.6]}]
    kept = mother.interview.answers["place"].understood or {}
    assert kept["place"] == "P1"  # the nearest settlement, and no point of the house
    assert "point" not in kept


def test_hide_and_erase_work_in_words_at_any_moment(grandmother: Teller) -> None:
    grandmother.taps("Так, почнімо. Мені є 18")
    for word, outcome in (("Стерти!", "erase"), ("сховати", "hide"), ("/erase", "erase"), ("Скрыть", "hide")):
        grandmother.says(word)
        assert grandmother.outcome == outcome


def test_language_can_change_without_losing_an_answer(mother: Teller) -> None:
    mother.taps(BEGIN, "My family, or in my care", "I know where")
    mother.says("Zlata")
    mother.interview = flows.in_language(mother.interview, "uk", resume="лелека берег")
    mother.sees("Скільки років було дитині")
    assert mother.interview.answers["name"].words == "Zlata"


def test_words_from_before_the_interview_belong_to_it() -> None:
    interview = flows.begin("en", before=("they took her yesterday",))
    for button in ("o.adult", "o.family", "o.known"):
        interview = laws.take(interview, flows.Tapped(interview.revision, button)).interview
    interview = laws.take(interview, flows.Said("Zlata", 1)).interview
    assert flows.body(interview)["beside"] == [
        {"step": "before", "label": "label.before", "words": ["they took her yesterday"]}
    ]


def test_what_must_be_read_stands_under_any_notice(grandmother: Teller) -> None:
    grandmother.interview = flows.begin("uk", resume="лелека берег")
    grandmother.taps("Так, почнімо. Мені є 18")
    grandmother.says("а можна голосом?")
    grandmother.sees("Слова збережено", "сюди: лелека берег")
    grandmother.taps("Це моя родина або під моєю опікою", "Не знаю, де", "Не знаю", "8", "Хлопчик", "Не знаю")
    grandmother.says("осінь 2022")
    grandmother.sees("Записано так: осінь 2022", "Нового не фотографуйте й не шукайте")


def test_of_a_child_in_danger_nobody_is_asked_as_if_it_were_taken(grandmother: Teller) -> None:
    grandmother.taps("Так, почнімо. Мені є 18", "Це моя родина або під моєю опікою")
    grandmother.taps("Скоро повезуть або в небезпеці")
    grandmother.says("завтра вранці, автобусом")
    grandmother.sees("Ми не екстрена служба", "в Україні з українського номера 102")
    grandmother.taps("Додати ще", "Не знаю")
    grandmother.sees("Скільки дитині років?")
    grandmother.taps("8", "Хлопчик")
    grandmother.sees("Звідки дитину вивезли або можуть вивезти?")
    grandmother.taps("Не знаю")
    grandmother.sees("Коли дитину вивезли або можуть вивезти?")
