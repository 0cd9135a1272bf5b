"""A form can be read by someone who reads no code: as a table, and as a drawing of every way through it."""

import itertools
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from flows import forms
from flows.__main__ import main
from flows.cards import Text
from flows.form import Form, Repeat, Step
from flows.graph import critical_path, drawing
from flows.svg import width, wrapped
from tests.flows.laws import TEXTS

DOCS = Path(__file__).parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"
EVERY = sorted(forms.every(), key=lambda form: (form.name, form.version))
NAMES = sorted({form.name for form in EVERY})
every_form = pytest.mark.parametrize("form", EVERY, ids=lambda form: f"{form.name}-{form.version}")


@every_form
def test_the_table_shows_every_step_and_stays_narrow(form: Form, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", form.name, "--version", str(form.version), "--lang", "en"]) == 0
    shown = capsys.readouterr().out
    for step in form.all_steps():
        assert re.search(rf"^{step.key}\b", shown, re.MULTILINE)
    for heading in form.headings:
        assert f"HEADING {heading.key} [" in shown
    assert max(map(len, shown.splitlines())) <= 140


def test_the_table_shows_every_button_and_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "family", "--version", "1", "--lang", "en"]) == 0
    shown = capsys.readouterr().out
    for fragment in (
        "family, version 1 (consent text 1)",
        "[I am under 18] → under_18",
        "[1] [2] [3]",
        "(I don’t know)",
        "where is danger and urgent",
        "critical: where is danger",
        "high: when within 30 days",
        "age is answered and place is answered",
        "if critical: any words, voice or file",
    ):
        assert fragment in shown


def test_the_table_of_a_witness_shows_other_forms_what_follows_and_headings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["show", "witness", "--lang", "en"]) == 0
    shown = re.sub(r"\s+", " ", capsys.readouterr().out)
    for fragment in (
        "[I am under 18] → form child",
        "AFTER SENDING, in the same sitting",
        "HEADING people [People and signs]",
        "repeated, turns 1 to 20:",
        "[From Belarus to Russia]",
        "Where were the children taken to?",
    ):
        assert fragment in shown


