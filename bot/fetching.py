"""A file from Telegram as one stream of bytes, whatever becomes of the connections that carry it.

    async for chunk in original(bot, file_id): ...

What broke off is asked for from where it broke (HTTP Range, RFC 9110, section 14), at an address asked for anew,
since one lives an hour. A server that knows no ranges sends the whole again: what was received is passed over,
and only if it is the same to the last byte.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from http import HTTPStatus

import structlog
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiohttp import ClientError, ClientPayloadError, ClientResponse, ClientTimeout, hdrs

log = structlog.get_logger()

RESUMES = 5  # without a single byte between them
_PAUSE_S = 0.1
_CHUNK = 64 * 1024  # bytes
_PATIENCE = ClientTimeout(total=None, sock_connect=20, sock_read=60)


class GoneError(Exception):
    """Telegram does not have this file any more, or it is larger than it may hand out."""


async def original(bot: Bot, file_id: str) -> AsyncIterator[bytes]:
    """The file's bytes, each once and in order.

    Raises GoneError, what aiogram raises for getFile, and at last what broke the connection: ClientError or
    TimeoutError, whose texts hold the token.
    """
    received = _Received()
    broken = 0
    while True:
        before = received.length
        try:
            async for chunk in _rest(bot, file_id, received):
                yield chunk
        except (ClientError, TimeoutError) as error:
            broken = 1 if received.length > before else broken + 1
            if broken > RESUMES:
                raise
            log.info("download_broken", error=type(error).__name__, resumed=broken)
        else:
            return
        await asyncio.sleep(_PAUSE_S * 2**broken)


class _Received:
    """How much has come, and its hash so far."""

    def __init__(self) -> None:
        self.length = 0
        self._sha256 = hashlib.sha256()

    def add(self, chunk: bytes) -> None:
        self.length += len(chunk)
        self._sha256.update(chunk)

    @property
    def digest(self) -> bytes:
        return self._sha256.digest()


async def _rest(bot: Bot, file_id: str, received: _Received) -> AsyncIterator[bytes]:
    """What is still missing."""
    found = await bot.get_file(file_id)
    if found.file_path is None:
        raise GoneError
    session = bot.session
    assert isinstance(session, AiohttpSession), "bot.telegram makes no other"
    url = session.api.file_url(bot.token, found.file_path)
    headers = {hdrs.ACCEPT_ENCODING: "identity"}  # a part of something compressed could not be joined
    if received.length:
        headers[hdrs.RANGE] = f"bytes={received.length}-"
    client = await session.create_session()
    async with client.get(url, headers=headers, timeout=_PATIENCE) as answer:
        if received.length and answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            if answer.headers.get(hdrs.CONTENT_RANGE) == f"bytes */{received.length}":
                return  # it broke after the last byte
            raise ClientPayloadError
        answer.raise_for_status()
        async for chunk in _beyond(answer, received):
            received.add(chunk)
            yield chunk
        if answer.content_length is None and received.length < (found.file_size or 0):
            raise ClientPayloadError  # the end of a connection is no proof of the end of a file


async def _beyond(answer: ClientResponse, received: _Received) -> AsyncIterator[bytes]:
    """An answer's bytes after those that were received."""
    if answer.status == HTTPStatus.PARTIAL_CONTENT:
        if not answer.headers.get(hdrs.CONTENT_RANGE, "").startswith(f"bytes {received.length}-"):
            raise ClientPayloadError
        again, standing = 0, b""
    else:
        again, standing = received.length, received.digest
    passed = hashlib.sha256()
    async for chunk in answer.content.iter_chunked(_CHUNK):
        known = chunk[:again]
        again -= len(known)
        passed.update(known)
        if known and not again and passed.digest() != standing:
            raise ClientPayloadError  # another file now
        if rest := chunk[len(known) :]:
            yield rest
