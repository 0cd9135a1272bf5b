"""The ledger of erasures, outside the database and its backups: a report that was shredded stays so after any restore.

    ledger = Ledger(Path("/media/ledger/erasures.ndjson"))
    await keep_up(connection, ledger, now)      # every report of which nothing is left stands in it
    ledger.read()                               # {report: hour}

One line a report: {"hour": "2031-05-06T07Z", "report": "…"}. Lines are only added, each on the disk when `add`
returns. A shred commits before its line is written: who is cut off between the two writes it the next time.
"""

import errno
import fcntl
import json
import os
import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import rfc8785

from storage import custody
from storage.database import Database
from storage.errors import LedgerError

NAME = "erasures.ndjson"
_CANNOT = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK)
# Every report has a body from its first moment on; none is left only of one that was shredded.
_SHREDDED = "SELECT r.id FROM reports r WHERE NOT EXISTS (SELECT 1 FROM bodies b WHERE b.report = r.id)"


class Ledger:
    """One ledger's file. It need not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[uuid.UUID, str]:
        """The hour of each erasure; none when there is no file. Raises LedgerError.

        A last line without its end was being written when the power went: it does not count.
        """
        try:
            *lines, _ = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise LedgerError(f"The ledger {self._path} cannot be read: {error.strerror}.") from None
        found: dict[uuid.UUID, str] = {}
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                found.setdefault(uuid.UUID(entry["report"]), str(entry["hour"]))
            except (ValueError, KeyError, TypeError, AttributeError):
                raise LedgerError(f"Line {number} of the ledger {self._path} is not an erasure.") from None
        return found

    def add(self, reports: Iterable[tuple[uuid.UUID, str]]) -> int:
        """Adds (report, hour) for those that are not in it yet, durably; how many. LedgerError.

        The file is there afterwards: an empty one says that nothing was erased.
        """
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(self._path, "ab", opener=_private) as file:
                _alone(file.fileno())
                known = self.read()
                lines = [
                    rfc8785.dumps({"report": str(report), "hour": hour}) + b"\n"
                    for report, hour in dict(reports).items()
                    if report not in known
                ]
                file.truncate(self._path.read_bytes().rfind(b"\n") + 1)  # a line that was cut off goes
                file.write(b"".join(lines))
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self._path.parent)
        except OSError as error:
            raise LedgerError(f"The ledger {self._path} cannot be written: {error.strerror}.") from None
        return len(lines)


def sync_folder(folder: Path) -> None:
    """The names in a folder are on the disk when this returns, where its file system can be told."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    finally:
        os.close(descriptor)


def _alone(descriptor: int) -> None:
    """One writer at a time, where the file system can: a ledger lies on mounts of all kinds, and a line twice does no
    harm.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise


async def keep_up(connection: Database, ledger: Ledger, now: datetime) -> int:
    """Every report of which nothing is left stands in the ledger when this returns; how many are new. LedgerError."""
    hour = f"{custody.hour(now):%Y-%m-%dT%HZ}"
    return ledger.add((row["id"], hour) for row in await connection.fetch(_SHREDDED))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
