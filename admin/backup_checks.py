"""A backup is read to its end, and all in it that can be checked without the store is checked; nothing is restored.

    found = check(path, recovery, ceremony_key, say)     # BackupError, ManifestError: the first thing that is wrong

Checked: it opens, and is whole; every row and file that it announces is there; each sealed body and file has the
hash that its row says; the newest manifest is signed, and names this recovery identity; the custody log has
no gap, each leaf the hash that it is numbered with, and the roots are those of the checkpoints.
"""

import hashlib
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admin.backup_log import Log
from seal import HybridIdentity
from storage import backups, manifest, setup
from storage.backup_format import Reader, opened
from storage.backups import Absent, Blob, BlobList, Head, rows, unhex
from storage.errors import BackupError
from storage.manifest import Manifest, Signed

_PLAIN = re.compile(r"[a-z][a-z0-9_]*")
_TENTHS = 10

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """A whole backup. `shredded`: the reports that were shredded while it was made; `lost`: the names of files that
    were lost before; `checkpoint`: the newest's size;
    `unnamed`: how many checkpoints have the signature of no key that a manifest names.
    """

    head: Head
    sha256: bytes
    manifest: Manifest
    shredded: frozenset[uuid.UUID]
    lost: tuple[str, ...]
    checkpoint: int | None
    unnamed: int


