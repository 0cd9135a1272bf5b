"""An original comes out exactly as it was received, or not at all.

    await check(blobs, file, identities)                     # reads it all once: RefusedError says what is wrong
    async for piece in original(blobs, file, identities): …  # then again, to give it away

`check` holds the blob against the ciphertext hash of the body (of the row, if it was sealed anew), and what is inside
against length and SHA-256 as received. `original` does it again while it streams and keeps the last piece back until
all of it is right, so that even a blob swapped in between never becomes a complete file. Memory is constant.
"""

import contextlib
import hashlib
import hmac
import re
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from urllib.parse import quote

from admin.console.reading import File, RefusedError
from seal import HybridIdentity, SealError, WrongKeyError, open_chunks
from storage.blobs import BlobNameError, Blobs, MissingBlobError, UnavailableBlobsError

NAME_LENGTH = 120  # characters
ENDING_LENGTH = 10  # characters; more is no ending
_UNSAFE = re.compile(r'[\\/:*?"<>|%;\x00-\x1f\x7f]')


async def check(blobs: Blobs, file: File, identities: Sequence[HybridIdentity]) -> None:
    """RefusedError: "missing", "unavailable", "swapped", "tampered", "wrong_key"."""
    async for _ in original(blobs, file, identities):
        pass


async def original(blobs: Blobs, file: File, identities: Sequence[HybridIdentity]) -> AsyncGenerator[bytes]:
    """The file's bytes as received, without the padding; complete only when it ends without RefusedError."""
    if file.trouble or file.row is None:
        raise RefusedError(file.trouble or "missing")
    sealed, plain = hashlib.sha256(), hashlib.sha256()
    left, kept_back = file.length, b""
    with _told_as_refusals():
        async for piece in open_chunks(_hashed(blobs, file.row.blob, sealed), identities):
            wanted = bytes(piece[:left])
            left -= len(wanted)
            plain.update(wanted)
            if kept_back and wanted:
                yield kept_back
            kept_back = wanted or kept_back
    if not hmac.compare_digest(sealed.hexdigest(), file.ciphertext_sha256):
        raise RefusedError("swapped")
    if left or not hmac.compare_digest(plain.hexdigest(), file.sha256):
        raise RefusedError("tampered")
    if kept_back:
        yield kept_back


async def _hashed(blobs: Blobs, name: str, digest: "hashlib._Hash") -> AsyncIterator[bytes]:
    async for chunk in blobs.get(name):
        digest.update(chunk)
        yield bytes(chunk)


@contextlib.contextmanager
def _told_as_refusals() -> Iterator[None]:
    try:
        yield
    except (MissingBlobError, BlobNameError):
        raise RefusedError("missing") from None
    except UnavailableBlobsError:
        raise RefusedError("unavailable") from None
    except WrongKeyError:
        raise RefusedError("wrong_key") from None
    except SealError:
        raise RefusedError("tampered") from None


def safe_name(file: File) -> str:
    """The sender's name for a file as a name that no system takes for a path or a command."""
    name = unicodedata.normalize("NFC", file.name)
    # Cc, Cf (bidirectional overrides, zero-width), Cs, Co, Cn: what cannot be seen has no place in a name.
    name = "".join(letter for letter in name if unicodedata.category(letter)[0] != "C")
    name = _UNSAFE.sub("_", name).strip(" .")
    if len(name) > NAME_LENGTH:
        stem, dot, ending = name.rpartition(".")
        short = stem[: NAME_LENGTH - len(ending) - 1]
        name = f"{short}{dot}{ending}" if short and len(ending) <= ENDING_LENGTH else name[:NAME_LENGTH]
    return name or f"{file.kind or 'file'}-{file.id.hex[:8]}"


def content_disposition(name: str) -> str:
    """RFC 6266: an ASCII name for old readers and the whole one (RFC 8187). Always a download, never shown."""
    plain = "".join(letter if letter.isascii() else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
