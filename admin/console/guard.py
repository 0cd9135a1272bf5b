"""Between a request and a page: who is it, is the session alive and theirs, may this role do this?

`guarded(route)` is the only way in; a page that needs a member gets one, with the compartments whose key is open.
A session with another client certificate than it began with is ended. From another network than that of its last
proof, and for acts that need a fresh one, nothing happens until the second factor is proved (`admin.console.proving`).
An error that nobody foresaw is logged as its type alone and answered with a page.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlsplit

import structlog
from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from admin.console.door import token_sha256
from admin.console.parts import Console
from admin.console.permissions import PROOF_LASTS, Act, Role, may, needs_proof
from storage import sessions
from storage.desk import Who, unavailable
from storage.refusals import Refusal
from storage.sessions import Session

COOKIE = "__Host-session"
LANGUAGE_COOKIE = "__Host-language"
_FROM_ANYWHERE = frozenset({Act.COME_IN, Act.PROVE})
# Browsers read "//elsewhere" and "/\elsewhere" as another site.
_OURS = re.compile(r"/(?![/\\])[!-~]*")
_log = structlog.get_logger()
_TOUCH_EVERY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks. `session` is None for someone who is not signed in.

    `elsewhere`: the session's second factor was proved last from another network than this request's.
    """

    session: bytes | None
    call_sign: str
    role: Role | None
    who: Who | None
    lang: str
    elsewhere: bool = False
    proved: bool = False  # within PROOF_LASTS

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
        return led_to("/sign-in", request)
    if person.elsewhere and route.act not in _FROM_ANYWHERE:
        return led_to(_prove(route, request), request)
    if not person.may(route.act):
        page = console.pages.render("refused.html", person.lang, person=person, reason="role", back="/")
        return HTMLResponse(page, 403)
    if needs_proof(route.act) and not person.proved:
        return led_to(_prove(route, request), request)
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
    stranger = Person(None, "", None, None, lang)
    token = request.cookies.get(COOKIE)
    if not token:
        return stranger
    now, session_id = console.now(), token_sha256(token)
    session = await sessions.find(console.database, session_id, now=now, idle=console.idle)
    if session is None:
        return stranger
    where = console.networks.where(request)
    if session.certificate is not None and session.certificate != where.certificate:
        _log.warning("session_refused", member=str(session.member), why="certificate")
        await console.end_refused(session_id, Refusal.CERTIFICATE)
        return stranger
    elsewhere = session.network != where.network
    if not watching and not elsewhere and now - session.seen_at > _TOUCH_EVERY:
        await sessions.touch(console.database, session_id, now)
    return _person(console, session, lang, elsewhere=elsewhere)


def _person(console: Console, session: Session, lang: str, *, elsewhere: bool) -> Person:
    return Person(
        session.id,
        session.call_sign,
        Role(session.role),
        Who(session.member, console.children.compartments(session.id)),
        lang,
        elsewhere,
        not elsewhere and console.now() - session.proved_at <= PROOF_LASTS,
    )


def language(console: Console, request: Request) -> str:
    """The language of the pages for this browser."""
    return console.pages.language(
        request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", "")
    )


def path_of_ours(given: str) -> str:
    """The path, if it is one of this site; else the first page."""
    return given if _OURS.fullmatch(given) else "/"


def led_to(path: str, request: Request) -> Response:
    """The whole page goes there, also when htmx asked for a part of it."""
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"hx-redirect": path})
    return RedirectResponse(path, 303)


def _prove(route: Route, request: Request) -> str:
    """Where the second factor is asked, and from there back to the page where the link or the button is."""
    shown = request.headers.get("hx-current-url")
    if shown:
        address = urlsplit(shown)
        back = address.path + (f"?{address.query}" if address.query else "")
    elif request.method == "GET" and not needs_proof(route.act) and not route.watching:
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    else:
        pieces = request.url.path.split("/")
        back = "/".join(pieces[: 3 if pieces[1] == "reports" else 2])
    return f"/prove?back={quote(path_of_ours(back), safe='/')}"
