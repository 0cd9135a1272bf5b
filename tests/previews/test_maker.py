"""The side that asks: it believes no answer, waits for no one for ever, and leaves no process behind."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvloop

from admin.previews import maker as module
from admin.previews.maker import PreviewMaker, command
from admin.previews.wire import MIB, Answer, Limits, PreviewRefused, Refusal

CHILDREN = Path(__file__).parent / "children"


def asking(child: str, **limits: Any) -> PreviewMaker:
    return PreviewMaker(Limits(**limits), started_by=command(child, CHILDREN))


async def refusal(maker: PreviewMaker, file: bytes | AsyncIterator[bytes]) -> Refusal:
    with pytest.raises(PreviewRefused) as refused:
        await maker.preview(file, blurred=False)
    return refused.value.reason


class Started:
    """The ids of all children, in the order of their start."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self._one_more = asyncio.Event()

    def add(self, process_id: int) -> None:
        self.ids.append(process_id)
        self._one_more.set()

    async def reaches(self, number: int) -> None:
        async with asyncio.timeout(20):
            while len(self.ids) < number:
                self._one_more.clear()
                await self._one_more.wait()

    def all_gone(self) -> bool:
        return bool(self.ids) and all(gone(process_id) for process_id in self.ids)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    noted = Started()
    real = module.start

    async def start(arguments: list[str]) -> Any:
        process = await real(arguments)
        noted.add(process.pid)
        return process

    monkeypatch.setattr(module, "start", start)
    return noted


