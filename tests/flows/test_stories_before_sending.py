"""Each kind of person tells what they know, as they live it, each in a language of their own."""

import flows
from tests.flows.conftest import Teller, says_of, teller


@teller("uk")
def test_a_witness_sends_three_photos_and_goes(uncle: Teller) -> None:
    uncle.taps("Так, почнімо. Мені є 18", "Це було при мені", "Було раніше")
    uncle.shares(47.00012, 33.00034)
    uncle.sees("поблизу: Тихе, Лісовий район")
    for _ in range(3):
        uncle.sends()
    uncle.taps("Готово", "3", "Надіслати")
    # /start and the language stand before the interview; the words then given are the receipt.
    assert 2 + uncle.turns <= 12
    content = flows.body(uncle.interview)
    assert (content["form"], content["urgency"], len(content["files"])) == ("witness", "normal", 3)
    assert says_of(content, "site")["understood"]["point"] == [47.00012, 33.00034]
    assert content["sharing"] == {"find": "team_only", "courts": "team_only"}


@teller("ru")
def test_whoever_sees_it_happen_sends_a_few_words_at_once(passer_by: Teller) -> None:
    passer_by.taps("Да, начнём. Мне есть 18", "Это было при мне", "Происходит сейчас")
    assert "Отправить сейчас" not in passer_by.buttons()
    passer_by.says("Четыре автобуса с детьми у вокзала, номера не местные")
    passer_by.taps("Отправить сейчас")
    assert passer_by.outcome == "send"
    assert 2 + passer_by.turns <= 7
    assert flows.body(passer_by.interview)["urgency"] == "critical"


@teller("uk")
def test_a_journey_of_tomorrow_cannot_wait(neighbour: Teller) -> None:
    neighbour.taps("Так, почнімо. Мені є 18", "Знаю від інших")
    neighbour.says("завтра")
    neighbour.sees("Записано так: 23")
    assert flows.urgency(neighbour.interview) == "critical"
    neighbour.taps("Надіслати зараз")
    assert neighbour.outcome == "send"
    assert says_of(flows.body(neighbour.interview), "when")["understood"]["edtf"] == "2026-11-23"


@teller("en")
def test_a_date_that_is_not_sure_says_perhaps(aunt: Teller) -> None:
    aunt.taps("Yes, let us begin. I am 18 or older", "My family, or in my care", "I do not know where")
    aunt.taps(*["I don’t know"] * 4)
    aunt.says("maybe in summer")
    assert (aunt.interview.answers["when"].understood or {}).get("unsure") is True
    aunt.sees("perhaps")
    assert aunt.screen().casefold().count("perhaps") == 1


@teller("ru")
def test_an_insider_describes_and_is_invited_to_send_nothing(clerk: Teller) -> None:
    clerk.taps("Да, начнём. Мне есть 18", "Знаю с работы или есть документ")
    clerk.sees("не с рабочего", "Голос можно узнать")
    clerk.taps("Понятно, дальше", "Документ")
    clerk.sees("видно ли по этой копии, что она от вас?")
    clerk.taps("Опишу словами")
    clerk.says("Приказ о поездке сорока детей")
    clerk.says("Зелене")
    clerk.taps("Зелене, Лісовий район, Перша область", "Продолжается до сих пор", "21–50", "Отправить")
    assert clerk.outcome == "send"
    content = flows.body(clerk.interview)
    assert (content["form"], content["urgency"], content["files"]) == ("insider", "high", [])
    assert says_of(content, "traceable")["option"] == "describe"


