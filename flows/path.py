"""Which questions are asked, in what order, follows from the form and the answers alone.

[slot.name for slot in path(form, interview)] == ["consent", "know", "where", …, "review"]
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from flows.ages import ADULT
from flows.dates import birthday_may_come, may_be_recent
from flows.form import ANOTHER, Condition, Fact, Form, Step, Urgency
from flows.interview import Answer, Interview

_LINK = re.compile(r"https?://|\bt\.me/|\bwww\.", re.IGNORECASE)


class Slot(NamedTuple):
    """One step as it is asked; in a repeat each turn is a slot of its own ("name#2", turn 2), else turn 0."""

    name: str
    step: Step
    turn: int


def path(form: Form, interview: Interview) -> list[Slot]:
    """List the slots that the answers so far lead through; the review is always the last."""
    slots: list[Slot] = []
    live: dict[str, Answer] = {}
    for entry in form.steps:
        if isinstance(entry, Step):
            _walk((entry,), 0, interview, slots, live)
            continue
        for turn in range(1, entry.limit + 1):
            # The last turn allowed does not ask for another.
            steps = entry.steps if turn < entry.limit else entry.steps[:-1]
            _walk(steps, turn, interview, slots, live)
            more = live.get(f"{entry.steps[-1].key}#{turn}")
            if more is None or more.option != ANOTHER:
                break
    return slots


def _walk(
    steps: tuple[Step, ...], turn: int, interview: Interview, slots: list[Slot], live: dict[str, Answer]
) -> None:
    """Add the slots of `steps` whose conditions hold, and what they were answered with."""
    for step in steps:
        if step.when and not all(holds(condition, live, turn) for condition in step.when):
            continue
        name = f"{step.key}#{turn}" if turn else step.key
        slots.append(Slot(name, step, turn))
        answer = interview.answers.get(name)
        if answer is not None:
            live[name] = answer


def holds(condition: Condition, live: Mapping[str, Answer], turn: int = 0) -> bool:
    """Say whether a condition on one step holds; in a repeat a step of the same turn comes first."""
    answer = live.get(f"{condition.step}#{turn}") if turn else None
    if answer is None:
        answer = live.get(condition.step)
    option = answer.option if answer else ""
    if condition.fact is Fact.CHOSEN:
        return option in condition.options
    if condition.fact is Fact.NOT_CHOSEN:
        return option not in condition.options
    return answer is not None and answer.is_given and _says(condition, answer)


def _says(condition: Condition, answer: Answer) -> bool:
    """Say whether an answer that was given holds the fact."""
    if condition.fact is Fact.GIVEN:
        return True
    understood = answer.understood or {}
    if condition.fact is Fact.TYPED:
        return bool(answer.parts) and "place" not in understood
    if "edtf" not in understood:
        return False
    today = date.fromisoformat(understood["today"])
    if condition.fact is Fact.RECENT:
        return may_be_recent(understood["edtf"], today=today, days=condition.days)
    return birthday_may_come(understood["edtf"], years=ADULT, today=today, days=condition.days)


def find(slots: list[Slot], name: str) -> int:
    """Give the position of a slot, or of the first open question if the path no longer leads there."""
    return next((index for index, slot in enumerate(slots) if slot.name == name), len(slots) - 1)


def next_open(slots: list[Slot], interview: Interview) -> str:
    """Give the first slot without an answer: the review, when all are answered."""
    return next(slot.name for slot in slots if slot.name not in interview.answers)


def live_answers(slots: list[Slot], interview: Interview) -> dict[str, Answer]:
    """Give the answers that count: those of slots the path still leads through."""
    return {slot.name: interview.answers[slot.name] for slot in slots if slot.name in interview.answers}


def class_of(form: Form, live: Mapping[str, Answer]) -> Urgency:
    """Give the class by TRIAGE.md: that of the form's first rule which holds."""
    return next((urgency for condition, urgency in form.urgency if holds(condition, live)), "normal")


def is_sendable(form: Form, interview: Interview, live: Mapping[str, Answer]) -> bool:
    """Apply the send rule of FORMS.md."""
    if not all(holds(condition, live) for condition in form.needs):
        return False
    alternatives = form.send
    if class_of(form, live) == "critical":
        alternatives += form.send_critical
    return any(all(_anywhere(condition, interview, live) for condition in facts) for facts in alternatives)


def _anywhere(condition: Condition, interview: Interview, live: Mapping[str, Answer]) -> bool:
    """Like `holds`, also for facts that may stand at any question, asked or not."""
    if condition.fact is Fact.FILE:
        return bool(interview.files)
    if condition.fact is Fact.SAID:
        return bool(interview.files) or any(True for _ in all_words(interview))
    if condition.fact is Fact.LINK:
        return any(_LINK.search(words) for words in all_words(interview))
    if condition.fact is Fact.GIVEN:
        # In a repeat any turn will do.
        return any(
            answer.is_given for name, answer in live.items() if name.partition("#")[0] == condition.step
        )
    return holds(condition, live)


def all_words(interview: Interview) -> list[str]:
    """List everything that was written: answers, notes, captions."""
    return [
        *(part.words for answer in interview.answers.values() for part in answer.parts),
        *(note.words for note in interview.notes),
        *(file.caption for file in interview.files if file.caption),
    ]
