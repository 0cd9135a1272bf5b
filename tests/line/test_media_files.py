"""A file is fetched to its last byte or asked for again, kept once if it comes twice, and not fetched for ever."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from aiohttp import ClientError, web

from bot import fetching, telegram
from flows import UnknownFormError, forms
from rehearsal.driver import Person
from tests.line import stories
from tests.line.kit import GREETING, TOKEN, Clock, Line

WHOLE = bytes(range(256)) * 4000  # a megabyte


async def comes_to_the_photos(line: Line) -> Person:
    olha = line.person("Olha")
    await stories.begins(olha)
    await stories.tells_the_core(olha)
    return olha


async def sends_it(person: Person) -> None:
    await person.taps("Done")
    await stories.shares(person)
    await stories.sends_it(person)


async def the_report(line: Line) -> dict[str, Any]:
    (report,) = await line.team.reports()
    return report


async def all_files(line: Line, count: int) -> list[dict[str, Any]]:
    """The files of the one report, once so many are there."""
    async with asyncio.timeout(30):
        while True:
            report = await the_report(line)
            files: list[dict[str, Any]] = report["files"] + [
                file for more in report["additions"] for file in more["files"]
            ]
            if len(files) >= count:
                return files
            await asyncio.sleep(0.05)


async def comes_true(line: Line, question: str) -> None:
    """Waits until a question to the database is answered by true."""
    connection = await asyncpg.connect(line.team.database.superuser_url)
    try:
        async with asyncio.timeout(30):
            while True:
                if await connection.fetchval(question):
                    return
                await asyncio.sleep(0.05)
    finally:
        await connection.close()


# ---- broken downloads ----------------------------------------------------------------------------------


async def test_a_download_goes_on_where_it_broke(line: Line) -> None:
    olha = await comes_to_the_photos(line)
    await line.rehearsal.driver.fault("cut", method="file", times=1)
    await olha.sends_file("film.mp4", WHOLE)
    await olha.sees("files: 1")
    await olha.sees_only(1)  # it is safe
    asked = [called["params"]["range"] for called in await line.rehearsal.driver.calls("file")]
    assert asked[0] == ""
    assert asked[1] != f"bytes={len(WHOLE) // 2}-" or len(asked) == 2
    assert asked[1].startswith("bytes=")
    await sends_it(olha)
    (file,) = (await the_report(line))["files"]
    assert await line.team.file(file, line.app.blobs) == WHOLE


async def test_one_that_breaks_each_time_is_fetched_later(line: Line) -> None:
    olha = await comes_to_the_photos(line)
    await line.rehearsal.driver.fault("server_error", method="file", status=502, times=fetching.RESUMES + 1)
    await olha.sends_file("film.mp4", WHOLE)
    await olha.sees_only(1, timeout_s=60)
    await sends_it(olha)
    (file,) = (await the_report(line))["files"]
    assert await line.team.file(file, line.app.blobs) == WHOLE


class Server:
    """A Bot API server with one file, which it gives in ways that Telegram's does not."""

    def __init__(self, *, ranges: bool = False) -> None:
        self.content = WHOLE
        self.ranges = ranges
        self.cuts: list[int | None] = []  # after how many bytes each answer breaks off
        self.asked: list[str] = []
        self.url = ""

    async def file(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.headers.get("Range", ""))
        begin = request.http_range.start or 0 if self.ranges else 0
        if begin >= len(self.content):
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(self.content)}"})
        rest = self.content[begin:]
        response = web.StreamResponse(
            status=206 if begin else 200, headers={"Content-Length": str(len(rest))}
        )
        if begin:
            response.headers["Content-Range"] = f"bytes {begin}-{len(self.content) - 1}/{len(self.content)}"
        await response.prepare(request)
        cut = self.cuts.pop(0) if self.cuts else None
        await response.write(rest[:cut])
        if cut is not None and request.transport:
            request.transport.close()
        return response

    async def get_file(self, _request: web.Request) -> web.Response:
        told = {"file_id": "a", "file_unique_id": "a", "file_size": len(self.content), "file_path": "a.bin"}
        return web.json_response({"ok": True, "result": told})


