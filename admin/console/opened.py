"""What a compartment's process serves: a report opened, its previews, its originals. Nothing of it touches a disk.

Every request carries the process's token and a live session; whether the member may open reports at all is asked
before, by the web process. Opening, looking and downloading each write a leaf first and answer then.
"""

import hmac
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from admin.console.originals import check, content_disposition, original, safe_name
from admin.console.pages import Pages
from admin.console.permissions import Act, Role, may
from admin.console.pipe import Admit
from admin.console.reading import File, Part, Reading, RefusedError, read
from admin.console.static import Static
from admin.previews.maker import Preview, PreviewMaker
from admin.previews.wire import PreviewRefused
from flows import reading as answers
from locales import MissingTextError
from seal import HybridIdentity, parse_identity
from storage import triage
from storage.blobs import Blobs
from storage.desk import Desk, NoSuchReportError, Who, unavailable

MOST_MADE = 16  # previews waiting to be fetched, a session
_STATUS = {"unavailable": 503, "not_found": 404, "unreadable": 409}
_log = structlog.get_logger()


@dataclass
class Opened:
    """One session in this process."""

    who: Who
    call_sign: str
    role: Role
    identities: list[HybridIdentity] = field(repr=False)
    told: set[tuple[str, str]] = field(default_factory=set)  # what leaves were written already
    made: dict[tuple[uuid.UUID, bool], Preview] = field(default_factory=dict, repr=False)  # to be fetched


@dataclass
class Compartment:
    """One compartment's process: its live sessions, and what it reads with."""

    name: str
    desk: Desk
    blobs: Blobs
    previews: PreviewMaker
    now: Callable[[], datetime]
    sessions: dict[str, Opened] = field(default_factory=dict, repr=False)
    pages: Pages = field(default_factory=lambda: Pages(("console", "forms"), Static()), repr=False)

    def admit(self, message: Admit) -> None:
        """A session begins here."""
        self.sessions[message.session] = Opened(
            Who(message.member_id, (self.name,)),
            message.call_sign,
            Role(message.role),
            [_hybrid(line) for line in message.identities],
        )

    def dismiss(self, session: str) -> None:
        """A session ends: what it opened is forgotten."""
        self.sessions.pop(session, None)


def _hybrid(line: str) -> HybridIdentity:
    identity = parse_identity(line)
    if not isinstance(identity, HybridIdentity):
        raise TypeError("a team identity is always hybrid")
    return identity


Handler = Callable[[Compartment, Opened, Request], Awaitable[Response]]


def app(compartment: Compartment, token: str) -> FastAPI:
    """The ASGI app. Without the token nothing answers."""
    served = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for path, handler in _ROUTES.items():
        served.add_api_route(path, _known(compartment, token, handler), response_model=None)
    return served


def _known(
    compartment: Compartment, token: str, handler: Handler
) -> Callable[[Request], Awaitable[Response]]:
    async def known(request: Request) -> Response:
        shown = request.headers.get("authorization", "")
        opened = compartment.sessions.get(request.headers.get("x-session", ""))
        if not hmac.compare_digest(shown.encode(), token.encode()) or opened is None:
            return Response(status_code=401)
        try:
            return await handler(compartment, opened, request)
        except NoSuchReportError:
            return _refusal(compartment, opened, request, "not_found")
        except RefusedError as error:
            _log.warning("refused", report=request.path_params["report"], why=error.reason)
            return _refusal(compartment, opened, request, error.reason)
        except Exception as error:  # noqa: BLE001 - whatever it is, a person gets a page
            # Never with its text or its trace: they could hold what was opened.
            _log.error("unhandled", error=type(error).__name__)
            return _refusal(
                compartment, opened, request, "unavailable" if unavailable(error) else "unreadable"
            )

    return known


def _refusal(compartment: Compartment, opened: Opened, request: Request, reason: str) -> Response:
    page = compartment.pages.render(
        "refused.html",
        _lang(request),
        person=_person(opened),
        reason=reason,
        back=_report_address(request),
        path=_report_address(request),
    )
    return HTMLResponse(page, _STATUS.get(reason, 409), headers={"x-refused": reason})


# ---- a report ---------------------------------------------------------------------------------------


