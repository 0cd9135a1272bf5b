"""A report's page is a thread: what was told and added, what the team answered, and what the reporter allows now."""

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from admin.ceremony import keep_manifest
from flows import Claimed, Said, back
from seal import WrongKeyError, open_bytes
from storage import custody, manifest, returning, roles
from storage.replies import Reply, open_reply
from tests.console.conftest import NAME, Page, Person, Served, Team, picture, rows

ANSWER = "Дякуємо. Чи була в неї синя куртка?\n\nМи читаємо все, що ви пишете."


def main(page: Page) -> str:
    """What stands between the header and the side column."""
    return page.text.split('<div class="told">')[1].split('<div class="side">')[0]


def side(page: Page, name: str) -> str:
    """One card of the side column."""
    return page.text.split(f'<section class="card {name}"')[1].split("</section>")[0]


async def writes(
    someone: Person, report: uuid.UUID, text: str = ANSWER, *, seen: int = 0, do: str = "send"
) -> Page:
    return await someone.posts(f"/reports/{report}/answer", text=text, seen=str(seen), do=do)


async def leaves(served: Served, kind: str) -> list[dict[str, Any]]:
    kept = await rows(served.database.url(roles.CONSOLE), "SELECT leaf FROM custody_leaves ORDER BY id")
    return [leaf for leaf in (json.loads(row["leaf"]) for row in kept) if leaf["kind"] == kind]


async def replies(team: Team) -> list[Reply]:
    """All that were kept, as the bot finds them."""
    reports = await rows(team.database.url(roles.CONSOLE), "SELECT DISTINCT report FROM replies")
    return [reply for (report,) in reports for reply in await returning.replies(team.bot, report)]


# ---- what was told ----------------------------------------------------------------------------------


async def test_bodies_stand_in_their_order_and_each_says_when_it_came(
    team: Team, person: Callable[..., Any]
) -> None:
    first = datetime(2031, 5, 6, 7, 8, tzinfo=UTC)
    photo = await team.file(picture(), "second.jpg", caption="Зліва стоїть вона")
    report = await team.takes_report(at=first)
    added = back.said(Said("Її бачили у таборі", None), "uk")
    await team.adds_to(report, content=added, at=first + timedelta(hours=3))
    await team.adds_to(report, photo, at=first + timedelta(days=1))
    told = main(await (await person("swift")).opens(f"/reports/{report}"))
    moments = ("6 May 2031, 07:08", "6 May 2031, 10:08", "7 May 2031, 07:08")
    places = [told.index(one) for one in (*moments[:1], NAME, moments[1], "Її бачили у таборі", moments[2])]
    assert places == sorted(places)
    assert told.index("Зліва стоїть вона") > places[-1]
    assert re.findall(r"<h2[^>]*>([^<]*)", told)[:3] == ["The report", "Added later", "Added later"]


async def test_sharing_stands_as_it_was_said_last_and_silence_is_the_team_only(
    team: Team, person: Callable[..., Any]
) -> None:
    at = datetime(2031, 5, 6, 7, 8, tzinfo=UTC)
    report = await team.takes("family", sharing={"find": "ask", "courts": "team_only"}, at=at)
    swift = await person("swift")
    card = side(await swift.opens(f"/reports/{report}"), "sharing")
    assert "the team only" in card
    assert "changed" not in card
    for hour, (row, option) in enumerate((("courts", "all"), ("courts", "un_icc")), 1):
        content = back.shared(row, option, "asked", "uk")
        await team.adds_to(report, content=content, at=at + timedelta(hours=hour))
    card = side(await swift.opens(f"/reports/{report}"), "sharing")
    assert card.count("<dd>") == 2
    assert "changed 6 May 2031, 09:08" in card
    assert "09:08" not in card.split("<dd>")[1]
    assert "the team only" not in card


