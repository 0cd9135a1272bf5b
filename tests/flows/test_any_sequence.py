"""Any sequence of words, taps, files, edits and restarts keeps the laws; a person at random, at length."""

import json

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, rule

import flows
from flows.interview import Interview
from flows.path import find, path
from tests.flows import laws

TEXT = st.text(max_size=40) | st.sampled_from(
    ["Zlata", "8", "about 9", "2014", "осінь 2022", "Зелене", "Тихе", "так", "girl", "x" * 4096, "\u202eОля"]
)
KIND = st.sampled_from(["photo", "document", "voice", "video", "video_note"])


class Person(RuleBasedStateMachine):
    """Does anything, in any order; most taps are on buttons that stand, as in life."""

    def __init__(self) -> None:
        super().__init__()
        self.interview = flows.begin("uk", resume="лелека берег")
        self.messages = 0
        self.files = 0

    def does(self, given: flows.Input) -> None:
        turn = laws.take(self.interview, given)
        assert turn == laws.take(self.interview, given)  # pure: the same input, the same turn
        laws.obey(self.interview, given, turn)
        laws.review_equals_body(turn.interview)
        self.interview = turn.interview

    @rule(choice=st.integers(0, 30), late=st.integers(0, 9))
    def taps(self, choice: int, late: int) -> None:
        shown = laws.keys(self.interview)
        revision = self.interview.revision - (late == 0)
        self.does(flows.Tapped(revision, shown[choice % len(shown)]))

    @rule(choice=st.integers(0, 30))
    def answers_by_tap(self, choice: int) -> None:
        options = [key for key in laws.keys(self.interview) if key.startswith(("o.", "pick.", "keep"))]
        if options:
            self.does(flows.Tapped(self.interview.revision, options[choice % len(options)]))

    @rule(text=TEXT, forwarded=st.booleans())
    def says(self, text: str, forwarded: bool) -> None:  # noqa: FBT001 - hypothesis gives it by name
        self.messages += 1
        self.does(flows.Said(text, self.messages, forwarded))

    @rule(kind=KIND, caption=st.none() | TEXT, album=st.sampled_from(["", "a", "b"]))
    def sends(self, kind: str, caption: str | None, album: str) -> None:
        self.messages += 1
        self.files += 1
        self.does(flows.Sent(f"file-{self.files}", kind, self.messages, caption, album or None))

    @rule(text=TEXT, message=st.integers(0, 30))
    def edits(self, text: str, message: int) -> None:
        self.does(flows.Edited(text, message))

    @rule(latitude=st.floats(), longitude=st.floats())
    def shares_a_point(self, latitude: float, longitude: float) -> None:
        self.does(flows.Located(latitude, longitude))

    @rule(what=st.sampled_from(["sticker", "poll", "contact", "too_big", "empty_file"]))
    def sends_what_cannot_be_used(self, what: str) -> None:
        self.does(flows.Unusable(what))

    @rule()
    def is_read_again_after_a_restart(self) -> None:
        again = Interview.from_json(json.loads(json.dumps(self.interview.to_json())))
        assert again == self.interview
        self.interview = again

    @rule(lang=st.sampled_from(["uk", "en"]))
    def changes_language(self, lang: str) -> None:
        before = self.interview
        self.interview = flows.in_language(before, lang, resume="stork shore")
        assert self.interview.answers == before.answers
        laws.review_equals_body(self.interview)

    @rule()
    def goes_on_to_the_review(self) -> None:
        """From any state at all the review is within reach, by taps alone."""
        interview = self.interview
        for _ in range(60):
            shown = laws.keys(interview)
            ahead = [key for key in shown if key.startswith(("o.", "pick.none", "keep", "skip"))]
            slots = path(interview.definition(), interview)
            if slots[find(slots, interview.at)].name == "review":
                return
            turn = laws.take(interview, flows.Tapped(interview.revision, ahead[0]))
            interview = turn.interview
        raise AssertionError(f"no way on from {interview.at}")


Person.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestAnySequence = Person.TestCase
