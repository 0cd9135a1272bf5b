"""What README, guides and changelog say is so: commands, help texts, tests, pictures, places in the code, links."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.story.kit import ROOT
from tests.story.pictures import MOST_BYTES, NAMES, STRIPS, THEMES

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shown(*command: str) -> str:
    """What a command prints on a terminal of 80 columns."""
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"COLUMNS": "80"}, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("module", ["rehearsal.demonstration", "admin"])
def test_a_quoted_help_is_the_program_s(module: str) -> None:
    assert f"```\n{shown(sys.executable, '-m', module, '--help')}```" in README


def test_the_quoted_commands_exist() -> None:
    offered = {tuple(line.split()) for line in shown("make", "-s", "help").splitlines()}
    quoted = {tuple(line.split()) for line in README.splitlines() if re.match(r"make \w+ {2,}", line)}
    assert len(quoted) == 4
    assert quoted <= offered
    targets = {words[1] for words in offered}
    assert set(re.findall(r"^make (\w+)", README, re.MULTILINE)) <= targets
    assert set(re.findall(r"`make (\w+)", README)) <= targets


@pytest.mark.parametrize("module", sorted(set(re.findall(r"`python -m (\w+)`", README))))
def test_each_program_says_what_it_is(module: str) -> None:
    assert shown(sys.executable, "-m", module, "--help").startswith(f"usage: python -m {module} ")


def test_each_named_place_exists() -> None:
    """Of tests that hold a promise, and of code on the way to the seal."""
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", README)
    assert len(named) > 15
    assert [place for place in named if place[1] not in defined(ROOT / place[0])] == []
    assert [path for path in re.findall(r"`([\w/]+\.py)`", README) if not (ROOT / path).is_file()] == []
    assert [
        name for name in re.findall(r"^\| `(\w+)/`", README, re.MULTILINE) if not (ROOT / name).is_dir()
    ] == []


def defined(path: Path) -> set[str]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in body if isinstance(node, kinds)}


def test_the_pictures_are_there_in_both_themes_and_small() -> None:
    interview = (ROOT / "docs" / "interview.md").read_text(encoding="utf-8")
    in_readme = {f"{name}-{theme}.png" for name in NAMES for theme in THEMES}
    in_guide = {f"{name}-{theme}.png" for name in STRIPS for theme in THEMES}
    assert set(re.findall(r"docs/pictures/([\w-]+\.png)", README)) == in_readme
    assert set(re.findall(r"pictures/([\w-]+\.png)", interview)) == in_guide
    there = list((ROOT / "docs" / "pictures").iterdir())
    assert {path.name for path in there} == in_readme | in_guide
    assert all(path.stat().st_size < MOST_BYTES for path in there)
    assert all(re.findall(r'alt="([^"]*)"', README + interview))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    inside = [link.split("#")[0] for link in links if not link.startswith(("https://", "#"))]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_every_guide_and_decision_stands_in_its_index() -> None:
    for folder in (ROOT / "docs", ROOT / "docs" / "decisions"):
        index = (folder / "README.md").read_text(encoding="utf-8")
        assert [page.name for page in folder.glob("*.md") if f"({page.name}" not in index] == ["README.md"]


def test_the_changelog_knows_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in changelog
    assert f"## [{version}]" in changelog
