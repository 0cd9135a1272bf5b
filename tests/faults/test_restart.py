"""What was committed and not done is done after a restart: cards are sent, files are fetched."""

import os

from rehearsal.faults import Kind
from tests.faults import kit
from tests.line import stories


async def test_a_card_that_was_committed_is_sent_after_a_restart(lasting_house: kit.House) -> None:
    house = lasting_house
    async with kit.bots(house) as (bot,):
        olha = house.rehearsal.person("Olha", language="en")
        await stories.begins(olha)
        house.rehearsal.faults.add(Kind.SERVER_ERROR)  # nothing can be sent
        await olha.taps("My family, or in my care")
        await house.comes_true("SELECT count(*) = 1 FROM outgoing")
        await bot.is_killed()
        house.rehearsal.faults.clear()
        await bot.starts()
        await olha.sees("What do you know about the child right now?", timeout_s=30)
        await olha.is_heard()


async def test_a_file_interrupted_by_a_kill_joins_its_draft(lasting_house: kit.House) -> None:
    house, paper = lasting_house, os.urandom(200_003)
    async with kit.bots(house) as (bot,):
        olha = house.rehearsal.person("Olha", language="en")
        await stories.begins(olha)
        await stories.tells_the_core(olha)
        house.rehearsal.faults.add(Kind.CUT, method="file")  # each download ends in its middle
        sent = await olha.sends_file("permission.pdf", paper)
        await olha.sees("files: 1")
        await house.comes_true("SELECT count(*) = 1 FROM downloads")
        await bot.is_killed()
        house.rehearsal.faults.clear()
        await bot.starts()
        await house.comes_true("SELECT count(*) = 1 FROM draft_files")
        await olha.sees_only(1)
        assert sent.id not in [message.id for message in await olha.chat()]
        await olha.taps("Done")
        await stories.shares(olha)
        await stories.sends_it(olha)

    (report,) = await house.team.reports()
    (entry,) = report["files"]
    assert await house.team.file(entry, house.blobs) == paper
    assert entry["name"] == "permission.pdf"


async def test_a_file_that_comes_after_sending_is_the_report_s_addition(lasting_house: kit.House) -> None:
    house, paper = lasting_house, os.urandom(70_001)
    async with kit.bots(house) as (bot,):
        olha = house.rehearsal.person("Olha", language="en")
        await stories.begins(olha)
        await stories.tells_the_core(olha)
        house.rehearsal.faults.add(Kind.CUT, method="file")
        await olha.sends_file("list.pdf", paper)
        await olha.sees("files: 1")
        await olha.taps("Done")
        await stories.shares(olha)
        receipt = await stories.sends_it(olha)
        await olha.is_heard()
        await bot.is_killed()
        house.rehearsal.faults.clear()
        await bot.starts()
        await house.comes_true("SELECT count(*) = 1 FROM files")

    (report,) = await house.team.reports()
    assert report["code"] == receipt.code
    (addition,) = report["additions"]
    (entry,) = addition["files"]
    assert await house.team.file(entry, house.blobs) == paper
    assert [entry["id"]] == report["files_on_their_way"]
