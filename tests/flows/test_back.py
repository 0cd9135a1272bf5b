"""Return words are read from a whole message, forgivingly, never by chance; consent is sealed with its very words."""

import random

import pytest

from flows import Claimed, Located, Said, back, forms, returnwords

NUMBERS = (3, 141, 592, 653, 1589, 793, 2038)


def phrase(lang: str, numbers: tuple[int, ...] = NUMBERS) -> str:
    return " ".join(returnwords.words(numbers, lang))


@pytest.mark.parametrize("lang", returnwords.languages())
def test_seven_words_are_read_in_their_language(lang: str) -> None:
    for text in (phrase(lang), phrase(lang).upper(), phrase(lang).replace(" ", ",\n"), f"  {phrase(lang)}. "):
        found = back.asked(text)
        assert found is not None
        assert (found.numbers, found.lang) == (NUMBERS, lang)


@pytest.mark.parametrize("lang", returnwords.languages())
def test_a_few_slips_are_forgiven(lang: str) -> None:
    dice = random.Random(7)
    forgiven = 0
    for _ in range(100):
        numbers = tuple(dice.randrange(returnwords.COUNT) for _ in range(7))
        words = phrase(lang, numbers).split()
        at = dice.randrange(7)
        words[at] = words[at][:-1]
        found = back.asked(" ".join(words))
        assert found is None or found.numbers == numbers  # never another report's words
        forgiven += found is not None
    assert forgiven > 50


def test_what_people_tell_is_not_taken_for_words() -> None:
    told = [
        "her mother wore that green winter coat",
        "we saw three white buses leaving camp",
        "Дівчинку забрали восени зі школи біля річки",
        "Бабуся каже, що вони поїхали автобусом зранку",
        "их увезли автобусом рано утром из лагеря",
        "дзяцей вывезлі аўтобусам раніцай разам з настаўніцай",
        "мама тато брат сестра бабуся дідусь тітка",
    ]
    assert [text for text in told if back.asked(text) or back.nearly(text)] == []


def test_words_inside_a_story_are_a_story() -> None:
    assert back.asked(f"these are my words: {phrase('en')}") is None
    assert back.asked("") is None
    assert back.asked(phrase("en") * 50) is None


@pytest.mark.parametrize("lang", returnwords.languages())
def test_almost_seven_words_are_noticed(lang: str) -> None:
    words = phrase(lang).split()
    for changed in (words[:6], [*words, words[0]], ["xxxxxxxx", *words[1:]]):
        text = " ".join(changed)
        assert back.asked(text) is None
        assert back.nearly(text)
    assert not back.nearly(" ".join(words[:5]))
    assert not back.nearly(" ".join([*words, *words[:2]]))


def test_no_card_before_the_answer_knows_anything() -> None:
    for card in (back.wait, back.unknown, back.hint, back.locked, back.hello):
        assert card() == card()
        assert not any(text.params for text in card().texts)


@pytest.mark.parametrize("row", back.SHARING)
def test_options_of_sharing_are_those_of_the_interview(row: str) -> None:
    options = back.options_of(row)
    assert options
    asked = [button.key for line in back.share_row(row).buttons for button in line]
    assert asked == [*(f"back.share.{row}.{option}" for option in options), "back.home"]


def test_every_button_fits_telegram() -> None:
    cards = [
        back.home("answer", answers=1, shares=True), back.reply("x", more=True), back.write(), back.share(),
        *map(back.share_row, back.SHARING), back.withdraw(), back.withdraw_sure(), back.hello(),
    ]  # fmt: skip
    keys = {button.key for card in cards for line in card.buttons for button in line}
    assert max(len(key.encode()) for key in keys) <= 40


def test_a_decision_is_sealed_with_the_very_words() -> None:
    sealed = back.shared("courts", "un_icc", "May we give this to investigators?", "en")
    body = sealed["answers"]
    assert (sealed["language"], sealed["form"], body["addition"]) == ("en", "later", True)
    assert body["sharing"] == {"courts": "un_icc"}
    (entry,) = body["answers"]
    assert entry["asked"] == "May we give this to investigators?"
    assert entry["consent"] == forms.newest("family").consent
    assert "answer_here" not in body  # what was not said now stands as it was


def test_words_to_the_team_say_whose_they_claim_to_be() -> None:
    plain = back.said(Said("See https://example.org/camp."), "uk")["answers"]
    assert plain["answers"][0]["words"] == ["See https://example.org/camp."]
    assert plain["links"] == ["https://example.org/camp"]
    forwarded = back.said(Said("Come at once", forwarded=True, origin="A Name"), "uk")["answers"]
    assert forwarded["answers"] == []
    (entry,) = forwarded["beside"]
    assert (entry["forwarded"], entry["origin"]) == (True, "A Name")
    (contact,) = back.said(Claimed("contact", "A Name\n+10000000000"), "uk")["answers"]["beside"]
    assert contact["claim"] == "contact"
    (point,) = back.said(Located(48.5678, 34.5678), "uk")["answers"]["answers"]
    assert point["words"] == ["48.6, 34.6"]  # never finer than a settlement
