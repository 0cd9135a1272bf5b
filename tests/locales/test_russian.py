"""The Russian catalogues say all that the sources say, spoken to a frightened person, whoever that is."""

import re
from collections.abc import Iterator

import pytest

from flows import forms, returnwords
from flows.form import Form, Step
from locales.catalogues import parse, source

TEXT_DOMAINS = ("forms", "bot")
BUTTON_CHARACTERS = 40
POPUP_CHARACTERS = 200

# Past forms and short adjectives that tell the gender of who taps; a masculine past form is looked for after «я».
GENDERED = re.compile(
    r"\b(?:я \w+(?:л|ла|лся|лась)|видел[аи]?|слышал[аи]?|узнал[аи]?|знал[аи]?|работал[аи]?"
    r"|соглас(?:ен|на)|готова?|уверена?|долж(?:ен|на)|рада?|сама?)\b",
    re.IGNORECASE,
)
# Said to an adult; neither a child nor whoever may be one hears it.
FORMAL = re.compile(r"\b(?:вы|вас|вам|вами|ваш\w*|\w+(?:ите|йте|ьте))\b", re.IGNORECASE)
FAMILIAR = re.compile(r"\b(?:ты|тебя|тебе|тобой|тво[йяёеию]\w*)\b", re.IGNORECASE)
# The child is named by the noun until girl or boy is known.
PRONOUN = re.compile(r"\b(?:он|она|его|её|ему|ней|нему|нём|него|неё|нею)\b", re.IGNORECASE)
# Ukraine is spoken of in its own way, Belarus by its name; neither is a part of anything.
NAMES = re.compile(r"на украине|белорусси|\bрб\b|\bрф\b", re.IGNORECASE)
TAG = re.compile(r"</?(?:b|code|tg-spoiler)>")
# Shown to a child too: in answer to whatever a child sends, and behind its seven words.
ANYONE = re.compile(
    r"^(?:notice\.(?!added)|back\.(?!push$)|nav\.|hide\.popup|help|passed_on|review\.|said\.|value\.(?:help|emer))"
)


def catalogue(lang: str, domain: str) -> dict[str, str]:
    return {
        str(message.id): str(message.string or "") for message in parse(source(lang, domain)) if message.id
    }


RU = {key: text for domain in TEXT_DOMAINS for key, text in catalogue("ru", domain).items()}


@pytest.mark.parametrize("domain", TEXT_DOMAINS)
def test_it_says_all_in_the_order_of_the_source(domain: str) -> None:
    english, russian = catalogue("en", domain), catalogue("ru", domain)
    assert list(russian) == list(english)
    assert [key for key, text in russian.items() if not text] == []


@pytest.mark.parametrize("domain", TEXT_DOMAINS)
def test_lines_and_markup_are_those_of_the_source(domain: str) -> None:
    russian = catalogue("ru", domain)
    for key, english in catalogue("en", domain).items():
        assert russian[key].count("\n") == english.count("\n"), key
        assert TAG.findall(russian[key]) == TAG.findall(english), key


def test_what_is_the_same_for_two_questions_in_the_source_is_the_same_here() -> None:
    """A sentence met twice is one sentence: whoever compares two cards sees no difference that means nothing."""
    ukrainian = catalogue("uk", "forms")
    hints: dict[str, set[str]] = {}
    for key, text in ukrainian.items():
        if key.endswith(".hint"):
            hints.setdefault(text, set()).add(RU[key])
    assert [said for said in hints.values() if len(said) > 1] == []


def test_buttons_tell_no_gender_and_are_short() -> None:
    for key in buttons():
        assert not GENDERED.search(RU[key]), key
        assert len(RU[key]) <= BUTTON_CHARACTERS, key
        assert not RU[key].endswith("."), key


def test_no_text_tells_the_gender_of_anyone() -> None:
    told = re.compile(
        r"\b(?:согласен|согласна|готова?|уверена?|(?:я|ты) \w+(?:л|ла|лся|лась))\b", re.IGNORECASE
    )
    for key, text in RU.items():
        assert not told.search(text), key


def buttons() -> Iterator[str]:
    for step in steps():
        yield from (f"ask.{step.key}.{option.key}" for option in step.options if not option.literal)
    ends = (".clear", ".start", ".copy", ".open", ".yes", ".sure", "help.stay", "help.go", "which.none")
    yield from (key for key in RU if key.startswith("nav.") or key.endswith(ends))


