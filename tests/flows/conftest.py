"""One person telling, in the words of a story: says, taps, sends, sees."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

import flows
from tests.flows import laws


class Teller:
    """An interview and its chat; every turn of every story also obeys the laws."""

    def __init__(self, lang: str) -> None:
        self.interview = flows.begin(lang, resume="лелека берег")
        self.notice: flows.Text | None = None
        self.outcome: str | None = None
        self.message = itertools.count(100)
        self.file = itertools.count(1)
        self.turns = 0

    def does(self, given: flows.Input) -> None:
        self.turns += 1
        turn = laws.take(self.interview, given)
        laws.obey(self.interview, given, turn)
        laws.review_equals_body(turn.interview)
        self.interview, self.notice, self.outcome = turn.interview, turn.notice, turn.outcome

    def says(self, text: str, *, forwarded: bool = False) -> int:
        message = next(self.message)
        self.does(flows.Said(text, message, forwarded))
        return message

    def edits(self, message: int, text: str) -> None:
        self.does(flows.Edited(text, message))

    def sends(self, kind: str = "photo", caption: str | None = None, album: str | None = None) -> str:
        file = f"file-{next(self.file)}"
        self.does(flows.Sent(file, kind, next(self.message), caption, album))
        return file

    def shares(self, latitude: float, longitude: float, name: str = "") -> None:
        self.does(flows.Located(latitude, longitude, next(self.message), name=name))

    def goes_on(self) -> None:
        """What was tapped was Send; what may follow in the same sitting stands there now."""
        assert self.outcome == "send"
        following = flows.once_sent(self.interview)
        assert following is not None
        self.interview, self.notice, self.outcome = following, None, None

    def skips_to_the_review(self) -> None:
        while "skip" in (shown := laws.keys(self.interview)) or "o.seen" in shown:
            button = "skip" if "skip" in shown else "o.seen"
            self.does(flows.Tapped(self.interview.revision, button))

    def taps(self, *labels: str) -> None:
        for label in labels:
            self.does(flows.Tapped(self.interview.revision, self.button(label)))

    def button(self, label: str) -> str:
        on_screen = self.buttons()
        assert label in on_screen, f"no button {label!r}; there are {list(on_screen)}"
        return on_screen[label]

    def buttons(self) -> dict[str, str]:
        texts = laws.TEXTS[self.interview.lang]
        return {
            button.text if isinstance(button.text, str) else texts.plain(button.text): button.key
            for row in flows.card(self.interview, self.notice).buttons
            for button in row
        }

    def screen(self) -> str:
        return laws.shown(self.interview, self.notice)

    def sees(self, *fragments: str) -> None:
        for fragment in fragments:
            assert fragment in self.screen(), f"{fragment!r} is not on screen:\n{self.screen()}"

    def sees_not(self, fragment: str) -> None:
        assert fragment not in self.screen()


def teller(lang: str) -> Callable[[Callable[[Teller], None]], Callable[[], None]]:
    """Make a test of a story whose one person tells in this language."""

    def told(story: Callable[[Teller], None]) -> Callable[[], None]:
        def test() -> None:
            story(Teller(lang))

        test.__name__, test.__doc__ = story.__name__, story.__doc__
        test.__module__ = story.__module__
        return test

    return told


def says_of(content: dict[str, Any], step: str) -> dict[str, Any]:
    """What a report's body says of one question."""
    return next(entry for entry in content["answers"] if entry["step"] == step)


@pytest.fixture
def mother() -> Teller:
    """Tells in English, from the first question on."""
    return Teller("en")


@pytest.fixture
def grandmother() -> Teller:
    """Tells in Ukrainian."""
    return Teller("uk")
