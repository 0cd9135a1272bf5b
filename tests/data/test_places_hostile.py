"""Whatever is sent as a place: an answer of at most five, soon, and never an exception."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.places import COUNTRIES, MOST, Places
from flows.understand_place import understood
from flows.vocabulary import Vocabulary

CPU_S_MOST = 0.5  # of one answer; typical ones take a millisecond

LETTERS = "абвгґдеєжзиіїйклмнопрстуфхцчшщьюяўыэёъ abcdefghijklmnopqrstuvwxyz'’-.,;()"
PIECES = st.sampled_from(
    [
        "донецьк",
        "з",
        "біля",
        "район",
        "обл.",
        "ськ",
        "ого",
        "новоолександрівка",
        "школа",
        "№5",
        "крим",
        "днр",
        ", ",
    ]
)


@pytest.fixture(scope="module")
def places() -> Places:
    return Places.load()


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.load()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text(max_size=200),
        st.text(LETTERS, max_size=160),
        st.lists(PIECES, max_size=14).map(" ".join),
        st.lists(st.text(LETTERS, min_size=5, max_size=14), max_size=12).map(" ".join),
    ),
    st.sampled_from(["uk", "ru", "be", "en"]),
)
def test_any_text_gives_at_most_five_and_never_raises(
    places: Places, vocabulary: Vocabulary, text: str, lang: str
) -> None:
    found = understood(text, lang, places, vocabulary)["candidates"]
    assert len(found) <= MOST
    assert len({(one["kind"] == "facility", one["id"]) for one in found}) == len(found)
    assert len(places.suggest(text, lang, COUNTRIES)) <= MOST
    assert len(vocabulary.organisations(text, lang)) <= MOST


@pytest.mark.parametrize(
    "hostile",
    [
        "а" * 10_000,
        "a" * 10_000,
        "i" * 10_000,
        "Донецьк " * 1_250,
        "новадзкахаковкага " * 600,
        "обл " * 2_500,
        "район " * 1_600,
        "в " * 5_000,
        "м. " * 3_000,
        "(" * 10_000,
        ", " * 5_000,
        "а-" * 5_000,
        "'" * 10_000,
        "\u202e" + "ґ" * 9_999,
        "\u202eсьценоД\u202c \u2067Минск\u2069",
        "гекчурнвкю щвчявсвбчиф шюклпоблфли ввчвйцукен фивапролдж ячсмитьбю",
        "бищефйхска рьбигрвиска ккжиовпоска явбщжфска лорпавска",
    ],
)
def test_a_hostile_text_takes_no_time(places: Places, vocabulary: Vocabulary, hostile: str) -> None:
    understood("Хрцизьк", "uk", places, vocabulary)  # what is built once is built
    started = time.process_time()
    assert len(understood(hostile, "be", places, vocabulary)["candidates"]) <= MOST
    assert time.process_time() - started < CPU_S_MOST
