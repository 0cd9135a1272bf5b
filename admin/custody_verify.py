"""A dump of the custody log is verified: offline, by anyone, with the log's key or the ceremony key, nothing secret.

    findings = verify(dump, [Path("published/")], Trust(ceremony_key=key))
    findings.holds, findings.text()

One pass over the leaves gives the root at each checkpoint's size, in constant memory; a root holds each leaf in its
place, so whatever was changed, dropped, doubled or reordered below a checkpoint makes another root. The checkpoints
that somebody else kept are what a superuser of the database cannot change along.
"""

import base64
import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from admin.custody_dump import HASHES, ITEMS, LEAVES, MANIFESTS, WAITING, read_about
from admin.custody_findings import Fault, Findings
from admin.custody_heads import Heads, Trust
from admin.custody_leaves import Hours, Items, read
from admin.errors import AdminError
from storage import manifest, merkle
from storage.errors import ManifestError
from storage.manifest import Manifest, Signed

_STEP = 20_000  # leaves between two looks at the progress line
_NEEDED = (LEAVES, HASHES, WAITING, ITEMS, MANIFESTS)
Progress = Callable[[int, int], None]
"""Told how many leaves of how many are done."""


class NoDumpError(AdminError):
    """This folder holds no dump."""


def verify(
    dump: Path, published: Sequence[Path], trust: Trust, progress: Progress = lambda _, __: None
) -> Findings:
    """Everything that can be verified of a dump. Raises NoDumpError, PublishedError."""
    if not (dump / LEAVES).is_file():
        raise NoDumpError(f"{dump} holds no dump of the custody log: there is no {LEAVES}.")
    findings = Findings()
    about = read_about(dump)
    if about is None:
        findings.wrong(Fault.CUT, "dump.json, which is written last, is not there: the dump is not whole")
    elif missing := [name for name in _NEEDED if not (dump / name).is_file()]:
        findings.wrong(Fault.CUT, f"{', '.join(missing)} is not there")
    manifests = Manifests.read(dump / MANIFESTS, trust.ceremony_key, findings)
    heads = Heads([*trust.log_keys, *manifests.log_keys], trust.witnesses)
    heads.read_dump(dump, findings)
    for place in published:
        heads.read_published(place, findings)
    pass_ = _Pass(heads, manifests, findings, total=about["leaves"] if about else 0, progress=progress)
    pass_.over(dump)
    pass_.waiting(dump / WAITING)
    _compare_counts(about, pass_, manifests, findings)
    pass_.tell()
    _tell_items(dump, pass_.items, about, findings)
    manifests.tell(findings)
    for witness, size in sorted(heads.cosigned.items()):
        findings.lines.append(f"Witness {witness}: saw {size} leaves of this log.")
    heads.check_stamps(dump, trust.roots, findings)
    return findings


# ---- manifests --------------------------------------------------------------------------------------


@dataclass
class Manifests:
    """The chain of manifests: each signed, their serials without a gap; and what leaves say of each."""

    count: int = 0
    verified: bool = False
    log_keys: list[str] = field(default_factory=list)
    _sha256: dict[str, str] = field(default_factory=dict)  # by serial

    @classmethod
    def read(cls, path: Path, key: Ed25519PublicKey | None, findings: Findings) -> "Manifests":
        """All in the file; without a ceremony key only that they can be read, and follow each other."""
        chain = cls(verified=key is not None)
        before: list[Signed] = []
        for number, line in enumerate(_lines(path), 1):
            chain.count = number
            try:
                row = json.loads(line)
                signed = Signed(base64.b64decode(row["body"]), base64.b64decode(row["signature"]))
                chain._sha256[str(int(row["serial"]))] = hashlib.sha256(signed.body).hexdigest()
            except (KeyError, TypeError, ValueError):
                findings.wrong(Fault.CUT, f"line {number} of the manifests cannot be read")
                continue
            try:
                body = cls._verified(signed, key, before if signed.by_two_leads else [])
            except ManifestError as error:
                findings.wrong(Fault.MANIFEST, f"manifest {number}: {error}")
                continue
            if not row["serial"] == body.serial == number:
                findings.wrong(
                    Fault.MANIFEST, f"manifest {number} is missing, or another stands in its place"
                )
            if key and body.log and body.log not in chain.log_keys:
                chain.log_keys.append(body.log)
            before = [signed, *before] if signed.by_two_leads else [signed]
        return chain

    @staticmethod
    def _verified(signed: Signed, key: Ed25519PublicKey | None, before: Sequence[Signed]) -> Manifest:
        if key is not None:
            return manifest.verify(signed, key, before)
        try:
            return Manifest.model_validate_json(signed.body)
        except ValidationError:
            raise ManifestError("it cannot be read") from None

    def told(self, index: int, leaf: Mapping[str, Any], findings: Findings) -> None:
        """A leaf of kind "manifest" names the serial and the SHA-256 of the one that was kept then."""
        if leaf["kind"] == "manifest" and self._sha256.get(leaf["object"], "") != leaf.get("sha256"):
            findings.wrong(
                Fault.MANIFEST, f"manifest {leaf['object']} is not the one that leaf {index} tells of"
            )

    def tell(self, findings: Findings) -> None:
        """For the person."""
        if self.verified:
            findings.lines.append(f"Manifests: {self.count}, verified with the ceremony key.")
        elif self.count:
            findings.remarks.append(f"{self.count} manifests were not verified: --ceremony-key names no key.")


