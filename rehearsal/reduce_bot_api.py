"""Reduce the Bot API as data to what checking needs: names, types, what is required.

    python -m rehearsal.reduce_bot_api telegram-bot-api.json rehearsal/data/bot-api.json

The full file is the MIT-licensed `api.json` of Paul Larsen's telegram-bot-api-spec; descriptions are left
out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def reduced(full: dict[str, Any]) -> dict[str, Any]:
    """Return version, methods and types, each with `fields` {name: [types]} and `required` [names]."""
    return {
        "version": full["version"],
        "methods": {
            name: {"returns": entry["returns"], **_shape(entry)} for name, entry in full["methods"].items()
        },
        "types": {name: _shape(entry) for name, entry in full["types"].items()},
    }


def _shape(entry: dict[str, Any]) -> dict[str, Any]:
    if entry.get("subtypes"):
        return {"one_of": entry["subtypes"]}
    fields = entry.get("fields", [])
    return {
        "fields": {field["name"]: field["types"] for field in fields},
        "required": [field["name"] for field in fields if field["required"]],
    }


def _one_line_each(data: dict[str, Any]) -> str:
    """Write one line per method and type, so that a new Bot API version reads well as a difference."""
    parts = [f'{{\n"version": {json.dumps(data["version"])},']
    for section in ("methods", "types"):
        rows = [f"{json.dumps(name)}: {json.dumps(shape)}" for name, shape in sorted(data[section].items())]
        parts.append(f'"{section}": {{\n' + ",\n".join(rows) + "\n}" + ("," if section == "methods" else ""))
    return "\n".join(parts) + "\n}\n"


def main(source: Path, target: Path) -> None:
    """Read the full file and write the reduced one."""
    target.write_text(
        _one_line_each(reduced(json.loads(source.read_text(encoding="utf-8")))), encoding="utf-8"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