@teller("uk")
def test_an_insider_who_waits_is_asked_for_no_paper_and_may_change_that(nurse: Teller) -> None:
    nurse.taps("Так, почнімо. Мені є 18", "Знаю з роботи або маю документ", "Зрозуміло, далі", "Документ")
    nurse.taps("Не зараз")
    nurse.sees("Про яке місце йдеться?")
    nurse.says("табір Тихий")
    nurse.taps("Табір Тихий", "Не знаю", "Не знаю")
    nurse.sees("Щоб надіслати, досить чогось одного")
    nurse.taps("Змінити відповідь", "Чи вкаже копія на вас", "Ні, за нею мене не впізнати")
    nurse.sends("document")
    nurse.taps("Готово", "Надіслати")
    assert nurse.outcome == "send"
    content = flows.body(nurse.interview)
    assert says_of(content, "site")["understood"]["facility"] == "invented"
    assert len(says_of(content, "document")["files"]) == 1


@teller("be")
def test_a_teacher_sends_a_list_and_what_is_common_once(teacher: Teller) -> None:
    teacher.taps("Так, пачнём. Мне ёсць 18", "Дзіця з маёй сям’і або пад маёй апекай", "Не ведаю, дзе")
    teacher.taps("Маю спіс дзяцей")
    teacher.sends("document")
    teacher.says("Остап Выдуманы, 9\nЗлата Выдуманая, 7")
    teacher.taps("Гатова", "2")
    teacher.sees("Адкуль гэтыя дзеці?")  # and neither an age nor a photo of one child
    teacher.says("Тихе")
    teacher.says("восень 2022")
    teacher.sees("Каб знайсці дзіця")
    teacher.taps("Так", "Так, усім", "Не, прыйду са словамі", "Зразумела", "Адправіць")
    content = flows.body(teacher.interview)
    assert says_of(content, "list")["words"] == ["Остап Выдуманы, 9\nЗлата Выдуманая, 7"]
    assert says_of(content, "when")["understood"]["edtf"] == "2022-23"
    assert {entry["step"] for entry in content["answers"]}.isdisjoint({"age", "sex", "photo"})


@teller("en")
def test_who_was_the_child_is_spoken_to_as_the_child(grown: Teller) -> None:
    grown.taps("Yes, let us begin. I am 18 or older", "I was the child taken", "In another safe place")
    grown.says("Ostap")
    grown.sees("How old were you when you were taken?")
    grown.taps("12", "Boy")
    grown.says("Тихе")
    grown.says("in 2022")
    grown.sees("To find your family")  # and no photo was asked
    grown.taps("Yes", "Yes, all", "Yes, only I see this phone", "Yes, 10–18 Kyiv time", "Send")
    assert grown.outcome == "send"
    assert flows.body(grown.interview)["form"] == "self"


@teller("uk")
def test_a_child_comes_to_a_door(child: Teller) -> None:
    child.taps("Мені ще немає 18")
    child.sees("Добре, що ти пишеш.", "116 111")
    child.taps("Мене вивезли")
    child.says("мене відвезли в табір, хочу додому")
    child.taps("Ні, прийду зі словами", "Надіслати")
    assert child.outcome == "send"
    content = flows.body(child.interview)
    assert (content["form"], content["urgency"], content["answer_here"]) == ("child", "critical", "words")
    assert content["sharing"] == {}
    assert [entry["step"] for entry in content["answers"]] == ["door", "tell", "safe_answer"]


@teller("be")
def test_a_child_may_send_without_a_word_or_leave_nothing(child: Teller) -> None:
    child.taps("Мне яшчэ няма 18", "Хачу сказаць пра іншае дзіця", "Прапусціць")
    child.taps("Не, прыйду са словамі", "Адправіць")
    assert flows.body(child.interview)["urgency"] == "high"
    child.taps("Назад", "Назад", "Назад", "Прыбраць чат")
    assert child.outcome == "erase"


@teller("ru")
def test_whom_a_child_is_with_is_kept_safe_first(host: Teller) -> None:
    host.taps("Да, начнём. Мне есть 18", "Ребёнок сейчас со мной")
    host.sees("Адреса не пишите")
    host.taps("Понятно, дальше")
    host.says("Златка")
    host.taps("8", "Девочка")
    host.sees("Расспрашивать ребёнка не нужно.")
    host.taps("Не знаю", "Не знаю", "Пропустить", "Сначала спросите меня")
    host.taps("Нет", "Нет, приду со словами", "Понятно", "Отправить")
    content = flows.body(host.interview)
    assert (content["form"], content["urgency"]) == ("with_me", "high")
    assert content["sharing"] == {"find": "ask", "courts": "no"}


