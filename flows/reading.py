"""A report's body read as rows, in the form's order, in any language: what the console's report page shows.

for row in rows(body, texts): print(row.label, row.words, row.understood, row.files)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from flows.cards import Text
from flows.told import said_understood


class Speaker(Protocol):
    """One language: says a text as plain words."""

    @property
    def lang(self) -> str:
        """Its BCP 47 code."""
        ...

    def plain(self, text: Text) -> str:
        """Say a text without markup."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """One answer: the question's short name, the person's words exactly, what was understood, file ids.

    `understood` is a button's label, an age, a date, a place, or why there is no answer; it may be empty.
    """

    label: str
    words: str
    understood: str
    files: tuple[str, ...]


def rows(body: Mapping[str, Any], texts: Speaker) -> list[Row]:
    """Give what was told, then what was kept beside; captions stand with their file, as words."""
    captions = {file["id"]: file.get("caption", "") for file in body["files"]}
    read = [_row(entry, _label(entry, texts), captions, texts) for entry in body["answers"]]
    for entry in body["beside"]:
        kind = "reading.forwarded" if entry.get("forwarded") else "reading.beside"
        kind = "reading.contact" if entry.get("claim") else kind
        label = texts.plain(Text(kind, {"label": _label(entry, texts)}))
        read.append(_row(entry, label, captions, texts))
    return read


def _label(entry: Mapping[str, Any], texts: Speaker) -> str:
    label = Text(entry["label"])
    if entry.get("turn"):
        label = Text("label.turn", {"label": label, "turn": str(entry["turn"])})
    return texts.plain(label)


def _row(entry: Mapping[str, Any], label: str, captions: Mapping[str, str], texts: Speaker) -> Row:
    files = tuple(entry.get("files", ()))
    written = list(entry.get("words", ()))
    if entry.get("origin"):
        written.append(f"({entry['origin']})")
    # A caption that also answered the question is not said twice.
    written += [captions[file] for file in files if captions.get(file) and captions[file] not in written]
    return Row(label, "\n".join(written), _understood(entry, texts), files)


def _understood(entry: Mapping[str, Any], texts: Speaker) -> str:
    said: Text | str | None
    if entry.get("option"):
        said = Text(entry["option_label"]) if entry["option_label"] else entry["option"]
    elif entry.get("skipped"):
        said = Text(f"said.{entry['skipped']}")
    else:
        said = said_understood(entry.get("understood"), texts.lang)
    if said is None:
        return ""
    return texts.plain(said) if isinstance(said, Text) else said
