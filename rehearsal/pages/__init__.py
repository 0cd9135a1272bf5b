"""The chat page: files of this folder, sent as they are, under a policy that lets nothing else run.

No inline script or style, nothing from another host, no frame around it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

FOLDER = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def add_page_routes(router: web.UrlDispatcher) -> None:
    """Serve the page at `/` and its files beside it."""
    router.add_get("/", _file("index.html"))
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in TYPES and path.name != "index.html":
            router.add_get(f"/{path.name}", _file(path.name))


def _file(name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    path = FOLDER / name

    async def serve(_request: web.Request) -> web.Response:
        text = path.read_text(encoding="utf-8")
        return web.Response(text=text, content_type=TYPES[path.suffix], headers=HEADERS)

    return serve
