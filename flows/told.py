"""What a person told, in the form's order: the one list from which both the review and the report are made.

So the review equals what is sealed. Words are never dropped: what the path no longer leads to is told last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.cards import Text
from flows.dates import spoken
from flows.form import Form
from flows.interview import BEFORE, Answer, File, Interview, Point
from flows.path import Slot, answer_at

LEVELS = ("name", "raion", "oblast")  # what tells two settlements apart; the hromada only when it must


@dataclass(frozen=True, slots=True, repr=False)
class Told:
    """One answer, with the files and points that came at its question."""

    slot: Slot
    answer: Answer
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Beside:
    """Something kept beside the answers: words, a file or a point, with the slot where it came."""

    slot: str
    words: str = ""
    forwarded: bool = False
    origin: str = ""
    claim: str = ""
    file: File | None = None
    point: Point | None = None


def told(slots: list[Slot], interview: Interview) -> list[Told]:
    """List the answers on the path, skipped ones too; a step that was not reached is left out."""
    files: dict[str, list[File]] = {}
    for file in interview.files:
        files.setdefault(file.slot, []).append(file)
    return [
        Told(slot, answer, tuple(files.get(slot.name, ())))
        for slot in slots
        if slot.step.told and (answer := answer_at(slot, interview)) is not None
    ]


def beside(slots: list[Slot], interview: Interview) -> list[Beside]:
    """List what no answer holds: notes, words of questions that fell away, other files and points."""
    live = {slot.name for slot in slots if slot.step.told and answer_at(slot, interview) is not None}
    kept = [
        Beside(note.slot, note.words, note.forwarded, note.origin, note.claim) for note in interview.notes
    ]
    kept += [
        Beside(name, answer.words)
        for name, answer in interview.answers.items()
        if answer.parts and name not in live
    ]
    kept += [Beside(file.slot, file=file) for file in interview.files if file.slot not in live]
    kept += [Beside(point.slot, point=point) for point in interview.points]
    return kept


def label_key(form: Form, slot: str) -> str:
    """Give the text key of a question's short name."""
    key = slot.partition("#")[0]
    if key == BEFORE:
        return "label.before"
    return (
        f"ask.{key}.label"
        if any(step.key == key and step.told for step in form.all_steps())
        else "label.other"
    )


def option_key(step: str, option: str) -> str:
    """Give the text key of one button of a step."""
    return f"ask.{step}.{option}"


def said_understood(understood: Mapping[str, Any] | None, lang: str) -> Text | str | None:
    """Say what was understood: an age, a date, a settlement with its raion, a point; or None."""
    if not understood:
        return None
    if "edtf" in understood:
        said = spoken(understood["edtf"])
        return Text("said.unsure", {"value": said}) if understood.get("unsure") else said
    if "months" in understood:
        return Text("said.months", {"months": str(understood["months"])})
    if "age" in understood:
        about = "_about" if understood.get("about") else ""
        to = f"–{understood['to']}" if "to" in understood else ""
        return Text(f"said.age{about}", {"age": f"{understood['age']}{to}"})
    named = place_label(understood, lang)
    if "point" not in understood:
        return named or None
    return Text("said.point_near", {"place": named}) if named else Text("said.point")


def place_label(place: Mapping[str, Any], lang: str, *, levels: Sequence[str] = LEVELS) -> str:
    """Name a settlement with its raion and oblast, in `lang` or else in the first language it has."""
    names = (place.get(level) or {} for level in levels)
    said = (name.get(lang) or next(iter(name.values()), "") for name in names)
    return ", ".join(part for part in said if part)
