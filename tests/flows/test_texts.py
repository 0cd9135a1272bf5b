"""The forms and their catalogues fit each other, and every text keeps the voice of this line."""

import hashlib
import re
from pathlib import Path

import pytest

from flows import after, forms, greeting, returnwords
from flows.cards import Button, Card, Text
from flows.form import Form, Kind, Repeat
from locales.catalogues import parse, source
from tests.flows.laws import TEXTS, units

FOLDER = Path(__file__).parents[2]
LANGUAGES = ("uk", "en", "ru", "be")
LINE_CHARACTERS = 150  # a short line: two sentences, read in one breath on a small screen
BUTTON_CHARACTERS = 40
POPUP_CHARACTERS = 200

# FORMS.md, Language: words that frighten or accuse, and promises nobody can keep.
BANNED = {
    "uk": "депорт|окупа|оккупа|ворог|злочин|свід[ко]|донос|днр|лнр|анонім|гарант|знайдемо",
    "ru": "депорт|оккупа|враг|преступ|свидетел|донос|днр|лнр|аноним|гарант|найд[её]м",
    "be": "дэпарт|акупа|вораг|злачын|сведк|данос|днр|лнр|анані|гарант|знойдзем",
    "en": "deport|enem|crime|criminal|witness|denounc|dnr|lnr|anonym|guarantee|we will find",
}
# Past forms and adjectives that tell the gender of who taps.
GENDERED = re.compile(r"\b(?:я |сам |сама |бачив|бачила|згоден|згодна|готовий|готова|впевнен)", re.IGNORECASE)

# A consent text that changes its meaning needs a new version in the form, so that each report says which text
# was agreed to: change the number there and the digest here together.
CONSENT_DIGESTS = {1: {"uk": "72e71df2b3eca42f", "en": "3dfaf364578d00de"}}


def catalogue(lang: str, domain: str) -> dict[str, str]:
    return {str(m.id): str(m.string) for m in parse(source(lang, domain)) if m.id and m.string}


def keys_of(form: Form) -> set[str]:
    keys: set[str] = set()
    for step in form.all_steps():
        asked = [f"ask.{step.key}", *(key for _, key in step.variants)]
        keys |= {*asked, *(f"{key}.hint" for key in asked if step.hint)}
        keys |= {f"ask.{step.key}.{option.key}" for option in step.options if not option.literal}
        if step.told:
            keys.add(f"ask.{step.key}.label")
    return keys


ASKED = set().union(*(keys_of(form) for form in forms.every()))


@pytest.mark.parametrize("lang", ["uk", "en"])
def test_every_question_has_its_texts_and_every_text_its_question(lang: str) -> None:
    assert {key for key in catalogue(lang, "forms") if key.startswith("ask.")} == ASKED


def test_every_other_text_is_named_in_the_code() -> None:
    code = "\n".join(path.read_text() for path in (FOLDER / "flows").rglob("*.py"))
    parts = {
        "date.month.": 'f"date.month.{',
        "said.age": 'f"said.age{',
        "said.skip": 'f"said.{',
        "said.unknown": 'f"said.{',
    }
    parts |= {"nav.skip": 'f"nav.{', "nav.unknown": 'f"nav.{', "notice.": 'f"notice.{', "value.": ""}
    for key in catalogue("en", "forms"):
        if not key.startswith("ask."):
            assert f'"{key}"' in code or any(key.startswith(k) and v in code for k, v in parts.items()), key


def test_every_text_around_the_interview_is_said_somewhere() -> None:
    packages = ("flows", "handlers", "bot")
    code = "\n".join(path.read_text() for name in packages for path in (FOLDER / name).rglob("*.py"))
    for key in catalogue("en", "bot"):
        assert f'"{key}"' in code or key.startswith("command."), key


def test_hints_have_as_many_lines_as_the_form_says() -> None:
    for lang in ("uk", "en"):
        texts = catalogue(lang, "forms")
        for form in forms.every():
            for step in form.all_steps():
                for key in (f"ask.{step.key}", *(key for _, key in step.variants)):
                    assert "\n" not in texts[key]
                    if step.hint:
                        assert texts[f"{key}.hint"].count("\n") + 1 == step.hint, key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_texts_are_short_and_keep_the_voice(lang: str) -> None:
    banned = re.compile(BANNED[lang], re.IGNORECASE)
    for domain in ("forms", "bot"):
        for key, text in catalogue(lang, domain).items():
            assert not banned.search(text), (key, text)
            assert text.count("\n") <= 2, key
            for line in text.split("\n"):
                assert len(line) <= LINE_CHARACTERS, (key, len(line))
            assert "—" not in text
            assert "!" not in text, key
            assert not re.search(r"[\U0001f000-\U0001faff☀-➿]", text), key


