"""Whole conversations, the same in four languages: a family, somebody who was there, somebody who knows from work.

Each goes from /start to the receipt and beyond, with what happens on the way, and ends with what the team opens.
"""

from typing import Any

import pytest

from flows.greeting import LANGUAGES
from locales import offered
from tests.line import stories
from tests.line.kit import Line, until_quiet
from tests.line.telling import WORDS, Teller, all_files, answers_of, told_later

in_each_language = pytest.mark.parametrize("lang", offered("bot"))
PORT = (46.1165, 32.9113)  # a point in the town that `Words.port` names
CONTACT, CHANNEL = "+380000000001", {"kind": "channel", "name": "Station news", "post": 7}


@in_each_language
async def test_a_family_tells_of_one_child_and_adds_what_comes_to_mind(lang: str, line: Line) -> None:
    olha = Teller.of(line, "Olha", lang)
    await olha.starts()
    await olha.chooses("consent", "adult")
    await olha.chooses("know", "family")
    await olha.chooses("where", "unknown")

    # Somebody comes into the room. An hour later two words bring it back.
    await olha.asked("name.child")
    words = await olha.hides()
    await olha.sends(words)

    # She would like to see what she wrote, and so finds her mistake.
    await olha.asked("name.child")
    await olha.sends("/help")
    await olha.taps("help.stay")
    mistaken = await olha.writes("name.child", olha.words.called)
    await olha.asked("age")
    await olha.person.edits(mistaken, olha.words.name)
    await olha.sees("notice.edited")
    await olha.chooses("age", "8")

    # Somebody's number, though nobody asked for it; then the question is still there.
    await olha.asked("sex")
    await olha.person.shares_contact(CONTACT, "Petro")
    await olha.sees("notice.kept")
    await olha.chooses("sex", "girl")

    # Two towns have this name.
    await olha.writes("place", olha.words.town)
    await olha.picks(1)
    await olha.writes("when", olha.words.autumn)
    await olha.asked("photo.child")
    await olha.sends_photos([stories.picture("teal"), stories.picture("olive")])
    await olha.taps("nav.done")
    await olha.chooses("find", "yes")
    await olha.chooses("courts", "un_icc")
    await olha.chooses("answer", "chat")
    await olha.chooses("push", "kyiv")

    await looks_it_through(olha)
    await olha.taps("nav.send")
    receipt = await olha.sees_receipt()
    await olha.sees("receipt.official")

    # And what comes to mind when it is sent.
    await olha.asked("more")
    await olha.taps("heading.journey")
    await olha.chooses("pretext", "rest")
    await olha.writes("takers", olha.words.told)
    await olha.asked("transport")
    await olha.taps("nav.review")
    await olha.asked("review.more")
    await olha.taps("nav.send")
    await olha.sees("notice.added")
    await olha.sends(olha.words.hide)
    await olha.sees_the_greeting_alone()

    (report,) = await line.team.reports()
    assert (report["code"], report["class"], report["language"]) == (receipt.code, "normal", lang)
    assert (report["form"], report["compartment"]) == ("family", "team")
    holds_what_the_family_told(report, olha)


async def looks_it_through(olha: Teller) -> None:
    """One answer is changed, one thing is added."""
    review = await olha.asked("review")
    assert olha.words.name in review.text
    await olha.taps("nav.change")
    await olha.asked("change")
    await olha.taps("ask.age.label")
    await olha.chooses("age", "9")
    await olha.asked("review")
    await olha.taps("nav.more")
    await olha.asked("more")
    await olha.taps("heading.child")
    await olha.writes("called", olha.words.called)
    await olha.asked("new_name")
    await olha.taps("nav.review")
    review = await olha.asked("review")
    assert olha.words.called in review.text


def holds_what_the_family_told(report: dict[str, Any], olha: Teller) -> None:
    told = answers_of(report)
    assert told["name"]["words"] == [olha.words.name]
    assert told["age"]["understood"] == {"age": 9}
    assert told["sex"]["option"] == "girl"
    assert told["place"]["words"] == [olha.words.town]
    assert told["place"]["understood"]["name"]["en"] == "Oleshky"
    assert told["when"]["understood"]["edtf"] == "2022-23"
    assert told["called"]["words"] == [olha.words.called]
    assert report["answers"]["sharing"] == {"find": "yes", "courts": "un_icc"}
    assert report["answers"]["answer_here"] == "chat"
    (contact,) = report["answers"]["beside"]
    assert (contact["step"], contact["claim"], contact["words"]) == ("sex", "contact", [f"Petro\n{CONTACT}"])
    (added,) = told_later(report)
    assert answers_of(added)["pretext"]["option"] == "rest"
    assert answers_of(added)["takers"]["words"] == [olha.words.told]
    assert len(all_files(report)) == 2


