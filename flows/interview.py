"""An interview as it stands: immutable, JSON-able, and silent in a repr.

Interview.from_json(interview.to_json()) == interview
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from flows import forms
from flows.errors import MalformedInterviewError
from flows.form import Form
from flows.inputs import Sent, sound

BEFORE = "before"  # the slot of what came before the first question
Json = Any  # what json.loads gives; checked where it is read


@dataclass(frozen=True, slots=True, repr=False)
class Part:
    """Words of one message."""

    words: str
    message: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What one step was answered with: a button, words as written, what was understood by them.

    `understood` is JSON: {"edtf": …, "today": …}, {"age": 8}, {"place": id, "name": …} or
    {"point": [latitude, longitude]}.
    `skipped` is "skip" or "unknown". `by_file`: a voice or files are the answer.
    """

    option: str = ""
    parts: tuple[Part, ...] = ()
    understood: Mapping[str, Json] | None = None
    skipped: str = ""
    by_file: bool = False

    @property
    def words(self) -> str:
        """All the words, one message below the other, exactly as written."""
        return "\n".join(part.words for part in self.parts)

    @property
    def is_given(self) -> bool:
        """Whether it says anything, even by voice."""
        return bool(self.option or self.parts or self.understood or self.by_file)


@dataclass(frozen=True, slots=True, repr=False)
class File:
    """A file, by our id, and the slot it came at."""

    id: str
    kind: str
    slot: str
    message: int | None = None
    caption: str = ""
    album: str = ""
    forwarded: bool = False
    origin: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Note:
    """Words that came where only a button could answer, that were forwarded, or a contact; kept with their slot.

    `origin` is what Telegram says of where a forwarded message came from; `claim` is "contact" for another
    person's details. Both are claims, never answers.
    """

    slot: str
    words: str
    message: int | None = None
    forwarded: bool = False
    origin: str = ""
    claim: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Point:
    """A location that came at another question; degrees, as exact as the form allows."""

    slot: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, repr=False)
class Interview:
    """The whole state. `at` is the slot being asked: a step's key, in a repeat with its turn ("name#2").

    `revision` grows whenever the buttons change their meaning, so that an old card is recognised.
    `picks` are the places offered now, as JSON. `resume` are the words to come back with, in `lang`.
    `opened` are the headings that were opened; `menu` is what the review shows in its place: "more" or "change".
    `sent`: the report is sent, this is what joins it; `context` has the buttons that were chosen before, by step.
    """

    form: str
    version: int
    lang: str
    revision: int
    at: str
    answers: Mapping[str, Answer] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    notes: tuple[Note, ...] = ()
    points: tuple[Point, ...] = ()
    picks: tuple[Mapping[str, Json], ...] = ()
    resume: str = ""
    opened: tuple[str, ...] = ()
    menu: str = ""
    sent: bool = False
    context: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Interview {self.form}/{self.version} revision {self.revision}>"

    def definition(self) -> Form:
        """Find the form that this interview follows."""
        return forms.get(self.form, self.version)

    def with_answer(self, slot: str, answer: Answer) -> Self:
        """Put one answer in place."""
        return replace(self, answers={**self.answers, slot: answer})

    def with_before(self, words: Sequence[str], files: Sequence[Sent]) -> Self:
        """Keep what came before the first question: it is reviewed and sent beside the answers."""
        notes = tuple(Note(BEFORE, sound(text)) for text in words)
        before = tuple(File(file.file, file.kind, BEFORE) for file in files)
        return replace(self, notes=(*self.notes, *notes), files=(*self.files, *before))

    def to_json(self) -> dict[str, Json]:
        """Give the state as JSON values."""
        return {
            "form": self.form,
            "version": self.version,
            "lang": self.lang,
            "revision": self.revision,
            "at": self.at,
            "answers": {slot: _answer_to_json(answer) for slot, answer in self.answers.items()},
            "files": [
                [
                    file.id,
                    file.kind,
                    file.slot,
                    file.message,
                    file.caption,
                    file.album,
                    file.forwarded,
                    file.origin,
                ]
                for file in self.files
            ],
            "notes": [
                [note.slot, note.words, note.message, note.forwarded, note.origin, note.claim]
                for note in self.notes
            ],
            "points": [[point.slot, point.latitude, point.longitude] for point in self.points],
            "picks": [dict(pick) for pick in self.picks],
            "resume": self.resume,
            "opened": self.opened,
            "menu": self.menu,
            "sent": self.sent,
            "context": dict(self.context),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> Self:
        """Read what `to_json` gave.

        Raises UnknownFormError for a form or version this program lacks, else MalformedInterviewError.
        """
        try:
            read = cls(
                form=data["form"],
                version=data["version"],
                lang=data["lang"],
                revision=data["revision"],
                at=data["at"],
                answers={slot: _answer_from_json(answer) for slot, answer in data["answers"].items()},
                files=tuple(File(*file) for file in data["files"]),
                notes=tuple(Note(*note) for note in data["notes"]),
                points=tuple(Point(*point) for point in data["points"]),
                picks=tuple(data["picks"]),
                resume=data["resume"],
                opened=tuple(data.get("opened", ())),
                menu=data.get("menu", ""),
                sent=data.get("sent", False),
                context=dict(data.get("context", {})),
            )
            definition = forms.get(read.form, read.version)
            known = {step.key for step in definition.all_steps()}
            at = str(read.at).partition("#")[0]
        except (AttributeError, KeyError, TypeError, ValueError):
            # Without the cause: it could quote an answer.
            raise MalformedInterviewError("What was read is not an interview.") from None
        if at not in known:
            raise MalformedInterviewError("The interview stands at a step which its form lacks.")
        return read


def _answer_to_json(answer: Answer) -> dict[str, Json]:
    """Leave out what is empty: most answers are one button or one text."""
    data: dict[str, Json] = {}
    if answer.option:
        data["option"] = answer.option
    if answer.parts:
        data["parts"] = [[part.words, part.message] for part in answer.parts]
    if answer.understood is not None:
        data["understood"] = dict(answer.understood)
    if answer.skipped:
        data["skipped"] = answer.skipped
    if answer.by_file:
        data["by_file"] = True
    return data


def _answer_from_json(data: Mapping[str, Json]) -> Answer:
    return Answer(
        option=data.get("option", ""),
        parts=tuple(Part(*part) for part in data.get("parts", ())),
        understood=data.get("understood"),
        skipped=data.get("skipped", ""),
        by_file=data.get("by_file", False),
    )
