"""Where checkpoints are made public, as the operator says: a folder, a URL, a Telegram channel.

    for place in places(settings):
        await place.publish(session, size, note)      # raises what `UNPUBLISHED` names; then it is tried again

A checkpoint says how many acts the log holds, and one hash; nothing of any report. Each publication may be done twice
without harm, for what was done before a crash is not known after it.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import aiohttp
from pydantic import SecretStr

NEWEST = "checkpoint"  # the newest one's file, as C2SP tlog-tiles names it
UNPUBLISHED = (aiohttp.ClientError, TimeoutError, OSError)
"""What a publication may end with; none of their texts is logged, for an address may hold a secret."""


class Place(Protocol):
    """Somewhere checkpoints are published; its name is how `custody_publications` knows it."""

    @property
    def name(self) -> str:
        """Fixed for a kind of place."""

    async def publish(self, session: aiohttp.ClientSession, size: int, note: bytes) -> None:
        """Makes one signed note public."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that others read, or that is carried elsewhere: one file for each checkpoint, and the newest again."""

    path: Path
    name: str = "folder"

    async def publish(self, session: aiohttp.ClientSession, size: int, note: bytes) -> None:
        """On the disk when it returns; a file that is there is replaced whole."""
        del session
        for name in (file_name(size), NEWEST):
            replace(self.path / name, note)


@dataclass(frozen=True, slots=True)
class Address:
    """An HTTP address, below which each checkpoint is PUT under its own name."""

    url: str
    token: SecretStr = field(repr=False)
    name: str = "url"

    async def publish(self, session: aiohttp.ClientSession, size: int, note: bytes) -> None:
        """Any answer of the 200s means that it is there."""
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        if secret := self.token.get_secret_value():
            headers["Authorization"] = f"Bearer {secret}"
        where = f"{self.url.rstrip('/')}/{file_name(size)}"
        async with session.put(where, data=note, headers=headers, allow_redirects=False) as answer:
            _accepted(answer)


@dataclass(frozen=True, slots=True)
class Channel:
    """A Telegram channel in which a bot of the team's own may write: not the public bot, whose token stays with it."""

    chat: str
    token: SecretStr = field(repr=False)
    api_base: str
    name: str = "channel"

    async def publish(self, session: aiohttp.ClientSession, size: int, note: bytes) -> None:
        """The note as it is, as a text without links or markup."""
        del size
        message = {
            "chat_id": self.chat,
            "text": note.decode(),
            "link_preview_options": {"is_disabled": True},
            "disable_notification": True,
        }
        where = f"{self.api_base.rstrip('/')}/bot{self.token.get_secret_value()}/sendMessage"
        async with session.post(where, json=message, allow_redirects=False) as answer:
            _accepted(answer)


def _accepted(answer: aiohttp.ClientResponse) -> None:
    """Raises for whatever is not of the 200s, a redirect too: it would lead the secret elsewhere."""
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own numbers
        raise aiohttp.ClientResponseError(answer.request_info, (), status=answer.status)


def file_name(size: int) -> str:
    """A checkpoint's file, by the number of leaves; twelve digits, so that names stand in order."""
    return f"{size:012}.note"


def replace(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all, on the disk when it returns. Makes its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
