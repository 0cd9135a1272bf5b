"""Return words say numbers and are read back, however they were written; the lists keep their rules for ever."""

import hashlib
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows import returnwords
from flows.returnwords import COUNT, KEY, fold, numbers, one_slip, words
from flows.words import asked_for, command_of

DATA = Path(__file__).parents[2] / "flows" / "data"
LANGUAGES = returnwords.languages()
# A list that people carry is never changed: when one must be, it is a new file with a new version.
PUBLISHED = {
    "return-words-ru-1.txt": "73b984c4e7de754ffba593ee906153fbd576e0f6a41006237e4883e0a62304e4",
    "return-words-be-1.txt": "e1184426dff46a3a8b37e4a177ee743f85aeb91abdfb3e526e40b6a4486f449f",
    "return-words-en-1.txt": "4837a858d2edc7d8a9afeac3725934228b389d11305625aa4824c092e30bc884",
    "return-words-uk-1.txt": "ffcc25655c590219f67f4d68b8aac7d6949cbb67954dc2de3e05aefb6bd272f8",
}
SOME = st.lists(st.integers(0, COUNT - 1), min_size=1, max_size=7)


def entries(lang: str) -> list[str]:
    return (DATA / f"return-words-{lang}-1.txt").read_text(encoding="utf-8").split("\n")[:-1]


# What a list may not hold: another language's letters, and letters that not everyone writes alike.
FORBIDDEN = {"uk": "ґёъыэ", "ru": "ґёъіїєў", "be": "ґёъищїє", "en": ""}


def test_all_four_languages_have_lists() -> None:
    assert set(LANGUAGES) == {"uk", "ru", "be", "en"}
    assert {path.name for path in DATA.glob("return-words-*")} == set(PUBLISHED)


@pytest.mark.parametrize(("name", "digest"), PUBLISHED.items())
def test_a_published_list_never_changes(name: str, digest: str) -> None:
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_list_holds_2048_words_none_like_another(lang: str) -> None:
    listed = entries(lang)
    folded = [fold(word) for word in listed]
    assert len(listed) == len(set(folded)) == len({word[:KEY] for word in folded}) == COUNT
    near = set(folded)
    assert not any(near & (one_slip(word, lang) - {word}) for word in folded)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_words_have_only_letters_that_everyone_writes_alike(lang: str) -> None:
    for word in entries(lang):
        assert 3 <= len(word) <= 8
        assert word == word.casefold()
        assert word.isalpha()
        assert not set(FORBIDDEN[lang]) & set(word)
        assert not any(soft in word for soft in ("сь", "зь"))
        assert word.isascii() == (lang == "en")


@pytest.mark.parametrize(("one", "other"), list(combinations(["uk", "ru", "be"], 2)))
def test_a_spelling_has_one_number_in_all_lists(one: str, other: str) -> None:
    numbered = {fold(word)[:KEY]: number for number, word in enumerate(entries(one))}
    shared = [(numbered.get(fold(word)[:KEY]), number) for number, word in enumerate(entries(other))]
    assert all(left in {None, right} for left, right in shared)
    same = {fold(word) for word in entries(one)} & {fold(word) for word in entries(other)}
    assert len(same) > 400  # so the rule says something
    for word in same:
        assert numbers(word, one) == numbers(word, other) == numbers(word, None)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_word_is_a_command_or_asks_for_something(lang: str) -> None:
    for word in entries(lang):
        assert command_of(word) is None
        assert asked_for(word) is None


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_listed_word_is_refused(lang: str) -> None:
    refused = (DATA / "make" / f"refused-{lang}.txt").read_text(encoding="utf-8").split()
    assert not set(entries(lang)) & set(refused)


