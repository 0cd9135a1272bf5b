"""What the forms' texts never do: ask what is never asked, invite a file too early, speak past the person."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from flows import forms
from flows.cards import Text
from flows.form import Kind, Step
from flows.path import path
from locales import Texts
from tests.flows.test_forms import LANGUAGES, NAMES, TEXTS, steps_of, told

# Never asked at all, and what may be named only to say that it is not asked.
NEVER = {
    "uk": r"паспорт|днк|насил|\bбил[иа]\b|кривд|знуща|відчува|почутт|вашого начальника|прізвище свід",
    "en": "passport|dna|violen|abuse|beat|hurt|feel|your employer|your boss",
}
ONLY_REFUSED = {
    "uk": (
        r"адрес|ваш\w+ посад|сво\w+ посад|вашого імені|свого імені|розпиту|фотографуйте|подзвоніть|звертайтеся",
        r"\b(?:не|ні|без)\b",
    ),
    "en": (
        "address|your post|your name|question the child|questions to the child|take new|call them|contact them",
        r"\b(?:not|no|without|leave out|nothing|when you were taken)\b",
    ),
}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_never_asked(lang: str) -> None:
    named, refused = (re.compile(pattern, re.IGNORECASE) for pattern in ONLY_REFUSED[lang])
    for key, text in questions(lang):
        assert not re.search(NEVER[lang], text, re.IGNORECASE), key
        for sentence in re.split(r"(?<=[.?:])\s|\n", text):
            assert not named.search(sentence) or refused.search(sentence), (key, sentence)


def questions(lang: str) -> Iterator[tuple[str, str]]:
    """Every question and hint that the newest forms can show."""
    for name in NAMES:
        for step in forms.newest(name).all_steps():
            yield from texts_of(step, lang)


def texts_of(step: Step, lang: str, *, buttons: bool = False) -> Iterator[tuple[str, str]]:
    keys = {step.ask or f"ask.{step.key}", *(key for _, key in step.variants)}
    keys |= {f"{key}.hint" for key in keys if step.hint}
    if buttons:
        keys |= {f"ask.{step.key}.{option.key}" for option in step.options if not option.literal}
    yield from ((key, TEXTS[lang][key]) for key in sorted(keys))


INVITES = {
    "uk": r"фото|файл|відео|скан|скріншот|надішліть|надсилайте|прикріп|голосов|голосом",
    "en": r"photo|file|video|scan|screenshot|\bsend (?:the|as|what|photos|a)\b|attach|upload|by voice",
}


def test_an_insider_is_invited_to_send_nothing_until_the_trace_is_asked() -> None:
    for step in forms.newest("insider").all_steps():
        # The question of the trace names what it is about, the safety card what to delete, links are public; files
        # stand behind the answer, as seen below.
        if step.kind is Kind.FILES or step.key in {"consent", "traceable", "safety", "links"}:
            continue
        for lang in LANGUAGES:
            for key, text in texts_of(step, lang, buttons=True):
                assert not re.search(INVITES[lang], text, re.IGNORECASE), key
    seen = 0
    form = forms.newest("insider")
    for choice in ("describe", "no", "later", ""):
        for have in ("words", "document", "list", ""):
            answers = {"traceable": choice, "have": have, "safe": "next", "know": "work"}
            interview = replace(
                told("insider", **{key: option for key, option in answers.items() if option}),
                opened=tuple(heading.key for heading in form.headings),
            )
            slots = path(form, interview)
            files = [index for index, slot in enumerate(slots) if slot.step.kind is Kind.FILES]
            if not files:
                continue
            seen += 1
            assert choice == "no"
            assert have in {"document", "list"}
            assert files[0] > [slot.name for slot in slots].index("traceable")
    assert seen == 2


@pytest.mark.parametrize("lang", LANGUAGES)
def test_to_send_as_a_file_is_hinted_to_families_and_witnesses_only(lang: str) -> None:
    hint = {"uk": r"файлом", "en": r"as (?:a )?files?\b"}[lang]
    hinted = {
        name
        for name in NAMES
        for step in forms.newest(name).all_steps()
        for _, text in texts_of(step, lang)
        if re.search(hint, text)
    }
    assert {"family", "witness"} <= hinted
    assert not hinted & {"insider", "with_me", "child"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_who_heard_of_it_is_not_told_that_they_saw_it(lang: str) -> None:
    said = {"uk": r"ви ба|ви поба|при вас|на власні очі|своїми очима", "en": r"you saw|you see|your own eyes"}
    for step in forms.newest("witness").all_steps():
        for key, text in texts_of(step, lang):
            assert not re.search(said[lang], text, re.IGNORECASE), key


def test_a_child_is_spoken_to_as_a_child() -> None:
    formal = re.compile(r"\b(?:ви|вас|вам|вами|ваш\w*|\w{2,}(?:іть|йте|ьте))\b", re.IGNORECASE)
    for step in list(forms.newest("child").all_steps())[1:]:
        for key, text in texts_of(step, "uk", buttons=True):
            assert not formal.search(text), (key, text)


def test_a_child_is_asked_for_no_name_no_file_and_no_sharing() -> None:
    form = forms.newest("child")
    assert not form.sharing
    assert not form.headings
    assert not form.after
    assert not {"name", "find", "courts", "age", "place"} & {step.key for step in form.all_steps()}
    assert Kind.FILES not in {step.kind for step in form.all_steps()}


def test_a_grown_child_is_asked_for_no_photo() -> None:
    assert Kind.FILES not in {step.kind for entry in forms.newest("self").steps for step in steps_of(entry)}


@pytest.mark.parametrize("lang", ["uk", "ru", "be", "en"])
def test_a_text_that_names_a_button_or_a_word_names_it_as_it_stands(lang: str) -> None:
    said = Texts.load(lang, domains=("forms", "bot"))
    named = {
        "notice.understood_unsure": "nav.back",
        "review.cannot_send": "nav.change",
        "ask.push": "back.push",  # the one word that may come is told before it is allowed
        **{
            f"ask.{key}.hint": "nav.done"
            for key in ("photos", "photo.child", "list", "add", "document", "files")
        },
    }
    for key, other in named.items():
        quoted = re.findall(r"[“«]([^”»]+)[”»]", said.plain(Text(key, {"value": ""})))
        assert said.plain(Text(other)) in quoted, key
