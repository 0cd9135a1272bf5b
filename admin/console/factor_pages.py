"""A member's own keys and codes: seen, added, removed, made anew; another's can be neither seen nor touched."""

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from admin.console.factors import CODES, LONGEST_NAME, MOST_KEYS, Opened
from admin.console.guard import Person
from admin.console.parts import Console
from admin.console.webauthn_site import LONGEST_ANSWER, KeyAnswerError
from storage.errors import ConflictError


async def listed(console: Console, person: Person, _: Request) -> Response:
    """The page."""
    return await _page(console, person)


async def key_to_add(console: Console, person: Person, _: Request) -> Response:
    """What a new security key is asked, as JSON."""
    session, mine = _mine(console, person)
    site = console.factors.site
    if site.name is None:
        return Response(status_code=404)
    known = [key.credential for key in mine.keys.values()]
    options = site.to_add(session, mine.member.bytes, mine.call_sign, known, console.now())
    return Response(options, media_type="application/json")


async def add_key(console: Console, person: Person, request: Request) -> Response:
    """Adds a security key that answered."""
    session, mine = _mine(console, person)
    form = await request.form()
    try:
        answer = str(form.get("credential", ""))[: LONGEST_ANSWER + 1]
        registered = console.factors.site.register(answer, session, console.now())
        await console.factors.add_key(mine, registered, str(form.get("name", "")), console.now())
    except KeyAnswerError:
        return await _page(console, person, trouble="wrong_key", status=400)
    except ConflictError:
        return await _page(console, person, trouble="too_many", status=409)
    return RedirectResponse("/factors", 303)


async def remove_key(console: Console, person: Person, request: Request) -> Response:
    """Removes one; one that is gone already is gone."""
    mine = _mine(console, person)[1]
    given = str((await request.form()).get("factor", ""))
    for factor in [factor for factor in mine.keys if str(factor) == given]:
        await console.factors.remove_key(mine, factor, console.now())
    return RedirectResponse("/factors", 303)


async def new_codes(console: Console, person: Person, _: Request) -> Response:
    """Makes recovery codes and shows them, this once."""
    mine = _mine(console, person)[1]
    try:
        codes = await console.factors.new_codes(mine, console.now())
    except ConflictError:
        return await _page(console, person, trouble="changed", status=409)
    return await _page(console, person, codes=codes)


def _mine(console: Console, person: Person) -> tuple[bytes, Opened]:
    assert person.session is not None
    return person.session, console.factors.of(person.session)


async def _page(
    console: Console,
    person: Person,
    *,
    trouble: str | None = None,
    codes: list[str] | None = None,
    status: int = 200,
) -> Response:
    mine = _mine(console, person)[1]
    page = console.pages.render(
        "factors.html",
        person.lang,
        person=person,
        path="/factors",
        trouble=trouble,
        codes=codes,
        keys=sorted(mine.keys.values(), key=lambda key: (key.added, key.name)),
        full=len(mine.keys) >= MOST_KEYS,
        site=console.factors.site,
        longest_name=LONGEST_NAME,
        made=mine.codes.added if mine.codes else None,
        left=await console.factors.codes_left(mine),
        all=CODES,
    )
    return HTMLResponse(page, status)
