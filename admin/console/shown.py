"""What was opened, as a report's page shows it: rows, links, files, what is a claim, sharing as it stands now. Pure.

    for part in reading.parts: shown(part, reading, texts)
    sharing(reading, texts)                    # [{"label": …, "value": …, "changed": datetime}], the newest wins

Whatever a reporter passes on of others (a contact, something forwarded) is marked as a claim. A link is text, never an
address that a click leads to.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from admin.console.originals import safe_name
from admin.console.reading import File, Part, Reading
from flows import reading as answers
from flows.cards import Text
from locales import MissingTextError, Texts

Facts = Mapping[str, Any]
IN_CHAT = "chat"  # the answer that allows the team to write to the chat


def shown(part: Part, reading: Reading, texts: Texts) -> Facts:
    """One body: rows in the form's order, the person's words beside what was understood."""
    content = part.content
    body = content.get("answers", {})
    rows: Sequence[Facts] = ()
    unread = False
    if body:
        try:
            rows = _rows(body, texts)
        except MissingTextError:
            unread = True  # a form this version has no words for: the words themselves are still shown
    said = _said_of_files(reading)
    return {
        "of": "part",
        "at": part.received,
        "number": part.number,
        "added": content["kind"] != "report",
        "language": content.get("language", ""),
        "rows": rows,
        "unread": unread,
        "raw": _words(body) if unread else (),
        "links": body.get("links", ()),
        "files": [
            _file(reading.files[uuid.UUID(entry["id"])], {**entry, **said.get(entry["id"], {})})
            for entry in content.get("files", ())
        ],
    }


def _rows(body: Facts, texts: Texts) -> list[Facts]:
    """`flows.reading` gives rows in this very order."""
    entries = [*body["answers"], *body["beside"]]
    return [
        {
            "label": row.label,
            "words": row.words,
            "understood": row.understood,
            "files": row.files,
            "claim": _is_claim(entry) and not entry.get("claim"),  # a contact's label says so itself
            "point": _point(entry),
        }
        for entry, row in zip(entries, answers.rows(body, texts), strict=True)
    ]


def _is_claim(entry: Facts) -> bool:
    return bool(entry.get("claim") or entry.get("forwarded") or entry.get("origin"))


def _point(entry: Facts) -> str:
    point = (entry.get("understood") or {}).get("point")
    return "{}, {}".format(*point) if point else ""


def _words(body: Facts) -> list[str]:
    entries = [*body.get("answers", ()), *body.get("beside", ())]
    return ["\n".join(entry.get("words", ())) for entry in entries if entry.get("words")]


def _said_of_files(reading: Reading) -> dict[str, Facts]:
    """What answers say of files: a file that came later is spoken of in an earlier body."""
    return {
        entry["id"]: entry
        for part in reading.parts
        for entry in part.content.get("answers", {}).get("files", ())
    }


def _file(file: File, said: Facts) -> Facts:
    return {
        "file": file,
        "name": file.name or safe_name(file),
        "picture": file.kind == "photo" or file.mime.startswith("image/"),
        "caption": said.get("caption", ""),
        "claim": _is_claim(said),
        "origin": said.get("origin", ""),
    }


def on_their_way(reading: Reading) -> int:
    """How many files the report names that have not followed yet."""
    named = {file for part in reading.parts for file in part.content.get("files_on_their_way", ())}
    return len(named - {str(file) for file in reading.files})


# ---- what the reporter decided ----------------------------------------------------------------------


def sharing(reading: Reading, texts: Texts) -> list[Facts]:
    """Each row of sharing as it stands now, and when that was said. Empty where it was never asked."""
    now: dict[str, tuple[str, Part]] = {}
    for part in reading.parts:
        for row, value in part.content.get("answers", {}).get("sharing", {}).items():
            now[row] = (value, part)
    return [
        {
            "label": _text(texts, f"ask.{row}.label", row),
            "value": _text(
                texts, "desk.sharing.team_only" if value == "team_only" else f"ask.{row}.{value}", value
            ),
            "at": part.received,
            "changed": part.content["kind"] != "report",
        }
        for row, (value, part) in now.items()
    ]


def answers_in_chat(reading: Reading) -> bool:
    """Whether the reporter allows answers in their chat; else only the seven words lead to them."""
    said = [part.content.get("answers", {}).get("answer_here") for part in reading.parts]
    return next((here for here in reversed(said) if here), "") == IN_CHAT


def _text(texts: Texts, key: str, otherwise: str) -> str:
    try:
        return texts.plain(Text(key))
    except MissingTextError:
        return otherwise