class Weighed:
    """The SHA-256 of a file, while it is read."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def take(self, data: bytes) -> None:
        """The next bytes."""
        self._hash.update(data)

    def digest(self) -> bytes:
        """Of all that was read."""
        return self._hash.digest()


def check(path: Path, recovery: HybridIdentity, ceremony_key: Ed25519PublicKey, say: Say) -> Checked:
    """Reads all of it. Raises BackupError, ManifestError."""
    weighed = Weighed()
    try:
        with path.open("rb") as file:
            reader = Reader(opened(file, recovery, weighed.take))
            checks = _Checks(reader, str(recovery.recipient), ceremony_key, say)
            try:
                return checks.run(weighed)
            finally:
                checks.close()
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}.") from None


class _Checks:
    def __init__(self, reader: Reader, recovery: str, ceremony_key: Ed25519PublicKey, say: Say) -> None:
        self._reader, self._recovery, self._key, self._say = reader, recovery, ceremony_key, say
        self._head = reader.head
        self._blobs = BlobList()
        self._lost: list[str] = []
        self._manifests: dict[int, Signed] = {}
        self._log = Log(reader.head.rows.get("custody_sequence", 0))
        self._by_table = {
            "manifests": self._manifest,
            "bodies": self._body,
            "files": self._file,
            "custody_checkpoints": self._log.checkpoint,
            "custody_leaves": self._log.leaf,
            "custody_sequence": self._log.number,
            "custody_tiles": self._log.tile,
        }

    def close(self) -> None:
        self._blobs.close()
        self._log.close()

    def run(self, weighed: Weighed) -> Checked:
        readable(self._head)
        newest: Manifest | None = None
        for table in self._head.tables:
            self._table(table, self._head.columns[table])
            if table == "manifests":  # before anything else is looked at
                newest = self._newest_manifest()
                self._log.vkeys = self._log_keys()
        self._log.end()
        shredded = frozenset(self._files())
        self._reader.end()
        assert newest is not None, "a readable head names the manifests"
        return Checked(
            self._head,
            weighed.digest(),
            newest,
            shredded,
            tuple(self._lost),
            self._log.newest,
            self._log.unnamed,
        )

    def _table(self, table: str, columns: list[str]) -> None:
        look = self._by_table.get(table, _nothing_more)
        count = 0
        try:
            for row in rows(self._reader.table(table), columns):
                look(row)
                count += 1
        except (ValueError, KeyError):
            raise BackupError(f"A row of {table} in the backup is not one.") from None
        if count != self._head.rows[table]:
            raise BackupError(
                f"The backup has {count} rows of {table} and announces {self._head.rows[table]}."
            )
        self._say(f"{table}: {count}")

    def _manifest(self, row: Mapping[str, bytes]) -> None:
        self._manifests[int(row["serial"])] = Signed(unhex(row["body"]), unhex(row["signature"]))

    def _newest_manifest(self) -> Manifest:
        serial = self._head.manifest
        if max(self._manifests, default=None) != serial:
            raise BackupError("The backup names another manifest than its newest.")
        newest = manifest.verify(self._manifests[serial], self._key, self._before(serial))
        if newest.serial != serial:
            raise BackupError("A manifest's row and its signed body name different serials.")
        if newest.recovery != self._recovery:
            raise BackupError("The backup's manifest names another recovery identity.")
        return newest

    def _before(self, serial: int) -> list[Signed]:
        """What the manifest of this serial counts only after: as many as two leads signed in a row, and one."""
        before: list[Signed] = []
        while self._manifests[serial].by_two_leads and serial - 1 in self._manifests:
            serial -= 1
            before.append(self._manifests[serial])
        return before

    def _log_keys(self) -> list[str]:
        """The log's key, now or before, as manifests name it that the ceremony key signed."""
        signed = [one for one in self._manifests.values() if not one.by_two_leads]
        return sorted({manifest.verify(one, self._key).log for one in signed} - {""})

    def _body(self, row: Mapping[str, bytes]) -> None:
        if hashlib.sha256(unhex(row["sealed"])).digest() != unhex(row["ciphertext_sha256"]):
            raise BackupError(f"The sealed body {row['id'].decode()} is not what its row says.")

    def _file(self, row: Mapping[str, bytes]) -> None:
        self._blobs.add(blob_of(row))

    def _files(self) -> Iterator[uuid.UUID]:
        """Checks each; yields the reports of those that are not there because they were shredded."""
        expected, done, told = iter(self._blobs), 0, 0
        for name, content in self._reader.blobs():
            blob = next(expected, None)
            if blob is None or blob.name != name:
                raise BackupError(f"The sealed file {name} in the backup belongs to no row.")
            if isinstance(content, Absent):
                if content.report != blob.report:
                    raise BackupError(
                        f"The sealed file {name} is missing, and the reason is another report's."
                    )
                if content.why == "shredded":
                    yield blob.report
                else:
                    self._lost.append(name)
            elif _sha256(content) != blob.sha256:
                raise BackupError(f"The sealed file {name} is not what its row says.")
            done += blob.size
            if self._head.blob_bytes and done * _TENTHS // self._head.blob_bytes > told:
                told = done * _TENTHS // self._head.blob_bytes
                self._say(f"sealed files: {told * 100 // _TENTHS} % of {self._head.blob_bytes / 1e6:.1f} MB")
        missing = next(expected, None)
        if missing is not None:
            raise BackupError(f"The sealed file {missing.name} is missing from the backup.")


def readable(head: Head) -> None:
    """Raises BackupError unless this version knows the backup's tables, and they come in its order."""
    if head.schema_revision > setup.newest_revision():
        raise BackupError(
            f"The backup was made by a newer version of the program (schema {head.schema_revision}; this one has"
            f" {setup.newest_revision()}). Use that version."
        )
    named = all(_PLAIN.fullmatch(column) for columns in head.columns.values() for column in columns)
    known = {*head.tables} <= {*backups.KEPT} and head.tables[:1] == ["manifests"]
    if not (named and known and {*head.tables} == head.columns.keys() == head.rows.keys()):
        raise BackupError("The backup names tables that this version does not know.")


def blob_of(row: Mapping[str, bytes]) -> Blob:
    """What a row of `files` says of its blob."""
    return Blob(
        uuid.UUID(row["id"].decode()), uuid.UUID(row["report"].decode()), row["blob"].decode(),
        unhex(row["ciphertext_sha256"]), int(row["sealed_size"]),
    )  # fmt: skip


def _nothing_more(_: Mapping[str, bytes]) -> None:
    """That its bytes are as they were written is checked for every table."""


def _sha256(content: Iterable[bytes]) -> bytes:
    found = hashlib.sha256()
    for piece in content:
        found.update(piece)
    return found.digest()
