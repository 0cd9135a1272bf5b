"""Files within one interview: which of them a question takes, and one that came twice is told once.

is_asked_for(interview, sent)                     # the question that stands there takes this kind
interview = told_once(interview, second, first)   # both are our ids; no word that came with them is lost
"""

from dataclasses import replace

from flows.inputs import SPOKEN, Sent
from flows.interview import File, Interview, Note
from flows.moves import TABLE, Move


def is_asked_for(interview: Interview, sent: Sent) -> bool:
    """Say whether a file is what the question that stands there takes."""
    key = interview.at.partition("#")[0]
    asked = next(step for step in interview.definition().all_steps() if step.key == key)
    row = TABLE[asked.kind]
    return (row.voice if sent.kind in SPOKEN else row.file) is not Move.KEEP


def told_once(interview: Interview, second: str, first: str) -> Interview:
    """Let `first` stand for `second` too; at a question where it stands already, once is enough.

    `first` is "" for a file that was sent with the report before this addition.
    """
    again = next((file for file in interview.files if file.id == second), None)
    if again is None:
        return interview
    kept = next((file for file in interview.files if file.id == first), None)
    files = [file for file in interview.files if file.id != second]
    if kept is not None and again.slot != kept.slot:
        # With the same caption: a file has one, wherever it is read.
        files.append(replace(kept, slot=again.slot, message=again.message, album=again.album))
    told = replace(interview, files=tuple(files))
    if again.caption in ("", kept.caption if kept else "") or _is_an_answer(interview, again):
        return told
    note = Note(again.slot, again.caption, again.message, forwarded=again.forwarded, origin=again.origin)
    return replace(told, notes=(*told.notes, note))


def _is_an_answer(interview: Interview, file: File) -> bool:
    """Say whether the caption's words are kept as an answer's."""
    return any(
        part.message == file.message and part.words == file.caption
        for answer in interview.answers.values()
        for part in answer.parts
    )
