"""The Bot API over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`, with the faults that are on.

A token never leaves this file: it is in no log, no error, no answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web

from rehearsal.errors import ApiError, UndocumentedError
from rehearsal.faults import Fault, Kind
from rehearsal.methods import METHODS
from rehearsal.methods.calls import Call
from rehearsal.wire import read

if TYPE_CHECKING:
    from rehearsal.botapi import BotApi, Json
    from rehearsal.files import StoredFile
    from rehearsal.webhook import Webhooks
    from rehearsal.world import Bot, World

log = structlog.get_logger()
STATUS_WORDS = {
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class BotApiServer:
    """Answers bots."""

    def __init__(self, world: World, api: BotApi, webhooks: Webhooks) -> None:
        self._world = world
        self._api = api
        self._webhooks = webhooks

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve methods and downloads."""
        router.add_route("*", "/bot{token}/{method}", self.method)
        router.add_get("/file/bot{token}/{path:.+}", self.download)

    async def method(self, request: web.Request) -> web.StreamResponse:
        """Answer one request of a bot."""
        bot = self._world.bot_of(request.match_info["token"])
        if bot is None:
            return _refusal(ApiError(401, "Unauthorized"))
        method = self._api.method_name(request.match_info["method"])
        if method is None:
            return _refusal(ApiError(404, "Not Found: method not found"))
        fault: Fault | None = None
        error: ApiError | None = None
        params: Json = {}
        result: Any = None
        try:
            given, uploads = await read(request)
            # A file may stand under a name that a parameter refers to by attach://.
            fields = self._api.methods[method]["fields"]
            given = {name: value for name, value in given.items() if name in fields or name not in uploads}
            fault = self._world.faults.strikes_call(method, _chat_of(bot, given))
            if fault is None or fault.done:
                params = self._api.read_request(method, given)
                call = Call(self._world, bot, self._api, self._webhooks, params, uploads)
                result = await self._perform(method, call)
        except ApiError as refused:
            error = refused
        self._world.note_call(bot, method, params, error.code if error else None, fault)
        if fault:
            return await _faulty(request, fault)
        if error:
            return _refusal(error)
        return web.json_response({"ok": True, "result": result})

    async def _perform(self, method: str, call: Call) -> Any:
        if self._world.clock.now() < call.bot.logged_out_until:
            raise ApiError(400, "Logged out")
        if method not in METHODS:
            raise ApiError(
                400, f"Bad Request: rehearsal: {method} is a method of the Bot API that is not served here"
            )
        result = await METHODS[method](call)
        if method != "getUpdates":  # updates were checked one by one when they were made
            try:
                self._api.check_answer(method, result)
            except UndocumentedError as error:
                log.warning("answer_not_documented", method=method)
                raise ApiError(500, f"Internal Server Error: rehearsal: {error}") from None
        return result

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Give a file's bytes, or the part a Range header asks for."""
        bot = self._world.bot_of(request.match_info["token"])
        if bot is None:
            return _refusal(ApiError(401, "Unauthorized"))
        stored = self._world.files.at_path(request.match_info["path"], self._world.clock.now())
        if stored is None or stored.content is None:
            return _refusal(ApiError(404, "Not Found"))
        fault = self._world.faults.strikes_call("file", None)
        asked = {"path": stored.path, "range": request.headers.get("Range", "")}
        self._world.note_call(bot, "file", asked, None, fault)
        if fault and fault.kind is Kind.CUT:
            return await _half(request, stored)
        if fault:
            return await _faulty(request, fault)
        return ranged(request, stored)


def ranged(request: web.Request, stored: StoredFile) -> web.Response:
    """Answer with the whole file, 206 with a part, or 416."""
    content = stored.content or b""
    headers = {"Accept-Ranges": "bytes"}
    try:
        asked = request.http_range
    except ValueError:
        asked = slice(len(content), None)
    if "Range" not in request.headers:
        return web.Response(body=content, content_type=stored.mime, headers=headers)
    begin, end, _ = asked.indices(len(content))
    if begin >= end:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {begin}-{end - 1}/{len(content)}"
    return web.Response(status=206, body=content[begin:end], content_type=stored.mime, headers=headers)


def _chat_of(bot: Bot, given: Json) -> int | None:
    callback = bot.callbacks.get(str(given.get("callback_query_id")))
    if callback:
        return callback.person
    chat = str(given.get("chat_id", ""))
    return int(chat) if chat.isdecimal() else None


async def _faulty(request: web.Request, fault: Fault) -> web.StreamResponse:
    if fault.kind is Kind.TOO_MANY_REQUESTS:
        seconds = fault.retry_after_s
        return _refusal(ApiError(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds}))
    if fault.kind is Kind.BLOCKED:
        return _refusal(ApiError(403, "Forbidden: bot was blocked by the user"))
    if fault.kind is Kind.SERVER_ERROR:
        return _refusal(ApiError(fault.status, STATUS_WORDS.get(fault.status, "Server Error")))
    if fault.kind is Kind.TIMEOUT:
        await asyncio.sleep(fault.hold_s)
    return _cut(request)


def _cut(request: web.Request) -> web.Response:
    """End the connection without an answer."""
    if request.transport:
        request.transport.abort()
    return web.Response()


async def _half(request: web.Request, stored: StoredFile) -> web.StreamResponse:
    content = stored.content or b""
    response = web.StreamResponse(headers={"Content-Length": str(len(content))})
    await response.prepare(request)
    await response.write(content[: len(content) // 2])
    if request.transport:
        # close, not abort: the first half is to arrive
        request.transport.close()
    return response


def _refusal(error: ApiError) -> web.Response:
    body: Json = {"ok": False, "error_code": error.code, "description": error.description}
    if error.parameters:
        body["parameters"] = error.parameters
    headers = {}
    if error.parameters and "retry_after" in error.parameters:
        headers["Retry-After"] = str(error.parameters["retry_after"])
    return web.json_response(body, status=error.code, headers=headers)
