"""What is sealed when a report is sent: self-describing, so that it can be read in any language, for ever.

body(interview)["answers"][0] == {"step": "know", "label": "ask.know.label", "option": "family", …}
"""

import re
from collections.abc import Iterable
from typing import Any

from flows.engine import can_send, urgency
from flows.errors import FlowError
from flows.interview import File, Interview
from flows.path import all_words, path
from flows.told import Beside, Told, beside, label_key, option_key, told

BODY_VERSION = 1
SILENCE = "team_only"  # what no answer about sharing means
_LINK = re.compile(r"(?:https?://|\bt\.me/|\bwww\.)[^\s<>\"«»“”]*[^\s<>\"«»“”.,;:!?)]", re.IGNORECASE)


class NotSendableError(FlowError):
    """This interview does not hold enough to be sent."""


def body(interview: Interview) -> dict[str, Any]:
    """Give the report as JSON values: words as written, what was understood, the keys of labels, files by id.

    Raises NotSendableError when the send rule does not hold.
    """
    if not can_send(interview):
        raise NotSendableError("This interview does not hold enough to be sent.")
    form = interview.definition()
    slots = path(form, interview)
    answers = told(slots, interview)
    chosen = {row.slot.name: row.answer.option for row in answers}
    content: dict[str, Any] = {
        "body": BODY_VERSION,
        "form": form.name,
        "version": form.version,
        "language": interview.lang,
        "urgency": urgency(interview),
        "answers": [_answer(row) for row in answers],
        "beside": [_beside(row, label_key(form, row.slot)) for row in beside(slots, interview)],
        "files": [_file(file) for file in interview.files],
        "links": links(interview),
    }
    if interview.sent:  # an addition says only what is new: what was chosen before stands in the report
        new = {row: chosen[row] for row in form.sharing if chosen.get(row)}
        answer_here = {"answer_here": chosen[form.answer_here]} if chosen.get(form.answer_here) else {}
        return content | {"addition": True, "sharing": new} | answer_here
    consent = interview.answers[form.steps[0].key]
    return content | {
        "consent": consent.understood,
        "sharing": {row: chosen.get(row) or SILENCE for row in form.sharing},
        "answer_here": chosen.get(form.answer_here) or "words",
    }


def links(interview: Interview) -> list[str]:
    """List the links in everything that was written, each once, in order."""
    return links_in(all_words(interview))


def links_in(texts: Iterable[str]) -> list[str]:
    """List the links in these texts, each once, in order."""
    return list(dict.fromkeys(link for words in texts for link in _LINK.findall(words)))


def _answer(row: Told) -> dict[str, Any]:
    step, answer = row.slot.step, row.answer
    option = step.option(answer.option) if answer.option else None
    entry: dict[str, Any] = {"step": step.key, "label": f"ask.{step.key}.label"}
    if row.slot.turn:
        entry["turn"] = row.slot.turn
    if option:
        entry["option"] = option.key
        entry["option_label"] = None if option.literal else option_key(step.key, option.key)
    if answer.parts:
        entry["words"] = [part.words for part in answer.parts]
    if answer.understood:
        entry["understood"] = dict(answer.understood)
    if answer.skipped:
        entry["skipped"] = answer.skipped
    if row.files:
        entry["files"] = [file.id for file in row.files]
    return entry


def _beside(row: Beside, label: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"step": row.slot, "label": label}
    if row.words:
        entry["words"] = [row.words]
    if row.forwarded:
        entry["forwarded"] = True
    if row.origin:
        entry["origin"] = row.origin
    if row.claim:
        entry["claim"] = row.claim
    if row.file:
        entry["files"] = [row.file.id]
    if row.point:
        entry["understood"] = {"point": [row.point.latitude, row.point.longitude]}
    return entry


def _file(file: File) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": file.id, "kind": file.kind, "step": file.slot}
    if file.caption:
        entry["caption"] = file.caption
    if file.album:
        entry["album"] = file.album
    if file.forwarded:
        entry["forwarded"] = True
    if file.origin:
        entry["origin"] = file.origin
    return entry
