"""The search for leaks finds what it looks for, in each form, wherever in a file it stands."""

import base64
from pathlib import Path

import pytest

from tests.leaks.needles import SHORTEST, Needle, forms, search

WORDS = ("Kvitoslava Nezabudko", "Оленка з Вигаданки", "5100000001", "вул. №7, «Мрія»")


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("form", forms(WORDS[1]))
def test_each_form_is_found(word: str, form: str, tmp_path: Path) -> None:
    hidden = forms(word)[form]
    assert len(hidden) >= SHORTEST
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(bytes(range(256)) * 40 + hidden + bytes(range(255, -1, -1)))
    (tmp_path / "clean").write_bytes(bytes(range(256)) * 40)
    hits = search([tmp_path], [Needle("word", word), Needle("other", "nowhere to be found")])
    assert form in {hit.form for hit in hits}
    assert {hit.what for hit in hits} == {"word"}
    assert {hit.file for hit in hits} == {str(tmp_path / "deep" / "file")}


def test_base64_is_found_at_each_alignment(tmp_path: Path) -> None:
    for before in range(6):
        whole = base64.b64encode(b"x" * before + "Оленка з Вигаданки".encode() + b"yyyyy")
        (tmp_path / "file").write_bytes(whole)
        assert search([tmp_path], [Needle("word", "Оленка з Вигаданки")])


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)) * 4000)
    assert search([tmp_path], [Needle("word", word) for word in WORDS]) == []