@pytest.mark.parametrize("lang", LANGUAGES)
@settings(deadline=None)  # the machine may be busy
@given(chosen=SOME)
def test_what_was_said_is_read_back(lang: str, chosen: list[int]) -> None:
    said = words(chosen, lang)
    assert numbers(" ".join(said), lang) == tuple(chosen)
    assert numbers(", ".join(said).upper() + ".", None) == tuple(chosen)
    assert numbers("\n".join(f"{at}. {word}" for at, word in enumerate(said, 1)), lang) == tuple(chosen)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_four_letters_are_enough(lang: str) -> None:
    for number, word in enumerate(entries(lang)):
        assert numbers(word[:KEY], lang) == (number,)


@pytest.mark.parametrize("lang", LANGUAGES)
@settings(deadline=None)  # the machine may be busy
@given(number=st.integers(0, COUNT - 1), data=st.data())
def test_a_slip_is_forgiven_or_refused_never_guessed(lang: str, number: int, data: st.DataObject) -> None:
    listed = [fold(word) for word in entries(lang)]
    slipped = data.draw(st.sampled_from(sorted(one_slip(listed[number], lang) - {""})))
    around = one_slip(slipped, lang)
    near = {at for at, word in enumerate(listed) if word in around}
    begun = {at for at, word in enumerate(listed) if word[:KEY] == slipped[:KEY]}
    read = numbers(slipped, lang)
    assert read is None or read[0] in near | begun
    if slipped not in {word[:KEY] for word in listed}:
        assert near | begun != {number} or read == (number,)
        assert len(near) < 2 or read is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("лiтак", "літак"),  # a Latin i
        ("литак", "літак"),
        ("ЛІТАК!", "літак"),
        ("літаку", "літак"),  # another case
        ("лїтак", "літак"),
        ("«літак»", "літак"),
        ("літ\u0301ак\u200b", "літак"),
        ("літвк", "літак"),
        ("ўспіх", "успіх"),
        ("ytkamp", None),
        ("літературознавство", None),
        ("", None),
        ("!!! 123", None),
    ],
)
def test_spellings_are_forgiven(written: str, meant: str | None) -> None:
    assert numbers(written, "uk") == (None if meant is None else numbers(meant, "uk"))
    assert meant is None or words(numbers(meant, "uk") or (), "uk") == [meant]


@pytest.mark.parametrize(
    ("written", "lang", "meant"),
    [
        ("ПОДУШКА;", "ru", "подушка"),
        ("подушку", "ru", "подушка"),  # another case
        ("падушка", "ru", "подушка"),
        ("телефОн", "ru", "телефон"),
        ("вyлiца", "be", "вуліца"),  # Latin letters that look alike
        ("увага", "be", "увага"),
        ("ўвага", "be", "увага"),
        ("вулица", "be", "вуліца"),
        ("сьнежка", "be", "снежка"),  # as taraškievica writes
        ("песьня", "be", "песня"),
        ("сьвята", "be", "свята"),
        ("насеньне", "be", "насенне"),
        ("плянэта", "be", "планета"),
        ("клюшкі", "be", "клюшка"),
    ],
)
def test_russian_and_belarusian_spellings_are_forgiven(written: str, lang: str, meant: str) -> None:
    assert meant in entries(lang)
    assert numbers(written, lang) == numbers(meant, lang) == (entries(lang).index(meant),)
    others = words(
        [11, 222, 333, 444, 555, 666], lang
    )  # alone, «падушка» is a Belarusian word, spelled right
    assert numbers(" ".join([written, *others]), None) == (
        entries(lang).index(meant),
        11,
        222,
        333,
        444,
        555,
        666,
    )


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "written",
    [
        "{0} {1} {2} {3} {4} {5} {6}",
        "1. {0}\n2. {1}\n3. {2}\n4. {3}\n5. {4}\n6. {5}\n7. {6}\n",
        "1) {0} 2) {1} 3) {2} 4) {3} 5) {4} 6) {5} 7) {6}",
        "• {0}\n• {1}\n• {2}\n• {3}\n• {4}\n• {5}\n• {6}",
        "{0},{1},{2},{3},{4},{5},{6}.",
        "- {0}\r\n- {1}\r\n\r\n- {2}\r\n- {3}\r\n- {4}\r\n- {5}\r\n- {6}",
        "\ufeff«{0}» — {1}; {2} / {3} | {4}_{5}\t{6}",
        "1️⃣ {0} 2️⃣ {1} 3️⃣ {2} 4️⃣ {3} 5️⃣ {4} 6️⃣ {5} 7️⃣ {6}",
        "||{0} {1} {2} {3} {4} {5} {6}||",
        "\n\n   {0}\u00a0{1}\u2003{2}   {3} {4} {5} {6}" + " " * 500,
    ],
)
def test_words_from_notes_and_forwards_are_read(lang: str, written: str) -> None:
    chosen = (5, 99, 800, 1234, 1500, 2000, 2047)
    said = words(chosen, lang)
    assert numbers(written.format(*said)) == chosen
    assert numbers(written.format(*(word.title() for word in said))) == chosen
    assert numbers(written.format(*(word[:KEY].upper() for word in said))) == chosen


