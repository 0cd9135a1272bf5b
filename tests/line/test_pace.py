"""Who writes fast is a person; who floods waits for themselves, and nobody learns where a report waits."""

import asyncio

import pytest

from bot.pace import A_SECOND, BURST, OWED_AT_MOST, WAITING_AT_MOST, Pace

CHAT, OTHER = b"one chat", b"another"


class Clock:
    """Seconds, moved on at will."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock)


async def sends(pace: Pace, clock: Clock, count: int, *, every_s: float = 0.0, chat: bytes = CHAT) -> float:
    """So many updates; the longest pause that a card had to make on the way."""
    longest = 0.0
    for _ in range(count):
        async with pace.turn(chat):
            longest = max(longest, pace.pause(chat))
        clock.seconds += every_s
    return longest


@pytest.mark.parametrize(
    ("count", "every_s"),
    [(30, 0.0), (60, 1.0), (400, 0.5), (100, 0.1)],
    ids=["an album", "sixty lines in a minute", "a tap each half second", "a forwarded conversation"],
)
async def test_a_person_never_waits(pace: Pace, clock: Clock, count: int, every_s: float) -> None:
    assert await sends(pace, clock, count, every_s=every_s) == 0
    assert pace.later(CHAT) == 0


async def test_the_pause_of_a_flood_grows_and_ends_by_itself(pace: Pace, clock: Clock) -> None:
    pauses = [await sends(pace, clock, 1) for _ in range(int(BURST + OWED_AT_MOST) + 50)]
    assert pauses == sorted(pauses)
    assert pauses[int(BURST) - 1] == 0
    assert pauses[-1] == OWED_AT_MOST / A_SECOND
    clock.seconds += pauses[-1]
    assert pace.pause(CHAT) == 0


async def test_a_flood_in_one_chat_is_none_in_another(pace: Pace, clock: Clock) -> None:
    await sends(pace, clock, 500)
    assert await sends(pace, clock, 30, chat=OTHER) == 0


async def test_floods_are_taken_one_at_a_time_and_a_person_between_them(pace: Pace, clock: Clock) -> None:
    for flood in (CHAT, OTHER):
        await sends(pace, clock, 200, chat=flood)
    inside: list[bytes] = []
    leaves = asyncio.Event()

    async def one(chat: bytes) -> None:
        async with pace.turn(chat):
            inside.append(chat)
            await leaves.wait()

    async with asyncio.TaskGroup() as group:
        for chat in (CHAT, OTHER, b"a person"):
            group.create_task(one(chat))
        while b"a person" not in inside:  # noqa: ASYNC110 - whatever is in its way, one turn of the loop brings it on
            await asyncio.sleep(0)
        assert inside == [CHAT, b"a person"]
        leaves.set()
    assert inside == [CHAT, b"a person", OTHER]


async def test_when_many_wait_telegram_brings_floods_later_and_people_never(pace: Pace, clock: Clock) -> None:
    floods = [bytes([number]) for number in range(WAITING_AT_MOST + 2)]
    for flood in floods:
        await sends(pace, clock, 200, chat=flood)
    assert pace.later(floods[0]) == 0
    leaves = asyncio.Event()

    async def one(chat: bytes) -> None:
        async with pace.turn(chat):
            await leaves.wait()

    async with asyncio.TaskGroup() as group:
        for flood in floods[:WAITING_AT_MOST]:
            group.create_task(one(flood))
        await asyncio.sleep(0)
        assert pace.later(floods[-1]) == OWED_AT_MOST / A_SECOND
        assert pace.later(b"a person") == 0
        leaves.set()
    assert pace.later(floods[-1]) == 0


async def test_who_hides_does_not_wait_for_what_was_sent_before(pace: Pace, clock: Clock) -> None:
    await sends(pace, clock, 500)
    resting = asyncio.create_task(pace.rest(CHAT))
    await asyncio.sleep(0)
    pace.hurry(CHAT)
    await resting
    assert pace.pause(CHAT) == 0


async def test_only_floods_are_remembered(pace: Pace, clock: Clock) -> None:
    for number in range(5000):
        await sends(pace, clock, 1, chat=number.to_bytes(2, "big"))
    await sends(pace, clock, 500)
    assert len(pace) == 5001
    clock.seconds += 1 / A_SECOND
    pace.forget()
    assert len(pace) == 1
    clock.seconds += (BURST + OWED_AT_MOST) / A_SECOND
    pace.forget()
    assert len(pace) == 0
