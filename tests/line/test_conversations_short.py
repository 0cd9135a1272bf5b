"""The shorter ways, the same in four languages: those who were taken, who have a child with them, a list, a child at
home; who adds to what was sent; who is a child; and who changes their mind.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from locales import offered
from tests.line import stories
from tests.line.kit import Clock, Line, blobs_of, passes, until, until_quiet
from tests.line.telling import Teller, all_files, answers_of

in_each_language = pytest.mark.parametrize("lang", offered("bot"))


async def starts(line: Line, name: str, lang: str, know: str) -> Teller:
    """A grown person, as far as the first question of their own."""
    teller = Teller.of(line, name, lang)
    await teller.starts()
    await teller.chooses("consent", "adult")
    await teller.chooses("know", know)
    return teller


async def comes_with_the_words(teller: Teller) -> None:
    await teller.chooses("answer", "words")
    await teller.chooses("safety", "seen")


async def sends_it(teller: Teller, *, review: str = "review", receipt: str = "receipt") -> stories.Receipt:
    await teller.asked(review)
    await teller.taps("nav.send")
    return await teller.sees_receipt(receipt)


@in_each_language
async def test_who_was_taken_as_a_child(lang: str, line: Line) -> None:
    zlata = await starts(line, "Zlata", lang, "self")
    await zlata.chooses("where.self", "elsewhere")
    await zlata.leaves("name.self", "unknown")
    await zlata.chooses("age.self", "15")
    await zlata.chooses("sex.self", "girl")
    await zlata.writes("place.self", zlata.words.port)
    await zlata.writes("when.self", zlata.words.autumn)
    await zlata.chooses("find.self", "no")
    await zlata.chooses("courts", "ask")
    await comes_with_the_words(zlata)
    receipt = await sends_it(zlata)
    helps = await zlata.sees("help.list")
    assert zlata.fragment("receipt.official") in helps.text

    (report,) = await line.team.reports()
    assert (report["code"], report["form"], report["class"]) == (receipt.code, "self", "normal")
    told = answers_of(report)
    assert told["age"]["understood"] == {"age": 15}
    assert told["place"]["understood"]["name"]["en"] == "Skadovsk"
    assert told["when"]["understood"]["edtf"] == "2022-23"
    assert report["answers"]["sharing"] == {"find": "no", "courts": "ask"}


@in_each_language
async def test_who_has_the_child_with_them(lang: str, line: Line) -> None:
    vira = await starts(line, "Vira", lang, "with_me")
    await vira.chooses("safe.with_me", "next")
    await vira.writes("name.with_me", vira.words.name)
    await vira.chooses("age", "8")
    await vira.chooses("sex", "girl")
    await vira.leaves("place.with_me", "unknown")
    await vira.leaves("when.with_me", "unknown")
    await vira.leaves("photo.with_me")
    await vira.chooses("find.with_me", "ask")
    await vira.chooses("courts", "no")
    await comes_with_the_words(vira)
    await sends_it(vira)

    # Where a child is stands in a compartment of its own.
    (report,) = await line.team.reports()
    assert (report["form"], report["compartment"], report["class"]) == ("with_me", "whereabouts", "high")
    assert answers_of(report)["name"]["words"] == [vira.words.name]


@in_each_language
async def test_who_has_a_list(lang: str, line: Line) -> None:
    taras = await starts(line, "Taras", lang, "family")
    await taras.chooses("where", "known")
    await taras.chooses("name.child", "list")
    await taras.writes("list", f"{taras.words.name}, 2014\nMatvii, 2013")
    await taras.person.sends_file("list.csv", b"invented")
    await taras.taps("nav.done")
    await taras.writes("how_many", "31")
    await taras.writes("place.list", taras.words.town)
    await taras.taps("which.none")
    await taras.writes("when.list", taras.words.autumn)
    await taras.chooses("find", "yes")
    await taras.chooses("courts", "all")
    await comes_with_the_words(taras)
    await sends_it(taras)
    await until_quiet(line)

    (report,) = await line.team.reports()
    assert report["class"] == "high"
    told = answers_of(report)
    assert told["name"]["option"] == "list"
    assert told["list"]["words"] == [f"{taras.words.name}, 2014\nMatvii, 2013"]
    assert told["place"]["words"] == [taras.words.town]
    assert "place" not in told["place"].get("understood", {})
    assert "age" not in told  # a list tells of its children itself
    assert [file["name"] for file in all_files(report)] == ["list.csv"]


@in_each_language
async def test_a_child_who_is_home_is_not_searched_for(lang: str, line: Line) -> None:
    olha = await starts(line, "Olha", lang, "family")
    await olha.chooses("where", "home")
    await olha.writes("home_how", olha.words.autumn)
    await olha.writes("name.child", olha.words.name)
    await olha.chooses("age", "8")
    await olha.leaves("place", "unknown")
    await olha.leaves("when", "unknown")
    await olha.chooses("courts", "all")
    await comes_with_the_words(olha)
    await sends_it(olha)
    await olha.sees("help.list")

    (report,) = await line.team.reports()
    assert report["class"] == "normal"
    assert {"find", "sex", "photo"} & set(answers_of(report)) == set()


@in_each_language
async def test_who_is_under_18_is_asked_for_nothing_but_may_say_something(lang: str, line: Line) -> None:
    danylo = Teller.of(line, "Danylo", lang)
    await danylo.starts()
    await danylo.chooses("consent", "minor")
    helps = await danylo.asked("door")
    assert "116 111" in helps.text
    await danylo.chooses("door", "taken")
    await danylo.writes("tell", danylo.words.told)
    await danylo.chooses("safe_answer", "words")
    receipt = await sends_it(danylo, review="review.child", receipt="receipt.child")
    await danylo.sees("help.child")
    await danylo.taps("receipt.clear")
    await danylo.sees_the_greeting_alone()

    (report,) = await line.team.reports()
    assert (report["code"], report["class"]) == (receipt.code, "critical")
    assert (report["form"], report["compartment"]) == ("child", "child")
    assert answers_of(report)["tell"]["words"] == [danylo.words.told]
    assert report["answers"]["sharing"] == {}
    # And no mark on a later visit.
    await danylo.starts()
    await danylo.chooses("consent", "adult")
    await danylo.asked("know")


@in_each_language
async def test_who_wrote_before_adds_without_the_words(lang: str, line: Line, clock: Clock) -> None:
    olha = await starts(line, "Olha", lang, "sent_before")
    await olha.writes("add", olha.words.told)
    await olha.sends_photos([stories.picture("teal")])
    await olha.taps("nav.done")
    await olha.asked("review")
    await olha.taps("nav.send")
    await until_quiet(line)
    await passes(line, clock, timedelta(seconds=3))
    await olha.sees("passed_on")
    await olha.taps("passed_on.clear")
    await olha.sees_the_greeting_alone()

    # This chat has no report: it is one of its own, for a person to put where it belongs.
    (report,) = await line.team.reports()
    assert report["form"] == "later"
    assert answers_of(report)["add"]["words"] == [olha.words.told]
    assert len(all_files(report)) == 1


@in_each_language
async def test_who_changes_their_mind_leaves_nothing(
    lang: str, line: Line, rows: Callable[[str], Awaitable[int]]
) -> None:
    olha = await starts(line, "Olha", lang, "family")
    await olha.chooses("where", "unknown")
    await olha.writes("name.child", olha.words.name)
    await olha.asked("age")
    await olha.person.sends_file("paper.pdf", b"%PDF invented")
    await olha.sees("notice.kept")
    await olha.sends(olha.words.erase)
    await olha.sees_the_greeting_alone()

    async def nothing() -> bool:
        kept: Any = [await rows(table) for table in ("drafts", "draft_files", "downloads", "reports")]
        return not any(kept) and not blobs_of(line)

    await until(nothing)
