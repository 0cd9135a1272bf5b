"""One person telling, in the words of a story: says, taps, sends, sees."""

import itertools

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

    def does(self, given: flows.Input) -> None:
        turn = laws.take(self.interview, given)
        laws.obey(self.interview, given, turn)
        laws.review_equals_body(turn.interview)
        self.interview, self.notice, self.outcome = turn.interview, turn.notice, turn.outcome

    def says(self, text: str, **more: bool) -> int:
        message = next(self.message)
        self.does(flows.Said(text, message, **more))
        return message

    def edits(self, message: int, text: str) -> None:
        self.does(flows.Edited(text, message))

    def sends(self, kind: str = "photo", caption: str | None = None, album: str | None = None) -> str:
        file = f"file-{next(self.file)}"
        self.does(flows.Sent(file, kind, next(self.message), caption, album))
        return file

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


@pytest.fixture
def mother() -> Teller:
    """Tells in English, from the first question on."""
    return Teller("en")


@pytest.fixture
def grandmother() -> Teller:
    """Tells in Ukrainian."""
    return Teller("uk")
