"""A form can be read by someone who reads no code."""

import pytest

from flows import forms
from flows.__main__ import main


def test_the_table_shows_every_step_button_and_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "family", "--lang", "en"]) == 0
    shown = capsys.readouterr().out
    for step in forms.newest("family").all_steps():
        assert f"\n{step.key} " in shown
    for fragment in (
        "family, version 1 (consent text 1)",
        "[I am under 18] → under_18",
        "[1] [2] [3]",
        "(I don’t know)",
        "where is danger and urgent",
        "critical: where is danger",
        "high: when within 30 days",
        "age is answered and place is answered",
        "if critical: any words, voice or file",
    ):
        assert fragment in shown
    assert max(map(len, shown.splitlines())) <= 140


def test_in_another_language_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "family", "--version", "1", "--lang", "uk"]) == 0
    assert "Як звати дитину?" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "nobody"], "does not know that form"),
        (["show", "family", "--version", "99"], "does not know that form or version"),
        (["show", "family", "--lang", "ru"], "'ru' is not offered"),
        ([], "required"),
    ],
)
def test_a_wrong_name_is_told(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
