"""The Belarusian texts keep the orthography of 2008, speak to a child as to a child, and tell nobody's gender."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from flows import forms
from locales.catalogues import parse, source

DOMAINS = ("forms", "bot")
LETTERS = "абвгдеёжзійклмнопрстуўфхцчшыьэюя’"
VOWELS = "аеёіоуыэюя"
# Greets in Ukrainian and English, the same bytes for all.
OF_ALL_LANGUAGES = {"greeting"}
# Buttons and labels are short and end without a stop.
SHORT = 40
STOPS = (".", "?", ":", "…")

CYRILLIC_WORD = re.compile(r"[А-яЁёІіЎўЇїЄєҐґ’ʼ'`]+")
# Taraškievica writes softness before a soft consonant: сьнег, зьмена, цьвёрды, пяцьдзясят stays out of reach.
SOFTENED = re.compile(
    r"(?:сь|зь)(?=[внлпфдзс])|\b(?:сь|зь)(?=м)|(?:сь|зь)ц(?!е\b)|(?:дзь|ць)в|нь(?=[нсц]\w)|ль(?=л)|ццьц"
)
# These four are hard for ever, and д and т became дз and ц: «адзін», never «один» or «адин».
NEVER_SOFT = re.compile(r"[дтрчшж][еёіюяь]|[жшчрц]и")
GENDERED = re.compile(
    r"\b(?:я |сам\b|сама\b|бачыў|чуў|быў\b|была\b|згод[нз]|гатовы\b|[уў]пэўнен)|(?:і|а|ы|у)ла\b",
    re.IGNORECASE,
)
FORMAL = re.compile(r"\b(?:вы|вас|вам|вамі|ваш\w*|\w{2,}(?:і|ы|й|ь)це)\b", re.IGNORECASE)


def catalogue(lang: str) -> dict[str, str]:
    return {
        str(message.id): str(message.string)
        for domain in DOMAINS
        for message in parse(source(lang, domain))
        if message.id and message.string
    }


BE = {key: text for key, text in catalogue("be").items() if key not in OF_ALL_LANGUAGES}
EN = catalogue("en")


def words() -> Iterator[tuple[str, str]]:
    for key, text in BE.items():
        for word in CYRILLIC_WORD.findall(re.sub(r"\{\w+\}", " ", text)):
            yield key, word


def test_letters_are_belarusian() -> None:
    for key, word in words():
        assert set(word.casefold()) <= set(LETTERS), (key, word)


def test_softness_is_written_as_in_2008() -> None:
    for key, word in words():
        assert not SOFTENED.search(word.casefold()), (key, word)
        assert not NEVER_SOFT.search(word.casefold()), (key, word)


@pytest.mark.parametrize(
    ("other", "official"),
    [
        ("сьнег", "снег"),
        ("сьвята", "свята"),
        ("зьмена", "змена"),
        ("цьвёрды", "цвёрды"),
        ("мядзьведзь", "мядзведзь"),
        ("ёсьць", "ёсць"),
        ("зьнікла", "знікла"),
        ("пытаньне", "пытанне"),
    ],
)
def test_taraskievica_is_told_from_the_official(other: str, official: str) -> None:
    assert SOFTENED.search(other)
    assert not SOFTENED.search(official)


@pytest.mark.parametrize(
    "word", ["дзецьмі", "людзьмі", "прыходзьце", "возьме", "просьба", "восьмы", "вельмі"]
)
def test_softness_that_both_write_stays(word: str) -> None:
    assert not SOFTENED.search(word)


def test_u_is_short_after_a_vowel_and_only_there() -> None:
    for key, text in BE.items():
        for found in re.finditer(r"\b([уў])\w*", text):
            before = text[: found.start()]
            after_vowel = len(before) > 1 and before[-1] in " -" and before[-2].casefold() in VOWELS
            assert (found.group(1) == "ў") == after_vowel, (key, before[-12:] + found.group())
        # Names keep their capital: «ва Украіне», «паліцыя Украіны»; a short capital begins no sentence.
        assert "Ў" not in text, key


def test_u_is_short_inside_a_word_after_a_vowel_and_only_there() -> None:
    for key, word in words():
        assert not re.search(rf"[^{VOWELS}]ў|[{VOWELS}]у", word.casefold()[1:]), (key, word)


def test_ukraine_is_named_as_belarusian_names_it() -> None:
    for key, text in BE.items():
        assert not re.search(r"\b[НнУуў]а? Украін[еу]", text), (key, text)
        assert not re.search(r"Бел[ао]русс?і[яю]", text), (key, text)


def test_short_texts_tell_nobodys_gender() -> None:
    for key, text in BE.items():
        if len(text) <= SHORT and not text.endswith(STOPS):
            assert not GENDERED.search(text), (key, text)


@pytest.mark.parametrize(
    "said", ["Я бачыў гэта", "Бачыла на свае вочы", "Згодна", "Гатовы", "Прыйду сама", "Чуў"]
)
def test_gender_would_be_seen(said: str) -> None:
    assert GENDERED.search(said)


def test_a_child_is_spoken_to_as_a_child() -> None:
    keys = {"receipt.child", "help.child", "under_18", "ask.review.child", "card.resume", "hide.popup"}
    for step in list(forms.newest("child").all_steps())[1:]:
        asked = {step.ask or f"ask.{step.key}", *(key for _, key in step.variants)}
        keys |= asked | {f"{key}.hint" for key in asked if step.hint}
        keys |= {f"ask.{step.key}.{option.key}" for option in step.options if not option.literal}
    # What may stand under any question.
    keys |= {key for key in BE if key.startswith(("notice.", "nav.", "said."))}
    for key in sorted(keys):
        assert not FORMAL.search(BE[key]), (key, BE[key])


def test_numbers_stand_apart_from_what_is_counted() -> None:
    """«файлаў: 3» is right with any number, «3 файлаў» with few."""
    for key, text in BE.items():
        if "{count}" in text:
            assert ": {count}" in text, key


def test_lines_placeholders_and_tags_are_those_of_the_english() -> None:
    marks = re.compile(r"\{\w+\}|</?[\w-]+>")
    for key, text in BE.items():
        assert text.count("\n") == EN[key].count("\n"), key
        assert Counter(marks.findall(text)) == Counter(marks.findall(EN[key])), key
        assert text.count("«") == text.count("»"), key
        assert not re.search(r"[\"“”„]| {2}| [,.:;?]", text), key
