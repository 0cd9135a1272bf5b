"""Writing to the reporter: the words are looked at once more, then signed, sealed and kept; and the thread so far.

    entries = thread(kept, opened, signed)      # what was written, by whom, and whether it was read
    POST /reports/{report}/answer               # do=preview shows it, do=send keeps it

The member's key signs here, in the compartment's process, and nowhere else. What was typed is never lost: whatever
is in the way is told beside the words.
"""

from collections.abc import Mapping

import structlog
from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from admin.console.compartment import Compartment, Opened, report_of
from storage.desk import HeldError, Row
from storage.desk_thread import Answer, Thread, Writer
from storage.errors import (
    ConflictError,
    ManifestError,
    NoRelayError,
    RefusedReplyError,
    StorageError,
    WithdrawnError,
)
from storage.manifest import Manifest
from storage.replies import LONGEST, read_reply
from storage.triage import Status

_log = structlog.get_logger()
_REASONS: tuple[tuple[type[StorageError], str], ...] = (  # the first that fits
    (HeldError, "held"),
    (ConflictError, "changed"),
    (WithdrawnError, "withdrawn"),
    (NoRelayError, "no_relay"),
    (ManifestError, "manifest"),
)


# ---- the thread so far ------------------------------------------------------------------------------


def thread(kept: Thread, opened: Opened, signed: Manifest) -> list[Mapping[str, object]]:
    """The team's answers as the page shows them. One that no member signed is named, and not shown."""
    return [_shown(answer, opened, signed) for answer in kept.answers]


def _shown(answer: Answer, opened: Opened, signed: Manifest) -> Mapping[str, object]:
    reply = answer.reply
    entry = {
        "of": "answer",
        "number": reply.number,
        "call_sign": answer.call_sign,
        "read_hour": reply.read_hour,
    }
    try:
        said = read_reply(reply, opened.identities, signed)
    except RefusedReplyError:
        _log.warning("reply_refused", reply=str(reply.id))
        return {**entry, "at": reply.written_hour, "text": None}
    return {**entry, "at": said.written, "text": said.text}


# ---- a new answer -----------------------------------------------------------------------------------


async def answer(compartment: Compartment, opened: Opened, request: Request) -> Response:
    """Shows the words as the reporter will read them, or keeps them and goes back to the thread."""
    report, form = report_of(request), await request.form()
    text = _typed(form)
    row = await compartment.desk.report(report, opened.who)
    trouble, holder = _in_the_way(row, text), ""
    if form.get("do") == "send" and not trouble:
        try:
            number = await _send(compartment, opened, request, text, str(form.get("seen", "")))
        except (ConflictError, WithdrawnError, ManifestError) as error:
            trouble = next(reason for kind, reason in _REASONS if isinstance(error, kind))
            holder = error.holder if isinstance(error, HeldError) else ""
        else:
            return RedirectResponse(f"/reports/{report}#answer-{number}", 303)
    kept = await compartment.desk.thread(report, opened.who)
    return compartment.page(
        opened,
        request,
        "answer.html",
        409 if trouble else 200,
        path=f"/reports/{report}",
        row=row,
        text=text,
        trouble=trouble,
        holder=holder,
        longest=LONGEST,
        seen=len(kept.answers),
    )


def _in_the_way(row: Row, text: str) -> str:
    """Why these words are not sent as they are: the end of a text key, or nothing."""
    if row.withdrawn_hour is not None:
        return "withdrawn"
    if row.status == Status.CLOSED:
        return "changed"
    if not text:
        return "answer_empty"
    return "answer_long" if len(text) > LONGEST else ""


async def _send(compartment: Compartment, opened: Opened, request: Request, text: str, seen: str) -> int:
    """Keeps the answer; its number. ConflictError: the thread is not the one that was seen."""
    if opened.signing_key is None or not seen.isdecimal():
        raise ConflictError("nothing to sign with, or no thread was seen")
    await compartment.desk.answer(
        report_of(request),
        text,
        by=Writer(opened.who.member, opened.signing_key),
        to=await compartment.manifest(),
        seen=int(seen),
        who=opened.who,
    )
    return int(seen) + 1


def _typed(form: Mapping[str, object]) -> str:
    """The words as they were typed, but for line ends."""
    return str(form.get("text", "")).replace("\r\n", "\n").replace("\r", "\n").strip()
