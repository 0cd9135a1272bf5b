"""A form is data: steps, kinds of answers, conditions, repeats, texts by key, a version.

Nothing here asks or decides; `flows.engine` reads it. A form that was ever offered is never changed in
meaning: a change is a new version beside the old one, so that old reports stay readable.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Outcome = Literal["send", "hide", "erase", "under_18", "not_now"]
Urgency = Literal["critical", "high", "normal"]
ANOTHER = "another"  # the option that starts the next turn of a repeat


class Kind(StrEnum):
    """What answers a step. The whole table of kind × input stands in `flows.moves.TABLE`."""

    TAP = "tap"  # only a button; words are kept beside it
    CHOICE = "choice"  # a button, or words instead
    WORDS = "words"
    AGE = "age"  # an age or a date of birth, of any precision
    DATE = "date"  # of any precision
    PLACE = "place"
    FILES = "files"  # many, until Done
    AGAIN = "again"  # ends one turn of a repeat: "another" starts the next
    REVIEW = "review"


class Fact(StrEnum):
    """What a condition looks at."""

    CHOSEN = "chosen"  # the step's option is one of `options`
    NOT_CHOSEN = "not_chosen"
    GIVEN = "given"  # the step has words, an option, a point or a voice
    TYPED = "typed"  # a place that was kept as typed: a facility can be one
    FILE = "file"  # anywhere: a photo, a voice, any file
    LINK = "link"  # anywhere in the words
    SAID = "said"  # any words or voice
    RECENT = "recent"  # a date, known to the month, that may lie in the last `days`
    SOON = "soon"  # a date, known to the month, that may lie in the next `days`
    ADULT_SOON = "adult_soon"  # a date of birth whose 18th birthday may lie in the next `days`


@dataclass(frozen=True, slots=True)
class Condition:
    """One fact about what was answered so far."""

    fact: Fact
    step: str = ""
    options: tuple[str, ...] = ()
    days: int = 0


@dataclass(frozen=True, slots=True)
class Option:
    """One button of a step. `said` are words, in lower case, that mean the same when typed."""

    key: str
    literal: str = ""  # a label that is the same in all languages, such as a number
    said: tuple[str, ...] = ()
    outcome: Outcome | None = None
    means: tuple[tuple[str, int], ...] = ()  # what is understood by it, e.g. (("age", 8),)
    form: str = ""  # the interview goes on in the newest version of this form, with what was answered


@dataclass(frozen=True, slots=True)
class Step:
    """One question.

    Texts by key: `ask.KEY` the question, `ask.KEY.hint` its further lines (`hint` of them, 0 to 2),
    `ask.KEY.label` its short name, `ask.KEY.OPTION` each button. `ask` is another key for question and hint;
    `variants` swap them when their condition holds; the first that does counts.
    """

    key: str
    kind: Kind
    ask: str = ""
    options: tuple[Option, ...] = ()
    columns: int = 1  # buttons in a row
    skip: Literal["", "skip", "unknown", "next"] = "skip"  # the name of leaving it; "": must be answered
    when: tuple[Condition, ...] = ()  # asked only if all hold
    variants: tuple[tuple[Condition, str], ...] = ()
    hint: int = 0
    whole: bool = False  # informed consent: the hint is never left out to make room
    told: bool = True  # False: a card to read; its answer is no part of the report
    resume: bool = False  # says how to come back
    ahead: tuple[Condition, ...] = ()  # of a date: if any holds, it is likelier to lie ahead than behind
    any_time: bool = False  # of a date: it may lie ahead as well as behind
    anywhere: bool = False  # of a place: facilities and other countries are offered too
    organisations: bool = False  # of words: published organisations that they may mean are offered
    plain: bool = False  # the first screen: no Back, no Hide

    def option(self, key: str) -> Option | None:
        """Find an option by its key."""
        return next((option for option in self.options if option.key == key), None)


@dataclass(frozen=True, slots=True)
class Repeat:
    """Steps that can be answered several times; the last one is of kind AGAIN.

    `first` is the number of the first turn: 2, where the form's own steps were the first.
    """

    key: str
    steps: tuple[Step, ...]
    limit: int = 20  # turns
    first: int = 1


@dataclass(frozen=True, slots=True)
class Heading:
    """Optional questions, offered together once there is enough to send; unopened, they cost nothing.

    `heading.KEY` is its button. It is offered only if all of `when` hold.
    """

    key: str
    steps: tuple[Step | Repeat, ...]
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """One version of a form.

    `consent` is the version of the consent text. `send` is the send rule of FORMS.md: at least one of the
    alternatives must hold, each a set of facts; `send_critical` instead, once the class is critical.
    `urgency` lists the rules of TRIAGE.md, the first that holds counts. `point_decimals` is how exactly a
    shared location is kept (1 decimal of a degree is about 10 km: the settlement, never the house).
    """

    name: str
    version: int
    consent: int
    steps: tuple[Step | Repeat, ...]
    needs: tuple[Condition, ...]
    send: tuple[tuple[Condition, ...], ...]
    send_critical: tuple[tuple[Condition, ...], ...]
    urgency: tuple[tuple[Condition, Urgency], ...]
    sharing: tuple[str, ...]
    answer_here: str
    point_decimals: int
    after: tuple[Step, ...] = ()  # asked once the report is sent; what is answered joins it
    headings: tuple[Heading, ...] = ()

    def all_entries(self) -> Iterator[Step | Repeat]:
        """Every step and repeat, in the form's order: core, what is asked after sending, headings."""
        yield from self.steps
        yield from self.after
        for heading in self.headings:
            yield from heading.steps

    def all_steps(self) -> Iterator[Step]:
        """Every step, in the form's order; a step that is asked of each child comes again for the others."""
        for entry in self.all_entries():
            if isinstance(entry, Repeat):
                yield from entry.steps
            else:
                yield entry

    @property
    def review(self) -> Step:
        """The last step."""
        last = self.steps[-1]
        assert isinstance(last, Step)
        return last

    def heading(self, key: str) -> Heading | None:
        """Find a heading by its key."""
        return next((heading for heading in self.headings if heading.key == key), None)


def chosen(step: str, *options: str) -> Condition:
    """Hold when the step was answered with one of these options."""
    return Condition(Fact.CHOSEN, step, options)


def not_chosen(step: str, *options: str) -> Condition:
    """Hold unless the step was answered with one of these options."""
    return Condition(Fact.NOT_CHOSEN, step, options)


def given(step: str) -> Condition:
    """Hold when the step has an answer that is not a skip."""
    return Condition(Fact.GIVEN, step)
