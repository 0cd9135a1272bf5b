"""The whole line as a family meets it: from /start to the receipt, and what the team then opens."""

import os

from tests.line import stories
from tests.line.kit import Line


async def test_a_family_reports_a_child_with_photos_and_a_file(line: Line) -> None:
    olha = line.person("Olha")
    photos = [stories.picture("teal"), stories.picture("olive")]
    document = os.urandom(70_001)
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    await olha.sends_album(photos)
    await olha.sees("files: 2")
    await olha.sends_file("permission of travel.pdf", document)
    await olha.sees("files: 3")
    await olha.taps("Done")
    await stories.shares(olha)
    receipt = await stories.sends_it(olha)

    (report,) = await line.team.reports()
    assert report["code"] == receipt.code
    assert report["class"] == "normal"
    assert len(receipt.words.split()) == 7
    answers = {answer["step"]: answer for answer in report["answers"]["answers"]}
    assert answers["name"]["words"] == ["Olena Vyhadana"]
    assert answers["age"]["understood"] == {"age": 8}
    assert answers["when"]["understood"]["edtf"] == "2022-23"
    files = report["files"] + [file for addition in report["additions"] for file in addition["files"]]
    by_name = {file["name"]: file for file in files}
    assert await line.team.file(by_name["permission of travel.pdf"], line.app.blobs) == document
    assert len(files) == 3
    await olha.sees_only(2)  # the receipt, and what it is not


async def test_nothing_is_left_in_the_chat_but_the_card(line: Line) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    (card,) = await olha.sees_only(1)
    assert "send as many as you have" in card.text
