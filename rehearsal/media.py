"""What a message with a file in it holds: the same dictionaries whether a person or a bot sends it.

await photo(files, jpeg)                          # {"photo": [{"file_id": …, "width": 90, …}, …]}
file_content(files, "document", content, "a.pdf")  # {"document": {"file_id": …, "file_name": "a.pdf", …}}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehearsal.errors import bad_request
from rehearsal.files import photo_sizes

if TYPE_CHECKING:
    from rehearsal.botapi import Json
    from rehearsal.files import Files, StoredFile

# What each kind says besides ids and size, when nobody told better.
SHAPES: dict[str, Json] = {
    "document": {},
    "audio": {"duration": 0},
    "voice": {"duration": 1},
    "video": {"width": 640, "height": 480, "duration": 1},
    "video_note": {"length": 240, "duration": 1},
    "animation": {"width": 320, "height": 240, "duration": 1},
    "sticker": {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False},
}
NAMED = frozenset({"document", "audio", "video", "animation"})
TYPED = frozenset({"document", "audio", "video", "voice", "animation"})


async def photo(files: Files, content: bytes) -> Json:
    """Keep a photo in its sizes. Raises ApiError 400 if it is no picture."""
    sizes = []
    for size in await photo_sizes(content):
        stored = files.put(size.jpeg, "photo")
        sizes.append({**_ids(stored), "width": size.width, "height": size.height})
    holding: Json = {"photo": sizes}
    for size_row in sizes:
        files.contents[size_row["file_id"]] = holding
    return holding


def file_content(files: Files, kind: str, content: bytes, name: str, **told: object) -> Json:
    """Keep a file of any kind but photo. `told` are fields the sender gave: duration, width, …"""
    return _holding(files, files.put(content, kind, name), name, told)


def declared_content(files: Files, kind: str, size: int, name: str) -> Json:
    """Keep a file of which only the size, in bytes, is known."""
    return _holding(files, files.declare(size, kind, name), name, {})


def again(files: Files, kind: str, file_id: str) -> Json:
    """Return what a file already at the server holds. Raises ApiError 400."""
    holding = files.contents.get(file_id)
    if holding is None:
        files.find(file_id)
        raise bad_request("wrong file identifier/HTTP URL specified")
    if kind not in holding:
        found = next(iter(holding)).replace("_", " ").title()
        raise bad_request(f"can't use file of type {found} as {kind.replace('_', ' ').title()}")
    return holding


def _holding(files: Files, stored: StoredFile, name: str, told: dict[str, object]) -> Json:
    kind = stored.kind
    row: Json = {**_ids(stored), **SHAPES[kind], **told}
    if kind in NAMED and name:
        row["file_name"] = name
    if kind in TYPED:
        row["mime_type"] = stored.mime
    holding: Json = {kind: row}
    if kind == "animation":  # told as a document too, as Telegram does
        named = ("file_name", "mime_type")
        holding["document"] = {**_ids(stored), **{name: row[name] for name in named if name in row}}
    files.contents[stored.file_id] = holding
    return holding


def _ids(stored: StoredFile) -> Json:
    return {"file_id": stored.file_id, "file_unique_id": stored.unique_id, "file_size": stored.size}