async def test_a_form_that_asks_nothing_of_sharing_stays_with_the_team(
    team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes("later", sharing={})
    page = await (await person("swift")).opens(f"/reports/{report}")
    assert "it stays with the team" in side(page, "sharing")


async def test_links_are_text_and_lead_nowhere(team: Team, person: Callable[..., Any]) -> None:
    link = 'https://vk.example/album?a=1&b="><script>alert(1)</script>'
    report = await team.takes("family", links=[link, "t.me/camp"])
    told = main(await (await person("swift")).opens(f"/reports/{report}"))
    assert "<script>alert" not in told
    assert "vk.example/album?a=1&amp;b=&#34;&gt;&lt;script&gt;" in told
    assert not re.search(r"(href|src|action|hx-[a-z]+)=\"[^\"]*(vk\.example|t\.me)", told)


async def test_what_others_said_is_marked_as_a_claim(team: Team, person: Callable[..., Any]) -> None:
    report = await team.takes("family")
    await team.adds_to(report, content=back.said(Said("Я сам це бачив", None), "uk"))
    await team.adds_to(
        report, content=back.said(Said("Їх вивезли", None, forwarded=True, origin="Канал"), "uk")
    )
    await team.adds_to(report, content=back.said(Claimed("contact", "Ольга, +380", None), "uk"))
    photo = await team.file(picture(), "camp.jpg", forwarded=True, origin="Хтось")
    await team.adds_to(report, photo)
    parts = main(await (await person("swift")).opens(f"/reports/{report}")).split('<section class="part"')[2:]
    claims = [re.findall(r'class="tag">([^<]*)', part) for part in parts]
    assert claims == [[], ["a claim"], [], ["a claim"]]
    assert "a contact that was sent: a claim" in parts[2]
    assert "(Канал)" in parts[1]
    assert "forwarded from <bdi>Хтось</bdi>" in parts[3]


async def test_a_point_stands_beside_the_settlement_it_is_near(
    team: Team, person: Callable[..., Any]
) -> None:
    place = {"place": "UA1", "name": {"uk": "Зугрес", "en": "Zuhres"}, "point": [48.012, 38.264]}
    entry = {"step": "place", "label": "ask.place.label", "understood": place}
    report = await team.takes("witness", answers=[entry])
    told = main(await (await person("swift")).opens(f"/reports/{report}"))
    assert "Zuhres" in told
    assert '<code dir="ltr">48.012, 38.264</code>' in told


# ---- what is answered -------------------------------------------------------------------------------


async def test_an_answer_is_looked_at_then_sealed_signed_and_told(
    served: Served, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    await swift.posts(f"/reports/{report}/claim")
    looked = await writes(swift, report, do="preview")
    assert looked.status == 200
    assert ANSWER in looked.text
    assert await replies(team) == []
    page = await writes(swift, report)
    assert page.path == f"/reports/{report}"
    assert "Answer from swift" in main(page)
    assert "not read yet" in main(page)

    (reply,) = await replies(team)
    signed = await team.newest()
    assert open_reply(reply, [team.relay], signed) == ANSWER
    assert open_reply(reply, [team.made.teams["team"]], signed) == ANSWER
    with pytest.raises(WrongKeyError):
        open_bytes(reply.sealed, [team.made.recovery])
    (leaf,) = await leaves(served, "reply")
    assert (leaf["actor"], leaf["object"]) == (str(swift.who.member), str(report))
    assert leaf["ciphertext_sha256"] == reply.ciphertext_sha256.hex()
    (row,) = await rows(
        served.database.url(roles.CONSOLE), "SELECT waiting FROM reports WHERE id = $1", report
    )
    assert row["waiting"]


async def test_a_colleague_reads_the_thread_and_sees_what_was_read(
    team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift, owl = await person("swift"), await person("owl")
    await swift.posts(f"/reports/{report}/claim")
    await writes(swift, report)
    (reply,) = await replies(team)
    await returning.mark_read(team.bot, reply.id, datetime(2031, 5, 6, 7, tzinfo=UTC))
    await team.adds_to(report, content=back.said(Said("Так, синя", None), "uk"))
    told = main(await owl.opens(f"/reports/{report}"))
    assert "read at 6 May, 07:00 UTC" in told
    places = [told.index(one) for one in (NAME, "синя куртка", "Так, синя")]
    assert places == sorted(places)


@pytest.mark.parametrize(("here", "warned"), [("chat", False), ("words", True), (None, True)])
async def test_who_allowed_no_answers_in_the_chat_is_said(
    here: str | None, *, warned: bool, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes("family", **({"answer_here": here} if here else {}))
    swift = await person("swift")
    page = await swift.posts(f"/reports/{report}/claim")
    assert ("come with the seven words" in main(page)) is warned
    content = back.addition([], "uk")
    content["answers"]["answer_here"] = "words" if here == "chat" else "chat"
    await team.adds_to(report, content=content)
    page = await swift.opens(f"/reports/{report}")
    assert ("come with the seven words" in main(page)) is not warned


async def test_one_who_presses_twice_or_writes_beside_another_is_told_and_loses_no_word(
    served: Served, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    await swift.posts(f"/reports/{report}/claim")
    await writes(swift, report)
    again = await writes(swift, report)
    assert again.status == 409
    assert "changed this report meanwhile" in again.text
    assert ANSWER in again.text
    assert 'name="seen" value="1"' in again.text
    assert len(await leaves(served, "reply")) == 1
    assert (await writes(swift, report, "Ще одне", seen=1)).status == 200
    assert [reply.number for reply in await replies(team)] == [1, 2]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("", "There are no words"), (" \r\n ", "There are no words"), ("х" * 2001, "too long")],
)
async def test_what_cannot_be_sent_comes_back_with_its_words(
    text: str, sentence: str, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    await swift.posts(f"/reports/{report}/claim")
    for do in ("preview", "send"):
        page = await writes(swift, report, text, do=do)
        assert page.status == 409
        assert sentence in page.text
        assert text.strip() in page.text
    assert await replies(team) == []


async def test_two_thousand_letters_of_any_script_are_not_too_much(
    team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    await swift.posts(f"/reports/{report}/claim")
    assert (await writes(swift, report, "ї" * 2000)).status == 200
    assert len(await replies(team)) == 1


async def test_only_who_holds_an_open_report_answers(
    served: Served, team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift, owl, watcher = await person("swift"), await person("owl"), await person("wren", "observer")
    assert "Claim the report to answer" in main(await owl.opens(f"/reports/{report}"))
    assert (await writes(owl, report)).status == 409
    await swift.posts(f"/reports/{report}/claim")
    refused = await writes(owl, report)
    assert refused.status == 409
    assert "swift holds this report" in refused.text
    assert (await writes(watcher, report)).status == 403
    assert (await writes(swift, uuid.uuid4())).status == 404
    await swift.posts(f"/reports/{report}/status", change="close:no answer", seen="in triage")
    assert "Reopen it to answer" in main(await swift.opens(f"/reports/{report}"))
    assert (await writes(swift, report)).status == 409
    assert await leaves(served, "reply") == []


@pytest.mark.parametrize("changed", ["member", "signature", "sealed", "number"])
async def test_an_answer_that_nobody_signed_is_named_and_not_shown(
    changed: str, team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift, owl = await person("swift"), await person("owl")
    await swift.posts(f"/reports/{report}/claim")
    await writes(swift, report)
    value: dict[str, Any] = {"member": owl.who.member, "signature": bytes(64), "sealed": b"age", "number": 2}
    await superuser.execute(f"UPDATE replies SET {changed} = $1", value[changed])
    told = main(await owl.opens(f"/reports/{report}"))
    assert "no member of the signed list wrote" in told
    assert "синя куртка" not in told
    assert NAME in told


async def test_an_answer_that_cannot_be_told_is_not_kept(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    await swift.posts(f"/reports/{report}/claim")
    await superuser.execute("REVOKE INSERT ON custody_leaves FROM dodomu_console")
    assert (await writes(swift, report)).status == 409
    assert await replies(team) == []


async def test_without_a_relay_nobody_can_be_answered_and_it_says_so(
    team: Team, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    await swift.posts(f"/reports/{report}/claim")
    current = await team.newest()
    bare = current.model_copy(update={"serial": current.serial + 1, "relay": ""})
    signed = manifest.sign(bare, team.made.ceremony_key)
    await keep_manifest(team.connection, bare, signed, datetime.now(UTC))
    assert "python -m admin relay" in main(await swift.opens(f"/reports/{report}"))
    refused = await writes(swift, report)
    assert refused.status == 409
    assert ANSWER in refused.text


async def test_an_older_manifest_put_back_opens_nothing(
    team: Team, superuser: asyncpg.Connection, person: Callable[..., Any]
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    assert NAME in (await swift.opens(f"/reports/{report}")).text
    await superuser.execute("DELETE FROM manifests WHERE serial = (SELECT max(serial) FROM manifests)")
    page = await swift.opens(f"/reports/{report}")
    assert page.status == 409
    assert "does not pass its check" in page.text
    assert NAME not in page.text


async def test_no_word_of_an_answer_reaches_a_log_or_an_address(
    team: Team, person: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    report = await team.takes_report()
    swift = await person("swift")
    await swift.posts(f"/reports/{report}/claim")
    for do in ("preview", "send", "send"):
        page = await writes(swift, report, do=do)
        assert "куртка" not in page.path
    out, err = capfd.readouterr()
    assert "куртка" not in out + err
    kept = await custody.history(team.connection, str(report))
    assert "куртка" not in json.dumps(kept, ensure_ascii=False)
