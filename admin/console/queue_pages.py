"""The queue, live, and the acts on a report that open nothing: claim, take over, release, a status, an end."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from admin.console.guard import Person
from admin.console.parts import Console
from admin.console.permissions import Act
from storage import sessions
from storage.desk import HeldError, Key, NoSuchReportError, View
from storage.desk_thread import TooEarlyError
from storage.errors import ConflictError, NotEndingError
from storage.retention import HOLDS, HeldForGoodError
from storage.triage import RefusedStepError, Status, Step

PAGE_SIZE = 50  # rows
_SAID: Mapping[type[Exception], str] = {  # why an act is refused; the first that fits is said
    HeldForGoodError: "on_hold",
    TooEarlyError: "too_early",
    ConflictError: "changed",
    NotEndingError: "changed",
    RefusedStepError: "step",
}
HEARTBEAT_S = 20.0  # the clocks on the page move at least this often


async def queue(console: Console, person: Person, request: Request) -> Response:
    """The whole page."""
    page = await _queue(console, person, request, "queue.html")
    await console.desk.comes_in(person.member)
    return HTMLResponse(page)


async def rows(console: Console, person: Person, request: Request) -> Response:
    """Its table alone, for a page that is already there."""
    return HTMLResponse(await _queue(console, person, request, "_rows.html"))


async def _queue(console: Console, person: Person, request: Request, template: str) -> str:
    view = _view(request)
    after = Key.parse(request.query_params.get("after", ""))
    page = await console.desk.page(person.member, view, after=after, size=PAGE_SIZE)
    here = f"view={view}" + (f"&after={after}" if after else "")
    return console.pages.render(
        template,
        person.lang,
        person=person,
        page=page,
        view=view,
        views=(View.OPEN, View.MINE, View.CLOSED, View.ENDING),
        first=after is None,
        now=console.now(),
        here=here,
        path=f"/queue?{here}",
        may_open=person.may(Act.OPEN),
        may_work=person.may(Act.WORK),
        compartments=person.member.compartments,
        refused=console.refused.get(person.session or b"", []),
    )


def _view(request: Request) -> View:
    asked = request.query_params.get("view", "")
    return View(asked) if asked in set(View) else View.OPEN


async def changes(console: Console, person: Person, _: Request) -> Response:
    """Server-sent events: "queue" when something may have changed, "ended" when the session has."""
    return StreamingResponse(_events(console, person.session or b""), media_type="text/event-stream")


async def _events(console: Console, session: bytes) -> AsyncIterator[str]:
    yield "retry: 3000\n\n"
    async for _ in console.live.watch(at_least_every=HEARTBEAT_S):
        # Asked each time and not told by `touch`: watching does not keep a session alive.
        if await sessions.find(console.database, session, now=console.now(), idle=console.idle) is None:
            yield "event: ended\ndata: .\n\n"
            return
        yield "event: queue\ndata: .\n\n"


# ---- acts -------------------------------------------------------------------------------------------


async def claim_next(console: Console, person: Person, _: Request) -> Response:
    """Takes the first report by the clock."""
    report = await console.desk.claim_next(person.member)
    console.live.poke()
    if report is None:
        return _refused(console, person, "nothing_waits", "/queue")
    return RedirectResponse(f"/reports/{report}", 303)


async def let_all_in(console: Console, person: Person, _: Request) -> Response:
    """Lets all of the waiting room into the queue."""
    await console.desk.let_in(person.member)
    console.live.poke()
    return RedirectResponse("/queue", 303)


async def let_in(console: Console, person: Person, request: Request) -> Response:
    """Lets one report into the queue."""
    await console.desk.let_in(person.member, _report(request))
    console.live.poke()
    return RedirectResponse(f"/queue?view={View.WAITING_ROOM}", 303)


async def claim(console: Console, person: Person, request: Request) -> Response:
    """Takes a report."""
    report = _report(request)
    return await _act(console, person, report, console.desk.claim(report, person.member))


async def take_over(console: Console, person: Person, request: Request) -> Response:
    """Takes a report out of someone's hands."""
    report = _report(request)
    return await _act(console, person, report, console.desk.take_over(report, person.member))


async def release(console: Console, person: Person, request: Request) -> Response:
    """Puts a report back into the queue."""
    report = _report(request)
    return await _act(console, person, report, console.desk.release(report, person.member), back="/queue")


async def change(console: Console, person: Person, request: Request) -> Response:
    """Changes a report's status. The form's `change` is "step:reason"; `seen` the status it was made for."""
    report, form = _report(request), await request.form()
    step, _, why = str(form.get("change", "")).partition(":")
    seen = str(form.get("seen", ""))
    if step not in set(Step) or seen not in set(Status):
        return _refused(console, person, "step", f"/reports/{report}")
    return await _act(
        console, person, report, console.desk.change(report, Step(step), why, Status(seen), person.member)
    )


async def agree_to_shred(console: Console, person: Person, request: Request) -> Response:
    """Agrees that a report be shredded that was withdrawn, or whose time ends."""
    report = _report(request)
    return await _act(console, person, report, console.desk.agree_to_shred(report, person.member))


async def hold(console: Console, person: Person, request: Request) -> Response:
    """Holds a report: nothing of it is shredded. The form's `why` is one of `storage.retention.HOLDS`."""
    report, form = _report(request), await request.form()
    why = str(form.get("why", ""))
    if why not in HOLDS:
        return _refused(console, person, "step", f"/reports/{report}")
    return await _act(console, person, report, console.desk.hold(report, why, person.member))


async def lift(console: Console, person: Person, request: Request) -> Response:
    """Lifts a hold."""
    report = _report(request)
    return await _act(console, person, report, console.desk.lift(report, person.member))


async def take_back(console: Console, person: Person, request: Request) -> Response:
    """Takes that back."""
    report = _report(request)
    return await _act(console, person, report, console.desk.take_back(report, person.member))


async def _act(
    console: Console, person: Person, report: uuid.UUID, act: Awaitable[None], back: str | None = None
) -> Response:
    address = f"/reports/{report}"
    try:
        await act
    except NoSuchReportError:
        return _refused(console, person, "not_found", "/queue", status=404)
    except HeldError as error:
        return _refused(console, person, "held", address, holder=error.holder)
    except tuple(_SAID) as error:
        reason = next(reason for kind, reason in _SAID.items() if isinstance(error, kind))
        return _refused(console, person, reason, address)
    console.live.poke()
    return RedirectResponse(back or address, 303)


def _refused(
    console: Console, person: Person, reason: str, back: str, status: int = 409, **facts: Any
) -> Response:
    page = console.pages.render(
        "refused.html", person.lang, person=person, reason=reason, back=back, path=back, **facts
    )
    return HTMLResponse(page, status)


def _report(request: Request) -> uuid.UUID:
    report = request.path_params["report"]
    assert isinstance(report, uuid.UUID)
    return report
