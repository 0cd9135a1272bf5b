"""The cards around an interview fit Telegram in every language, and say what each person needs, and no more."""

import re
from dataclasses import replace

import pytest

import flows
from flows import after, forms, greeting, returnwords
from flows.cards import Button, Card, Text
from flows.interview import Answer
from locales.catalogues import LANGUAGES
from tests.flows.laws import MESSAGE_UNITS, TEXTS, units
from tests.flows.test_forms import told

POPUP_CHARACTERS = 200
COPIED_CHARACTERS = 256  # Telegram's limit for a button that copies
SEVEN = "one two three four five six seven"

every_language = pytest.mark.parametrize("lang", LANGUAGES)


@every_language
def test_popups_fit_with_the_longest_words(lang: str) -> None:
    words = returnwords.words(range(returnwords.COUNT), lang)
    longest = " ".join(sorted(words, key=len)[-2:])
    popup = TEXTS[lang].plain(Text("hide.popup", {"resume": longest}))
    assert units(popup) <= POPUP_CHARACTERS
    assert longest in popup
    assert not re.search(r"[<>&{}]", popup)


@every_language
def test_the_greeting_is_the_same_bytes_in_every_language(lang: str) -> None:
    card = greeting.card()
    assert TEXTS[lang].page(card.texts) == TEXTS["uk"].page(card.texts)
    assert {button.text for row in card.buttons for button in row} == {
        "Українська",
        "Русский",
        "Беларуская",
        "English",
    }
    assert all(re.fullmatch(r"lang\.(?:uk|ru|be|en)", button.key) for row in card.buttons for button in row)


@every_language
def test_descriptions_fit_telegram(lang: str) -> None:
    assert units(TEXTS[lang].plain(Text("description"))) <= 512
    assert units(TEXTS[lang].plain(Text("description.short"))) <= 120
    for command in ("start", "hide", "erase", "help", "language"):
        assert 1 <= units(TEXTS[lang].plain(Text(f"command.{command}"))) <= 256


CARDS = {
    "under 18": after.ended("under_18"),
    "not now": after.ended("not_now"),
    "receipt": after.receipt("AB12-CD34", SEVEN),
    "receipt to copy": after.receipt("AB12-CD34", SEVEN, copy=True),
    "a child's receipt": after.receipt("AB12-CD34", SEVEN, child=True),
    "passed on": after.passed_on(),
    "help": after.help_card(LANGUAGES, begun=False, stays=False),
    "help, begun": after.help_card(LANGUAGES, begun=True, stays=False),
    "help, messages stay": after.help_card(LANGUAGES, begun=True, stays=True),
    "greeting": greeting.card(),
    **{
        f"below the receipt of {name}{', home' * home}": after.below_receipt(
            replace(told(name), answers={"where": Answer("home")}) if home else told(name)
        )
        for name in sorted({form.name for form in forms.every()})
        for home in (False, True)
    },
}


@every_language
@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS.keys())
def test_they_are_short_sound_and_whole(card: Card, lang: str) -> None:
    page = TEXTS[lang].page(card.texts)
    assert page.count("\n") <= 3 * len(card.texts) - 1
    assert all(TEXTS[lang].say(text).count("\n") <= 2 for text in card.texts)
    assert 0 < units(page) <= MESSAGE_UNITS
    open_tags = re.findall(r"<(b|code|tg-spoiler)>", page)
    assert open_tags == re.findall(r"</(b|code|tg-spoiler)>", page)
    assert "<" not in re.sub(r"</?(?:b|code|tg-spoiler)>", "", page)
    assert not re.search(r"[{}]", page)
    for row in card.buttons:
        for button in row:
            label = button.text if isinstance(button.text, str) else TEXTS[lang].plain(button.text)
            assert 0 < len(label) <= 40, label
            assert len(button.key.encode()) <= 40


@every_language
@pytest.mark.parametrize("child", [False, True])
def test_the_receipt_hides_its_words_under_a_spoiler(lang: str, child: bool) -> None:  # noqa: FBT001 - a column
    page = TEXTS[lang].page(after.receipt("AB12", "лелека <i>", child=child).texts)
    assert "<tg-spoiler>лелека &lt;i&gt;</tg-spoiler>" in page
    assert "<code>AB12</code>" in page


def test_only_a_phone_that_nobody_else_sees_copies_the_words() -> None:
    assert "copy" not in buttons(after.receipt("AB12", SEVEN))
    copies = buttons(after.receipt("AB12", SEVEN, copy=True))["copy"]
    assert copies.copy == SEVEN
    assert SEVEN not in repr(copies)
    longest = [max(returnwords.words(range(returnwords.COUNT), lang), key=len) for lang in LANGUAGES]
    assert 7 * (1 + max(map(len, longest))) <= COPIED_CHARACTERS


def buttons(card: Card) -> dict[str, Button]:
    return {button.key: button for row in card.buttons for button in row}


def keys_below(name: str, where: str = "") -> list[str]:
    answers = {"where": Answer(where)} if where else {}
    return [text.key for text in after.below_receipt(replace(told(name), answers=answers)).texts]


def test_below_the_receipt_stands_what_each_person_needs() -> None:
    assert keys_below("family") == ["receipt.official"]
    assert keys_below("with_me") == ["receipt.official"]
    assert keys_below("family", "home") == ["receipt.official", "help.list"]
    assert keys_below("self") == ["receipt.official", "help.list"]
    assert keys_below("witness") == keys_below("insider") == keys_below("later") == ["receipt.address"]
    assert keys_below("child") == ["help.child"]


@every_language
def test_a_child_is_told_who_helps_and_asked_nothing(lang: str) -> None:
    for card in (after.ended("under_18"), after.below_receipt(told("child"))):
        page = TEXTS[lang].page(card.texts)
        assert "116 111" in page
        assert "?" not in page


@every_language
def test_what_is_added_is_acknowledged_in_the_same_bytes_for_all(lang: str) -> None:
    assert after.passed_on() == after.passed_on()
    assert not re.search(r"\d", TEXTS[lang].page(after.passed_on().texts))


@every_language
def test_help_offers_each_language_and_how_messages_are_kept(lang: str) -> None:
    offered = list(LANGUAGES)
    begun, before = (after.help_card(offered, begun=is_begun, stays=False) for is_begun in (True, False))
    assert {f"speak.{one}" for one in offered} <= set(buttons(begun))
    assert {f"lang.{one}" for one in offered} == set(buttons(before))
    assert "messages.stay" in buttons(begun)
    assert "messages.go" in buttons(after.help_card(offered, begun=True, stays=True))
    page = TEXTS[lang].page(begun.texts).casefold()
    said = {"uk": ("сховати", "стерти"), "ru": ("скрыть", "стереть"), "be": ("схаваць", "сцерці")}
    for word in said.get(lang, ("hide", "erase")):
        assert word in page


def test_no_card_of_a_state_is_taken_for_another() -> None:
    """A button of a card around the interview is none of the interview's."""
    interview = flows.begin("uk")
    inside = {button.key.split(".")[0] for row in flows.card(interview).buttons for button in row}
    outside = {key.split(".")[0] for card in CARDS.values() for key in buttons(card)}
    assert not inside & outside
    assert not {"o", "pick", "skip", "keep", "back", "change", "review", "menu", "open", "send"} & outside
