"""The queue is live, in order and small, however long it is."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from admin.ceremony import TEAM
from admin.console.live import Live
from storage import custody, desk, roles
from storage.desk import Desk, Key, View, Who
from storage.tables import CLASSES
from tests.console.conftest import Person, Served, Team


async def next_event(stream: Any) -> str:
    async with asyncio.timeout(15):
        async for line in stream.content:
            if line.startswith(b"event:"):
                return str(line.decode().split(":")[1].strip())
    return "end"


async def watch(someone: Person) -> Any:
    stream = await someone.http.get(someone.served.address + "/queue/changes")
    assert stream.headers["content-type"].startswith("text/event-stream")
    return stream


async def test_a_new_report_is_announced_and_seen(
    served: Served, team: Team, person: Callable[..., Any]
) -> None:
    swift = await person("swift")
    stream = await watch(swift)
    report = await team.takes_report()
    await team.bot.execute("NOTIFY dodomu")
    assert await next_event(stream) == "queue"
    assert str(report) in (await swift.opens("/queue/rows")).text
    stream.close()


async def test_what_a_colleague_does_is_announced(team: Team, person: Callable[..., Any]) -> None:
    report = await team.takes_report()
    swift, owl = await person("swift"), await person("owl")
    stream = await watch(swift)
    await owl.posts(f"/reports/{report}/claim")
    assert await next_event(stream) == "queue"
    stream.close()


async def test_the_stream_ends_with_the_session(served: Served, person: Callable[..., Any]) -> None:
    swift = await person("swift")
    stream = await watch(swift)
    served.clock.moves(hours=1)
    await served.console.end_lapsed()
    events = [await next_event(stream) for _ in range(2)]
    assert "ended" in events
    page = await swift.opens("/queue/rows", **{"hx-request": "true"})
    assert (page.status, page.headers["hx-redirect"]) == (204, "/sign-in")
    stream.close()


async def test_many_changes_at_once_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("admin.console.live.GAP_S", 0)
    live, heard = Live(), asyncio.Queue[None]()

    async def listens() -> None:
        async for said in live.watch(at_least_every=60):
            heard.put_nowait(said)

    listening = asyncio.create_task(listens())
    await asyncio.sleep(0)
    for _ in range(100):
        live.poke()
    await heard.get()
    live.close()
    await listening
    assert heard.empty()


# ---- order and pages --------------------------------------------------------------------------------


async def fill(team: Team, superuser: asyncpg.Connection, count: int, *, claimed_every: int = 4) -> None:
    """Many reports' clear columns, without their bodies, spread over classes and hours."""
    now = custody.hour(datetime.now(UTC))
    codes = [f"{number:08d}" for number in range(count)]
    await superuser.copy_records_to_table(
        "reports",
        columns=("id", "public_code", "desk_code", "form", "form_version", "received_hour", "class", "due_at",
                 "compartment", "status"),
        records=[
            (
                uuid.uuid4(), f"p{code}", code, "family", 1, now - timedelta(hours=number % 700), CLASSES[number % 3],
                None if number % claimed_every == 0 else now + timedelta(minutes=15 * (number * 7 % 300 - 100)), TEAM,
                "in triage" if number % claimed_every == 0 else "new",
            )
            for number, code in enumerate(codes)
        ],
    )  # fmt: skip
    await superuser.execute("ANALYZE reports")


@pytest.fixture
async def counted(team: Team) -> Any:
    """A desk whose statements are counted."""
    engine = desk.engine(team.database.url(roles.CONSOLE))
    statements: list[str] = []
    sa.event.listen(
        engine.sync_engine,
        "before_cursor_execute",
        lambda _c, _u, statement, *_: statements.append(statement),
    )
    yield Desk(engine, now=lambda: datetime.now(UTC), holds=timedelta(minutes=30)), statements
    await engine.dispose()


async def test_pages_follow_the_clock_and_show_every_report_once(
    team: Team, superuser: asyncpg.Connection, counted: Any
) -> None:
    await fill(team, superuser, 333)
    queue, statements = counted
    who = Who(uuid.uuid4(), (TEAM,))
    seen: list[Any] = []
    after = None
    while True:
        statements.clear()
        page = await queue.page(who, View.OPEN, after=after, size=50)
        assert len(statements) <= 3  # a page costs the same, however many rows it has
        seen += page.rows
        if page.after is None:
            break
        after = Key.parse(str(page.after))
    assert len({row.id for row in seen}) == len(seen) == 333
    waiting = [row for row in seen if row.due_at]
    assert seen[: len(waiting)] == waiting
    keys = [(row.due_at, CLASSES.index(row.urgency), row.id) for row in waiting]
    assert keys == sorted(keys)
    rest = [(CLASSES.index(row.urgency), row.received_hour, row.id) for row in seen[len(waiting) :]]
    assert rest == sorted(rest)


async def test_a_member_without_keys_sees_an_empty_queue(
    team: Team, superuser: asyncpg.Connection, counted: Any
) -> None:
    await fill(team, superuser, 5)
    queue, _ = counted
    for view in View:
        page = await queue.page(Who(uuid.uuid4(), ()), view, size=50)
        assert (list(page.rows), page.overdue) == ([], 0)


async def test_the_first_page_of_thousands_is_small(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    await fill(team, superuser, 5_000)
    swift = await person("swift")
    page = await swift.opens("/queue")
    assert page.text.count("<tr") == 51
    assert len(page.data) < 100_000
    assert "Overdue: 1000+" in page.text


@pytest.mark.parametrize(
    "text", ["", "x", "0-1-2", "0-99999999999999999999-0-" + "0" * 32, "0-1-0-zz", "1-2-3-4-5"]
)
def test_a_key_that_is_none_is_none(text: str) -> None:
    assert Key.parse(text) is None


async def test_a_malformed_key_shows_the_first_page(person: Callable[..., Any]) -> None:
    swift = await person("swift")
    assert (await swift.opens("/queue?view=nonsense&after=nonsense")).status == 200
