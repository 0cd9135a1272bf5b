"""Plain words of four languages act or ask at any moment; answers of people are never taken for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.words import asked_for, command_of


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("СХОВАЙ!", "hide"),
        ("спрячь", "hide"),
        ("схавайце.", "hide"),
        ("сховать", "hide"),  # surzhyk
        ("спрятати", "hide"),
        ("схавать", "hide"),  # trasianka
        ("стерти все", "erase"),
        ("Стереть всё", "erase"),
        ("сцерці ўсё", "erase"),
        ("сотрите", "erase"),
        ("сьцерці", "erase"),
        ("зотри", "erase"),
        ("erase\u00a0 everything", "erase"),
        ("\u200b/ERASE@dodomu_bot now", "erase"),
        ("/start", "start"),
    ],
)
def test_commands_in_the_speech_of_people(text: str, command: str) -> None:
    assert command_of(text) == command
    assert asked_for(text) is None


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Допомога", "help"),
        ("помощь!", "help"),
        ("Дапамога", "help"),
        ("памажыце", "help"),
        ("помогіть", "help"),
        ("Help…", "help"),
        ("/help", "help"),
        ("мову", "language"),
        ("Інша мова", "language"),
        ("язык", "language"),
        ("іншая мова", "language"),
        ("поміняти язик", "language"),
        ("change language", "language"),
        ("/language@dodomu_bot", "language"),
        ("слова", "words"),
        ("мои слова", "words"),
        ("сем слоў", "words"),
        ("words", "words"),
        ("/words", "words"),
    ],
)
def test_what_people_ask_for(text: str, asked: str) -> None:
    assert asked_for(text) == asked
    assert command_of(text) is None


@pytest.mark.parametrize(
    "answer",
    [
        *("Оля", "Слава Мовчан", "Надія", "Вера", "Воля", "Стас", "Мова", "Слово", "Хованець"),
        *("українська", "русский", "беларуская", "English", "мова жестів"),  # languages of a child
        *("не знаю", "невідомо", "няма", "так", "ні", "8", "2014", "восени 22-го"),
        *(
            "стерли номер",
            "сховали в підвалі",
            "просив допомоги",
            "помогла сусідка",
            "they hide the children",
        ),
        *("стерти\nсховати", "/", "//erase", "erase/", "/erased", "", " ", "…", "hide" + " " * 5000),
    ],
)
def test_an_answer_is_no_command(answer: str) -> None:
    assert command_of(answer) is None
    assert asked_for(answer) is None


@given(st.text())
def test_any_text_is_taken_as_at_most_one_thing(text: str) -> None:
    assert command_of(text) is None or asked_for(text) is None