@in_each_language
async def test_who_was_there_sends_photos_and_goes_on_in_another_language(lang: str, line: Line) -> None:
    petro = Teller.of(line, "Petro", lang)
    await petro.starts()
    await petro.chooses("consent", "adult")
    await petro.chooses("know", "saw")
    await petro.chooses("when.witness", "earlier")

    # What a channel wrote is passed on; it is nobody's answer.
    await petro.asked("site")
    await petro.sends(petro.words.told, forward=CHANNEL)
    await petro.sees("notice.kept")
    await petro.asked("site")
    await petro.person.shares_location(*PORT)
    await petro.asked("photos")
    await petro.sends_photos([stories.picture(colour) for colour in ("teal", "olive", "navy")])
    await petro.taps("nav.done")

    # Another language from here on; the question that stood stands again, and a voice answers it.
    await petro.asked("how_many.witness")
    await petro.sends(petro.words.language)
    await petro.sees("help")
    petro.lang = following(lang)
    await petro.presses(LANGUAGES[petro.lang])
    await petro.asked("how_many.witness")
    await petro.sends_voice()
    await petro.asked("review")
    await petro.taps("nav.send")
    receipt = await petro.sees_receipt()

    # How it may be used is asked once it is there.
    await petro.chooses("answer.sent", "words")
    await petro.chooses("safety", "seen")
    await petro.chooses("find", "ask")
    await petro.chooses("courts", "no")
    await petro.asked("review.more")
    await petro.taps("nav.send")
    await petro.sees("notice.added")
    await petro.sends(petro.words.erase)
    await petro.sees_the_greeting_alone()
    await until_quiet(line)

    (report,) = await line.team.reports()
    assert (report["code"], report["language"]) == (receipt.code, petro.lang)
    assert (report["form"], report["class"]) == ("witness", "normal")
    told = answers_of(report)
    assert told["when"]["option"] == "earlier"
    assert told["site"]["understood"]["name"]["en"] == "Skadovsk"
    assert told["site"]["understood"]["point"] == list(PORT)
    (forwarded,) = report["answers"]["beside"]
    assert (forwarded["step"], forwarded["words"]) == ("site", [WORDS[lang].told])
    assert forwarded["forwarded"]
    assert forwarded["origin"].startswith("Station news")
    kinds = sorted((file["kind"], file["step"]) for file in all_files(report))
    assert kinds == [("photo", "photos")] * 3 + [("voice", "how_many")]
    # Silence was the team alone; then it was said.
    assert report["answers"]["sharing"] == {"find": "team_only", "courts": "team_only"}
    (added,) = told_later(report)
    assert added["answers"]["sharing"] == {"find": "ask", "courts": "no"}
    assert added["answers"]["answer_here"] == "words"


@in_each_language
async def test_who_knows_from_work_describes_a_paper_and_stops_on_the_way(lang: str, line: Line) -> None:
    iryna = Teller.of(line, "Iryna", lang)
    await iryna.starts()
    await iryna.chooses("consent", "adult")
    await iryna.chooses("know", "work")
    await iryna.chooses("safe", "next")
    await iryna.chooses("have", "document")
    await iryna.chooses("traceable", "describe")
    await iryna.writes("describe.document", f"{iryna.words.told}, https://example.org/list")
    await iryna.writes("site.insider", iryna.words.house)

    # /start shows what everybody sees; the two words, told at the beginning, go on where it stood.
    await iryna.asked("period")
    words = await iryna.way_back()
    await iryna.sends("/start")
    await iryna.sees_the_greeting_alone()
    await iryna.sends(words)
    await iryna.writes("period", iryna.words.school_year)
    await iryna.writes("how_many.insider", iryna.words.about_30)
    await iryna.asked("review")
    await iryna.taps("nav.send")
    receipt = await iryna.sees_receipt()
    await iryna.sees("receipt.address")

    # The first button is the one without the prosecutors of a country.
    courts = await iryna.asked("courts")
    assert courts.labels()[0] == iryna.button("ask.courts.un_icc")
    await iryna.chooses("courts", "un_icc")
    await iryna.chooses("answer.sent", "words")
    await iryna.chooses("safety", "seen")
    await iryna.asked("find")
    words = await iryna.hides()
    await iryna.sends(words)
    await iryna.chooses("find", "no")
    await iryna.asked("review.more")
    await iryna.taps("nav.send")
    await iryna.sees("notice.added")
    await iryna.sends(iryna.words.hide)
    await iryna.sees_the_greeting_alone()

    (report,) = await line.team.reports()
    assert (report["code"], report["form"], report["class"]) == (receipt.code, "insider", "normal")
    told = answers_of(report)
    assert told["traceable"]["option"] == "describe"
    assert told["site"]["words"] == [iryna.words.house]
    assert told["period"]["understood"]["edtf"] == "2022-09/2023-05"
    assert told["how_many"]["words"] == [iryna.words.about_30]
    assert report["answers"]["links"] == ["https://example.org/list"]
    assert all_files(report) == []
    (added,) = told_later(report)
    assert added["answers"]["sharing"] == {"find": "no", "courts": "un_icc"}


def following(lang: str) -> str:
    """The next of the languages."""
    languages = offered("bot")
    return languages[(languages.index(lang) + 1) % len(languages)]
