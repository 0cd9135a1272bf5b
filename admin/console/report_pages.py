"""A report's pages come from its compartment's process: bytes are passed on both ways, neither read nor kept here."""

from collections.abc import AsyncIterator

import aiohttp
from fastapi import Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from admin.console.children import KeyGoneError
from admin.console.guard import Person
from admin.console.parts import Console
from storage.desk import NoSuchReportError

_PASSED_ON = ("content-type", "content-length", "content-disposition", "repr-digest", "location", "x-refused")
_PIECE = 64 * 1024  # bytes


async def relayed(console: Console, person: Person, request: Request) -> Response:
    """Asks the report's compartment for exactly this path."""
    try:
        row = await console.desk.report(request.path_params["report"], person.member)
    except NoSuchReportError:
        return _refused(console, person, "not_found", 404)
    headers = {"x-language": person.lang}
    if request.headers.get("hx-request"):
        headers["hx-request"] = "true"
    data = None
    if request.method == "POST":
        data = await request.body()  # `Protect` bounds it
        headers["content-type"] = request.headers.get("content-type", "")
    assert person.session is not None
    try:
        answer = await console.children.ask(
            row.compartment, person.session, request.url.path, headers, method=request.method, data=data
        )
    except KeyGoneError:
        return _refused(console, person, "key_gone", 409)
    if answer.status == 401:  # noqa: PLR2004 - the session ended in this very moment
        answer.release()
        return _refused(console, person, "key_gone", 409)
    if row.unread:
        console.live.poke()
    passed_on = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
    return StreamingResponse(
        _bytes(console, row.compartment, person.session, answer), answer.status, passed_on
    )


async def _bytes(
    console: Console, compartment: str, session: bytes, answer: aiohttp.ClientResponse
) -> AsyncIterator[bytes]:
    """Piece by piece. If the child breaks off, or the session ends, so does this: no part is taken for the whole."""
    try:
        async for piece in answer.content.iter_chunked(_PIECE):
            if not console.children.holds(compartment, session):
                raise KeyGoneError
            yield piece
    finally:
        answer.close()


def _refused(console: Console, person: Person, reason: str, status: int) -> Response:
    page = console.pages.render("refused.html", person.lang, person=person, reason=reason, back="/queue")
    return HTMLResponse(page, status)
