"""What the child can still do once it is contained, asked of a child that tries everything."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from admin.previews.maker import PreviewMaker, command, start
from admin.previews.wire import MIB, Limits, PreviewRefused, Refusal, Request

CHILDREN = Path(__file__).parent / "children"


@pytest.fixture
async def probed() -> dict[str, Any]:
    """Return what a contained child found when it looked around and tried the doors."""
    process = await start(command("probe", CHILDREN))
    found, _ = await process.communicate(Request.within(Limits(), blurred=False).pack())
    assert process.returncode == 0
    return dict(json.loads(found))


async def test_every_door_is_shut(probed: dict[str, Any]) -> None:
    assert probed["attempts"].pop("allocate") == "no memory"
    assert probed["attempts"].pop("more memory") == "refused"
    assert len(probed["attempts"]) == 22
    assert {name: result for name, result in probed["attempts"].items() if result != "refused"} == {}


async def test_nothing_of_ours_goes_along(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DODOMU_INVENTED_SECRET", "not for the child")
    inheritable = True
    with (tmp_path / "open").open("wb") as ours:
        os.set_inheritable(ours.fileno(), inheritable)
        process = await start(command("probe", CHILDREN))
        found, _ = await process.communicate(Request.within(Limits(), blurred=False).pack())
    before = json.loads(found)["before"]
    assert before["environment"] == []
    assert before["folder"] == "/"
    assert before["leads_its_session"]
    assert before["descriptors"] == [0, 1, 2, 3]  # 3 is the listing itself
    assert not {"asyncio", "seal", "storage", "cryptography", "admin.previews.maker"} & set(before["modules"])


async def test_the_kernel_agrees(probed: dict[str, Any]) -> None:
    kernel = probed["kernel"]
    assert kernel["NoNewPrivs"] == "1"
    assert kernel["Seccomp"] == "2"  # filter mode, proc(5)
    assert int(kernel["CapEff"], 16) == 0
    assert set(kernel["Uid"].split()) == {str(os.geteuid() or 65534)}


@pytest.mark.parametrize(
    "limit", ["Max core file size", "Max file size", "Max open files", "Max locked memory"]
)
async def test_what_it_does_not_need_is_limited_to_nothing(probed: dict[str, Any], limit: str) -> None:
    (line,) = [line for line in probed["limits"].splitlines() if line.startswith(limit)]
    assert line.removeprefix(limit).split()[:2] == ["0", "0"]


async def test_memory_and_time_are_limited(probed: dict[str, Any]) -> None:
    lines = {line[:26].strip(): line[26:].split() for line in probed["limits"].splitlines()}
    assert lines["Max address space"][:2] == [str(Limits().memory_bytes)] * 2
    assert lines["Max cpu time"][:2] == [str(Limits().cpu_s), str(Limits().cpu_s + 1)]


@pytest.mark.parametrize(
    ("child", "reason"),
    [
        ("no_libseccomp", Refusal.NO_FILTER),
        ("hollow_filter", Refusal.NO_FILTER),
        ("no_limits", Refusal.NO_LIMITS),
    ],
)
async def test_without_containment_there_is_no_preview(child: str, reason: Refusal, draw: Any) -> None:
    maker = PreviewMaker(Limits(), started_by=command(child, CHILDREN))
    with pytest.raises(PreviewRefused) as refused:
        await maker.preview(draw("JPEG"), blurred=False)
    assert refused.value.reason is reason


async def test_a_picture_that_needs_more_memory_than_allowed_is_refused(draw: Any) -> None:
    maker = PreviewMaker(Limits(memory_bytes=128 * MIB))
    with pytest.raises(PreviewRefused) as refused:
        await maker.preview(draw("PNG", (6000, 6000), compress_level=1), blurred=False)
    assert refused.value.reason is Refusal.OUT_OF_MEMORY
