"""Webhooks: 200 only after the commit, 503 when the database is away, 429 to floods; no answer has a body.

The secret token is compared in constant time, as bytes: a header that is not ASCII is a wrong secret, not an error.
"""

import hmac
import json

import structlog
from aiohttp import web

from bot.updates import DatabaseAwayError, Updates

log = structlog.get_logger()

HEADER = "X-Telegram-Bot-Api-Secret-Token"
_LARGEST = 2 * 1024 * 1024  # bytes; a real update is a few KiB


def build(updates: Updates, *, path: str, secret: str) -> web.Application:
    """An aiohttp application that takes updates at `path`, and says at /healthz that it lives."""

    async def take(request: web.Request) -> web.Response:
        given = request.headers.get(HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, secret.encode()):
            log.warning("webhook_secret_wrong")
            return web.Response(status=401)
        try:
            raw = json.loads(await request.read())
        except ValueError:
            return web.Response(status=400)
        if not isinstance(raw, dict):
            return web.Response(status=400)
        if pause_s := updates.later(raw):  # Telegram keeps it meanwhile, in its order; other chats go on
            return web.Response(status=429, headers={"Retry-After": str(pause_s)})
        try:
            await updates.take(raw)
        except DatabaseAwayError:
            log.warning("database_away")
            return web.Response(status=503, headers={"Retry-After": "5"})
        return web.Response()

    async def health(request: web.Request) -> web.Response:  # noqa: ARG001 -- aiohttp's signature
        return web.Response(text="ok")

    app = web.Application(client_max_size=_LARGEST)
    app.router.add_post(path, take)
    app.router.add_get("/healthz", health)
    return app
