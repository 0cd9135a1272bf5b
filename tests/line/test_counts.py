"""How many taps and messages from /start to the receipt, language included, each photo one: counted at the chat."""

from collections.abc import Callable

import pytest

from tests.line import stories
from tests.line.kit import Line
from tests.line.telling import Teller

MOST = {"witness": 12, "family": 16, "critical": 7}


Counted = Callable[[str, Teller, str], None]


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Counted:
    """Says the count at the end of the run, and holds it."""

    def count(who: str, teller: Teller, kind: str) -> None:
        record_property("counted", f"{who}: {teller.acts} taps and messages, of at most {MOST[kind]}")
        assert teller.acts <= MOST[kind]

    return count


async def test_a_witness_with_three_photos(line: Line, counted: Counted) -> None:
    petro = Teller.of(line, "Petro", "uk")
    await petro.starts()
    await petro.chooses("consent", "adult")
    await petro.chooses("know", "saw")
    await petro.chooses("when.witness", "earlier")
    await petro.writes("site", petro.words.port)
    await petro.asked("photos")
    await petro.sends_photos([stories.picture(colour) for colour in ("teal", "olive", "navy")])
    await petro.taps("nav.done")
    await petro.chooses("how_many.witness", "3")
    await petro.asked("review")
    await petro.taps("nav.send")
    await petro.sees_receipt()
    counted("witness with three photos", petro, "witness")
    (report,) = await line.team.reports()
    assert len(report["answers"]["files"]) == 3


async def test_a_familys_required_path(line: Line, counted: Counted) -> None:
    olha = Teller.of(line, "Olha", "uk")
    await olha.starts()
    await olha.chooses("consent", "adult")
    await olha.chooses("know", "family")
    await olha.chooses("where", "unknown")
    await olha.writes("name.child", olha.words.name)
    await olha.chooses("age", "8")
    await olha.chooses("sex", "girl")
    await olha.writes("place", olha.words.port)
    await olha.writes("when", olha.words.autumn)
    await olha.leaves("photo.child")
    await olha.chooses("find", "yes")
    await olha.chooses("courts", "un_icc")
    await olha.chooses("answer", "chat")
    await olha.chooses("push", "kyiv")
    await olha.asked("review")
    await olha.taps("nav.send")
    await olha.sees_receipt()
    counted("family, all that is required", olha, "family")


@pytest.mark.parametrize(
    ("who", "way"),
    [
        ("family", [("know", "family"), ("where", "danger")]),
        ("witness, going on", [("know", "saw"), ("when.witness", "now")]),
        ("witness, about to", [("know", "heard"), ("when.witness", "going")]),
        ("insider", [("know", "work"), ("safe", "urgent")]),
        ("grown child", [("know", "self"), ("where.self", "danger")]),
        ("child with them", [("know", "with_me"), ("safe.with_me", "urgent")]),
    ],
)
async def test_a_critical_answer(who: str, way: list[tuple[str, str]], line: Line, counted: Counted) -> None:
    """A few words are enough, and can be sent at once; who helps at once is told before."""
    nina = Teller.of(line, "Nina", "uk")
    await nina.starts()
    await nina.chooses("consent", "adult")
    for question, option in way:
        await nina.chooses(question, option)
    await nina.sends(nina.words.happening)
    told = await nina.asked("urgent_next")
    assert nina.fragment("ask.urgent_next.hint") in told.text
    await nina.taps("nav.send_now")
    await nina.sees_receipt()
    counted(f"critical, {who}", nina, "critical")
    (report,) = await line.team.reports()
    assert report["class"] == "critical"
    (urgent,) = [answer for answer in report["answers"]["answers"] if answer["step"] == "urgent"]
    assert urgent["words"] == [nina.words.happening]
