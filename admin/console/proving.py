"""The second factor asked again: from a new network, and before what takes out, ends or cannot be undone.

Failures wait as at the door. From elsewhere the third ends the session, for its cookie may be stolen; so does, in one's
own network, the tenth. Each failure is on record, and so is the end.
"""

from urllib.parse import quote

import structlog
from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from admin.console.factors import Given, Kind
from admin.console.guard import Person, path_of_ours
from admin.console.parts import Console
from admin.console.throttle import BusyError
from admin.console.webauthn_site import LONGEST_ANSWER
from storage import sessions
from storage.refusals import Refusal

MOST_ELSEWHERE, MOST_HERE = 3, 10  # failures since the last proof
LONGEST_CODE = 32  # characters; longer ones are cut, and so are wrong
_log = structlog.get_logger()


class _NotProvedError(Exception):
    """It was not right; `ended`: once too often."""

    def __init__(self, *, ended: bool) -> None:
        super().__init__()
        self.ended = ended


async def prove_page(console: Console, person: Person, request: Request) -> Response:
    """Asks for it."""
    back = path_of_ours(request.query_params.get("back", "/"))
    return RedirectResponse(back, 303) if person.proved else _page(console, person, back, None, 200)


async def prove(console: Console, person: Person, request: Request) -> Response:
    """Takes it, and leads back to where it was needed."""
    form = await request.form()
    back = path_of_ours(str(form.get("back", "/")))
    given = Given(
        str(form.get("code", ""))[:LONGEST_CODE], str(form.get("assertion", ""))[: LONGEST_ANSWER + 1]
    )
    where = console.networks.where(request)
    try:
        async with console.throttle.turn((where.address, person.call_sign)) as turn:
            try:
                await _try(console, person, given)
            except _NotProvedError:
                turn.failed()
                raise
    except BusyError:
        return _page(console, person, back, "busy", 503)
    except _NotProvedError as error:
        if not error.ended:
            return _page(console, person, back, "wrong", 401)
        refused = console.pages.render("refused.html", person.lang, reason="unproved", back="/sign-in")
        return HTMLResponse(refused, 403)
    await sessions.prove(console.database, _session(person), console.now(), where.network)
    return RedirectResponse(back, 303)


async def _try(console: Console, person: Person, given: Given) -> Kind:
    """Counted before it is checked: attempts at the same moment do not make one more."""
    session, most = _session(person), MOST_ELSEWHERE if person.elsewhere else MOST_HERE
    try:
        mine = console.factors.of(session)
    except KeyError:  # ended while this attempt waited
        raise _NotProvedError(ended=True) from None
    tried = console.unproved[session] = console.unproved.get(session, 0) + 1
    kind = await console.factors.check(mine, given, console.now()) if tried <= most else None
    if kind is not None:
        console.unproved.pop(session, None)
        return kind
    if tried >= most:
        _log.warning("session_refused", member=str(person.member.member), why="not proved")
        await console.end_refused(session, Refusal.NETWORK if person.elsewhere else Refusal.PROOF)
    raise _NotProvedError(ended=tried >= most)


def _session(person: Person) -> bytes:
    assert person.session is not None
    return person.session


def _page(console: Console, person: Person, back: str, trouble: str | None, status: int) -> Response:
    page = console.pages.render(
        "prove.html",
        person.lang,
        person=None if person.elsewhere else person,  # who it is, is nobody's business who cannot prove it
        elsewhere=person.elsewhere,
        back=back,
        trouble=trouble,
        site=console.factors.site,
        path=f"/prove?back={quote(back, safe='/')}",
    )
    return HTMLResponse(page, status)