@teller("en")
def test_who_wrote_before_adds_what_came_since(again: Teller) -> None:
    again.taps("Yes, let us begin. I am 18 or older", "I want to add to what I sent before")
    again.says("They were seen near the lake")
    again.sends()
    again.taps("Done", "Send")
    assert again.outcome == "send"
    content = flows.body(again.interview)
    assert content["form"] == "later"
    assert says_of(content, "add")["words"] == ["They were seen near the lake"]
    assert len(content["files"]) == 1


@teller("uk")
def test_going_back_to_another_form_loses_no_word(mother: Teller) -> None:
    mother.taps("Так, почнімо. Мені є 18", "Це моя родина або під моєю опікою", "Не знаю, де")
    mother.says("Злата Вигадана")
    mother.sends(caption="це її подруга")
    mother.taps(*["Назад"] * 4, "Це було при мені")
    assert mother.interview.form == "witness"
    mother.taps("Було раніше", "Не знаю", "Далі", "1")
    mother.sees("Злата Вигадана", "це її подруга")
    content = flows.body(mother.interview)
    assert "Злата Вигадана" in str(content["beside"])
    mother.taps(*["Назад"] * 5, "Це моя родина або під моєю опікою")
    assert mother.interview.form == "family"
    assert mother.interview.answers["name"].words == "Злата Вигадана"  # it answers again


@teller("ru")
def test_a_child_who_was_no_child_goes_on_as_an_adult(grown: Teller) -> None:
    grown.taps("Мне ещё нет 18", "Назад", "Да, начнём. Мне есть 18", "Меня вывезли ребёнком")
    assert grown.interview.form == "self"
    assert grown.interview.answers["consent"].understood == {"consent_text": 1}


@teller("uk")
def test_a_point_at_a_station_answers_and_its_name_is_kept(uncle: Teller) -> None:
    uncle.taps("Так, почнімо. Мені є 18", "Це було при мені", "Було раніше")
    uncle.shares(47.0, 33.0, name="Вокзал Тихе\nвул. Лісова, 1")
    place = uncle.interview.answers["site"]
    assert place.words == "Вокзал Тихе\nвул. Лісова, 1"
    assert (place.understood or {})["place"] == "P1"
    uncle.taps("Далі", "1")
    uncle.shares(47.0, 33.0, name="Інше місце")  # unasked: kept beside
    uncle.sees("Інше місце")
    # Far from every settlement a point is still a point.
    uncle.taps("Змінити відповідь", "Місце")
    uncle.shares(10.0, 10.0)
    assert uncle.interview.answers["site"].understood == {"point": [10.0, 10.0]}


@teller("be")
def test_another_persons_contact_is_a_claim_and_no_answer(mother: Teller) -> None:
    mother.taps("Так, пачнём. Мне ёсць 18", "Дзіця з маёй сям’і або пад маёй апекай", "Ведаю, дзе")
    mother.does(flows.Claimed("contact", "Алесь\n+375 00 000 00 00", 70))
    mother.sees("Як завуць дзіця?")
    mother.says("Злата")
    entry = flows.body(mother.interview)["beside"][0]
    assert (entry["claim"], entry["words"]) == ("contact", ["Алесь\n+375 00 000 00 00"])


@teller("en")
def test_a_reply_to_an_older_message_belongs_there(mother: Teller) -> None:
    mother.taps("Yes, let us begin. I am 18 or older", "My family, or in my care", "I know where")
    name = mother.says("Zlata")
    mother.does(flows.Said("her surname is Vyhadana", 71, reply_to=name))
    mother.sees("How old was the child")
    beside = flows.body(mother.interview)["beside"]
    assert [(entry["step"], entry["words"]) for entry in beside] == [("name", ["her surname is Vyhadana"])]