@contextlib.asynccontextmanager
async def served(server: Server) -> AsyncIterator[Server]:
    app = web.Application()
    app.router.add_route("*", "/bot{token}/getFile", server.get_file)
    app.router.add_get("/file/bot{token}/a.bin", server.file)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"http://127.0.0.1:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()


async def fetched(server: Server) -> bytes:
    bot = telegram.connect(TOKEN, server.url)
    try:
        return b"".join([chunk async for chunk in fetching.original(bot, "a")])
    finally:
        await bot.session.close()


@pytest.mark.parametrize("ranges", [True, False], ids=["with ranges", "without"])
async def test_every_byte_comes_once_however_often_it_breaks(ranges: bool) -> None:  # noqa: FBT001 -- a parameter
    async with served(Server(ranges=ranges)) as server:
        server.cuts = [100_000, 300_000 if not ranges else 0, 500_000, len(WHOLE) - 1 if not ranges else 1]
        assert await fetched(server) == WHOLE
        assert len(server.asked) == 5
        assert server.asked[1].startswith("bytes=")


async def test_another_file_in_its_place_is_never_joined_to_the_first() -> None:
    async with served(Server()) as server:
        server.cuts = [100_000]
        begun = False

        async def fetch() -> bytes:
            nonlocal begun
            bot = telegram.connect(TOKEN, server.url)
            whole = b""
            try:
                async for chunk in fetching.original(bot, "a"):
                    whole += chunk
                    if not begun:
                        begun, server.content = True, bytes(len(WHOLE))
            finally:
                await bot.session.close()
            return whole

        with pytest.raises(ClientError):
            await fetch()


# ---- one that came twice -------------------------------------------------------------------------------


async def test_a_file_that_came_twice_is_kept_once(line: Line) -> None:
    olha = await comes_to_the_photos(line)
    await olha.sends_file("order.pdf", WHOLE)
    await olha.sees("files: 1")
    await olha.sees_only(1)
    await olha.sends_file("the order again.pdf", WHOLE, "the same, I think")
    await olha.sees_only(1)  # the message has gone as any other
    await olha.sees("files: 1")
    await olha.sends_file("another.pdf", b"another")
    await olha.sees("files: 2")
    await olha.sees_only(1)
    await sends_it(olha)
    report = await the_report(line)
    first, other = report["files"]
    assert (first["name"], other["name"]) == ("order.pdf", "another.pdf")
    assert [(again["name"], again["kind"]) for again in first["also"]] == [
        ("the order again.pdf", "document")
    ]
    body = report["answers"]
    assert [file["id"] for file in body["files"]] == [first["id"], other["id"]]
    assert ["the same, I think"] in [entry.get("words") for entry in body["beside"]]
    assert (
        len([1 async for _ in line.app.blobs.list_older_than(line.app.intake.now().replace(year=2100))]) == 2
    )


async def test_a_file_that_comes_again_at_another_question_stands_there_too(line: Line) -> None:
    olha = line.person("Olha")
    await stories.begins(olha)
    await olha.taps("My family, or in my care")
    await olha.taps("I do not know where")
    await olha.sees("What is the child’s name?")
    await olha.sends_file("order.pdf", WHOLE)
    await olha.sees("Kept.")
    await olha.sees_only(1)
    await olha.taps("Back")
    await olha.taps("I do not know where")
    await olha.sends("Olenka")
    await olha.taps("8")
    await olha.taps("Girl")
    await olha.sees("Where was the child taken from?")
    await olha.sends("Vyhadanka beyond the river")
    await olha.sees("When was the child taken?")
    await olha.sends("autumn 2022")
    await olha.sees("send as many as you have")
    await olha.sends_file("order.pdf", WHOLE)
    await olha.sees("files: 1")
    await olha.sees_only(1)
    await sends_it(olha)
    report = await the_report(line)
    (file,) = report["files"]
    assert [(listed["id"], listed["step"]) for listed in report["answers"]["files"]] == [
        (file["id"], "name"),
        (file["id"], "photo"),
    ]


async def test_what_came_before_sending_is_not_joined_again_after_it(line: Line) -> None:
    olha = await comes_to_the_photos(line)
    await olha.sends_file("order.pdf", WHOLE)
    await olha.sees("files: 1")
    await olha.sees_only(1)
    await line.rehearsal.driver.fault("server_error", method="getFile", status=502, times=1)
    await olha.sends_file("again.pdf", WHOLE)
    await olha.sees("files: 2")
    await sends_it(olha)
    await comes_true(line, "SELECT count(*) = 0 FROM downloads")
    report = await the_report(line)
    assert [file["name"] for file in report["files"]] == ["order.pdf"]
    assert report["additions"] == []


