"""What somebody opens who has a copy of the whole database and some identities: everything that follows from them.

thief = Thief([identity])
thief.copies(await everything(superuser))
thief.opened                        # every age file that opens, and whatever opens with what was in it
"""

import json
import re
from collections.abc import Iterable

import asyncpg

from seal import HybridIdentity, SealError, open_bytes, parse_identity

_AGE = b"age-encryption.org/v1"
_SECRET = re.compile(r"AGE-SECRET-KEY-[A-Z0-9-]+")


async def everything(superuser: asyncpg.Connection) -> set[bytes]:
    """Every age file in every column of every table."""
    tables = await superuser.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found: set[bytes] = set()
    for table in tables:
        for row in await superuser.fetch(f'SELECT * FROM "{table["tablename"]}"'):
            found |= {value for value in row if isinstance(value, bytes) and value.startswith(_AGE)}
    return found


class Thief:
    """Opens all that follows: each identity that is found in an opened file is tried on all the others."""

    def __init__(self, identities: Iterable[HybridIdentity]) -> None:
        self.identities = {one.reveal(): one for one in identities}
        self.opened: dict[bytes, bytes] = {}
        self._files: set[bytes] = set()

    def copies(self, files: set[bytes]) -> None:
        """Takes these files and tries everything on everything, until nothing more opens."""
        self._files |= files
        while self._try_all():
            pass

    def reads(self, words: str) -> bool:
        """Whether an opened file says this."""
        return any(words.encode() in text for text in self.opened.values())

    def _try_all(self) -> bool:
        before = len(self.opened)
        for file in self._files - self.opened.keys():
            try:
                text = open_bytes(file, list(self.identities.values()))
            except SealError:
                continue
            self.opened[file] = text
            for line in _SECRET.findall(json.dumps(json.loads(text))):
                identity = parse_identity(line)
                assert isinstance(identity, HybridIdentity)
                self.identities[line] = identity
        return len(self.opened) > before
