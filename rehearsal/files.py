"""Files by id: documents stay byte for byte, photos are re-encoded without EXIF, a big one is declared.

A `file_id` names one size of one file for downloads and sending again; `file_unique_id` is the same for the
same bytes.
"""

from __future__ import annotations

import asyncio
import io
import mimetypes
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageOps, UnidentifiedImageError

from rehearsal.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable

DOWNLOAD_LIMIT = 20 * 1024 * 1024  # bytes, getFile
UPLOAD_LIMIT = 50 * 1024 * 1024  # bytes, any file a bot sends
PHOTO_LIMIT = 10 * 1024 * 1024  # bytes, sendPhoto
SIDES = (90, 320, 1280)  # pixels of the longer side of each size of a photo
SUM_LIMIT = 10_000  # width + height of a photo
RATIO_LIMIT = 20
PATH_LIFE_S = 3600  # a file_path is valid for at least an hour; here for exactly one
FOLDERS = {
    "photo": "photos",
    "document": "documents",
    "video": "videos",
    "audio": "music",
    "voice": "voice",
    "video_note": "video_notes",
    "animation": "animations",
    "sticker": "stickers",
}
ENDINGS = {"photo": ".jpg", "voice": ".oga", "video": ".mp4", "video_note": ".mp4", "sticker": ".webp"}


@dataclass
class StoredFile:
    """One file at the server. `content` None: only its size was declared."""

    file_id: str
    unique_id: str
    kind: str
    size: int  # bytes
    mime: str
    content: bytes | None = field(repr=False)
    number: int
    ending: str = ""

    @property
    def path(self) -> str:
        """Return the file_path that getFile gives."""
        return f"{FOLDERS[self.kind]}/file_{self.number}{self.ending}"


@dataclass(frozen=True)
class PhotoSize:
    """One size of a re-encoded photo."""

    width: int  # pixels
    height: int  # pixels
    jpeg: bytes = field(repr=False)


class Files:
    """All files by id, and the download paths given out."""

    def __init__(self, token: Callable[[int], str]) -> None:
        self._token = token
        self.by_id: dict[str, StoredFile] = {}
        self._by_path: dict[str, StoredFile] = {}
        self.given: dict[str, float] = {}  # file_path -> when getFile gave it
        self.contents: dict[str, dict[str, Any]] = {}  # file_id -> what a message with it holds

    def put(self, content: bytes, kind: str, name: str = "") -> StoredFile:
        """Keep a file. `name` is the sender's and only tells the ending and type."""
        return self._add(content, len(content), kind, name)

    def declare(self, size: int, kind: str, name: str = "") -> StoredFile:
        """Keep the size of a file that has no bytes here: one too big to download."""
        return self._add(None, size, kind, name)

    def restore(self, stored: StoredFile) -> None:
        """Take up a file of an earlier run."""
        self.by_id[stored.file_id] = stored
        self._by_path[stored.path] = stored

    def find(self, file_id: str) -> StoredFile:
        """Return a file. Raises ApiError 400 for an unknown id."""
        stored = self.by_id.get(file_id)
        if stored is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        return stored

    def at_path(self, path: str, now: float) -> StoredFile | None:
        """Return what a file_path leads to while it is valid."""
        given = self.given.get(path)
        if given is None or now - given > PATH_LIFE_S:
            return None
        return self._by_path[path]

    def _add(self, content: bytes | None, size: int, kind: str, name: str) -> StoredFile:
        guessed = mimetypes.guess_type(name)[0] if name else None
        ending = ENDINGS.get(kind) or _ending(name)
        mime = {"photo": "image/jpeg", "voice": "audio/ogg", "sticker": "image/webp"}.get(kind) or guessed
        stored = StoredFile(
            self._token(64),
            self._token(15),
            kind,
            size,
            mime or "application/octet-stream",
            content,
            len(self.by_id) + 1,
            ending,
        )
        self.restore(stored)
        return stored


def _ending(name: str) -> str:
    """Take a short plain ending from a sender's file name, nothing else."""
    _, dot, ending = name.rpartition(".")
    return f".{ending.lower()}" if dot and ending.isascii() and ending.isalnum() and len(ending) <= 5 else ""  # noqa: PLR2004 - the longest ending in use, .jpeg or .webp


async def photo_sizes(content: bytes) -> list[PhotoSize]:
    """Re-encode a picture in up to three sizes, smallest first. Raises ApiError 400 if it is none."""
    return await asyncio.to_thread(_encode, content)


def _encode(content: bytes) -> list[PhotoSize]:
    if not content:
        raise bad_request("file must be non-empty")
    if len(content) > PHOTO_LIMIT:
        raise bad_request(f"file of size {len(content)} bytes is too big for a photo")
    try:
        # Opening reads the header only: the pixels of a bomb are never unpacked.
        with Image.open(io.BytesIO(content)) as picture:
            width, height = picture.size
            if width + height > SUM_LIMIT or max(width, height) > RATIO_LIMIT * min(width, height):
                raise bad_request("PHOTO_INVALID_DIMENSIONS")
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise bad_request("PHOTO_INVALID_DIMENSIONS") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise bad_request("IMAGE_PROCESS_FAILED") from None
    longest = max(upright.size)
    sides = [*[side for side in SIDES[:2] if side < longest], min(longest, SIDES[-1])]
    return [_size(upright, side) for side in sides]


def _size(picture: Image.Image, side: int) -> PhotoSize:
    smaller = picture.copy()
    smaller.thumbnail((side, side))
    out = io.BytesIO()
    smaller.save(out, "JPEG", quality=87)
    return PhotoSize(smaller.width, smaller.height, out.getvalue())