# ---- leaves -----------------------------------------------------------------------------------------


class _Pass:
    """One pass over the leaves."""

    def __init__(
        self, heads: Heads, manifests: Manifests, findings: Findings, *, total: int, progress: Progress
    ) -> None:
        self.items, self.tree = Items(), merkle.Growing()
        self.newer = 0
        self._heads, self._manifests, self._findings = heads, manifests, findings
        self._hours = Hours()
        self._total, self._progress = total, progress
        self._roots: dict[int, bytes] = {0: merkle.EMPTY}
        self._restored: int | None = None  # the first leaf that tells of a restored backup

    def over(self, dump: Path) -> None:
        """All numbered leaves, and the root at each size that a checkpoint is of."""
        sizes, hashes = set(self._heads.sizes), dump / HASHES
        with contextlib.ExitStack() as files:
            kept = files.enter_context(hashes.open("rb")) if hashes.is_file() else None
            for index, line in enumerate(files.enter_context((dump / LEAVES).open("rb"))):
                if not line.endswith(b"\n"):
                    self._findings.wrong(Fault.CUT, f"leaf {index} is cut off")
                    break
                self._leaf(index, line[:-1], kept)
                if self.tree.size in sizes:
                    self._roots[self.tree.size] = self.tree.root()
                if self.tree.size % _STEP == 0:
                    self._progress(self.tree.size, self._total)
        self._compare_roots()

    def _leaf(self, index: int, data: bytes, kept: BinaryIO | None) -> None:
        of = merkle.leaf_hash(data)
        if kept is not None and kept.read(merkle.HASH_SIZE) != of:
            what = "is not what it was when it was numbered" if data else "is missing"
            self._findings.wrong(Fault.LEAF, f"leaf {index} {what}")
        self.tree.add(of)
        self._content(index, data)

    def waiting(self, path: Path) -> None:
        """Leaves without a number: committed in the last second before the dump."""
        for line in _lines(path):
            self._content(self.tree.size + self.newer, line)
            self.newer += 1

    def _content(self, index: int, data: bytes) -> None:
        leaf = read(data)
        if leaf is None:
            self._findings.wrong(Fault.LEAF, f"leaf {index} is not a leaf of a kind that we know")
            return
        self._hours.told(index, leaf["hour"], self._findings)
        self.items.told(index, leaf, self._findings)
        self._manifests.told(index, leaf, self._findings)
        if leaf["kind"] == "restored" and self._restored is None:
            self._restored = index

    def _compare_roots(self) -> None:
        """The first checkpoint that does not match tells between which leaves the change is."""
        size, matching, told = self.tree.size, 0, False
        for at in self._heads.sizes:
            sources = [one for some in self._heads.by_size[at].values() for one in some]
            if at > size:
                self._findings.wrong(
                    Fault.MISSING,
                    f"{sources[0]} is over {at} leaves, and the dump has {size}: it is older than that, or leaves"
                    f" were dropped{self._hint(at)}",
                )
            elif self._roots[at] in self._heads.by_size[at]:
                matching = at
            elif not told:
                told = True  # those after it cannot match either
                self._findings.wrong(
                    Fault.LOG,
                    f"the first {at} leaves are not those of {sources[0]}; between leaf {matching} and leaf {at - 1}"
                    f" one was changed, dropped, doubled or reordered{self._hint(at)}",
                )
        self._matching = matching

    def _hint(self, size: int) -> str:
        if self._restored is None or size <= self._restored:
            return ""
        return f" (leaf {self._restored} tells of a restored backup: what came after the backup is lost)"

    def tell(self) -> None:
        """For the person."""
        findings, size = self._findings, self.tree.size
        findings.lines.append(f"Leaves: {size} numbered, {self.newer} waiting for their number.")
        if not self._heads.by_size:
            if size:
                findings.wrong(
                    Fault.UNPUBLISHED,
                    "nothing that is signed vouches for these leaves: no checkpoint is known",
                )
            return
        findings.lines.append(
            f"Checkpoints: {len(self._heads.by_size)}, {len(self._heads.published)} of them as published;"
            f" {self._matching} leaves are as they were signed for."
        )
        if not self._heads.published:
            findings.remarks.append(
                "no checkpoint from outside was given: who can change the database and has the log's key could"
                " change both. Give --checkpoints what was published."
            )
        if (newer := size - self._heads.sizes[-1]) > 0:
            findings.lines.append(
                f"Newer than the last checkpoint: {newer} leaves, for which nothing vouches yet."
            )


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, none if it is not there (that was told before)."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            yield line.rstrip(b"\n")


def _compare_counts(
    about: Mapping[str, Any] | None, pass_: _Pass, manifests: Manifests, findings: Findings
) -> None:
    if about is None:
        return
    found = {"leaves": pass_.tree.size, "waiting": pass_.newer, "manifests": manifests.count}
    for name, count in found.items():
        if about[name] != count:
            findings.wrong(Fault.CUT, f"the dump says it has {about[name]} {name}, and {count} are there")


def _tell_items(dump: Path, items: Items, about: Mapping[str, Any] | None, findings: Findings) -> None:
    items.compare(_lines(dump / ITEMS), findings)
    if about is not None and about["items"] != items.compared:
        findings.wrong(
            Fault.CUT, f"the dump says it has {about['items']} items, and {items.compared} are there"
        )
    findings.lines.append(
        f"Items: {items.compared}, compared with the last leaf of each; {items.shredded} reports were shredded."
    )