def steps(form: Form | None = None) -> Iterator[Step]:
    for one in [form] if form else forms.every():
        yield from one.all_steps()


def pairs(step: Step) -> set[tuple[str, str]]:
    """Each question a step may put, and its hint's key."""
    keys = {step.ask or f"ask.{step.key}", *(key for _, key in step.variants)}
    return {(key, f"{key}.hint") for key in keys if key in RU}


def keys_of(step: Step) -> set[str]:
    return {key for pair in pairs(step) for key in pair if key in RU}


def test_a_child_is_spoken_to_as_a_child_and_nobody_else_is() -> None:
    door = list(steps(forms.newest("child")))[1:]
    for_a_child = {key for step in door for key in keys_of(step)} | {
        f"ask.{step.key}.{end}"
        for step in door
        for end in ("label", *(option.key for option in step.options))
        if f"ask.{step.key}.{end}" in RU
    }
    for_a_child |= {key for key in RU if key.startswith("under_18") or key.endswith(".child")} - {
        key for step in steps(forms.newest("family")) for key in keys_of(step)
    }
    for key in for_a_child:
        assert not FORMAL.search(RU[key]), (key, RU[key])
    for key in RU.keys() - for_a_child:
        assert not FAMILIAR.search(RU[key]), (key, RU[key])
    assert any(FAMILIAR.search(RU[key]) for key in for_a_child)


def test_what_anyone_may_be_shown_fits_a_child_and_an_adult() -> None:
    for key in filter(ANYONE.match, RU):
        assert not FORMAL.search(RU[key]), (key, RU[key])
        assert not FAMILIAR.search(RU[key]), (key, RU[key])


def test_you_is_written_small() -> None:
    for key, text in RU.items():
        for sentence in re.split(r"[.?:]\s|\n", text):
            assert not re.search(r"(?<!^)\bВ(?:ы|ас|ам|ами|аш\w*)\b", sentence), key


def test_a_child_is_named_by_the_noun() -> None:
    asked = {keys for step in steps() for keys in pairs(step)}
    about_a_child = 0
    for key, hint in asked:
        said = f"{RU[key]}\n{RU.get(hint, '')}"
        if re.search(r"ребён", said):
            about_a_child += 1
            assert not PRONOUN.search(said), (key, said)
    assert about_a_child


def test_countries_have_their_names() -> None:
    for key, text in RU.items():
        assert not NAMES.search(text), key


NEVER = r"паспорт|\bднк\b|насил|\bбил[иа]?\b|обид|издева|чувств|вашего начальник|ваша должност"
ONLY_REFUSED = r"адрес|ваш\w+ должност|сво\w+ должност|вашего имени|своего имени|расспр|снимайте|позвоните"
REFUSING = re.compile(r"\b(?:не|ни|без|если|никого)\b", re.IGNORECASE)


def test_never_asked() -> None:
    for step in steps():
        for key in keys_of(step):
            assert not re.search(NEVER, RU[key], re.IGNORECASE), key
            for sentence in re.split(r"(?<=[.?])\s|\n", RU[key]):
                named = re.search(ONLY_REFUSED, sentence, re.IGNORECASE)
                assert not named or REFUSING.search(sentence), (key, sentence)


def test_an_insider_is_invited_to_send_nothing_before_the_trace_is_asked() -> None:
    invites = re.compile(
        r"фото|файл|видео|скан|скриншот|пришлите|присылайте|прикреп|голосов|голосом", re.IGNORECASE
    )
    before = []
    for step in steps(forms.newest("insider")):
        if step.key == "traceable":
            break
        before.append(step)
    assert {"safe", "have"} <= {step.key for step in before}
    for step in before:
        for key in keys_of(step) if step.key != "consent" else ():
            assert not invites.search(RU[key]), key


def test_to_send_as_a_file_is_hinted_to_families_and_witnesses_only() -> None:
    def hinted(name: str) -> bool:
        return any("файлом" in RU[key] for step in steps(forms.newest(name)) for key in keys_of(step))

    assert hinted("family")
    assert hinted("witness")
    assert not any(hinted(name) for name in ("insider", "with_me", "child"))


def test_the_popup_fits_with_the_longest_words() -> None:
    words = returnwords.words(range(returnwords.COUNT), "ru")
    longest = " ".join(sorted(words, key=len)[-2:])
    assert len(RU["hide.popup"].format(resume=longest)) <= POPUP_CHARACTERS
