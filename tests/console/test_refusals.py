"""What is not as it was sealed is named and not shown; what is, comes out byte for byte."""

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from admin.console.originals import content_disposition, safe_name
from admin.console.reading import File
from seal import HybridIdentity, seal_bytes, seal_chunks
from storage import roles
from storage.bodies import seal_body
from tests.console.conftest import NAME, Person, Served, Team, addresses, picture, rows


async def refused(someone: Person, path: str, sentence: str, status: int = 409) -> None:
    page = await someone.opens(path)
    assert page.status == status, page.text
    assert sentence in page.text
    assert NAME not in page.text


CHANGED, ELSE, NO_KEY = "changed or damaged after it was sealed", "Something else stands", "None of your keys"


async def test_a_body_changed_in_the_database_is_refused(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    report, swift = await team.takes_report(), await person("swift")
    sealed = bytearray(await superuser.fetchval("SELECT sealed FROM bodies WHERE report = $1", report))
    sealed[-1] ^= 1
    await superuser.execute("UPDATE bodies SET sealed = $2 WHERE report = $1", report, bytes(sealed))
    await refused(swift, f"/reports/{report}", CHANGED)
    # And with a hash that fits the change.
    await superuser.execute("UPDATE bodies SET ciphertext_sha256 = sha256(sealed) WHERE report = $1", report)
    await refused(swift, f"/reports/{report}", CHANGED)
    leaves = [
        json.loads(row["leaf"])
        for row in await rows(team.database.url(roles.CONSOLE), "SELECT leaf FROM custody_leaves ORDER BY id")
    ]
    assert not any(leaf["kind"] == "opened" for leaf in leaves)
    told = [(leaf["what"], leaf["object"], leaf["actor"]) for leaf in leaves if leaf["kind"] == "refused"]
    assert told == [
        ("changed or swapped row", str(report), str(swift.who.member))
    ]  # on record, once a session


async def test_a_body_of_another_report_in_its_place_is_refused(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    report, other, swift = await team.takes_report(), await team.takes_report(), await person("swift")
    await superuser.execute(
        "UPDATE bodies SET (sealed, ciphertext_sha256) ="
        " (SELECT sealed, ciphertext_sha256 FROM bodies WHERE report = $2) WHERE report = $1",
        report,
        other,
    )
    await refused(swift, f"/reports/{report}", ELSE)
    # The whole row moved: its id fits, the report inside does not.
    await superuser.execute("DELETE FROM bodies WHERE report = $1", report)
    await superuser.execute("UPDATE bodies SET report = $1 WHERE report = $2", report, other)
    await refused(swift, f"/reports/{report}", ELSE)
    await refused(swift, f"/reports/{other}", "has no part at all")


async def test_a_body_sealed_to_another_key_is_refused(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    report, swift = await team.takes_report(), await person("swift")
    body = await superuser.fetchval("SELECT id FROM bodies WHERE report = $1", report)
    other = seal_body("report", body, 1, {"report": str(report)}, [HybridIdentity.generate().recipient])
    await superuser.execute(
        "UPDATE bodies SET sealed = $2, ciphertext_sha256 = $3 WHERE id = $1",
        body,
        other.sealed,
        other.ciphertext_sha256,
    )
    await refused(swift, f"/reports/{report}", NO_KEY)


async def test_an_addition_that_was_taken_away_is_noticed(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    report, swift = await team.takes_report(), await person("swift")
    await team.adds_to(report)
    await team.adds_to(report)
    await superuser.execute("DELETE FROM bodies WHERE report = $1 AND number = 2", report)
    page = await swift.opens(f"/reports/{report}")
    assert "A part of this report is missing" in page.text


async def test_a_file_no_body_names_is_noticed_and_not_given(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    report = await team.takes_report(await team.file(picture()))
    swift = await person("swift")
    await superuser.execute(
        "INSERT INTO files SELECT $2, report, body, $3, ciphertext_sha256, sealed_size, key_epoch, compartment"
        " FROM files WHERE report = $1",
        report,
        stray := uuid.uuid4(),
        "0" * 32,
    )
    assert "a file that no sealed part names" in (await swift.opens(f"/reports/{report}")).text
    await refused(swift, f"/reports/{report}/files/{stray}", "no such thing", status=404)


def blob_of(team: Team, name: str) -> Path:
    (path,) = [path for path in (team.folder / "blobs").rglob(f"{name}*") if path.is_file()]
    return path


async def test_a_file_whose_blob_is_gone_changed_or_another_s_is_refused(
    team: Team, served: Served, person: Callable[..., Any]
) -> None:
    mine, other = await team.file(picture("red")), await team.file(picture("blue"))
    report = await team.takes_report(mine)
    await team.takes_report(other)
    swift = await person("swift")
    (address,) = addresses((await swift.opens(f"/reports/{report}")).text)
    path, whole = blob_of(team, mine.blob), blob_of(team, mine.blob).read_bytes()

    path.write_bytes(blob_of(team, other.blob).read_bytes())  # opens with the same key: another report's file
    await refused(swift, address, ELSE)
    await refused(swift, f"{address}/look", ELSE)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    await refused(swift, address, CHANGED)
    path.write_bytes(whole[: len(whole) // 2])
    await refused(swift, address, CHANGED)
    path.write_bytes(seal_bytes(picture("red"), [HybridIdentity.generate().recipient]))
    await refused(swift, address, NO_KEY)
    path.write_bytes(b"")
    await refused(swift, address, CHANGED)
    path.unlink()
    await refused(swift, address, "not in its place")
    path.write_bytes(whole)
    assert (await swift.opens(address)).data == picture("red")
    told = await rows(
        team.database.url(roles.CONSOLE),
        "SELECT 1 FROM custody_leaves WHERE convert_from(leaf, 'UTF8') LIKE '%\"downloaded\"%'",
    )
    assert len(told) == 1  # only what was given away


async def test_a_file_row_turned_to_another_blob_is_refused(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    mine, other = await team.file(picture("red")), await team.file(picture("blue"))
    report = await team.takes_report(mine)
    await team.takes_report(other)
    swift = await person("swift")
    (address,) = addresses((await swift.opens(f"/reports/{report}")).text)
    await superuser.execute("UPDATE files SET blob = 'x' WHERE id = $1", other.id)
    await superuser.execute(
        "UPDATE files SET blob = $2, ciphertext_sha256 = $3 WHERE id = $1",
        mine.id,
        other.blob,
        other.ciphertext_sha256,
    )
    assert ELSE in (await swift.opens(f"/reports/{report}")).text
    await refused(swift, address, ELSE)


async def test_a_blob_swapped_between_check_and_giving_is_never_a_whole_file(
    team: Team, served: Served, person: Callable[..., Any]
) -> None:
    data = os.urandom(3 * 1024 * 1024)
    file = await team.file(data, "list.bin", "document")
    report = await team.takes_report(file)
    swift = await person("swift")
    (address,) = addresses((await swift.opens(f"/reports/{report}")).text)
    path = blob_of(team, file.blob)

    async def zeros() -> AsyncIterator[bytes]:
        yield bytes(len(data))

    false = b"".join([piece async for piece in seal_chunks(zeros(), [team.compartment.key()])])
    first = path.read_bytes()
    for _ in range(3):
        answer = await swift.http.get(served.address + address)
        got = b""
        path.write_bytes(false)
        try:
            got = await answer.read()
        except Exception:  # noqa: BLE001 - however the connection breaks, it is not a whole file
            got = b"broken"
        assert got in (data, b"broken")
        path.write_bytes(first)


async def test_another_compartment_s_member_gets_nothing(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    report = await team.takes_report(await team.file(picture()))
    swift, owl = await person("swift"), await person("owl", signed_in=False)
    await superuser.execute("DELETE FROM team_keys WHERE holder = $1", owl.who.member)
    await owl.signs_in()
    inside = addresses((await swift.opens(f"/reports/{report}")).text)
    assert str(report) not in (await owl.opens("/queue")).text
    for path in (f"/reports/{report}", *inside, *(f"{one}/look" for one in inside)):
        await refused(owl, path, "no such thing", status=404)
    assert (await owl.posts(f"/reports/{report}/claim")).status == 404


async def test_a_picture_is_blurred_until_asked_for_and_asking_is_told_once(
    team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report(await team.file(picture()))
    swift = await person("swift")
    page = await swift.opens(f"/reports/{report}")
    (veiled,) = addresses(page.text, "/veiled")
    address = veiled.removesuffix("/veiled")
    assert f'src="{address}/clear"' not in page.text
    part = await swift.opens(veiled, **{"hx-request": "true"})
    assert f'src="{address}/blurred"' in part.text
    assert (await swift.opens(f"{address}/clear")).status == 404  # never without asking
    blurred = await swift.opens(f"{address}/blurred")
    for _ in range(2):
        look = await swift.opens(f"{address}/look")
        assert f'src="{address}/clear"' in look.text
        clear = await swift.opens(f"{address}/clear")
        assert clear.headers["content-type"] == "image/jpeg"
        assert clear.data not in (blurred.data, picture())
    leaves = await rows(
        team.database.url(roles.CONSOLE), "SELECT convert_from(leaf, 'UTF8') AS leaf FROM custody_leaves"
    )
    assert sum('"previewed"' in row["leaf"] for row in leaves) == 1


async def test_a_picture_that_broke_off_is_shown_and_says_so(team: Team, person: Callable[..., Any]) -> None:
    half = picture(size=(1200, 900))
    report = await team.takes_report(await team.file(half[: len(half) * 3 // 4]))
    swift = await person("swift")
    (address,) = addresses((await swift.opens(f"/reports/{report}")).text)
    look = await swift.opens(f"{address}/look")
    assert "The file broke off on its way" in look.text
    assert (await swift.opens(f"{address}/clear")).status == 200


async def test_what_is_no_picture_says_so_and_stays_downloadable(
    team: Team, person: Callable[..., Any]
) -> None:
    bomb = await team.file(b"\x89PNG\r\n\x1a\n" + bytes(100), "bomb.png")
    report = await team.takes_report(bomb)
    swift = await person("swift")
    (address,) = addresses((await swift.opens(f"/reports/{report}")).text)
    look = await swift.opens(f"{address}/look")
    assert look.status == 409
    assert "The original can be downloaded." in look.text
    part = await swift.opens(f"{address}/veiled", **{"hx-request": "true"})
    assert part.status == 200
    assert "The original can be downloaded." in part.text


async def test_strange_names_and_words_are_shown_and_harmless(team: Team, person: Callable[..., Any]) -> None:
    name = '../../etc/"pass<script>\u202egpj.exe\r\nSet-Cookie: a=b'
    report = await team.takes_report(
        await team.file(picture(), name), name="<script>alert(1)</script>\u202e\u200b"
    )
    swift = await person("swift")
    page = await swift.opens(f"/reports/{report}")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    (address,) = addresses(page.text)
    file = await swift.opens(address)
    assert file.data == picture()
    assert "set-cookie" not in file.headers
    assert file.headers["content-disposition"].startswith("attachment; ")


def listed(name: str) -> File:
    return File(uuid.UUID(int=5), name, "photo", "", 1, "", "", None, None)


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("мама і я.jpg", "мама і я.jpg"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\u202egpj.exe", "agpj.exe"),
        ('x"; filename="y', "x__ filename=_y"),
        ("", "photo-00000000"),
        ("...", "photo-00000000"),
        ("CON:aux|nul\x00\r\n.txt", "CON_aux_nul.txt"),
        ("long" * 100 + ".jpeg", ("long" * 100)[:115] + ".jpeg"),
        ("x" * 500, "x" * 120),
    ],
)
def test_a_sender_s_name_is_never_a_path(given: str, safe: str) -> None:
    assert safe_name(listed(given)) == safe
    header = content_disposition(safe)
    assert header.isascii()
    assert "\n" not in header


async def test_readings_at_once_do_not_disturb_each_other(team: Team, person: Callable[..., Any]) -> None:
    files = [await team.file(os.urandom(200_000), f"{number}.bin", "document") for number in range(4)]
    report = await team.takes_report(*files)
    swift = await person("swift")
    found = addresses((await swift.opens(f"/reports/{report}")).text)
    answers = await asyncio.gather(*(swift.opens(address) for address in found * 3))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.data for answer in answers}) == 4
