"""Who is signed in: one's own sessions, and for a lead everybody's; each is ended at once, keys and all."""

import hashlib
from collections.abc import Sequence

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from admin.console.guard import Person
from admin.console.parts import Console
from admin.console.permissions import Act
from storage import sessions
from storage.sessions import Session


async def listed(console: Console, person: Person, _: Request) -> Response:
    """The page."""
    of_others = person.may(Act.END_SESSIONS)
    mine = person.member.member
    found = await sessions.listed(
        console.database, now=console.now(), idle=console.idle, member=None if of_others else mine
    )
    page = console.pages.render(
        "sessions.html",
        person.lang,
        person=person,
        path="/sessions",
        mine=[one for one in found if one.member == mine],
        others=[one for one in found if one.member != mine],
        of_others=of_others,
        handle=handle,
        now=console.now(),
        proved=person.proved,
    )
    return HTMLResponse(page)


async def end(console: Console, person: Person, request: Request) -> Response:
    """Ends one of one's own."""
    found = await sessions.listed(
        console.database, now=console.now(), idle=console.idle, member=person.member.member
    )
    return await _end(console, person, request, found)


async def end_other(console: Console, person: Person, request: Request) -> Response:
    """Ends anybody's."""
    found = await sessions.listed(console.database, now=console.now(), idle=console.idle)
    return await _end(console, person, request, found)


async def _end(console: Console, person: Person, request: Request, among: Sequence[Session]) -> Response:
    asked = str((await request.form()).get("session", ""))
    for one in among:
        if handle(one) == asked:
            await console.end(one.id, by=person.member.member)
    return RedirectResponse("/sessions", 303)


def handle(session: Session) -> str:
    """What a page calls a session: it leads to it, and neither to its token nor to its row."""
    return hashlib.sha256(b"session on a page\n" + session.id).hexdigest()[:32]
