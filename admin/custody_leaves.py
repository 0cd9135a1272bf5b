"""Leaves as they are read again: each well-formed, each in its time, and what they say of every item.

    items = Items()
    for index, data in enumerate(leaves):
        content = read(data)                 # None: not a leaf of this log
        items.told(index, content, findings)
    items.compare(rows, findings)            # the store holds what the last leaf of each item says, and nothing else

A leaf is RFC 8785 JSON of a known kind (docs/custody.md); read in a few microseconds, for a log has millions.
"""

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import rfc8785

from admin.custody_findings import Fault, Findings
from storage.custody import LEAF_VERSION
from storage.leaf_kinds import KINDS

BACK = timedelta(hours=24)  # a clock is put right by hours; evidence would be dated back by days
_HOUR = re.compile(r"\d{4}-\d\d-\d\dT\d\dZ")
_SHA256_HEX = 64  # digits


def _no_fraction(_: str) -> NoReturn:
    raise ValueError


_decode = json.JSONDecoder(parse_float=_no_fraction, parse_constant=_no_fraction).decode
_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
).encode


def read(data: bytes) -> Mapping[str, Any] | None:
    """What a leaf says; None when it is not RFC 8785 JSON of a version and a kind that we know."""
    try:
        text = data.decode()
        content = _decode(text)
        # Python sorts names by code points and RFC 8785 by UTF-16: the same for all that we write.
        canonical = _encode(content) == text or rfc8785.dumps(content) == data
    except (ValueError, RecursionError):
        return None
    if not canonical or not isinstance(content, dict):
        return None
    known = content.get("v") == LEAF_VERSION and content.get("kind") in KINDS
    named = isinstance(content.get("actor"), str) and isinstance(content.get("object"), str)
    at = content.get("hour")
    return content if known and named and isinstance(at, str) and _HOUR.fullmatch(at) else None


class Hours:
    """Leaves follow each other in time, but for what a clock is put right by."""

    def __init__(self) -> None:
        self.latest = ""

    def told(self, index: int, hour: str, findings: Findings) -> None:
        """One leaf's hour."""
        if hour >= self.latest:
            self.latest = hour
        elif _moment(self.latest) - _moment(hour) > BACK:
            findings.wrong(
                Fault.TIME, f"leaf {index} says {hour}, and one before it {self.latest}: it was written later"
            )


def _moment(hour: str) -> datetime:
    """ValueError never: the form was checked, and a date that is none counts as the beginning of time."""
    try:
        return datetime.strptime(hour, "%Y-%m-%dT%HZ").replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


class Items:
    """What leaves say of bodies and files: the ciphertext's hash, sealed anew or not, until their report is shredded.

    An item is about 250 bytes here, whatever its size.
    """

    def __init__(self) -> None:
        self._last: dict[bytes, bytes] = {}  # item → SHA-256 (32), report (16), index of its last leaf (8)
        self._shredded: dict[bytes, int] = {}  # report → the leaf that said so last
        self.compared = 0

    def told(self, index: int, leaf: Mapping[str, Any], findings: Findings) -> None:
        """One leaf; those of other kinds say nothing of items."""
        try:
            match leaf["kind"]:
                case "receipt" | "addition":
                    report = _id(leaf["object"])
                    for item in leaf["items"]:
                        self._came(
                            index, _id(item["id"]), _sha256(item["ciphertext_sha256"]), report, findings
                        )
                case "resealed":
                    self._resealed(
                        index, _id(leaf["object"]), _sha256(leaf["old"]), _sha256(leaf["new"]), findings
                    )
                case "shredded" | "shredded again":
                    self._shredded[_id(leaf["object"])] = index
        except (KeyError, TypeError, ValueError):
            findings.wrong(Fault.LEAF, f"leaf {index} ({leaf['kind']}) does not say what such a leaf says")

    def _came(self, index: int, item: bytes, sha256: bytes, report: bytes, findings: Findings) -> None:
        if item in self._last:
            findings.wrong(Fault.LEAF, f"leaf {index} tells of an item that came before: {_text(item)}")
        self._last[item] = sha256 + report + index.to_bytes(8, "big")

    def _resealed(self, index: int, item: bytes, old: bytes, new: bytes, findings: Findings) -> None:
        last = self._last.get(item)
        if last is None or last[:32] != old:
            findings.wrong(
                Fault.LEAF, f"leaf {index} seals an item anew that was not so before: {_text(item)}"
            )
        if last is not None:
            self._last[item] = new + last[32:48] + index.to_bytes(8, "big")

    def compare(self, rows: Iterable[bytes], findings: Findings) -> None:
        """The store's items, as a dump lists them, one JSON object a line."""
        for number, row in enumerate(rows, 1):
            try:
                listed = json.loads(row)
                item, report = _id(listed["id"]), _id(listed["report"])
                sha256 = _sha256(listed["ciphertext_sha256"])
            except (KeyError, TypeError, ValueError):
                findings.wrong(Fault.CUT, f"line {number} of the items cannot be read")
                continue
            self.compared += 1
            self._compare(item, report, sha256, findings)
        for item, last in self._last.items():
            report, index = last[32:48], int.from_bytes(last[48:], "big")
            if self._shredded.get(report, -1) < index:
                findings.wrong(
                    Fault.GONE,
                    f"item {_text(item)} of leaf {index} is not there, and its report was not shredded",
                )

    def _compare(self, item: bytes, report: bytes, sha256: bytes, findings: Findings) -> None:
        last = self._last.pop(item, None)
        if last is None:
            findings.wrong(Fault.STRANGER, f"no leaf tells of item {_text(item)}, or it is there twice")
            return
        index = int.from_bytes(last[48:], "big")
        if last[:32] != sha256:
            findings.wrong(Fault.ITEM, f"item {_text(item)} is not what leaf {index} says of it")
        elif last[32:48] != report:
            findings.wrong(Fault.ITEM, f"item {_text(item)} is with another report than leaf {index} says")
        elif self._shredded.get(report, -1) > index:
            findings.wrong(Fault.ITEM, f"item {_text(item)} is there, and its report was shredded")

    @property
    def shredded(self) -> int:
        """How many reports."""
        return len(self._shredded)


def _id(text: str) -> bytes:
    found = bytes.fromhex(text.replace("-", ""))
    if len(found) != 16:  # noqa: PLR2004 - a UUID's bytes
        raise ValueError
    return found


def _sha256(text: str) -> bytes:
    if len(text) != _SHA256_HEX:
        raise ValueError
    return bytes.fromhex(text)


def _text(item: bytes) -> str:
    return str(uuid.UUID(bytes=item))
