"""A paper can be read three ways, each gives the same secret, and a mistake in it is told and never repeated."""

import re
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admin import ceremony, papers
from admin.ceremony import Made
from admin.papers import (
    CEREMONY_KEY,
    FILES,
    RECOVERY,
    CeremonyError,
    Files,
    Kind,
    from_words,
    read_ceremony_key,
    read_recovery,
    to_words,
    written,
)
from flows import returnwords

LIST = returnwords.words(range(returnwords.COUNT), "en")
SECRET = bytes(range(32))
KINDS = pytest.mark.parametrize("kind", [CEREMONY_KEY, RECOVERY], ids=lambda kind: kind.name)


@pytest.fixture
def made(now: datetime) -> Made:
    return ceremony.make(now.date())


@pytest.fixture
def files(made: Made, tmp_path: Path) -> Files:
    with written(made.ceremony_key, made.recovery, tmp_path / "papers") as paths:
        return paths


# ---- words ------------------------------------------------------------------------------------------


@KINDS
@given(secret=st.binary(min_size=32, max_size=32), layout=st.data())
def test_words_give_the_secret_back_however_they_are_set(
    kind: Kind, secret: bytes, layout: st.DataObject
) -> None:
    words = to_words(kind, secret)
    assert len(words) == 24
    assert set(words) <= set(LIST)
    cases = st.sampled_from([str.lower, str.upper, str.title])
    spaces = st.sampled_from([" ", "\n", "  ", "\t", ", ", "-", "\r\n", " 7. "])
    text = "".join(layout.draw(cases)(word) + layout.draw(spaces) for word in words)
    assert from_words(kind, text) == secret


@settings(max_examples=10, deadline=None)
@given(secret=st.binary(min_size=32, max_size=32), place=st.integers(0, 23))
def test_of_all_other_words_in_one_place_few_pass_unnoticed(secret: bytes, place: int) -> None:
    words = to_words(RECOVERY, secret)
    others = [word for word in LIST if word != words[place]][:256]
    passed = 0
    for other in others:
        try:
            assert from_words(RECOVERY, " ".join([*words[:place], other, *words[place + 1 :]])) != secret
            passed += 1
        except CeremonyError:
            continue
    assert passed < 16  # one is expected; 16 would come once in 10^13 secrets


@KINDS
def test_what_kind_of_mistake_it_is_is_told_without_the_words(kind: Kind) -> None:
    words = to_words(kind, SECRET)

    def told(*changed: str) -> str:
        with pytest.raises(CeremonyError) as error:
            from_words(kind, " ".join(changed))
        assert not set(re.findall("[a-z]+", str(error.value))) & set(words) - {
            "paper",
            "place",
            "words",
            "word",
        }
        return str(error.value)

    assert "holds 23 words" in told(*words[:-1])
    assert "holds 25 words" in told(*words, words[0])
    assert "holds 0 words" in told()
    assert "word 7 is none of the list" in told(*words[:6], "xqzxqz", *words[7:])
    assert "changed places" in told(words[1], words[0], *words[2:])


def test_one_paper_is_not_taken_for_the_other() -> None:
    with pytest.raises(CeremonyError, match="words of the ceremony key, the other paper"):
        from_words(RECOVERY, " ".join(to_words(CEREMONY_KEY, SECRET)))
    with pytest.raises(CeremonyError, match="words of the recovery identity, the other paper"):
        from_words(CEREMONY_KEY, " ".join(to_words(RECOVERY, SECRET)))


def test_the_words_of_a_secret_never_change() -> None:
    # What was printed years ago must be read: the list, the order of bits and the checksum are fixed.
    assert to_words(CEREMONY_KEY, SECRET)[:3] == ["abode", "animal", "lipstick"]
    assert [to_words(kind, SECRET)[-1] for kind in (CEREMONY_KEY, RECOVERY)] == ["tweed", "utopia"]
    assert to_words(RECOVERY, SECRET)[:-1] == to_words(CEREMONY_KEY, SECRET)[:-1]


def test_a_slip_of_the_pen_is_understood() -> None:
    words = to_words(RECOVERY, SECRET)
    long = next(place for place, word in enumerate(words) if len(word) > 6)
    slipped = words[long][:-1] + ("x" if words[long][-1] != "x" else "z")
    assert from_words(RECOVERY, " ".join([*words[:long], slipped, *words[long + 1 :]])) == SECRET


# ---- files ------------------------------------------------------------------------------------------


def test_papers_are_readable_by_their_user_alone(files: Files) -> None:
    folder = files.recovery.parent
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == dict.fromkeys(
        FILES, 0o600
    )
    assert folder.stat().st_mode & 0o777 == 0o700


