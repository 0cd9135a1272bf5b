"""The custody log in a backup has no gap, each leaf has the hash that it is numbered with, and roots are right.

Checkpoints come before the leaves, and leaves in the log's order, so that one reading is enough. Memory stays constant:
hashes go through files.
"""

import tempfile
from collections.abc import Mapping
from typing import IO

from storage import merkle, notes
from storage.backups import unhex
from storage.errors import BackupError, UnsignedNoteError


class Log:
    """The custody log of a backup: leaves come in its order, then their numbers, and give the checkpoints' roots."""

    _RECORD = 8 + merkle.HASH_SIZE

    def __init__(self, numbered: int) -> None:
        self.vkeys: list[str] = []  # none: no manifest names the log's key yet
        self._numbered = numbered
        self._roots: dict[int, bytes] = {}  # by size, of the checkpoints
        self._tree = merkle.Growing()
        self._compared = 0
        self._level, self._tiles = 0, 0
        self.unnamed = 0
        self._hashes: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._roots_above: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - the same

    @property
    def newest(self) -> int | None:
        """The size of the newest checkpoint."""
        return max(self._roots, default=None)

    def close(self) -> None:
        """Forgets it."""
        self._hashes.close()
        self._roots_above.close()

    def checkpoint(self, row: Mapping[str, bytes]) -> None:
        """A checkpoint, and nobody's forgery in the log's name. Raises LogError."""
        note = unhex(row["note"])
        try:
            text = notes.verify(note, self.vkeys)
        except UnsignedNoteError:  # the log's key is another now, and not named yet: what it says is compared
            text = note.decode().rpartition("\n\n")[0] + "\n"
            self.unnamed += 1
        told = notes.Checkpoint.parse(text)
        if told.size != int(row["size"]):
            raise BackupError("A checkpoint in the backup names another size than its row.")
        self._roots[told.size] = told.root
        self._compare()

    def leaf(self, row: Mapping[str, bytes]) -> None:
        """The next leaf; those without a number come last, and no checkpoint tells of them."""
        if self._tree.size == self._numbered:
            return
        found = merkle.leaf_hash(unhex(row["leaf"]))
        self._hashes.write(int(row["id"]).to_bytes(8, "big") + found)
        self._tree.add(found)
        self._compare()

    def number(self, row: Mapping[str, bytes]) -> None:
        """The next leaf's number in the log, and its hash as it is kept."""
        if self._compared == 0:
            self._hashes.seek(0)
        expected = int(row["leaf"]).to_bytes(8, "big") + unhex(row["leaf_hash"])
        if int(row["index"]) != self._compared or self._hashes.read(self._RECORD) != expected:
            raise BackupError(f"The custody log is not whole: leaf {self._compared} is missing or changed.")
        self._compared += 1

    def tile(self, row: Mapping[str, bytes]) -> None:
        """The next tile: its hashes are those of 256 leaves, or of 256 tiles below it; its root is theirs."""
        if int(row["level"]) == self._level + 1:
            self._must_be_complete()
            self._hashes, self._roots_above = self._roots_above, self._hashes
            self._roots_above.seek(0)
            self._roots_above.truncate()
            self._level, self._tiles = self._level + 1, 0
        if self._tiles == 0:
            self._hashes.seek(0)
        width = merkle.HASH_SIZE if self._level else self._RECORD
        below = [self._hashes.read(width)[-merkle.HASH_SIZE :] for _ in range(merkle.TILE)]
        root = unhex(row["root"])
        where = (int(row["level"]), int(row["index"])) == (self._level, self._tiles)
        if not where or unhex(row["hashes"]) != b"".join(below) or merkle.root(below) != root:
            raise BackupError(
                f"A tile of the custody log is missing or changed: level {self._level}, {self._tiles}."
            )
        self._roots_above.write(root)
        self._tiles += 1

    def _must_be_complete(self) -> None:
        if self._tiles != self._tree.size >> merkle.TILE_LEVELS * (self._level + 1):
            raise BackupError(f"Tiles of the custody log are missing: level {self._level}.")

    def end(self) -> None:
        """Raises BackupError when leaves lack that have a number, or that a checkpoint tells of, or tiles."""
        self._must_be_complete()
        self._level, self._tiles = self._level + 1, 0
        self._must_be_complete()  # and there is no level above
        size = self._tree.size
        if size != self._numbered or (self.newest or 0) > size:
            raise BackupError("The custody log is shorter than it was.")

    def _compare(self) -> None:
        expected = self._roots.get(self._tree.size)
        if expected is not None and expected != self._tree.root():
            raise BackupError(
                f"The custody log is not the one of checkpoint {self._tree.size}: it was changed."
            )
