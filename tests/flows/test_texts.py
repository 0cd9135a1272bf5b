"""The forms and their catalogues fit each other, and every text keeps the voice of this line, in every language."""

import hashlib
import re
from pathlib import Path

import pytest

from flows import forms
from flows.form import ANOTHER, Condition, Form, Kind, Repeat, Step
from locales.catalogues import LANGUAGES, offered, parse, source

FOLDER = Path(__file__).parents[2]
LINE_CHARACTERS = 150  # a short line: two sentences, read in one breath on a small screen
BUTTON_CHARACTERS = 40

# FORMS.md, Language: words that frighten or accuse, and promises nobody can keep.
BANNED = {
    "uk": "депорт|окупа|оккупа|ворог|злочин|свід[ко]|донос|днр|лнр|анонім|гарант|знайдемо",
    "ru": "депорт|оккупа|враг|преступ|свидетел|донос|днр|лнр|аноним|гарант|найд[её]м",
    "be": "дэпарт|акупа|вораг|злачын|сведк|данос|днр|лнр|анані|гарант|знойдзем",
    "en": "deport|enem|crime|criminal|witness|denounc|dnr|lnr|anonym|guarantee|we will find",
}
# Past forms and adjectives that tell the gender of who taps; «гатова» is Belarusian for «done».
GENDERED = {
    "uk": r"(?<![’'])\b(?:я |сам\b|сама\b|бачи(?:в|ла)\b|чу(?:в|ла)\b|згоден|згодна|готов(?:ий|а)\b|впевнен)",
    "ru": r"(?<![’'])\b(?:я |сам\b|сама\b|видел|слышал|соглас(?:ен|на)\b|готова?\b|уверен)",
    "be": r"(?<![’'])\b(?:я |сам\b|сама\b|бачы(?:ў|ла)\b|чу(?:ў|ла)\b|згод(?:ны|на)\b|гатовы\b|упэўнен)",
    "en": r"\b(?:as a (?:wo)?man|he|she)\b",
}

# A consent text that changes its meaning needs a new version in the form, so that each report says which text
# was agreed to: change the number there and the digests here together.
CONSENT_DIGESTS = {
    1: {
        "uk": "72e71df2b3eca42f",
        "ru": "a8d138bcc395b2f6",
        "be": "804b161097839304",
        "en": "3dfaf364578d00de",
    }
}

every_language = pytest.mark.parametrize("lang", LANGUAGES)


def catalogue(lang: str, domain: str) -> dict[str, str]:
    return {str(m.id): str(m.string) for m in parse(source(lang, domain)) if m.id and m.string}


def asked_as(step: Step) -> set[str]:
    """The keys under which a step may ask its question."""
    return {step.ask or f"ask.{step.key}", *(key for _, key in step.variants)}


def keys_of(form: Form) -> set[str]:
    keys: set[str] = set()
    for step in form.all_steps():
        asked = asked_as(step)
        keys |= {*asked, *(f"{key}.hint" for key in asked if step.hint)}
        keys |= {f"ask.{step.key}.{option.key}" for option in step.options if not option.literal}
        if step.told:
            keys.add(f"ask.{step.key}.label")
    return keys


ASKED = set().union(*(keys_of(form) for form in forms.every()))
MENUS = {"ask.more", "ask.change", "ask.review.more"}  # asked by the card itself, under no step


def test_all_languages_are_offered() -> None:
    assert set(offered("forms")) == set(offered("bot")) == set(LANGUAGES)


@every_language
def test_every_question_has_its_texts_and_every_text_its_question(lang: str) -> None:
    assert {key for key in catalogue(lang, "forms") if key.startswith("ask.")} == ASKED | MENUS


@every_language
def test_every_heading_has_its_name_and_every_name_its_heading(lang: str) -> None:
    named = {key for key in catalogue(lang, "forms") if key.startswith("heading.")}
    assert named == {f"heading.{heading.key}" for form in forms.every() for heading in form.headings}


def code_of(*packages: str) -> str:
    return "\n".join(path.read_text() for name in packages for path in (FOLDER / name).rglob("*.py"))


# Keys that the code puts together: how they begin, and how the code begins them.
PUT_TOGETHER = {
    "date.month.": 'f"date.month.',
    "said.age": 'f"said.age{',
    "said.skip": 'f"said.{',
    "said.unknown": 'f"said.{',
    "said.next": 'f"said.{',
    "nav.skip": 'f"nav.{',
    "nav.unknown": 'f"nav.{',
    "nav.next": 'f"nav.{',
    "notice.": 'f"notice.{',
    "heading.": 'f"heading.{',
    "back.status.": 'f"back.status.{',
    "command.": "",  # named by the commands themselves
    "value.": "",  # named by the placeholders of other texts
}


@pytest.mark.parametrize("domain", ["forms", "bot"])
def test_every_other_text_is_said_somewhere(domain: str) -> None:
    code = code_of("flows", "handlers", "bot")
    for key in catalogue("en", domain):
        together = any(key.startswith(k) and v in code for k, v in PUT_TOGETHER.items())
        assert key in ASKED or f'"{key}"' in code or together, key


@every_language
def test_every_value_is_named_by_a_text(lang: str) -> None:
    texts = {**catalogue(lang, "forms"), **catalogue(lang, "bot")}
    named = {name for text in texts.values() for name in re.findall(r"\{(\w+)\}", text)}
    assert {key.removeprefix("value.") for key in texts if key.startswith("value.")} <= named


@every_language
def test_hints_have_as_many_lines_as_the_form_says(lang: str) -> None:
    texts = catalogue(lang, "forms")
    for form in forms.every():
        for step in form.all_steps():
            for key in asked_as(step):
                assert "\n" not in texts[key]
                if step.hint:
                    assert texts[f"{key}.hint"].count("\n") + 1 == step.hint <= 2, key