@pytest.mark.parametrize("lang", LANGUAGES)
@settings(deadline=None)  # the machine may be busy
@given(chosen=st.lists(st.integers(0, COUNT - 1), min_size=7, max_size=7), data=st.data())
def test_a_phrase_with_a_slip_is_read_right_or_not_at_all(
    lang: str, chosen: list[int], data: st.DataObject
) -> None:
    said = words(chosen, lang)
    at = data.draw(st.integers(0, 6))
    folded = fold(said[at])
    said[at] = data.draw(st.sampled_from(sorted(one_slip(folded, lang) - {""})))
    assert numbers(" ".join(said), lang) in {None, tuple(chosen)}
    read = numbers(" ".join(said))
    # Of a language that is not known a slip may spell, word for word, a phrase of another.
    assert read in {None, tuple(chosen)} or any(
        [fold(word) for word in words(read or (), other)] == [fold(word) for word in said]
        for other in LANGUAGES
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_most_slips_are_forgiven(lang: str) -> None:
    around = words([11, 222, 333, 444, 555, 666], lang)
    slips = [word[:-2] + word[-1] for word in entries(lang) if len(word) > KEY + 1]
    read = [numbers(" ".join([slip, *around])) for slip in slips]
    assert sum(one is not None for one in read) > 0.85 * len(slips)


def test_words_of_two_languages_are_no_phrase() -> None:
    mixed = f"{words([1], 'uk')[0]} {words([1], 'en')[0]}"
    assert numbers(mixed) is None


def test_no_list_is_read_before_it_is_needed() -> None:
    program = (
        "import flows.returnwords as r; r.words([1], 'be'); r.words([2], 'be'); "
        "print(r._entries.cache_info().currsize)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "1\n"


def test_a_story_of_return_words_is_no_phrase() -> None:
    assert numbers(" ".join(words([1] * 100, "en"))) is None


def test_order_counts() -> None:
    assert numbers(" ".join(words([1, 2], "en"))) != numbers(" ".join(words([2, 1], "en")))


@pytest.mark.parametrize("lang", ["pl", "xx", "../uk"])
def test_a_language_without_a_list_is_an_error_to_write_and_tries_all_to_read(lang: str) -> None:
    with pytest.raises(LookupError):
        words([0], lang)
    assert numbers(words([5], "uk")[0], lang) == (5,)


@pytest.mark.parametrize("number", [-1, COUNT, 10**9])
def test_a_number_no_word_has_is_an_error(number: int) -> None:
    with pytest.raises(IndexError):
        words([number], "en")


@pytest.mark.parametrize(
    "odd", ["а" * 1_000_000, "слово " * 100_000, "\x00\ud800", "İ" * 500, "ﬁ" * 500, "\u202e" * 999]
)
def test_huge_and_odd_texts_are_no_words(odd: str) -> None:
    assert numbers(odd) is None


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=300))
def test_any_text_is_read_without_harm(text: str) -> None:
    read = numbers(text)
    assert read is None or all(number in range(COUNT) for number in read)


def test_seven_words_hold_77_bits() -> None:
    assert COUNT**7 == 2**77
