"""Texts are said in one language, parameters can never become markup, and nothing missing is passed over."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from locales import LocaleError, MissingTextError, NotOfferedError, Texts, offered
from locales.__main__ import main
from locales.catalogues import compile_all, read, source
from locales.check import problems


@dataclass(frozen=True)
class Phrase:
    key: str
    params: dict[str, Any] = field(default_factory=dict)


def write(folder: Path, lang: str, domain: str, texts: dict[str, str]) -> None:
    path = source(lang, domain, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    header = (
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Language: ' + lang + '\\n"\n\n'
    )
    body = "\n".join(f'msgid "{key}"\nmsgstr "{text}"\n' for key, text in texts.items())
    path.write_text(header + body, encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Small catalogues of all languages and domains, without a fault."""
    for lang in ("uk", "ru", "be", "en"):
        write(tmp_path, lang, "forms", {"a.hello": f"{lang} {{name}}", "a.bye": f"{lang} bye"})
        write(tmp_path, lang, "bot", {"b.one": "1"})
        write(tmp_path, lang, "console", {})
    return tmp_path


def test_offered() -> None:
    assert offered("forms") == offered("bot") == ["uk", "ru", "be", "en"]
    with pytest.raises(NotOfferedError):
        offered("nothing")


@pytest.mark.parametrize(
    ("lang", "domain"), [("ru", "console"), ("de", "forms"), ("", "bot"), ("../uk", "forms")]
)
def test_a_language_that_is_not_offered_is_refused(lang: str, domain: str) -> None:
    with pytest.raises(NotOfferedError):
        Texts.load(lang, domains=(domain,))


def test_parameters_are_escaped_in_messages_and_not_in_buttons() -> None:
    texts = Texts.load("en")
    phrase = Phrase("review.row", {"label": Phrase("ask.name.label"), "answer": "<i>&{team}</i>"})
    assert texts.say(phrase) == "<b>Name:</b> &lt;i&gt;&amp;{team}&lt;/i&gt;"
    assert texts.plain(Phrase("said.words", {"words": "<i>&{team}</i>"})) == "“<i>&{team}</i>”"


def test_values_stand_in_the_order_parameter_operator_catalogue() -> None:
    phrase = Phrase("ask.consent")
    assert "the Dodomu team" in Texts.load("en").say(phrase)
    operated = Texts.load("en", values={"team": "Homeward & Co"})
    assert "the Homeward &amp; Co team" in operated.say(phrase)
    assert "the X team" in operated.say(Phrase("ask.consent", {"team": "X"}))


def test_a_missing_text_or_value_is_an_error() -> None:
    texts = Texts.load("en")
    with pytest.raises(MissingTextError):
        texts.say(Phrase("no.such.text"))
    with pytest.raises(MissingTextError):
        texts.say(Phrase("said.age"))
    with pytest.raises(MissingTextError):
        texts.say(Phrase(""))
    assert issubclass(MissingTextError, LocaleError)


def test_only_the_domains_asked_for_are_loaded() -> None:
    with pytest.raises(MissingTextError):
        Texts.load("en", domains=("bot",)).say(Phrase("nav.back"))


def test_several_texts_make_a_page() -> None:
    assert Texts.load("en").page([Phrase("nav.back"), Phrase("nav.hide")]) == "Back\nHide"


def test_a_catalogue_is_read_with_and_without_its_compiled_file(folder: Path) -> None:
    assert read("uk", "forms", folder).gettext("a.bye") == "uk bye"
    made = list(compile_all(folder))
    assert len(made) == 12
    assert read("uk", "forms", folder).gettext("a.bye") == "uk bye"


def test_an_older_compiled_file_is_passed_over(folder: Path) -> None:
    list(compile_all(folder))
    po = source("uk", "forms", folder)
    write(folder, "uk", "forms", {"a.hello": "new {name}", "a.bye": "newer"})
    stamp = po.with_suffix(".mo").stat().st_mtime_ns + 1_000_000
    os.utime(po, ns=(stamp, stamp))
    assert read("uk", "forms", folder).gettext("a.bye") == "newer"


def test_an_empty_text_is_no_text(folder: Path) -> None:
    write(folder, "uk", "forms", {"a.hello": ""})
    assert read("uk", "forms", folder).gettext("a.hello") == "a.hello"


def test_the_catalogues_are_complete(capsys: pytest.CaptureFixture[str]) -> None:
    assert problems() == []
    assert main(["check"]) == 0
    assert "complete" in capsys.readouterr().out


def test_the_check_names_each_fault(folder: Path) -> None:
    assert problems(folder) == []
    write(folder, "en", "forms", {"a.hello": "hello {nme}", "a.bye": "", "a.more": "unknown"})
    write(folder, "ru", "forms", {"a.hello": "привет {name!r}", "a.bye": ""})
    write(folder, "be", "forms", {"a.hello": " "})
    write(folder, "uk", "bot", {"b.one": "1", "a.bye": "again"})
    assert set(problems(folder)) == {
        "en/forms.po: a.more is unknown",
        "en/forms.po: a.hello has placeholders ['nme'], not ['name']",
        "en/forms.po: a.bye is empty",
        "ru/forms.po: a.hello has a broken placeholder ({name} is not a plain name)",
        "be/forms.po: a.hello begins or ends with a space",
        "ru/forms.po: a.bye is empty",
        "be/forms.po: a.bye is not listed",
        "bot: a.bye is also a key of forms",
        "en/bot.po: a.bye is not listed",
        "ru/bot.po: a.bye is not listed",
        "be/bot.po: a.bye is not listed",
    }


def test_a_fuzzy_text_counts_as_missing(folder: Path) -> None:
    path = source("en", "forms", folder)
    path.write_text(path.read_text().replace('msgid "a.bye"', '#, fuzzy\nmsgid "a.bye"'), encoding="utf-8")
    assert problems(folder) == ["en/forms.po: a.bye is empty"]
