"""Every claim of the threat model names a test that exists."""

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
MODEL = PROJECT / "docs" / "threat-model.md"


def test_each_named_test_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", MODEL.read_text())
    assert len(named) > 30
    missing = [f"{path}::{name}" for path, name in named if name not in functions(PROJECT / path)]
    assert missing == []


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text()) if path.exists() else ast.Module([], [])
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
