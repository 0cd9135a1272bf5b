"""The payload is sealed and opened chunk by chunk, and no chunk is handed out before its tag was checked.

age.md, "Payload": 64 KiB chunks under ChaCha20-Poly1305; the nonce is an 11-byte big-endian counter and one
byte that is 1 for the last chunk only, so chunks cannot be dropped, repeated, reordered or cut off unnoticed.
"""

import io

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from seal.errors import Part, TamperedError

CHUNK = 64 * 1024  # bytes of plaintext
TAG = 16  # bytes
SEALED_CHUNK = CHUNK + TAG
NONCE_LENGTH = 16  # bytes: the salt that stands before the first chunk


def payload_key(file_key: bytes, nonce: bytes) -> bytes:
    """The key of every chunk of one file."""
    return HKDF(algorithm=SHA256(), length=32, salt=nonce, info=b"payload").derive(file_key)


class ChunkSealer:
    """Seals what it is fed; keeps at most one chunk, since only the end tells which chunk is the last."""

    def __init__(self, key: bytes) -> None:
        self._aead = ChaCha20Poly1305(key)
        self._counter = 0
        self._pending = bytearray()

    def seal(self, data: memoryview, *, head: bytes, last: bool) -> bytes:
        """`head`, then the sealed chunks that are complete; with `last` also the last one."""
        length = len(self._pending) + len(data)
        full = max(0, length - 1) // CHUNK  # chunks after which more comes
        rest = length - full * CHUNK
        size = len(head) + full * SEALED_CHUNK + (rest + TAG if last else 0)
        # Written once, into a buffer made beforehand and handed over as it is: at 20 MiB a copy would cost
        # more than a third of the cipher.
        buffer = io.BytesIO(head)
        if size > len(head):
            buffer.seek(size - 1)
            buffer.write(b"\0")
        with buffer.getbuffer() as out:
            at, start = len(head), 0
            for _ in range(full):
                end = start + CHUNK - len(self._pending)
                chunk = self._pending + data[start:end] if self._pending else data[start:end]
                at += self._seal_into(out[at:], chunk, last=False)
                self._pending = bytearray()
                start = end
            self._pending += data[start:]
            if last:
                self._seal_into(out[at:], self._pending, last=True)
        return buffer.getvalue()

    def _seal_into(self, out: memoryview, chunk: bytearray | memoryview, *, last: bool) -> int:
        # A nonce never comes twice under one key: the counter only grows, and each file has its own key.
        nonce = _nonce(self._counter, last=last)
        self._counter += 1
        return self._aead.encrypt_into(nonce, chunk, None, out[: len(chunk) + TAG])


class ChunkOpener:
    """Opens what it is fed; keeps less than one sealed chunk."""

    def __init__(self, key: bytes) -> None:
        self._aead = ChaCha20Poly1305(key)
        self._counter = 0
        self._pending = bytearray()
        self._ended = False

    def update(self, data: memoryview, opened: list[bytes]) -> None:
        """Append to `opened` the plaintext of each full chunk that is authentic.

        Raises TamperedError at the first that is not; those before it are then in `opened`.
        """
        start = 0
        while start < len(data):
            if self._ended:
                raise TamperedError(Part.PAYLOAD, "There are bytes after the end of the sealed file.")
            end = start + SEALED_CHUNK - len(self._pending)
            if end > len(data):
                self._pending += data[start:]
                return
            chunk = self._pending + data[start:end] if self._pending else data[start:end]
            self._pending = bytearray()
            opened.append(self._open_full(chunk))
            start = end

    def finish(self) -> bytes:
        """The plaintext of the last chunk; raises TamperedError if the file ends before its last chunk."""
        if self._ended:
            return b""
        plaintext = self._open(self._pending, last=True)
        if plaintext is None or (not plaintext and self._counter):
            raise TamperedError(Part.PAYLOAD)
        return plaintext

    def _open_full(self, chunk: bytearray | memoryview) -> bytes:
        """Open a full chunk, whose length does not tell whether it is the last one."""
        plaintext = self._open(chunk, last=False)
        if plaintext is None:
            plaintext = self._open(chunk, last=True)
            self._ended = True
        if plaintext is None:
            raise TamperedError(Part.PAYLOAD)
        self._counter += 1
        return plaintext

    def _open(self, chunk: bytearray | memoryview, *, last: bool) -> bytes | None:
        try:
            return self._aead.decrypt(_nonce(self._counter, last=last), chunk, None)
        except InvalidTag:
            return None


def _nonce(counter: int, *, last: bool) -> bytes:
    return (counter << 8 | last).to_bytes(12, "big")
