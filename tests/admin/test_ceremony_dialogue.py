"""Two people at a terminal: each step is told, both prints are proven, and whoever stops leaves nothing behind."""

import os
import pty
import random
import re
import select
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from admin import ceremony, ceremony_commands
from admin.ceremony_dialogue import ASKED, Dialogue, StoppedError
from admin.papers import CEREMONY_PAGE, FILES, RECOVERY_PAGE, written
from tests.admin.test_cli import clean_environment, run, store

__all__ = ["clean_environment", "run", "store"]

PAGES = {"ceremony key": CEREMONY_PAGE, "recovery identity": RECOVERY_PAGE}


def word_on(folder: Path, question: str) -> str:
    """What stands on the print at the place that is asked for."""
    asked = re.search(r"(ceremony key|recovery identity), word (\d+): $", question)
    assert asked is not None
    page = (folder / PAGES[asked[1]]).read_text()
    found = re.search(rf"<b>{asked[2]}</b>([a-z]+)</li>", page)
    assert found is not None
    return found[1]


class Keeper:
    """Reads the papers and answers; `stops_at` is the number of the question at which they walk away."""

    def __init__(self, folder: Path, *, stops_at: int = 0, fault: type[BaseException] = EOFError) -> None:
        self.folder = folder
        self.questions: list[str] = []
        self._stops_at = stops_at
        self._fault = fault

    def answers(self, question: str = "") -> str:
        self.questions.append(question)
        if len(self.questions) == self._stops_at:
            raise self._fault
        return f"  {word_on(self.folder, question).upper()} " if ", word " in question else ""


def test_some_words_of_each_paper_are_asked_for_and_each_question_says_which(
    now: datetime, tmp_path: Path
) -> None:
    made = ceremony.make(now.date())
    told: list[str] = []
    keeper = Keeper(tmp_path)
    dialogue = Dialogue(keeper.answers, told.append, random.Random(7))
    dialogue.opens(tmp_path, offline=False)
    with written(made.ceremony_key, made.recovery, tmp_path) as files:
        dialogue.proves(files, made.ceremony_key, made.recovery)
    words = [question for question in keeper.questions if ", word " in question]
    assert len(set(words)) == len(words) == 2 * ASKED
    said = "\n".join(told)
    assert "The ceremony key can be read." in said
    assert "The recovery identity can be read." in said
    assert str(tmp_path / RECOVERY_PAGE) in said


def test_a_word_that_is_not_on_the_print_is_asked_for_again_and_never_shown(
    now: datetime, tmp_path: Path
) -> None:
    made = ceremony.make(now.date())
    told: list[str] = []
    right = Keeper(tmp_path)
    wrong = iter(["abode", "", "two words"])
    answers: Callable[[str], str] = lambda question: (  # noqa: E731 - one answer for one question
        next(wrong, None) or right.answers(question) if ", word " in question else ""
    )
    with written(made.ceremony_key, made.recovery, tmp_path) as files:
        Dialogue(answers, told.append, random.Random(7)).proves(files, made.ceremony_key, made.recovery)
        shown = "\n".join(told)
        secret = [word_on(tmp_path, question) for question in right.questions]
    assert shown.count("Read it once more") == 2
    assert not any(re.search(rf"\b{word}\b", shown) for word in secret)


@pytest.fixture
def at_a_terminal(run: Any, clean_environment: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Runs a command as if somebody sat there."""

    async def hold(keeper: Keeper, *arguments: object) -> Any:
        clean_environment.setattr(ceremony_commands, "asks", lambda: True)
        clean_environment.setattr("builtins.input", keeper.answers)
        return await run(*arguments)

    return hold


async def test_a_guided_ceremony_keeps_what_it_proved(
    at_a_terminal: Any, store: Any, connect: Any, tmp_path: Path
) -> None:
    keeper = Keeper(tmp_path / "papers")
    held = await at_a_terminal(keeper, "ceremony", "--out", tmp_path / "papers")
    assert (held.status, held.err) == (0, "")
    assert re.search(r"^ +DODOMU_CEREMONY_KEY=[0-9a-f]{64}$", held.out, re.MULTILINE)
    assert {path.name for path in (tmp_path / "papers").iterdir()} == set(FILES)
    connection = await connect("superuser")
    assert await connection.fetchval("SELECT count(*) FROM manifests") == 1


@pytest.mark.parametrize("fault", [EOFError, KeyboardInterrupt])
@pytest.mark.parametrize("question", range(1, 11))
async def test_whoever_stops_at_any_question_leaves_nothing_behind(
    at_a_terminal: Any, store: Any, connect: Any, tmp_path: Path, question: int, fault: type[BaseException]
) -> None:
    papers = tmp_path / "papers"
    keeper = Keeper(papers, stops_at=question, fault=fault)
    held = await at_a_terminal(keeper, "ceremony", "--out", papers)
    assert len(keeper.questions) == question
    assert (held.status, held.err.strip()) == (1, str(StoppedError()).strip())
    assert not papers.exists() or list(papers.iterdir()) == []
    connection = await connect("superuser")
    assert await connection.fetchval("SELECT count(*) FROM manifests") == 0


async def test_yes_asks_nothing(at_a_terminal: Any, store: Any, tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, stops_at=1)
    held = await at_a_terminal(keeper, "ceremony", "--yes", "--out", tmp_path / "papers")
    assert (held.status, keeper.questions) == (0, [])


def test_stopping_is_told_as_a_sentence() -> None:
    assert str(StoppedError()).strip().startswith("Stopped. Nothing was kept")


# ---- a real terminal --------------------------------------------------------------------------------


def test_a_ceremony_is_held_offline_at_a_terminal(tmp_path: Path) -> None:
    papers = tmp_path / "papers"
    keeper = Keeper(papers)
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DODOMU_")}
    program = subprocess.Popen(
        [sys.executable, "-m", "admin", "ceremony", "--offline", "--out", str(papers)],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True,
    )  # fmt: skip
    os.close(theirs)
    shown = ""
    answered = 0
    try:
        while chunk := _read(ours):
            shown += chunk
            line = shown[answered:].replace("\r", "").rsplit("\n", 1)[-1]
            if re.search(r"(\[Enter\]|, word \d+:) $", line):
                answered = len(shown)
                os.write(ours, keeper.answers(line).encode() + b"\n")
        assert program.wait(30) == 0
    finally:
        program.kill()
        program.wait()
        os.close(ours)
    assert "disconnect it now" in shown
    assert "--take ceremony-public.json" in shown
    assert {path.name for path in papers.iterdir()} == {*FILES, "ceremony-public.json"}


def _read(terminal: int) -> str:
    """What is shown next; "" at the end."""
    if not select.select([terminal], [], [], 60)[0]:
        raise TimeoutError
    try:
        return os.read(terminal, 4096).decode()
    except OSError:  # how Linux tells that nobody holds the other end any more
        return ""
