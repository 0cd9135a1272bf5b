"""What only one process needs again: AEAD under that process's own secret, held outside PostgreSQL.

Associated data is always table, row id and version, so that a row moved or swapped is noticed. (A whole older row
of the same id, put back with its version, is not: only a ledger outside the database could tell.)

    secret = ProcessSecret.at(state / "secret")
    secret.mac("chat", b"…")                        # 32 bytes: a chat's name in the store
    sealed = secret.seal(Row("threads", thread_id, 1), plaintext)

`DaySecrets` does the same under a random secret of the day, which is destroyed when the drafts of that day
have lapsed: from then on nothing opens them, not even from the WAL or an old page.
"""

import contextlib
import hashlib
import hmac
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.errors import LapsedError, SettingError, SwappedRowError

SECRET_SIZE = 32  # bytes
NONCE_SIZE = 12  # bytes, RFC 8439
_FIXED_NONCE = bytes(NONCE_SIZE)


@dataclass(frozen=True, slots=True)
class Row:
    """Where a sealed value stands: its table, the row's id and the row's version."""

    table: str
    id: bytes
    version: int

    def associated_data(self) -> bytes:
        """`table NUL version NUL id`: no two rows have the same."""
        return b"%s\0%d\0%s" % (self.table.encode(), self.version, self.id)


@dataclass(frozen=True, slots=True)
class DaySealed:
    """A value sealed under a day's secret, as its row keeps it."""

    day: date
    salt: bytes
    sealed: bytes


class ProcessSecret:
    """One process's own secret of 32 bytes. Never shown."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_SIZE:
            raise SettingError(f"a process secret is {SECRET_SIZE} bytes")
        self._secret = secret
        self._aead = ChaCha20Poly1305(self._derive(b"dodomu seal v1"))
        self._macs: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return "ProcessSecret(hidden)"

    @classmethod
    def at(cls, path: Path) -> "ProcessSecret":
        """The secret in that file, made once if it is not there yet."""
        return cls(read_or_make(path))

    def mac(self, context: str, data: bytes) -> bytes:
        """HMAC-SHA-256 under a key of its own for each context: 32 bytes."""
        key = self._macs.get(context)
        if key is None:
            key = self._macs[context] = self._derive(b"dodomu mac v1 " + context.encode())
        return hmac.digest(key, data, hashlib.sha256)

    def seal(self, row: Row, plaintext: bytes) -> bytes:
        """Nonce and ciphertext of a value that belongs to this row."""
        nonce = os.urandom(NONCE_SIZE)
        return nonce + self._aead.encrypt(nonce, plaintext, row.associated_data())

    def open(self, row: Row, sealed: bytes) -> bytes:
        """The value, or SwappedRowError."""
        try:
            return self._aead.decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], row.associated_data())
        except (InvalidTag, ValueError):
            raise SwappedRowError(f"a row of {row.table} does not open where it stands") from None

    def _derive(self, info: bytes) -> bytes:
        return HKDF(SHA256(), 32, None, info).derive(self._secret)


class DaySecrets:
    """The secrets of the days whose drafts are still alive: one file a day in a private folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[date, bytes] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def seal(self, today: date, row: Row, plaintext: bytes) -> DaySealed:
        """Seals under today's secret, with a fresh salt for every write."""
        salt = os.urandom(32)
        # The nonce is fixed because the salt makes a key that seals this one value only.
        sealed = self._aead(self._secret(today, make=True), salt).encrypt(
            _FIXED_NONCE, plaintext, row.associated_data()
        )
        return DaySealed(today, salt, sealed)

    def open(self, row: Row, value: DaySealed) -> bytes:
        """The value; LapsedError when that day's secret is gone, SwappedRowError when it is another row's."""
        try:
            return self._aead(self._secret(value.day, make=False), value.salt).decrypt(
                _FIXED_NONCE, value.sealed, row.associated_data()
            )
        except (InvalidTag, ValueError):
            raise SwappedRowError(f"a row of {row.table} does not open where it stands") from None

    def destroy_before(self, day: date) -> list[date]:
        """Destroys the secrets of all days before `day`; what was sealed under them stays closed for ever."""
        gone = []
        for path in sorted(self._folder.iterdir()):
            try:
                of = date.fromisoformat(path.name)
            except ValueError:
                continue
            if of < day:
                with contextlib.suppress(FileNotFoundError):  # another process destroys it at this moment
                    _overwrite(path)
                    path.unlink()
                    gone.append(of)
        self._known = {known: secret for known, secret in self._known.items() if known >= day}
        if gone:
            _fsync_folder(self._folder)
        return gone

    def _secret(self, day: date, *, make: bool) -> bytes:
        known = self._known.get(day)
        if known is None:
            path = self._folder / day.isoformat()
            try:
                known = self._known[day] = read_or_make(path) if make else _read(path)
            except FileNotFoundError:
                raise LapsedError("the secret of that day is destroyed") from None
        return known

    @staticmethod
    def _aead(secret: bytes, salt: bytes) -> ChaCha20Poly1305:
        return ChaCha20Poly1305(HKDF(SHA256(), 32, salt, b"dodomu day v1").derive(secret))


def read_or_make(path: Path) -> bytes:
    """32 random bytes in a file that only its user reads; written whole and fsynced before first use.

    Written under a name of its own and linked into place, so that two processes that start together
    agree on one secret and none ever reads half of one.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, os.urandom(SECRET_SIZE))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(draft, path)  # fails if another process was first: then that secret is the one
    except FileExistsError:
        _overwrite(draft)
    finally:
        draft.unlink()
    _fsync_folder(path.parent)
    return _read(path)


def _read(path: Path) -> bytes:
    secret = path.read_bytes()
    if len(secret) != SECRET_SIZE or path.stat().st_mode & 0o077:
        raise SettingError(
            f"{path.name}: a secret file holds {SECRET_SIZE} bytes and is readable by its user alone"
        )
    return secret


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
