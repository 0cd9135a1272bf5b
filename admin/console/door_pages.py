"""Signing in and out, and the language of the pages."""

import asyncio

import structlog
from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from admin.console.children import KeyGoneError
from admin.console.door import LASTS, Entered, NotLetInError
from admin.console.factors import Given
from admin.console.guard import COOKIE, LANGUAGE_COOKIE, Person, path_of_ours
from admin.console.parts import Console
from admin.console.permissions import Act, Role, may
from admin.console.pipe import Admit
from admin.console.throttle import BusyError
from admin.console.webauthn_site import LONGEST_ANSWER
from storage import sessions
from storage.errors import ManifestError
from storage.refusals import of_manifest
from storage.sessions import Session

# Characters of each field of the form; longer ones are cut, and so are wrong.
LONGEST = {"call_sign": 64, "passphrase": 400, "code": 32, "assertion": LONGEST_ANSWER}
_YEAR_S = 365 * 24 * 3600
_log = structlog.get_logger()


async def start(_: Console, person: Person, __: Request) -> Response:
    """The first page: the queue, one's sessions for who may not see it, or the door."""
    if person.session is None:
        return RedirectResponse("/sign-in", 303)
    return RedirectResponse("/queue" if person.may(Act.SEE_QUEUE) else "/sessions", 303)


async def sign_in_page(console: Console, person: Person, _: Request) -> Response:
    """The door."""
    return _door(console, person, None, 200)


async def key_to_sign_in(console: Console, _: Person, __: Request) -> Response:
    """What a security key is asked to sign, as JSON; the same for everyone who asks, member or not."""
    site = console.factors.site
    if site.name is None:
        return Response(status_code=404)
    return Response(site.to_sign_in(console.now()), media_type="application/json")


async def sign_in(console: Console, person: Person, request: Request) -> Response:
    """Lets a member in: a session, and its keys in the compartments' processes."""
    call_sign, passphrase, given = await _typed(request)
    where = console.networks.where(request)
    try:
        entered = await console.door.enter(call_sign, passphrase, given, where)
        await _hand_over(console, entered)
    except NotLetInError:
        return _door(console, person, "wrong", 401)
    except BusyError:
        return _door(console, person, "busy", 503)
    except KeyGoneError:
        return _door(console, person, "unavailable", 503)
    except ManifestError as error:
        _log.error("manifest_refused", error=type(error).__name__)
        if what := of_manifest(error):
            await console.on_record(what)
        return _door(console, person, "manifest", 503)
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        COOKIE, entered.token, max_age=int(LASTS.total_seconds()), path="/", secure=True, httponly=True,
        samesite="strict",
    )  # fmt: skip
    return answer


async def _typed(request: Request) -> tuple[str, str, Given]:
    form = await request.form()
    cut = {name: str(form.get(name, ""))[:longest] for name, longest in LONGEST.items()}
    return cut["call_sign"], cut["passphrase"], Given(cut["code"], cut["assertion"])


async def _hand_over(console: Console, entered: Entered) -> None:
    """Gives the opened team identities and the signing key away; the web process keeps none."""
    session = await sessions.find(console.database, entered.session, now=console.now(), idle=console.idle)
    assert session is not None
    try:
        await _admit_everywhere(console, entered, session)
    except BaseException:
        await console.end(entered.session)
        raise
    if entered.refused:
        console.refused[entered.session] = entered.refused


async def _admit_everywhere(console: Console, entered: Entered, session: Session) -> None:
    """Each may have to start a process: together; when one fails, the others have ended before it is told."""
    admitted = await asyncio.gather(
        *(console.children.admit(name, _admit(name, entered, session)) for name in entered.teams),
        return_exceptions=True,
    )
    for failed in admitted:
        if failed is not None:
            raise failed


def _admit(compartment: str, entered: Entered, session: Session) -> Admit:
    revealed = {
        name: [identity.reveal() for identity in identities] for name, identities in entered.teams.items()
    }
    signs = may(Role(session.role), Act.ANSWER)
    return Admit(
        entered.session.hex(),
        str(session.member),
        session.call_sign,
        session.role,
        revealed.pop(compartment),
        others=[line for lines in revealed.values() for line in lines],
        signing_key=entered.signing_key.private_bytes_raw().hex() if signs else "",
    )


def _door(console: Console, person: Person, trouble: str | None, status: int) -> Response:
    site = console.factors.site
    page = console.pages.render("sign_in.html", person.lang, person=None, trouble=trouble, site=site)
    return HTMLResponse(page, status)


async def sign_out(console: Console, person: Person, _: Request) -> Response:
    """Ends the session and its keys."""
    assert person.session is not None
    await console.end(person.session, by=person.member.member)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    return answer


async def choose_language(console: Console, _: Person, request: Request) -> Response:
    """Remembers the language in this browser and goes back to where one was."""
    form = await request.form()
    chosen, back = str(form.get("lang", "")), str(form.get("back", "/"))
    answer = RedirectResponse(path_of_ours(back), 303)
    if chosen in console.pages.texts:
        answer.set_cookie(
            LANGUAGE_COOKIE, chosen, max_age=_YEAR_S, path="/", secure=True, httponly=True, samesite="strict"
        )
    return answer
