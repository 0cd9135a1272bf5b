"""What a compartment's process serves: a report with its thread, its previews, its originals. Nothing touches a disk.

Every request carries the process's token and a live session, and each route names the act that the member's role
must allow; whether a fresh proof is there is asked before, by the web process. Opening, looking and downloading each
write a leaf first and answer then.
"""

import hmac
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from admin.console import answering, shown
from admin.console.compartment import Compartment, Handler, Opened, language, report_of
from admin.console.originals import check, content_disposition, original, safe_name
from admin.console.permissions import Act, may
from admin.console.reading import File, Reading, RefusedError, read
from admin.previews.maker import Preview
from admin.previews.wire import PreviewRefused
from storage import triage
from storage.desk import Material, NoSuchReportError, Row, unavailable
from storage.desk_thread import Thread, agree_from
from storage.errors import ManifestError
from storage.refusals import Refusal, of_manifest
from storage.replies import LONGEST
from storage.retention import HOLDS
from storage.triage import Status

MOST_MADE = 16  # previews waiting to be fetched, a session
_NOT_AS_SEALED = frozenset({"tampered", "malformed", "swapped", "wrong_key", "empty"})
_STATUS = {"unavailable": 503, "not_found": 404, "unreadable": 409}
_log = structlog.get_logger()


def app(compartment: Compartment, token: str) -> FastAPI:
    """The ASGI app. Without the token nothing answers."""
    served = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for method, path, act, handler in ROUTES:
        known = _known(compartment, token, act, handler)
        served.add_api_route(path, known, methods=[method], response_model=None)
    return served


def _known(
    compartment: Compartment, token: str, act: Act, handler: Handler
) -> Callable[[Request], Awaitable[Response]]:
    async def known(request: Request) -> Response:
        shown = request.headers.get("authorization", "")
        opened = compartment.sessions.get(request.headers.get("x-session", ""))
        known_caller = hmac.compare_digest(shown.encode(), token.encode())
        if opened is None or not known_caller or not may(opened.role, act):
            return Response(status_code=403 if opened and known_caller else 401)
        try:
            return await handler(compartment, opened, request)
        except NoSuchReportError:
            return _refusal(compartment, opened, request, "not_found")
        except RefusedError as error:
            _log.warning("refused", report=request.path_params["report"], why=error.reason)
            if error.reason in _NOT_AS_SEALED:
                await _on_record(compartment, opened, Refusal.SEALED_ROW, str(report_of(request)))
            return _refusal(compartment, opened, request, error.reason)
        except ManifestError as error:
            _log.error("manifest_refused", error=type(error).__name__)
            if what := of_manifest(error):
                await _on_record(compartment, opened, what, "")
            return _refusal(compartment, opened, request, "manifest")
        except Exception as error:  # noqa: BLE001 - whatever it is, a person gets a page
            # Never with its text or its trace: they could hold what was opened.
            _log.error("unhandled", error=type(error).__name__)
            return _refusal(
                compartment, opened, request, "unavailable" if unavailable(error) else "unreadable"
            )

    return known


async def _on_record(compartment: Compartment, opened: Opened, what: Refusal, obj: str) -> None:
    """Once in a session: the page may be opened again and again."""
    if (what, obj) not in opened.told:
        opened.told.add((what, obj))
        await compartment.desk.refused(what, obj, opened.who)


def _refusal(compartment: Compartment, opened: Opened, request: Request, reason: str) -> Response:
    back = _report_address(request)
    status = _STATUS.get(reason, 409)
    answer = compartment.page(opened, request, "refused.html", status, reason=reason, back=back, path=back)
    answer.headers["x-refused"] = reason
    return answer


# ---- a report ---------------------------------------------------------------------------------------


