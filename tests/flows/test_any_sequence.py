"""Any sequence of words, taps, files, edits and restarts keeps the laws; a person at random, at length."""

import json

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

import flows
from flows.form import Kind
from flows.interview import Interview
from flows.path import find, path
from tests.flows import laws
from tests.flows.states import FORMS, begun

TEXT = st.text(max_size=40) | st.sampled_from(
    [
        *("Zlata", "8", "about 9", "2014", "осінь 2022", "завтра", "у травні або в червні", "Зелене", "Тихе"),
        *("Тихий", "так", "girl", "не знаю", "https://t.me/example", "x" * 4096, "\u202eОля"),
    ]
)
KIND = st.sampled_from(["photo", "document", "voice", "video", "video_note"])
ENDS = {"send", "hide", "erase", "not_now", "under_18"}


class Person(RuleBasedStateMachine):
    """Does anything, in any order; most taps are on buttons that stand, as in life."""

    def __init__(self) -> None:
        super().__init__()
        self.interview = flows.begin("uk", resume="лелека берег")
        self.messages = 0
        self.files = 0

    @initialize(form=st.sampled_from(["", *FORMS]))
    def begins(self, form: str) -> None:
        """At the first screen, or in any form, past its first two questions."""
        if form:
            self.interview = begun(form)

    def does(self, given: flows.Input) -> None:
        turn = laws.take(self.interview, given)
        assert turn == laws.take(self.interview, given)  # pure: the same input, the same turn
        assert turn.outcome is None or turn.outcome in ENDS
        laws.obey(self.interview, given, turn)
        laws.review_equals_body(turn.interview)
        self.interview = turn.interview

    @rule(choice=st.integers(0, 60), late=st.integers(0, 9))
    def taps(self, choice: int, late: int) -> None:
        shown = laws.keys(self.interview)
        revision = self.interview.revision - (late == 0)
        self.does(flows.Tapped(revision, shown[choice % len(shown)]))

    @rule(choice=st.integers(0, 30))
    def answers_by_tap(self, choice: int) -> None:
        options = [key for key in laws.keys(self.interview) if key.startswith(("o.", "pick.", "keep"))]
        if options:
            self.does(flows.Tapped(self.interview.revision, options[choice % len(options)]))

    @rule(choice=st.integers(0, 30))
    def goes_about_the_review(self, choice: int) -> None:
        """To its menus, to an answer that changes, under a heading and back."""
        acts = ("menu.", "change.", "open.", "review")
        shown = [key for key in laws.keys(self.interview) if key.startswith(acts)]
        if shown:
            self.does(flows.Tapped(self.interview.revision, shown[choice % len(shown)]))

    @rule(text=TEXT, forwarded=st.booleans(), reply_to=st.none() | st.integers(0, 30))
    def says(self, text: str, forwarded: bool, reply_to: int | None) -> None:  # noqa: FBT001 - hypothesis names it
        self.messages += 1
        self.does(flows.Said(text, self.messages, forwarded, reply_to=reply_to))

    @rule(kind=KIND, caption=st.none() | TEXT, album=st.sampled_from(["", "a", "b"]))
    def sends(self, kind: str, caption: str | None, album: str) -> None:
        self.messages += 1
        self.files += 1
        self.does(flows.Sent(f"file-{self.files}", kind, self.messages, caption, album or None))

    @rule(text=TEXT, message=st.integers(0, 30))
    def edits(self, text: str, message: int) -> None:
        self.does(flows.Edited(text, message))

    @rule(latitude=st.floats(), longitude=st.floats(), name=TEXT, forwarded=st.booleans())
    def shares_a_point(self, latitude: float, longitude: float, name: str, forwarded: bool) -> None:  # noqa: FBT001
        self.does(flows.Located(latitude, longitude, name=name, forwarded=forwarded))

    @rule()
    def shares_the_station(self) -> None:
        self.does(flows.Located(47.0, 33.0))

    @rule(words=TEXT)
    def shares_a_contact(self, words: str) -> None:
        self.messages += 1
        self.does(flows.Claimed("contact", words, self.messages))

    @rule(what=st.sampled_from(["sticker", "poll", "contact", "too_big", "empty_file"]))
    def sends_what_cannot_be_used(self, what: str) -> None:
        self.does(flows.Unusable(what))

    @rule()
    def is_read_again_after_a_restart(self) -> None:
        again = Interview.from_json(json.loads(json.dumps(self.interview.to_json())))
        assert again == self.interview
        self.interview = again

    @rule(lang=st.sampled_from(sorted(laws.TEXTS)))
    def changes_language(self, lang: str) -> None:
        before = self.interview
        self.interview = flows.in_language(before, lang, resume="stork shore")
        assert self.interview.answers == before.answers
        laws.review_equals_body(self.interview)

    @rule()
    def sends_it(self) -> None:
        """What follows in the same sitting holds nothing that was sent, and adds to it."""
        if self.interview.sent or not flows.can_send(self.interview):
            return
        following = flows.once_sent(self.interview)
        form = self.interview.definition()
        assert (following is None) == (not form.after and not form.headings)
        if following is not None:
            assert following.sent
            assert not following.answers
            assert not following.files + following.notes + following.points
            assert not flows.can_send(following)  # nothing was added yet
            laws.card_is_in_bounds_in_every_language(following)
            self.interview = following

    @rule()
    def goes_on_to_the_review(self) -> None:
        """From any state at all the review is within reach, by taps alone; only who came to add must say a word."""
        interview = self.interview
        for _ in range(60):
            slots = path(interview.definition(), interview)
            if slots[find(slots, interview.at)].step.kind is Kind.REVIEW:
                return
            turn = laws.take(interview, way_on(interview))
            assert turn.outcome is None
            interview = turn.interview
        raise AssertionError(f"no way on from {interview.at}")


LEADS_ON = ("review", "keep", "skip", "pick.none", "o.enough", "o.")


def way_on(interview: Interview) -> flows.Input:
    """The button that leads on with the least said."""
    shown = laws.keys(interview)
    if interview.at == "add" and "keep" not in shown:
        return flows.Said("ще слово")
    button = next(key for first in LEADS_ON for key in shown if key.startswith(first))
    return flows.Tapped(interview.revision, button)


Person.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestAnySequence = Person.TestCase
