"""What every answer of the console carries, and what every request must be, before any page is asked.

Headers: nothing from elsewhere runs or is shown, nothing is kept, nobody frames us. An unsafe request comes from a
page of ours (`Sec-Fetch-Site`, or else `Origin`), besides the cookie's `SameSite=Strict`, and is small.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import structlog
from fastapi import Request
from fastapi.responses import HTMLResponse

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
}
MOST_BODY = 64 * 1024  # bytes: forms only
_SAFE = frozenset({"GET", "HEAD"})
_log = structlog.get_logger()


class Protect:
    """ASGI, outermost. `page(reason, request)` makes a refusal's page."""

    def __init__(self, app: App, page: Callable[[str, Request], str]) -> None:
        self._app = app
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with(message["headers"])
            await send(message)

        if scope["method"] not in _SAFE and (refusal := _refusal(request)):
            status, reason = refusal
            await HTMLResponse(self._page(reason, request), status)(scope, receive, protected)
            return
        await self._app(scope, receive, protected)


def _with(given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    names = {name.lower() for name, _ in given}
    added = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in names]
    if b"cache-control" not in names:
        added.append((b"cache-control", b"no-store"))
    return [*given, *added]


def _refusal(request: Request) -> tuple[int, str] | None:
    if not is_ours(request):
        _log.warning("foreign_request_refused")
        return 403, "foreign"
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > MOST_BODY:
        return 413, "too_long"
    return None


def is_ours(request: Request) -> bool:
    """Whether a page of this very console sent the request. Without a word of the browser, it did not."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")
