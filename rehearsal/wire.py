"""Requests as Telegram takes them: query, urlencoded form, JSON, multipart with files under any name.

params, uploads = await read(request)   # {"chat_id": "5", "photo": Upload(…)}, {"photo": Upload(…)}

What is in them is checked later, by `rehearsal.botapi`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import BodyPartReader

from rehearsal.botapi import Upload
from rehearsal.errors import ApiError, bad_request
from rehearsal.files import UPLOAD_LIMIT

if TYPE_CHECKING:
    from aiohttp import web

    from rehearsal.botapi import Json

REQUEST_LIMIT = UPLOAD_LIMIT + 1024 * 1024  # bytes of a whole request


async def read(request: web.Request) -> tuple[Json, dict[str, Upload]]:
    """Return the parameters as they came, and the files by name. Raises ApiError."""
    params: Json = dict(request.query)
    uploads: dict[str, Upload] = {}
    kind = request.content_type
    if kind == "application/json" and request.body_exists:
        params.update(_json_object(await request.text()))
    elif kind == "application/x-www-form-urlencoded":
        params.update(
            {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        )
    elif kind == "multipart/form-data":
        await _read_parts(request, params, uploads)
    return params, uploads


def _json_object(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text) if text.strip() else {}
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise bad_request("can't parse request body as a JSON object")
    # A null says nothing, as an absent parameter does.
    return {name: value for name, value in given.items() if value is not None}


async def _read_parts(request: web.Request, params: Json, uploads: dict[str, Upload]) -> None:
    total = 0
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or not part.name:
            raise bad_request("can't parse multipart request")
        content = bytearray()
        while chunk := await part.read_chunk(1 << 16):
            content += chunk
            total += len(chunk)
            if total > REQUEST_LIMIT:
                raise ApiError(413, "Request Entity Too Large")
        if part.filename is None:
            params[part.name] = content.decode("utf-8", "replace")
        else:
            upload = Upload(part.filename, bytes(content))
            uploads[part.name] = upload
            params[part.name] = upload