async def _report(compartment: Compartment, opened: Opened, request: Request) -> Response:
    report = uuid.UUID(request.path_params["report"])
    reading = await _read(compartment, opened, report)
    key = (str(report), f"opened {len(reading.parts)}")
    if key not in opened.told:
        await compartment.desk.opened(report, opened.who, bodies_read=len(reading.parts))
        opened.told.add(key)
    await compartment.desk.used(report, opened.who)
    row = await compartment.desk.report(report, opened.who)
    now, lang = compartment.now(), _lang(request)
    holder = row.held_by(now)
    mine = holder == opened.who.member
    page = compartment.pages.render(
        "report.html",
        lang,
        person=_person(opened),
        path=request.url.path,
        row=row,
        now=now,
        holder=row.holder_sign if holder else None,
        mine=mine,
        may_work=may(opened.role, Act.WORK),
        may_take_over=may(opened.role, Act.TAKE_OVER),
        steps=[(step, triage.REASONS[step]) for step in triage.steps(row.status)],
        parts=[_shown(part, reading, compartment, lang) for part in reading.parts],
        on_their_way=_on_their_way(reading),
        troubles=reading.troubles,
        history=await compartment.desk.history(report),
    )
    return HTMLResponse(page)


async def _read(compartment: Compartment, opened: Opened, report: uuid.UUID) -> Reading:
    return read(await compartment.desk.material(report, opened.who), opened.identities)


def _shown(part: Part, reading: Reading, compartment: Compartment, lang: str) -> Mapping[str, object]:
    """One body as the page shows it: rows in the form's order, the person's words beside what was understood."""
    content = part.content
    rows: Sequence[answers.Row] = ()
    unread = False
    if "answers" in content:
        try:
            rows = answers.rows(content["answers"], compartment.pages.texts[lang])
        except MissingTextError:
            unread = True  # a form this version has no words for: the words themselves are still shown
    listed = [reading.files[uuid.UUID(entry["id"])] for entry in content.get("files", ())]
    return {
        "number": part.number,
        "received": part.received,
        "language": content.get("language", ""),
        "rows": rows,
        "unread": unread,
        "raw": _words(content.get("answers", {})) if unread else (),
        "files": [
            {"file": file, "name": file.name or safe_name(file), "picture": _maybe_picture(file)}
            for file in listed
        ],
    }


def _words(body: Mapping[str, object]) -> list[str]:
    entries: list[Mapping[str, Any]] = []
    for told in ("answers", "beside"):
        listed = body.get(told, [])
        assert isinstance(listed, list)
        entries += listed
    return ["\n".join(entry.get("words", ())) for entry in entries if entry.get("words")]


def _on_their_way(reading: Reading) -> int:
    """How many files the report names that have not followed yet."""
    named = {file for part in reading.parts for file in part.content.get("files_on_their_way", ())}
    return len(named - {str(file) for file in reading.files})


def _maybe_picture(file: File) -> bool:
    """Whether a preview may be asked for; what it really is, only the contained process finds out."""
    return file.kind == "photo" or file.mime.startswith("image/")


# ---- its files --------------------------------------------------------------------------------------


async def _file(compartment: Compartment, opened: Opened, request: Request) -> tuple[uuid.UUID, File]:
    report = uuid.UUID(request.path_params["report"])
    reading = await _read(compartment, opened, report)
    file = reading.files.get(uuid.UUID(request.path_params["file"]))
    if file is None:
        raise RefusedError("not_found")
    return report, file


async def _download(compartment: Compartment, opened: Opened, request: Request) -> Response:
    report, file = await _file(compartment, opened, request)
    await check(compartment.blobs, file, opened.identities)
    assert file.row is not None
    await compartment.desk.took_out("downloaded", report, file.row, opened.who)
    await compartment.desk.used(report, opened.who)
    digest = b64encode(bytes.fromhex(file.sha256)).decode()
    return StreamingResponse(
        original(compartment.blobs, file, opened.identities),
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
    page = compartment.pages.render(
        "_picture.html" if part else "look.html",
        _lang(request),
        person=_person(opened),
        address=f"/reports/{report}/files/{file.id}",
        blurred=blurred,
        part=part,
        reason=reason,
        partial=partial,
        name=file.name or safe_name(file),
        back=f"/reports/{report}",
        path=f"/reports/{report}",
    )
    # A part always arrives as 200, or htmx would not put it in its place.
    return HTMLResponse(
        page, 200 if part or reason is None else 409, headers={"x-refused": reason} if reason else {}
    )


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
        async with aclosing(original(compartment.blobs, file, opened.identities)) as pieces:
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


def _lang(request: Request) -> str:
    return request.headers.get("x-language", "uk")


def _person(opened: Opened) -> Mapping[str, str]:
    return {"call_sign": opened.call_sign, "role": opened.role}


def _report_address(request: Request) -> str:
    return f"/reports/{request.path_params['report']}" if "file" in request.path_params else "/queue"


_ROUTES: dict[str, Handler] = {
    "/reports/{report}": _report,
    "/reports/{report}/files/{file}": _download,
    "/reports/{report}/files/{file}/veiled": _veiled,
    "/reports/{report}/files/{file}/look": _look,
    "/reports/{report}/files/{file}/blurred": _picture,
    "/reports/{report}/files/{file}/clear": _picture,
}
