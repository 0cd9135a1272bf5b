"""Which questions are asked, in what order, follows from the form and the answers alone.

[slot.name for slot in path(form, interview)] == ["consent", "know", "where", …, "review"]
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from flows.ages import ADULT
from flows.dates import birthday_may_come, may_be_recent
from flows.form import ANOTHER, Condition, Fact, Form, Heading, Repeat, Step, Urgency
from flows.interview import Answer, Interview

_LINK = re.compile(r"https?://|\bt\.me/|\bwww\.", re.IGNORECASE)


class Slot(NamedTuple):
    """One step as it is asked; in a repeat each turn is a slot of its own ("name#2", turn 2), else turn 0.

    `heading` is the heading it stands under; "" in the core.
    """

    name: str
    step: Step
    turn: int
    heading: str = ""


def path(form: Form, interview: Interview) -> list[Slot]:
    """List the slots that the answers so far lead through; the review is always the last.

    The core comes first (once it is sent: what is asked after sending), then the headings that were opened.
    """
    slots: list[Slot] = []
    live = _context(interview)
    *core, review = form.steps
    for entry in form.after if interview.sent else core:
        _enter(entry, "", interview, slots, live)
    for heading in form.headings:
        if heading.key in interview.opened and is_offered(heading, live):
            for entry in heading.steps:
                _enter(entry, heading.key, interview, slots, live)
    _enter(review, "", interview, slots, live)
    return slots


def is_offered(heading: Heading, live: Mapping[str, Answer]) -> bool:
    """Say whether a heading may be opened."""
    return all(holds(condition, live) for condition in heading.when)


def _context(interview: Interview) -> dict[str, Answer]:
    """Give what was chosen before the report was sent: conditions look at it, nothing tells it again."""
    return {step: Answer(option) for step, option in interview.context.items()}


def _enter(
    entry: Step | Repeat, heading: str, interview: Interview, slots: list[Slot], live: dict[str, Answer]
) -> None:
    """Add a step, or as many turns of a repeat as were asked for."""
    if isinstance(entry, Step):
        _walk((entry,), 0, heading, interview, slots, live)
        return
    last = entry.first + entry.limit - 1
    for turn in range(entry.first, last + 1):
        # The last turn allowed does not ask for another.
        steps = entry.steps if turn < last else entry.steps[:-1]
        _walk(steps, turn, heading, interview, slots, live)
        more = live.get(f"{entry.steps[-1].key}#{turn}")
        if more is None or more.option != ANOTHER:
            break


def _walk(
    steps: tuple[Step, ...],
    turn: int,
    heading: str,
    interview: Interview,
    slots: list[Slot],
    live: dict[str, Answer],
) -> None:
    """Add the slots of `steps` whose conditions hold, and what they were answered with."""
    for step in steps:
        if step.when and not all(holds(condition, live, turn) for condition in step.when):
            continue
        name = f"{step.key}#{turn}" if turn else step.key
        slot = Slot(name, step, turn, heading)
        slots.append(slot)
        answer = answer_at(slot, interview)
        if answer is not None:
            live[name] = answer


def answer_at(slot: Slot, interview: Interview) -> Answer | None:
    """Give the answer of a slot, if it is one: a button of another form's question is none here."""
    answer = interview.answers.get(slot.name)
    if answer is None or (answer.option and slot.step.option(answer.option) is None):
        return None
    return answer


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
    years = ADULT if condition.fact is Fact.ADULT_SOON else 0
    return birthday_may_come(understood["edtf"], years=years, today=today, days=condition.days)


def find(slots: list[Slot], name: str) -> int:
    """Give the position of a slot, or of the first open question if the path no longer leads there."""
    return next((index for index, slot in enumerate(slots) if slot.name == name), len(slots) - 1)


def next_open(slots: list[Slot], interview: Interview, heading: str = "") -> str:
    """Give the first slot under a heading (or in the core) without an answer; the review, when there is none."""
    review = slots[-1].name
    return next(
        (slot.name for slot in slots if slot.heading == heading and answer_at(slot, interview) is None),
        review,
    )


def live_answers(slots: list[Slot], interview: Interview) -> dict[str, Answer]:
    """Give the answers that count: those of slots the path still leads through, and what was chosen before."""
    given = {slot.name: answer_at(slot, interview) for slot in slots}
    return _context(interview) | {name: answer for name, answer in given.items() if answer is not None}


def class_of(form: Form, live: Mapping[str, Answer]) -> Urgency:
    """Give the class by TRIAGE.md: that of the form's first rule which holds."""
    return next((urgency for condition, urgency in form.urgency if holds(condition, live)), "normal")


def is_sendable(form: Form, interview: Interview, live: Mapping[str, Answer]) -> bool:
    """Apply the send rule of FORMS.md; to a report that is sent anything may be added."""
    if interview.sent:
        told = {step.key for step in form.all_steps() if step.told}
        answers = interview.answers.items()
        given = any(answer.is_given for name, answer in answers if name.partition("#")[0] in told)
        return given or bool(interview.files or interview.notes or interview.points)
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