def gone(process_id: int) -> bool:
    """Neither running nor a zombie: nothing of that id is ours to wait for."""
    try:
        os.waitid(os.P_PID, process_id, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


async def test_a_child_that_never_answers_is_killed(started: Started) -> None:
    assert await refusal(asking("silent", wall_s=0.4), b"anything") is Refusal.TOOK_TOO_LONG
    assert started.all_gone()


async def test_a_child_that_does_not_even_listen_is_killed(started: Started) -> None:
    assert await refusal(asking("silent", wall_s=0.4), bytes(8 * MIB)) is Refusal.TOOK_TOO_LONG
    assert started.all_gone()


async def test_a_child_that_computes_for_ever_runs_out_of_time(started: Started) -> None:
    assert await refusal(asking("busy", cpu_s=1), b"anything") is Refusal.TOOK_TOO_LONG
    assert started.all_gone()


async def test_a_child_that_is_shot_gives_no_preview(started: Started) -> None:
    assert await refusal(asking("shot"), bytes(MIB)) is Refusal.FAILED
    assert started.all_gone()


async def test_no_one_is_left_after_a_preview(maker: PreviewMaker, started: Started, draw: Any) -> None:
    await maker.preview(draw("JPEG"), blurred=True)
    assert started.all_gone()


async def test_a_refusal_is_no_accident(
    maker: PreviewMaker, started: Started, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(25):
        assert await refusal(maker, b"") is Refusal.EMPTY
    assert started.all_gone()
    assert caplog.records == []  # the loop would say so if a child was collected behind its back


async def test_who_stops_waiting_leaves_no_child(started: Started) -> None:
    waiting = asyncio.create_task(asking("silent").preview(b"anything", blurred=False))
    await started.reaches(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert gone(started.ids[0])


async def test_two_at_once_and_the_third_waits(started: Started) -> None:
    maker = asking("silent")
    waiting = [asyncio.create_task(maker.preview(b"anything", blurred=False)) for _ in range(3)]
    await started.reaches(2)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(started.ids) == 2
    waiting[0].cancel()
    await started.reaches(3)
    assert gone(started.ids[0])
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert started.all_gone()


async def test_a_stream_is_as_good_as_bytes(maker: PreviewMaker, draw: Any) -> None:
    whole = draw("JPEG")

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(whole), 1000):
            yield whole[start : start + 1000]
            yield b""

    assert await maker.preview(chunks(), blurred=False) == await maker.preview(whole, blurred=False)


async def test_what_the_stream_raises_passes_through(maker: PreviewMaker, started: Started) -> None:
    async def breaks() -> AsyncIterator[bytes]:
        yield b"\xff\xd8\xff"
        raise TimeoutError("the store does not answer")

    with pytest.raises(TimeoutError, match="the store"):
        await maker.preview(breaks(), blurred=False)
    assert gone(started.ids[0])


async def test_a_file_over_the_limit_is_refused_before_it_is_read_whole() -> None:
    asked_for = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal asked_for
        while True:
            asked_for += 1
            yield bytes(MIB)

    assert await refusal(PreviewMaker(Limits(max_bytes=3 * MIB)), endless()) is Refusal.TOO_LARGE
    assert asked_for == 4


async def test_only_linux_has_the_filter(maker: PreviewMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "sys", SimpleNamespace(platform="darwin"))
    assert await refusal(maker, b"anything") is Refusal.NEEDS_LINUX


async def test_an_honest_answer_is_believed(maker: PreviewMaker, draw: Any) -> None:
    shown = await maker.preview(draw("JPEG"), blurred=False)
    head = Answer(None, partial=True, width=shown.width, height=shown.height, length=len(shown.jpeg))
    again = await asking("parrot").preview(head.pack() + shown.jpeg, blurred=False)
    assert (again.jpeg, again.partial) == (shown.jpeg, True)


async def test_no_other_answer_is_believed(maker: PreviewMaker, draw: Any) -> None:
    shown = await maker.preview(draw("JPEG"), blurred=False)
    jpeg, width, height = shown.jpeg, shown.width, shown.height

    def told(body: bytes, wide: int = width, high: int = height, length: int | None = None) -> bytes:
        return (
            Answer(
                None, partial=False, width=wide, height=high, length=len(body) if length is None else length
            ).pack()
            + body
        )

    lies = {
        "nothing": b"",
        "half a head": told(jpeg)[:7],
        "another magic": b"X" + told(jpeg)[1:],
        "an unknown verdict": told(jpeg)[:4] + b"\xff" + told(jpeg)[5:],
        "a refusal with a picture": told(jpeg)[:4] + b"\x04" + told(jpeg)[5:],
        "less than announced": told(jpeg, length=len(jpeg) + 1),
        "more than announced": told(jpeg) + b"!",
        "longer than asked for": told(jpeg, length=0xFFFFFFFF),
        "another width": told(jpeg, wide=width + 1),
        "another height": told(jpeg, high=height - 1),
        "no size": told(jpeg, wide=0),
        "not a JPEG": told(draw("PNG")),
        "a JPEG with EXIF": told(draw("JPEG", exif=b"Exif\0\0invented")),
        "a JPEG with a comment": told(draw("JPEG", comment=b"invented")),
        "a progressive JPEG": told(draw("JPEG", progressive=True)),
        "a grey JPEG": told(draw("JPEG", mode="L")),
        "something after the end": told(jpeg + b"PK\x03\x04"),
        "a broken scan": told(jpeg[:-2]),
        "an exit code": told(jpeg) + b"\n",
    }
    parrot = asking("parrot")
    assert {name: await refusal(parrot, lie) for name, lie in lies.items()} == dict.fromkeys(
        lies, Refusal.FAILED
    )


async def test_a_preview_larger_than_asked_for_is_not_believed(maker: PreviewMaker, draw: Any) -> None:
    shown = await maker.preview(draw("JPEG"), blurred=False)
    head = Answer(None, width=shown.width, height=shown.height, length=len(shown.jpeg))
    assert await refusal(asking("parrot", longest_side=200), head.pack() + shown.jpeg) is Refusal.FAILED


async def test_every_reason_crosses_the_wire() -> None:
    parrot = asking("parrot")
    assert [await refusal(parrot, Answer(reason).pack()) for reason in Refusal] == list(Refusal)


def test_it_works_the_same_on_the_servers_loop(draw: Any) -> None:
    async def shown() -> tuple[int, Refusal, Refusal]:
        preview = await PreviewMaker(Limits()).preview(draw("JPEG"), blurred=False)
        killed = await refusal(asking("silent", wall_s=0.4), bytes(8 * MIB))
        return preview.width, killed, await refusal(asking("shot"), bytes(8 * MIB))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(shown()) == (320, Refusal.TOOK_TOO_LONG, Refusal.FAILED)


def test_who_asks_never_loads_a_parser() -> None:
    check = "import sys, admin.previews.maker as m; m.command(); sys.exit('PIL' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], cwd=Path(module.__file__).parents[2], check=True)


def test_a_preview_does_not_print_itself() -> None:
    assert "secret" not in repr(module.Preview(b"secret", 1, 1, partial=False))