def test_papers_stay_when_nobody_knows_whether_the_database_kept_the_rest(made: Made, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError), written(made.ceremony_key, made.recovery, tmp_path / "papers"):
        raise ConnectionError
    assert {path.name for path in (tmp_path / "papers").iterdir()} == set(FILES)


def test_papers_are_never_overwritten(files: Files, made: Made) -> None:
    before = {path: path.read_bytes() for path in files.recovery.parent.iterdir()}
    with (
        pytest.raises(CeremonyError, match="already"),
        written(made.ceremony_key, made.recovery, files.recovery.parent),
    ):
        pass
    assert {path: path.read_bytes() for path in files.recovery.parent.iterdir()} == before


def test_each_form_of_a_paper_gives_the_same_key(files: Files, made: Made, tmp_path: Path) -> None:
    def alone(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    signing = files.ceremony_key.read_text()
    pem = alone("pem", signing[signing.index("-----BEGIN") :])
    words = alone("signing-words", "\n".join(printed_words(files.ceremony_page)).upper())
    for path in (files.ceremony_key, pem, words):
        assert read_ceremony_key(path).private_bytes_raw() == made.ceremony_key.private_bytes_raw()

    opening = files.recovery.read_text()
    line = alone("line", opening[opening.index("AGE-SECRET-KEY-PQ-1") :])
    noted = alone("noted", f"# typed from the paper\n{' '.join(printed_words(files.recovery_page))}\n")
    marked = alone("marked", f"\ufeff{' '.join(printed_words(files.recovery_page))}")
    for path in (files.recovery, line, noted, marked):
        assert read_recovery(path).reveal() == made.recovery.reveal()


def printed_words(page: Path) -> list[str]:
    """As a person reads them from the print, in the order of their numbers."""
    numbered = re.findall(r"<li><b>(\d+)</b>([a-z]+)</li>", page.read_text())
    assert [int(number) for number, _ in numbered] == list(range(1, 25))
    return [word for _, word in numbered]


@pytest.mark.parametrize("page", ["ceremony_page", "recovery_page"])
def test_a_page_loads_nothing_and_runs_nothing(files: Files, page: str) -> None:
    text = getattr(files, page).read_text()
    assert "default-src 'none'" in text
    assert text.count("<svg") == 1
    without_names = re.sub(r'xmlns="[^"]*"', "", text)
    assert not re.search(r"<script|<img|<link|<iframe|url\(|@import|https?:|\son\w+=", without_names)


def test_the_files_and_the_pages_say_the_same(files: Files, made: Made) -> None:
    for file, page in ((files.ceremony_key, files.ceremony_page), (files.recovery, files.recovery_page)):
        assert re.findall(r" ?\d+ ([a-z]+)", file.read_text())[:24] == printed_words(page)
    assert made.recovery.reveal() in files.recovery_page.read_text()
    assert papers.in_groups(made.ceremony_public_hex) in files.ceremony_page.read_text()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"words", b"AGE-SECRET-KEY-PQ-1QQQQ\n", b"-----BEGIN"])
def test_a_file_that_is_no_key_is_told_as_such(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "paper.txt"
    path.write_bytes(content)
    with pytest.raises(CeremonyError, match="is not a ceremony key"):
        read_ceremony_key(path)
    with pytest.raises(CeremonyError, match="is not a recovery identity"):
        read_recovery(path)


def test_the_two_papers_and_the_pages_are_not_taken_for_each_other(files: Files) -> None:
    with pytest.raises(CeremonyError, match="this is the recovery identity, the other paper"):
        read_ceremony_key(files.recovery)
    with pytest.raises(CeremonyError, match="this is the ceremony key, the other paper"):
        read_recovery(files.ceremony_key)
    with pytest.raises(CeremonyError, match="this is the page to print"):
        read_recovery(files.recovery_page)


def test_a_recovery_identity_copied_with_a_mistake_is_told_without_repeating_it(files: Files) -> None:
    secret = files.recovery.read_text().split()[-1]
    wrong = secret[:-1] + ("Q" if secret[-1] != "Q" else "P")
    files.recovery.write_text(wrong)
    with pytest.raises(CeremonyError) as told:
        read_recovery(files.recovery)
    assert wrong not in str(told.value)


def test_a_paper_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CeremonyError, match=r"gone\.txt cannot be read"):
        read_ceremony_key(tmp_path / "gone.txt")


def test_words_decode_with_the_list_alone_as_the_keepers_guide_says() -> None:
    lines = (Path(returnwords.__file__).parent / "data" / "return-words-en-1.txt").read_text().split()
    bits = "".join(f"{lines.index(word):011b}" for word in to_words(RECOVERY, SECRET))
    raw = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    assert (raw[:32], len(raw)) == (SECRET, 33)