# ---- after sending -------------------------------------------------------------------------------------


async def test_the_rest_of_an_album_joins_the_report_that_was_sent_meanwhile(line: Line) -> None:
    olha = await comes_to_the_photos(line)
    (first,) = await olha.sends_album([stories.picture("teal")], group="10000000000000001")
    await olha.sees("files: 1")
    await sends_it(olha)
    (late,) = await olha.sends_album(
        [stories.picture("olive")], "the second of two", group="10000000000000001"
    )
    files = await all_files(line, 2)
    kept = [await line.team.file(file, line.app.blobs) for file in files]
    assert sorted(kept) == sorted([await olha.content_of(first), await olha.content_of(late)])
    assert files[1]["caption"] == "the second of two"
    await olha.sees_no_more("the second of two")  # their message has gone as any other
    await olha.sends_photo(stories.picture("olive"))
    await comes_true(line, "SELECT count(*) = 0 FROM downloads")
    await olha.is_heard()
    assert len(await all_files(line, 2)) == 2  # and is not kept twice


async def test_photos_still_on_their_way_join_whatever_is_asked_after_sending(line: Line) -> None:
    petro = line.person("Petro")
    await stories.begins(petro)
    await petro.taps("My family, or in my care")
    await petro.taps("About to be moved, or in danger")
    await petro.sees("In a few words or by voice")
    await petro.sends("a white bus, today")
    (first,) = await petro.sends_album([stories.picture("teal")], group="10000000000000002")
    await petro.sees("Kept")
    await petro.taps("Send now")
    await petro.sees("Thank you.")
    question = (await petro.sees("not an official search request")).text.splitlines()[-1]
    late = await petro.sends_album([stories.picture("olive"), None], group="10000000000000002")
    files = await all_files(line, 3)
    kept = [await line.team.file(file, line.app.blobs) for file in files]
    assert sorted(kept) == sorted([await petro.content_of(sent) for sent in (first, *late)])
    await petro.sees(question)  # it stays


async def test_the_rest_of_an_album_finds_its_report_also_when_the_chat_is_clear(
    line: Line, clock: Clock
) -> None:
    olha = await comes_to_the_photos(line)
    await olha.sends_album([stories.picture("teal")], group="10000000000000003")
    await olha.sees("files: 1")
    await sends_it(olha)
    await olha.taps("I have the words, clear this chat")
    await olha.sees(GREETING)
    await olha.sends_album([stories.picture("olive")], group="10000000000000003")
    assert len(await all_files(line, 2)) == 2
    (greeting,) = await olha.sees_only(1)
    assert GREETING in greeting.text  # as after any photo that nobody asked for
    await line.settles()
    clock.ahead = timedelta(hours=24, minutes=1)
    await olha.sends_album([stories.picture("navy")], group="10000000000000003")
    await comes_true(line, "SELECT count(*) = 0 FROM downloads")
    assert len(await all_files(line, 2)) == 2  # a day later it waits for the next message


# ---- what can never be fetched -------------------------------------------------------------------------


async def test_a_lost_file_of_a_form_that_the_program_lacks_is_not_fetched_for_ever(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    olha = await comes_to_the_photos(line)
    await line.rehearsal.driver.fault("server_error", method="getFile", status=502, times=1)
    sent = await olha.sends_file("lost.pdf", WHOLE)
    await olha.sees("files: 1")
    monkeypatch.setattr(forms, "get", _lacks)
    line.rehearsal.world.files.by_id.pop(sent.raw["document"]["file_id"])  # Telegram has it no more
    await comes_true(line, "SELECT count(*) = 0 FROM downloads")
    monkeypatch.undo()
    await olha.taps("Done")
    await stories.shares(olha)
    await stories.sends_it(olha)
    report = await the_report(line)
    assert report["files"] == []
    assert report["files_on_their_way"] == []
    assert "lost.pdf" not in json.dumps(report["answers"])


def _lacks(name: str, version: int) -> Any:
    raise UnknownFormError(f"{name} {version}")