@every_language
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


@every_language
def test_a_number_stands_after_a_colon_and_inflects_nothing(lang: str) -> None:
    for domain in ("forms", "bot"):
        for key, text in catalogue(lang, domain).items():
            for found in re.finditer(r"\{(?:count|limit)\}", text):
                if not key.startswith("notice."):
                    assert text[: found.start()].rstrip().endswith(":"), (key, text)


@every_language
def test_consent_version_stands_for_one_text(lang: str) -> None:
    for form in forms.every():
        texts = catalogue(lang, "forms")
        words = "\n".join(texts[key] for key in ("ask.consent", "ask.consent.hint", "ask.consent.adult"))
        digest = hashlib.sha256(words.encode()).hexdigest()[:16]
        assert digest == CONSENT_DIGESTS[form.consent][lang]


def buttons_of(lang: str) -> dict[str, str]:
    """Every text that stands on a button."""
    texts = {**catalogue(lang, "forms"), **catalogue(lang, "bot")}
    around = {
        *(
            "which.none",
            "receipt.clear",
            "receipt.copy",
            "under_18.clear",
            "not_now.start",
            "passed_on.clear",
        ),
        *("help.stay", "help.go", "back.clear", "back.start", "back.read", "back.write", "back.share"),
        *(
            "back.withdraw",
            "back.withdraw.yes",
            "back.withdraw.sure",
            "back.back",
            "back.next",
            "back.push.open",
        ),
    }
    options = {
        f"ask.{step.key}.{option.key}"
        for form in forms.every()
        for step in form.all_steps()
        for option in step.options
    }
    labels = {f"ask.{step.key}.label" for form in forms.every() for step in form.all_steps() if step.told}
    return {
        key: text
        for key, text in texts.items()
        if key.startswith(("nav.", "heading.")) or key in options | around | labels
    }


@every_language
def test_buttons_are_short_plain_and_without_gender(lang: str) -> None:
    gendered = re.compile(GENDERED[lang], re.IGNORECASE)
    buttons = buttons_of(lang)
    assert buttons.keys() == buttons_of("en").keys()
    for key, label in buttons.items():
        assert len(label) <= BUTTON_CHARACTERS, (key, label)
        assert not re.search(r"[<>&{}\n]", label), key
        assert not label.endswith("."), key
        assert not gendered.search(label), (key, label)


@every_language
def test_buttons_of_one_card_differ(lang: str) -> None:
    texts = catalogue(lang, "forms")
    for form in forms.every():
        for step in form.all_steps():
            labels = [option.literal or texts[f"ask.{step.key}.{option.key}"] for option in step.options]
            assert len({*labels}) == len(labels), step.key
        names = [texts[f"heading.{heading.key}"] for heading in form.headings]
        assert len({*names}) == len(names)


@every_language
def test_a_question_asks_and_its_hint_does_not_repeat_it(lang: str) -> None:
    texts = catalogue(lang, "forms")
    for form in forms.every():
        for step in form.all_steps():
            for key in asked_as(step):
                if step.hint:
                    assert texts[key] not in texts[f"{key}.hint"], key


def test_forms_are_well_formed() -> None:
    for form in forms.every():
        steps = list(form.all_steps())
        core = [step.key for entry in form.steps for step in steps_of(entry)]
        assert len(set(core)) == len(core)
        assert steps[0].plain
        assert form.review.kind is Kind.REVIEW
        assert [step.kind for step in steps].count(Kind.REVIEW) == 1
        known: dict[str, Step] = {}
        for step in steps:
            assert known.setdefault(step.key, step).kind is step.kind, step.key
        for condition in conditions_of(form):
            assert not condition.step or condition.step in known, condition
            options = [option for option in condition.options if not known[condition.step].option(option)]
            assert not options, condition
        for step in steps:
            keys = [option.key for option in step.options]
            assert len(set(keys)) == len(keys)
            assert step.key.replace("_", "").isalnum()
            assert len(f"change.{step.key}#20".encode()) <= 40
        assert {*form.sharing} | ({form.answer_here} - {""}) <= set(known)


def steps_of(entry: Step | Repeat) -> tuple[Step, ...]:
    return entry.steps if isinstance(entry, Repeat) else (entry,)


def conditions_of(form: Form) -> list[Condition]:
    steps = list(form.all_steps())
    found = [*form.needs, *(c for facts in (*form.send, *form.send_critical) for c in facts)]
    found += [condition for condition, _ in form.urgency]
    found += [c for step in steps for c in (*step.when, *step.ahead, *(c for c, _ in step.variants))]
    return found + [condition for heading in form.headings for condition in heading.when]


def test_a_repeat_ends_with_the_question_for_another() -> None:
    for form in forms.every():
        for entry in form.all_entries():
            for step in steps_of(entry)[:-1]:
                assert step.kind is not Kind.AGAIN
            if isinstance(entry, Repeat):
                assert entry.steps[-1].kind is Kind.AGAIN
                assert {option.key for option in entry.steps[-1].options} == {ANOTHER, "enough"}


def test_a_step_is_asked_twice_only_of_another_child() -> None:
    """What stands under a heading and in the core too is a turn of its own, or one answer would be two questions."""
    for form in forms.every():
        core = {step.key for entry in (*form.steps, *form.after) for step in steps_of(entry)}
        for heading in form.headings:
            for entry in heading.steps:
                again = {step.key for step in steps_of(entry)} & core
                assert not again or (isinstance(entry, Repeat) and entry.first > 1), (form.name, again)