async def _report(compartment: Compartment, opened: Opened, request: Request) -> Response:
    report, desk = report_of(request), compartment.desk
    material = await desk.material(report, opened.who)
    history = await desk.history(report)
    shredded = _is_shredded(material, history)
    reading = Reading([], {}, []) if shredded else read(material, opened.identities, history)
    key = (str(report), f"opened {len(reading.parts)}")
    if key not in opened.told:
        await desk.opened(report, opened.who, bodies_read=len(reading.parts))
        opened.told.add(key)
        history = await desk.history(report)
    await desk.used(report, opened.who)
    row = await desk.report(report, opened.who)
    signed, thread = await compartment.manifest(), await desk.thread(report, opened.who)
    now, texts = compartment.now(), compartment.pages.texts[language(request)]
    holder = row.held_by(now)
    mine = holder == opened.who.member
    told = [shown.shown(part, reading, texts) for part in reading.parts]
    told += answering.thread(thread, opened, signed)
    return compartment.page(
        opened,
        request,
        "report.html",
        row=row,
        now=now,
        holder=row.holder_sign if holder else None,
        mine=mine,
        may_work=may(opened.role, Act.WORK),
        may_take_over=may(opened.role, Act.TAKE_OVER),
        steps=[(step, triage.REASONS[step]) for step in triage.steps(row.status)],
        told=sorted(told, key=lambda one: one["at"]),
        sharing=shown.sharing(reading, texts),
        in_chat=shown.answers_in_chat(reading),
        answer=_answer_box(opened, row, mine=mine, relay=bool(signed.relay)),
        answers=len(thread.answers),
        longest=LONGEST,
        end=_end(compartment, opened, row, thread, shredded=shredded),
        on_their_way=shown.on_their_way(reading),
        troubles=reading.troubles,
        history=history,
    )