def test_consent_version_stands_for_one_text() -> None:
    for form in forms.every():
        for lang, digest in CONSENT_DIGESTS[form.consent].items():
            texts = catalogue(lang, "forms")
            words = "\n".join(texts[key] for key in ("ask.consent", "ask.consent.hint", "ask.consent.adult"))
            assert hashlib.sha256(words.encode()).hexdigest()[:16] == digest, lang


def buttons_of(lang: str) -> dict[str, str]:
    texts = {**catalogue(lang, "forms"), **catalogue(lang, "bot")}
    ends = (
        "nav.",
        "which.none",
        "receipt.clear",
        "under_18.clear",
        "not_now.start",
    )
    options = {
        f"ask.{step.key}.{option.key}"
        for form in forms.every()
        for step in form.all_steps()
        for option in step.options
    }
    return {key: text for key, text in texts.items() if key.startswith(ends) or key in options}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_buttons_are_short_plain_and_without_gender(lang: str) -> None:
    for key, label in buttons_of(lang).items():
        assert len(label) <= BUTTON_CHARACTERS, key
        assert not re.search(r"[<>&{}\n]", label), key
        assert not label.endswith("."), key
        assert not GENDERED.search(label), key


@pytest.mark.parametrize("lang", ["uk", "en"])
def test_popups_fit_with_the_longest_words(lang: str) -> None:
    words = returnwords.words(range(returnwords.COUNT), lang)
    longest = " ".join(sorted(words, key=len)[-2:])
    popup = TEXTS[lang].plain(Text("hide.popup", {"resume": longest}))
    assert units(popup) <= POPUP_CHARACTERS
    assert not re.search(r"[<>&{}]", popup)


def test_the_greeting_is_the_same_bytes_in_every_language() -> None:
    assert len({catalogue(lang, "bot")["greeting"] for lang in LANGUAGES}) == 1
    card = greeting.card()
    assert card == greeting.card()
    assert card.buttons == ((Button("lang.uk", "Українська"),), (Button("lang.en", "English"),))


def test_descriptions_fit_telegram() -> None:
    for lang in ("uk", "en"):
        assert units(TEXTS[lang].plain(Text("description"))) <= 512
        assert units(TEXTS[lang].plain(Text("description.short"))) <= 120
        for command in ("start", "hide", "erase"):
            assert units(TEXTS[lang].plain(Text(f"command.{command}"))) <= 256


@pytest.mark.parametrize("lang", ["uk", "en"])
@pytest.mark.parametrize(
    "card",
    [
        after.ended("under_18"),
        after.ended("not_now"),
        after.receipt("AB12-CD34", "one two three four five six seven"),
        after.official(),
        greeting.card(),
    ],
)
def test_cards_around_the_interview_are_three_lines_of_sound_markup(card: Card, lang: str) -> None:
    page = TEXTS[lang].page(card.texts)
    assert page.count("\n") <= 2
    open_tags = re.findall(r"<(b|code|tg-spoiler)>", page)
    assert open_tags == re.findall(r"</(b|code|tg-spoiler)>", page)
    assert "<" not in re.sub(r"</?(?:b|code|tg-spoiler)>", "", page)


def test_the_receipt_hides_its_words_under_a_spoiler() -> None:
    page = TEXTS["uk"].page(after.receipt("AB12", "лелека <i>").texts)
    assert "<tg-spoiler>лелека &lt;i&gt;</tg-spoiler>" in page
    assert "<code>AB12</code>" in page


def test_under_18_gets_helplines_and_no_question() -> None:
    page = TEXTS["uk"].page(after.ended("under_18").texts)
    assert "116 111" in page
    assert "?" not in page


def test_forms_are_well_formed() -> None:
    for form in forms.every():
        steps = list(form.all_steps())
        assert len({step.key for step in steps}) == len(steps)
        assert steps[0].plain
        assert steps[-1].kind is Kind.REVIEW
        known = {step.key: step for step in steps}
        conditions = [*form.needs, *(c for facts in (*form.send, *form.send_critical) for c in facts)]
        conditions += [condition for condition, _ in form.urgency]
        conditions += [c for step in steps for c in (*step.when, *(c for c, _ in step.variants))]
        for condition in conditions:
            assert not condition.step or condition.step in known
            assert all(known[condition.step].option(option) for option in condition.options)
        for step in steps:
            keys = [option.key for option in step.options]
            assert len(set(keys)) == len(keys)
            assert step.key.replace("_", "").isalnum()
        assert {*form.sharing, form.answer_here} <= set(known)
        for entry in form.steps:
            if isinstance(entry, Repeat):
                assert entry.steps[-1].kind is Kind.AGAIN


def test_never_asked() -> None:
    """FORMS.md, never asked: no step of any form asks for these."""
    for lang in ("uk", "en"):
        asked = "\n".join(
            text for key, text in catalogue(lang, "forms").items() if key.startswith("ask.")
        ).casefold()
        for word in (
            "паспорт",
            "днк",
            "passport",
            "dna",
            "ваше ім’я",
            "your name is",
            "насил",
            "violence",
            "abuse",
        ):
            assert word not in asked
