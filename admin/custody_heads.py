"""Checkpoints that somebody has, from a dump or published: which are signed, and whether two of them contradict.

    heads = Heads(trust)
    heads.read_dump(dump, findings)
    heads.read_published(Path("channel.txt"), findings)       # a file of one note or many, or a folder of such files
    heads.by_size                                             # {120: {root: ["published/000000000120.note"]}}

Two roots for one size, both signed, are a fork: the log was shown differently to different people.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admin.custody_dump import CHECKPOINTS, TIMESTAMPS, bare
from admin.custody_findings import Fault, Findings
from admin.errors import AdminError
from admin.publishing import NEWEST
from admin.timestamps import TimestampError, stamped
from storage import notes
from storage.errors import ForgedNoteError, MalformedNoteError, UnsignedNoteError
from storage.notes import Checkpoint

# A note in any text: a message copied from a channel, with whatever stands around it.
_NOTE = re.compile(r"^(\S[^\n]*\n\d+\n[^\n]+\n(?:[^\n—][^\n]*\n)*\n(?:— [^\n]+(?:\n|\Z))+)", re.MULTILINE)
_SIGNATURE = re.compile(r"^— ", re.MULTILINE)
_STAMP = re.compile(r"(\d{12,})\.(.+)\.tsr")
_FILE_LIMIT = 50_000_000  # bytes of published notes


class PublishedError(AdminError):
    """A file of published checkpoints cannot be read."""


@dataclass(frozen=True, slots=True)
class Trust:
    """With what is verified: the log's keys or the ceremony key, and whose other words count."""

    log_keys: Sequence[str] = ()
    ceremony_key: Ed25519PublicKey | None = None
    witnesses: Sequence[str] = ()
    roots: Sequence[x509.Certificate] = ()


@dataclass
class Heads:
    """The signed heads of a log."""

    log_keys: Sequence[str]
    witnesses: Sequence[str] = ()
    by_size: dict[int, dict[bytes, list[str]]] = field(default_factory=dict)
    published: set[int] = field(default_factory=set)  # sizes of which somebody outside has a note
    cosigned: dict[str, int] = field(default_factory=dict)  # witness → the largest size it has seen
    _notes: dict[int, bytes] = field(default_factory=dict)  # of the dump, for what is stamped

    @property
    def sizes(self) -> list[int]:
        """In order."""
        return sorted(self.by_size)

    def read_dump(self, dump: Path, findings: Findings) -> None:
        """The checkpoints of a dump; the file's name says the size."""
        for path in sorted((dump / CHECKPOINTS).glob("*.note")):
            note = path.read_bytes()
            checkpoint = self._add(note, f"{CHECKPOINTS}/{path.name}", findings)
            if checkpoint is None:
                continue
            if not path.stem.isdigit() or int(path.stem) != checkpoint.size:
                findings.wrong(Fault.CHECKPOINT, f"{path.name} is over {checkpoint.size} leaves")
            self._notes[checkpoint.size] = bare(note)

    def read_published(self, place: Path, findings: Findings) -> None:
        """A file of notes, or a folder of such files. Raises PublishedError."""
        try:
            for path in _files(place):
                if path.stat().st_size > _FILE_LIMIT:
                    raise PublishedError(f"{path} is not a file of checkpoints: it is too large.")
                self._read_text(path, path.read_bytes(), findings)
        except OSError as error:
            raise PublishedError(f"{place} cannot be read: {error.strerror}.") from None

    def _read_text(self, path: Path, content: bytes, findings: Findings) -> None:
        text = content.decode(errors="replace").replace("\r\n", "\n")
        found = _NOTE.findall(text)
        for note in found:
            checkpoint = self._add(f"{note.rstrip()}\n".encode(), str(path), findings)
            if checkpoint is not None:
                self.published.add(checkpoint.size)
        if not found or len(_SIGNATURE.findall(_NOTE.sub("", text))):
            findings.wrong(
                Fault.CHECKPOINT, f"{path}: what stands there is no checkpoint, or not a whole one"
            )

    def _add(self, note: bytes, source: str, findings: Findings) -> Checkpoint | None:
        try:
            checkpoint = Checkpoint.parse(notes.verify(note, self.log_keys))
            if checkpoint.origin not in {notes.log_name(key) for key in self.log_keys}:
                findings.wrong(Fault.CHECKPOINT, f"{source} is of another log, {checkpoint.origin}")
                return None
        except (ForgedNoteError, MalformedNoteError, UnsignedNoteError) as error:
            findings.wrong(Fault.CHECKPOINT, f"{source}: {error}")
            return None
        self._note_witnesses(note, source, checkpoint, findings)
        roots = self.by_size.setdefault(checkpoint.size, {})
        roots.setdefault(checkpoint.root, []).append(source)
        if len(roots) > 1:
            (first, *_), (second, *_) = list(roots.values())[:2]
            findings.wrong(
                Fault.FORK, f"two checkpoints over {checkpoint.size} leaves contradict: {first} and {second}"
            )
        return checkpoint

    def _note_witnesses(self, note: bytes, source: str, of: Checkpoint, findings: Findings) -> None:
        try:
            for witness in notes.cosigners(note, self.witnesses):
                self.cosigned[witness] = max(of.size, self.cosigned.get(witness, 0))
        except ForgedNoteError as error:
            findings.wrong(Fault.WITNESS, f"{source}: {error}")

    def check_stamps(self, dump: Path, roots: Sequence[x509.Certificate], findings: Findings) -> None:
        """The time stamps of a dump, each over its checkpoint's note."""
        paths = sorted((dump / TIMESTAMPS).glob("*.tsr"))
        if paths and not roots:
            findings.remarks.append(
                f"{len(paths)} time stamps were not checked: --timestamps names no roots."
            )
            return
        by_authority: dict[str, tuple[int, str]] = {}
        for path in paths:
            named = _STAMP.fullmatch(path.name)
            note = self._notes.get(int(named[1])) if named else None
            if named is None or note is None:
                findings.wrong(Fault.STAMP, f"{path.name} belongs to no checkpoint of the dump")
                continue
            try:
                at = stamped(path.read_bytes(), note, roots)
            except TimestampError as error:
                findings.wrong(Fault.STAMP, f"{path.name}: {error}")
                continue
            by_authority[named[2]] = int(named[1]), f"{at:%Y-%m-%d %H:%M:%S} UTC"
        for authority, (size, when) in by_authority.items():
            findings.lines.append(f"Time stamps by {authority}: {size} leaves existed at {when}.")


def _files(place: Path) -> Iterator[Path]:
    """A file itself; of a folder those that hold notes."""
    if not place.is_dir():
        yield place
        return
    found = sorted([*place.glob("*.note"), *place.glob(NEWEST), *place.glob("*.txt")])
    if not found:
        raise PublishedError(f"{place} holds no checkpoints: files that end with .note.")
    yield from found