def _is_shredded(material: Material, history: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a report is gone as it should be: the log tells it. Else a report without a part is refused."""
    row = material.row
    gone = not material.bodies and (row.withdrawn_hour is not None or row.retain_until is not None)
    return gone and any(leaf["kind"] == "shredded" for leaf in history)


def _answer_box(opened: Opened, row: Row, *, mine: bool, relay: bool) -> str:
    """What stands below the thread: "write", or the end of a text key that says why not, or nothing."""
    if row.withdrawn_hour is not None or not may(opened.role, Act.ANSWER):
        return ""
    if not relay:
        return "no_relay"
    if row.status == Status.CLOSED:
        return "closed"
    return "write" if mine else "claim_first"


def _end(
    compartment: Compartment, opened: Opened, row: Row, thread: Thread, *, shredded: bool
) -> Mapping[str, object] | None:
    """How far a report is on its way out, and whether it is held; None for one that stays and whom no one may hold."""
    possible = agree_from(row)
    holds = may(opened.role, Act.HOLD) and not shredded
    if possible is None and not row.hold and not holds:
        return None
    return {
        "holds": HOLDS if holds else (),
        "agreements": thread.agreements,
        "mine": any(one.member == opened.who.member for one in thread.agreements),
        "possible": possible is not None and compartment.now() >= possible,
        "from": possible,
        "may": possible is not None and may(opened.role, Act.SHRED) and not shredded,
        "shredded": shredded,
    }


async def _read(compartment: Compartment, opened: Opened, report: uuid.UUID) -> Reading:
    material = await compartment.desk.material(report, opened.who)
    return read(material, opened.identities, await compartment.desk.history(report))


# ---- its files --------------------------------------------------------------------------------------


async def _file(compartment: Compartment, opened: Opened, request: Request) -> tuple[uuid.UUID, File]:
    report = report_of(request)
    reading = await _read(compartment, opened, report)
    file = reading.files.get(uuid.UUID(request.path_params["file"]))
    if file is None:
        raise RefusedError("not_found")
    return report, file


async def _download(compartment: Compartment, opened: Opened, request: Request) -> Response:
    report, file = await _file(compartment, opened, request)
    try:
        await check(compartment.blobs, file, opened.all_identities)
    except RefusedError as error:
        if error.reason != "missing":
            raise
        # Sealed anew just now: its row names another blob.
        report, file = await _file(compartment, opened, request)
        await check(compartment.blobs, file, opened.all_identities)
    assert file.row is not None
    await compartment.desk.took_out("downloaded", report, file.row, opened.who)
    await compartment.desk.used(report, opened.who)
    digest = b64encode(bytes.fromhex(file.sha256)).decode()
    return StreamingResponse(
        original(compartment.blobs, file, opened.all_identities),
        media_type="application/octet-stream",
        headers={
            "content-length": str(file.length),
            "content-disposition": content_disposition(safe_name(file)),
            "repr-digest": f"sha-256=:{digest}:",  # RFC 9530
        },
    )


async def _veiled(compartment: Compartment, opened: Opened, request: Request) -> Response:
    """A part of the report's page: the blurred picture, or why there is none."""
    report, file = await _file(compartment, opened, request)
    return await _frame(compartment, opened, request, report, file, blurred=True)


async def _look(compartment: Compartment, opened: Opened, request: Request) -> Response:
    """A page, or with htmx a part of one, that shows a picture clearly: it was asked for."""
    report, file = await _file(compartment, opened, request)
    key = (str(report), f"previewed {file.id}")
    if file.row is not None and key not in opened.told:
        await compartment.desk.took_out("previewed", report, file.row, opened.who)
        opened.told.add(key)
    await compartment.desk.used(report, opened.who)
    return await _frame(compartment, opened, request, report, file, blurred=False)


async def _frame(
    compartment: Compartment,
    opened: Opened,
    request: Request,
    report: uuid.UUID,
    file: File,
    *,
    blurred: bool,
) -> Response:
    """A picture's place, filled with the picture or with the reason why there is none; the JPEG waits to be fetched."""
    reason, partial = None, False
    try:
        preview = await _preview(compartment, opened, file, blurred=blurred)
        partial = preview.partial
        while len(opened.made) >= MOST_MADE:
            opened.made.pop(next(iter(opened.made)))
        opened.made[file.id, blurred] = preview
    except RefusedError as refused:
        reason = refused.reason
    part = bool(request.headers.get("hx-request"))
    # A part always arrives as 200, or htmx would not put it in its place.
    answer = compartment.page(
        opened,
        request,
        "_picture.html" if part else "look.html",
        200 if part or reason is None else 409,
        address=f"/reports/{report}/files/{file.id}",
        blurred=blurred,
        part=part,
        reason=reason,
        partial=partial,
        name=file.name or safe_name(file),
        back=f"/reports/{report}",
        path=f"/reports/{report}",
    )
    if reason:
        answer.headers["x-refused"] = reason
    return answer


async def _picture(compartment: Compartment, opened: Opened, request: Request) -> Response:
    """The JPEG of a preview that `_veiled` or `_look` made; a blurred one is made anew if it was not."""
    blurred = request.url.path.endswith("/blurred")
    _, file = await _file(compartment, opened, request)
    preview = opened.made.pop((file.id, blurred), None)
    if preview is None:
        if not blurred:
            raise RefusedError("not_found")
        preview = await _preview(compartment, opened, file, blurred=True)
    return Response(preview.jpeg, media_type="image/jpeg")


async def _preview(compartment: Compartment, opened: Opened, file: File, *, blurred: bool) -> Preview:
    """A picture to look at. RefusedError: of the file, or "preview_" and the reason of the contained process."""
    whole = False

    async def received() -> AsyncIterator[bytes]:
        nonlocal whole
        async with aclosing(original(compartment.blobs, file, opened.all_identities)) as pieces:
            async for piece in pieces:
                yield piece
        whole = True

    try:
        preview = await compartment.previews.preview(received(), blurred=blurred)
    except PreviewRefused as refused:
        raise RefusedError(f"preview_{refused.reason}") from None
    if not whole:
        raise RefusedError("tampered")  # the picture was made of a part only: nothing vouches for it
    return preview


# ---- small things -----------------------------------------------------------------------------------


def _report_address(request: Request) -> str:
    inside = "file" in request.path_params or request.method == "POST"
    return f"/reports/{request.path_params['report']}" if inside else "/queue"


ROUTES: list[tuple[str, str, Act, Handler]] = [
    ("GET", "/reports/{report}", Act.OPEN, _report),
    ("POST", "/reports/{report}/answer", Act.ANSWER, answering.answer),
    ("GET", "/reports/{report}/files/{file}", Act.DOWNLOAD, _download),
    ("GET", "/reports/{report}/files/{file}/veiled", Act.OPEN, _veiled),
    ("GET", "/reports/{report}/files/{file}/look", Act.OPEN, _look),
    ("GET", "/reports/{report}/files/{file}/blurred", Act.OPEN, _picture),
    ("GET", "/reports/{report}/files/{file}/clear", Act.OPEN, _picture),
]
