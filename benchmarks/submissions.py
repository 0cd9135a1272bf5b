"""Submissions a second: a finished draft is sealed and kept, one by one and 32 at once, durable; none may be lost.

Each is what «Send» costs at the store: the draft's row, hybrid sealing of the body, report, receipt, thread and
custody leaf in one committed transaction, fsync on.
"""

import asyncio
import tempfile
import time
import uuid
from pathlib import Path

import uvloop

from benchmarks.canned import Watched
from benchmarks.line import line
from bot.app import App
from storage import submission
from storage.intake import Draft

TO_REACH = 400  # a second, 32 at once
COUNTS = {1: 300, 32: 3000}


def run() -> dict[str, float]:
    """Prints the figures; {"1": …, "32": …} a second."""
    return uvloop.run(_run())


async def _run() -> dict[str, float]:
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        async with line(Path(folder), session=Watched()) as app:
            before = 0
            for at_once, count in COUNTS.items():
                figure, milliseconds = await measure(app, at_once, count, first=before + 1)
                kept = await app.intake.connections.fetchval("SELECT count(id) FROM reports")
                before += count
                lost = before - kept
                figures[str(at_once)] = figure
                print(
                    f"  {at_once:2} at once: {figure:6.0f} submissions/s, p95 {milliseconds:6.1f} ms, {lost} lost"
                )
                if lost:
                    raise SystemExit("submissions were lost")
    print(f"  To reach: {TO_REACH}/s at 32 at once, none lost.")
    return figures


async def measure(app: App, at_once: int, count: int, *, first: int) -> tuple[float, float]:
    """Submissions of chats `first` and on: how many a second, and the 95th percentile of one in milliseconds."""
    chats = iter(range(first, first + count))
    times: list[float] = []

    async def people() -> None:
        for chat in chats:
            started = time.perf_counter()
            await _submit(app, chat)
            times.append(time.perf_counter() - started)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(people())
    return count / (time.perf_counter() - started), sorted(times)[int(count * 0.95)] * 1000


async def _submit(app: App, chat: int) -> None:
    """One person's whole «Send»: taken once, sealed and committed."""
    intake = app.intake
    async with intake.take(chat, chat) as visit:
        assert visit is not None, "each update is its own"
        draft = Draft(uuid.uuid4(), {"files": {}})
        content = {
            "language": "en",
            "answers": {"answers": [{"step": "name", "words": ["Olena Vyhadana"]}] * 12},
        }
        given = submission.Given(
            form="family",
            form_version=1,
            urgency="normal",
            content=content,
            files=(),
            answer_here=True,
            address=chat,
        )
        await submission.submit(
            visit.connection,
            draft.id,
            given,
            to=app.line.compartment("family"),
            secret=intake.secret,
            now=intake.now(),
        )
