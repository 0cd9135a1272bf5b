"""Between a request and a page: who is it, is the session alive, may this role do this?

`guarded(route)` is the only way in; a page that needs a member gets one, with the compartments whose key is open.
An error that nobody foresaw is logged as its type alone and answered with a page.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from admin.console.door import token_sha256
from admin.console.parts import Console
from admin.console.permissions import Act, Role, may
from storage import sessions
from storage.desk import Who, unavailable

COOKIE = "__Host-session"
LANGUAGE_COOKIE = "__Host-language"
_log = structlog.get_logger()
_TOUCH_EVERY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks. `session` is None for someone who is not signed in."""

    session: bytes | None
    call_sign: str
    role: Role | None
    who: Who | None
    lang: str

    def may(self, act: Act) -> bool:
        """Whether they may do this."""
        return act == Act.COME_IN if self.role is None else may(self.role, act)

    @property
    def member(self) -> Who:
        """The signed-in member; guarded routes always have one."""
        assert self.who is not None
        return self.who


Page = Callable[[Console, Person, Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """One way in: `act` says who may, `watching` that it is the page's own refresh, not a person's click."""

    method: str
    path: str
    page: Page
    act: Act
    watching: bool = False


def guarded(console: Console, route: Route) -> Callable[[Request], Awaitable[Response]]:
    """The route's endpoint."""

    async def endpoint(request: Request) -> Response:
        try:
            return await _asked(console, route, request)
        except Exception as error:  # noqa: BLE001 - whatever it is, a person gets a page
            return _sorry(console, request, error)

    return endpoint


async def _asked(console: Console, route: Route, request: Request) -> Response:
    person = await who_asks(console, request, watching=route.watching)
    if route.act != Act.COME_IN and person.session is None:
        return _to_the_door(request)
    if not person.may(route.act):
        page = console.pages.render("refused.html", person.lang, person=person, reason="role", back="/")
        return HTMLResponse(page, 403)
    return await route.page(console, person, request)


def _sorry(console: Console, request: Request, error: Exception) -> Response:
    # Never with the error's text or trace: they could hold what somebody typed.
    _log.error("unhandled", error=type(error).__name__)
    gone = unavailable(error)
    reason = "unavailable" if gone else "unforeseen"
    page = console.pages.render("refused.html", language(console, request), reason=reason, back="/")
    return HTMLResponse(page, 503, {"retry-after": "5"}) if gone else HTMLResponse(page, 500)


async def who_asks(console: Console, request: Request, *, watching: bool = False) -> Person:
    """The member whose live session the cookie names, or a stranger."""
    lang = language(console, request)
    token = request.cookies.get(COOKIE)
    if not token:
        return Person(None, "", None, None, lang)
    now, session_id = console.now(), token_sha256(token)
    session = await sessions.find(console.database, session_id, now=now, idle=console.idle)
    if session is None:
        return Person(None, "", None, None, lang)
    if not watching and now - session.seen_at > _TOUCH_EVERY:
        await sessions.touch(console.database, session_id, now)
    who = Who(session.member, console.children.compartments(session_id))
    return Person(session_id, session.call_sign, Role(session.role), who, lang)


def language(console: Console, request: Request) -> str:
    """The language of the pages for this browser."""
    return console.pages.language(
        request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", "")
    )


def _to_the_door(request: Request) -> Response:
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"hx-redirect": "/sign-in"})
    return RedirectResponse("/sign-in", 303)
