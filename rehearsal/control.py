"""What the chat page and the driver speak: `/rehearsal/…`, JSON both ways. Bots never use it.

Only a page of this server may call it: every request must name a local host (against DNS rebinding), and what
changes anything must carry the header X-Rehearsal, which a foreign page cannot send without being asked
first.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from aiohttp import web

from rehearsal.act_requests import Asked, perform
from rehearsal.errors import ActError
from rehearsal.faults import Fault, Kind
from rehearsal.serving import ranged
from rehearsal.view import bot_view, chat_view

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.typedefs import Middleware

    from rehearsal.acts import Acts
    from rehearsal.webhook import Webhooks
    from rehearsal.world import Bot, ChatState, World

HEADER = "X-Rehearsal"
LOOK_MOST_S = 60.0
PING_S = 15.0
SHOWN_IN_PAGE = ("image/jpeg", "image/webp", "audio/ogg", "audio/webm", "video/mp4")


class Control:
    """The routes of people, not of bots."""

    def __init__(self, world: World, acts: Acts, webhooks: Webhooks) -> None:
        self._world = world
        self._acts = acts
        self._webhooks = webhooks
        self._uploads: dict[str, bytes] = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve them."""
        router.add_get("/rehearsal/bots", self.bots)
        router.add_get("/rehearsal/people", self.people)
        router.add_post("/rehearsal/people", self.arrive)
        router.add_get("/rehearsal/chat", self.chat)
        router.add_get("/rehearsal/events", self.events)
        router.add_get("/rehearsal/seen", self.seen)
        router.add_post("/rehearsal/uploads", self.upload)
        router.add_post("/rehearsal/act", self.act)
        router.add_get("/rehearsal/media/{file_id}", self.media)
        router.add_get("/rehearsal/faults", self.faults)
        router.add_post("/rehearsal/faults", self.add_fault)
        router.add_delete("/rehearsal/faults", self.clear_faults)
        router.add_get("/rehearsal/clock", self.clock)
        router.add_post("/rehearsal/clock", self.advance)
        router.add_get("/rehearsal/calls", self.calls)
        router.add_post("/rehearsal/targets", self.targets)

    # Who is here

    async def bots(self, _request: web.Request) -> web.Response:
        """List the bots, without their tokens."""
        return web.json_response([bot_view(bot, "") for bot in self._world.bots.values()])

    async def people(self, _request: web.Request) -> web.Response:
        """List the persons."""
        return web.json_response([dataclasses.asdict(person) for person in self._world.persons.values()])

    async def arrive(self, request: web.Request) -> web.Response:
        """Find a person by name, or let them arrive."""
        given = await request.json()
        name = str(given.get("name", "")).strip()
        if not 1 <= len(name) <= 64:  # noqa: PLR2004 - the longest first name at Telegram
            raise ActError("a name has 1 to 64 characters")
        person = self._world.person_named(name, given.get("language") or "uk", given.get("username"))
        return web.json_response(dataclasses.asdict(person))

    # Looking

    async def chat(self, request: web.Request) -> web.Response:
        """Give the screen; with `after`, wait up to `timeout` seconds for a later version."""
        bot, chat = self._meant(request.query)
        after = int(request.query.get("after", -1))
        await chat.wait(after, min(float(request.query.get("timeout", 0)), LOOK_MOST_S))
        return web.json_response(chat_view(self._world, bot, chat))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Send the version of the chat as a server-sent event whenever it changes."""
        _, chat = self._meant(request.query)
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        version = -1
        try:
            while True:
                await chat.wait(version, PING_S)
                await response.write(f"data: {chat.version}\n\n".encode())
                version = chat.version
        except ConnectionResetError:
            return response

    async def seen(self, request: web.Request) -> web.Response:
        """Give every version of every message that this chat has ever shown, in order."""
        _, chat = self._meant(request.query)
        return web.json_response(chat.versions)

    async def media(self, request: web.Request) -> web.Response:
        """Give a file to the page; anything but pictures and sound is only ever saved, never shown."""
        stored = self._world.files.by_id.get(request.match_info["file_id"])
        if stored is None or stored.content is None:
            raise web.HTTPNotFound
        response = ranged(request, stored)
        name = quote(request.query.get("name", "file"), safe="")
        if stored.mime not in SHOWN_IN_PAGE or "name" in request.query:
            response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
        return response

    # Doing

    async def upload(self, request: web.Request) -> web.Response:
        """Take bytes for a following act."""
        content = await request.read()
        key = self._world.token(16)
        self._uploads[key] = content
        return web.json_response({"upload": key})

    async def act(self, request: web.Request) -> web.Response:
        """Do what a person does: {"bot", "person", "act", …} as in `rehearsal.act_requests`."""
        given = await request.json()
        bot, chat = self._meant(given)
        done = await perform(Asked(self._acts, bot, chat, given, self._uploads))
        self._world.changes += 1
        return web.json_response(done)

    # Faults, time, what bots asked

    async def faults(self, _request: web.Request) -> web.Response:
        """List the faults that are on."""
        return web.json_response([dataclasses.asdict(fault) for fault in self._world.faults.standing()])

    async def add_fault(self, request: web.Request) -> web.Response:
        """Turn one on: the fields of `rehearsal.faults.Fault`."""
        given = await request.json()
        names = {field.name for field in dataclasses.fields(Fault)} - {"id", "struck"}
        if not given.keys() <= names or given.get("kind") not in set(Kind):
            raise ActError(f"a fault has a kind of {', '.join(Kind)} and any of {', '.join(sorted(names))}")
        return web.json_response(dataclasses.asdict(self._world.faults.add(**given)))

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Turn one off by `id`, or all."""
        fault_id = request.query.get("id")
        self._world.faults.clear(None if fault_id is None else int(fault_id))
        return web.json_response([])

    async def clock(self, _request: web.Request) -> web.Response:
        """Tell the server's time."""
        return web.json_response({"now": self._world.clock.now()})

    async def advance(self, request: web.Request) -> web.Response:
        """Let time pass: {"advance_s": seconds}."""
        self._world.clock.advance(float((await request.json())["advance_s"]))
        return web.json_response({"now": self._world.clock.now()})

    async def calls(self, request: web.Request) -> web.Response:
        """List what bots asked, after the number `after`, of one `method`."""
        after, method = int(request.query.get("after", 0)), request.query.get("method")
        found = [
            dataclasses.asdict(called)
            for called in self._world.calls
            if called.number > after and method in (None, called.method)
        ]
        return web.json_response(found)

    async def targets(self, request: web.Request) -> web.Response:
        """Deliver webhooks to these addresses in turn: {"targets": [url, …]}."""
        self._webhooks.use_targets(tuple((await request.json())["targets"]))
        return web.json_response({})

    def _meant(self, given: Any) -> tuple[Bot, ChatState]:
        person = self._world.persons.get(int(given.get("person") or 0))
        bots = self._world.bots
        bot = bots.get(int(given["bot"])) if given.get("bot") else next(iter(bots.values()), None)
        if person is None or bot is None:
            raise ActError("no such person or bot")
        return bot, self._world.chat(bot, person)


def guarded(hosts: frozenset[str]) -> Middleware:
    """Make the middleware that keeps foreign pages out and turns an ActError into 400."""

    @web.middleware
    async def guard(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.path.startswith(("/bot", "/file/")):
            return await handler(request)
        if urlsplit(f"//{request.host}").hostname not in hosts:
            return web.json_response({"error": "this page is served to its own machine only"}, status=403)
        if request.method != "GET" and HEADER not in request.headers:
            return web.json_response({"error": f"the header {HEADER} is missing"}, status=403)
        try:
            response = await handler(request)
        except (ActError, ValueError, KeyError) as error:
            # A ValueError or KeyError is a request that the page and the driver never make.
            sentence = str(error) if isinstance(error, ActError) else "malformed request"
            return web.json_response({"error": sentence}, status=400)
        if not response.prepared:
            response.headers.setdefault("X-Content-Type-Options", "nosniff")
            response.headers.setdefault("Content-Security-Policy", "default-src 'none'; sandbox")
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return guard