def test_in_another_language_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "family", "--version", "1", "--lang", "uk"]) == 0
    assert "Як звати дитину?" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "nobody"], "does not know that form"),
        (["show", "family", "--version", "99"], "does not know that form or version"),
        (["show", "family", "--lang", "xx"], "'xx' is not offered"),
        ([], "required"),
    ],
)
def test_a_wrong_name_is_told(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def ids_of(form: Form) -> list[str]:
    """The name of each step in a drawing: under a heading with the heading's."""
    found = [step.key for entry in (*form.steps, *form.after) for step in steps_in(entry)]
    return found + [
        f"{heading.key}-{step.key}"
        for heading in form.headings
        for entry in heading.steps
        for step in steps_in(entry)
    ]


def steps_in(entry: Step | Repeat) -> tuple[Step, ...]:
    return entry.steps if isinstance(entry, Repeat) else (entry,)


def drawn(form: Form, lang: str = "en") -> ET.Element:
    return ET.fromstring(drawing(form, TEXTS[lang]))


@every_form
def test_a_drawing_has_each_step_once_and_every_arrow_its_ends(form: Form) -> None:
    root = drawn(form)
    boxes = [
        group.get("id", "") for group in root.iter(f"{SVG}g") if group.get("class", "").startswith("step")
    ]
    assert sorted(boxes) == sorted(ids_of(form))
    names = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(set(names)) == len(names)
    arrows = [group for group in root.iter(f"{SVG}g") if group.get("class", "").startswith("arrow")]
    ends = {(group.get("data-from"), group.get("data-to")) for group in arrows}
    assert {name for pair in ends for name in pair} <= set(names)
    reached = {target for _, target in ends}
    assert set(boxes) - reached == {form.steps[0].key}  # the first is where one begins


@every_form
def test_an_arrow_to_a_conditional_step_names_the_answer(form: Form) -> None:
    labels = {
        group.get("data-to", ""): group.get("data-label", "")
        for group in drawn(form).iter(f"{SVG}g")
        if group.get("data-label", "").startswith("if ")
    }
    conditional = {name for name, step in zip(ids_of(form), form.all_steps(), strict=True) if step.when}
    assert set(labels) == conditional
    if form.name == "witness":
        said = TEXTS["en"].plain(Text("ask.when.now"))
        assert f"“{said}”" in labels["urgent"]


@every_form
@pytest.mark.parametrize("lang", ["en", "uk"])
def test_boxes_do_not_overlap_and_words_stay_inside(form: Form, lang: str) -> None:
    root = drawn(form, lang)
    _, _, wide, high = map(float, root.get("viewBox", "").split())
    edges = []
    for group in root.iter(f"{SVG}g"):
        if not group.get("class", "").startswith(("step", "end")):
            continue
        rect = group.find(f"{SVG}rect")
        assert rect is not None
        x, y, w, h = (float(rect.get(name, "")) for name in ("x", "y", "width", "height"))
        edges.append((x, y, x + w, y + h))
        assert x >= 0 <= y
        assert x + w <= wide
        assert y + h <= high
        for text in group.iter(f"{SVG}text"):
            left, base, size = (float(text.get(name, "")) for name in ("x", "y", "font-size"))
            assert x < left
            assert left + width(text.text or "", size) <= x + w
            assert y < base - size * 0.7
            assert base <= y + h
    for one, other in itertools.combinations(edges, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart


@every_form
def test_the_critical_path_is_told_in_words_too(form: Form) -> None:
    root = drawn(form)
    for group in root.iter(f"{SVG}g"):
        if group.get("class", "").startswith("step"):
            said = " ".join(text.text or "" for text in group.iter(f"{SVG}text"))
            assert ("critical path" in said) == (group.get("id") in critical_path(form))
            borders = len(group.findall(f"{SVG}rect"))
            assert borders == (2 if group.get("id") in critical_path(form) else 1)


def test_who_cannot_wait_goes_a_short_way() -> None:
    assert critical_path(forms.newest("witness")) == ["consent", "know", "when", "urgent", "urgent_next"]
    assert critical_path(forms.newest("family")) == ["consent", "know", "where", "urgent", "urgent_next"]
    assert critical_path(forms.newest("child")) == ["consent", "door"]
    assert critical_path(forms.newest("later")) == []


@every_form
def test_a_drawing_is_read_aloud_and_fits_both_backgrounds(form: Form) -> None:
    root = drawn(form)
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert form.name in (title.text or "")
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert all(group.find(f"{SVG}title") is not None for group in root.iter(f"{SVG}g"))
    style = root.find(f"{SVG}style")
    assert style is not None
    assert "prefers-color-scheme: dark" in (style.text or "")


def test_words_are_broken_to_fit_and_none_is_lost() -> None:
    words = "Where was the child taken from? A town, village, school or boarding school."
    lines = wrapped(words, 14, 120)
    assert " ".join(lines) == words
    assert all(width(line, 14) <= 120 for line in lines)
    assert wrapped("unbreakably" * 9, 14, 120) == ["unbreakably" * 9]


@pytest.mark.parametrize("name", NAMES)
def test_the_drawings_in_the_guides_are_up_to_date(name: str, tmp_path: Path) -> None:
    """If not: the command stands in docs/forms.md."""
    assert main(["show", name, "--svg", str(tmp_path / "now.svg")]) == 0
    assert (DOCS / "forms" / f"{name}.svg").read_text() == (tmp_path / "now.svg").read_text()


def test_the_guide_names_every_drawing_and_no_other() -> None:
    page = (DOCS / "forms.md").read_text()
    assert set(re.findall(r"\(forms/(\w+)\.svg\)", page)) == set(NAMES)
    assert {path.stem for path in (DOCS / "forms").glob("*.svg")} == set(NAMES)
    command = re.search(r"^for form in ([\w ]+); do$", page, re.MULTILINE)
    assert command
    assert command[1].split() == NAMES
