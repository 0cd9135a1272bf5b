"""A team with keys, reports sealed to it, and a console really served, with its children, on this machine."""

import asyncio
import contextlib
import hashlib
import io
import os
import re
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pyotp
import pytest
from PIL import Image

from admin import ceremony, members
from admin.ceremony import TEAM, Made
from admin.console import web
from admin.console.door import token_sha256
from admin.console.guard import COOKIE
from admin.console.parts import Console
from admin.members import Added, Opener
from seal import HybridIdentity, seal_chunks
from seal.padding import pad_tail
from storage import manifest, roles, submission
from storage.blobs import Blobs
from storage.desk import Who
from storage.manifest import Compartment, Manifest, SeenSerial
from storage.members import RECOVERY
from storage.secrets import ProcessSecret
from storage.submission import Given, Receipt, SealedFile

WORK_FACTOR = 4
NAME, WORDS = "Zlata Vyhadana", "She went to the river with the blue coat"


@dataclass
class Clock:
    """The console's clock: real, and moved on at will. Sleeps are noted and take no time."""

    ahead: timedelta = timedelta()
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def seconds(self) -> float:
        return self.ahead.total_seconds()

    def moves(self, **by: float) -> None:
        self.ahead += timedelta(**by)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@dataclass
class Team:
    """The ceremony's keys, and what is needed to add members and to take reports."""

    made: Made
    database: Any
    folder: Path
    blobs: Blobs
    connection: asyncpg.Connection
    bot: asyncpg.Connection
    secret: ProcessSecret

    @property
    def compartment(self) -> Compartment:
        return self.made.manifest.compartments[TEAM]

    relay: HybridIdentity

    async def newest(self) -> Manifest:
        """The manifest as the keeper sees it."""
        key = self.made.ceremony_key.public_key()
        return await manifest.newest(self.connection, key, SeenSerial(self.folder / "seen-keeper"))

    def key(self, compartment: str) -> Compartment:
        return self.made.manifest.compartments[compartment]

    async def adds(
        self, call_sign: str, role: str = "analyst", compartments: Sequence[str] = (TEAM,)
    ) -> Added:
        return await members.add(
            self.connection,
            call_sign,
            role,
            signer=self.made.ceremony_key,
            opener=Opener(RECOVERY, self.made.recovery),
            seen=SeenSerial(self.folder / "seen-keeper"),
            work_factor=WORK_FACTOR,
            now=datetime.now(UTC),
            compartments=compartments,
        )

    async def file(
        self,
        data: bytes,
        name: str = "from mother.jpg",
        kind: str = "photo",
        *,
        compartment: str = TEAM,
        **told: Any,
    ) -> SealedFile:
        """As intake keeps a file: padded, sealed, complete."""

        async def padded() -> AsyncIterator[bytes]:
            yield data
            yield bytes(pad_tail(len(data)))

        stored = await self.blobs.put(seal_chunks(padded(), [self.key(compartment).key()]))
        meta = {
            "name": name, "mime": "image/jpeg" if kind == "photo" else "application/octet-stream", "kind": kind,
            "step": "photo", "length": len(data), "sha256": hashlib.sha256(data).hexdigest(),
            "salt": os.urandom(32).hex(), "compartment": compartment, "epoch": self.compartment.epoch, **told,
        }  # fmt: skip
        return SealedFile(uuid.uuid4(), stored.name, stored.sha256, stored.size, self.compartment.epoch, meta)

    async def takes_report(
        self, *files: SealedFile, urgency: str = "normal", at: datetime | None = None, name: str = NAME
    ) -> uuid.UUID:
        """A report as intake submits it; returns its id."""
        ids = [str(file.id) for file in files]
        answers = {
            "body": 1, "form": "family", "version": 1, "language": "en",
            "answers": [
                {"step": "name", "label": "ask.name.label", "words": [name]},
                {"step": "age", "label": "ask.age.label", "words": ["about eight"],
                 "understood": {"age": 8, "about": True}},
                {"step": "photo", "label": "ask.photo.label", "words": [WORDS], "files": ids},
            ],
            "beside": [{"step": "before", "label": "label.before", "words": ["Please help us"]}],
            "files": [{"id": one, "kind": "photo", "step": "photo"} for one in ids],
        }  # fmt: skip
        given = Given(
            "family", 1, urgency, {"language": "en", "answers": answers}, files,
            answer_here=False, address=0,
        )  # fmt: skip
        receipt: Receipt = await submission.submit(
            self.bot, uuid.uuid4(), given, to=(TEAM, self.compartment), secret=self.secret, now=at or datetime.now(UTC)
        )  # fmt: skip
        return receipt.report

    async def takes(
        self, form: str, *, at: datetime | None = None, files: Sequence[SealedFile] = (), **told: Any
    ) -> uuid.UUID:
        """A report of any form, in its compartment; `told` are members of what `flows.body` gives."""
        body = {
            "body": 1,
            "form": form,
            "version": 1,
            "language": "uk",
            "answers": [],
            "beside": [],
            "files": [],
        }
        name = self.made.manifest.compartment_of(form)
        content = {"language": "uk", "form": form, "form_version": 1, "answers": body | told}
        receipt = await submission.submit(
            self.bot,
            uuid.uuid4(),
            Given(form, 1, "high", content, files, answer_here=False, address=0),
            to=(name, self.key(name)),
            secret=self.secret,
            now=at or datetime.now(UTC),
        )
        return receipt.report

    async def adds_to(
        self,
        report: uuid.UUID,
        *files: SealedFile,
        at: datetime | None = None,
        compartment: str = TEAM,
        content: Mapping[str, Any] | None = None,
    ) -> None:
        await submission.add(
            self.bot,
            report,
            content or {"language": "en"},
            files,
            key=self.key(compartment),
            now=at or datetime.now(UTC),
        )


@pytest.fixture
async def team(fresh_database: Any, tmp_path: Path) -> AsyncIterator[Team]:
    connection = await asyncpg.connect(fresh_database.url(roles.KEEPER))
    bot = await asyncpg.connect(fresh_database.url(roles.BOT))
    relay = HybridIdentity.generate()
    made = ceremony.make(datetime.now(UTC).date(), relay.recipient)
    await ceremony.keep(connection, made, datetime.now(UTC))
    blobs = Blobs.open(str(tmp_path / "blobs"))
    yield Team(made, fresh_database, tmp_path, blobs, connection, bot, ProcessSecret(bytes(range(32))), relay)
    await connection.close()
    await bot.close()


@pytest.fixture
async def superuser(fresh_database: Any) -> AsyncIterator[asyncpg.Connection]:
    """Changes in the database what nobody may: no trigger, no foreign key holds them."""
    connection = await asyncpg.connect(fresh_database.superuser_url)
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Served:
    """A console in service."""

    address: str
    console: Console
    clock: Clock
    database: Any


@pytest.fixture
def place(team: Team) -> web.Place:
    return web.Place(
        team.database.url(roles.CONSOLE),
        str(team.folder / "blobs"),
        team.made.ceremony_key.public_key(),
        team.folder / "seen-console",
        WORK_FACTOR,
        timedelta(minutes=30),
    )


@contextlib.asynccontextmanager
async def serving(place: web.Place, clock: Clock, database: Any) -> AsyncIterator[Served]:
    listening = socket.create_server(("127.0.0.1", 0))
    async with web.opened(place, now=clock.now, sleep=clock.sleep) as console:
        server = web.Server(console)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        await until(lambda: server.started)
        yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}", console, clock, database)
        server.should_exit = True
        await task


@pytest.fixture
async def served(team: Team, place: web.Place, clock: Clock) -> AsyncIterator[Served]:
    async with serving(place, clock, team.database) as served:
        yield served


async def until(true: Callable[[], bool]) -> None:
    """Waits for a condition."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - any condition, not one that says when it changes
            await asyncio.sleep(0.01)


@dataclass
class Page:
    """An answer, read to its end."""

    status: int
    text: str
    data: bytes
    headers: Any
    path: str


class Person:
    """Someone with a browser: signs in, opens, claims."""

    def __init__(self, served: Any, added: Added | None, *, at: str | None = None) -> None:
        self.served = served
        self.added = added
        self.http = aiohttp.ClientSession(
            # A connection kept for long may be closed by the server just as it is used again.
            connector=aiohttp.TCPConnector(local_addr=(at, 0) if at else None, force_close=True),
            cookie_jar=aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=served.address),
            headers={"sec-fetch-site": "same-origin", "accept-language": "en"},
        )

    @property
    def who(self) -> Who:
        assert self.added is not None
        return Who(self.added.member.id, (TEAM,))

    @property
    def token(self) -> str:
        """What the browser's cookie holds."""
        (cookie,) = [one for one in self.http.cookie_jar if one.key == COOKIE]
        return cookie.value

    @property
    def session(self) -> bytes:
        return token_sha256(self.token)

    def code(self) -> str:
        assert self.added is not None
        return pyotp.TOTP(self.added.totp_secret).at(self.served.clock.now())

    async def signs_in(self, **other: str) -> Page:
        assert self.added is not None
        given = {
            "call_sign": self.added.member.call_sign,
            "passphrase": self.added.passphrase,
            "code": self.code(),
        }
        return await self.posts("/sign-in", **{**given, **other})

    async def opens(self, path: str, **headers: str) -> Page:
        async with self.http.get(self.served.address + path, headers=headers) as answer:
            return await _page(answer)

    async def asks(self, method: str, path: str, **headers: str) -> tuple[int, str]:
        """The status and where it leads; the rest is not read, for some answers never end."""
        data = {} if method == "POST" else None
        address = self.served.address + path
        async with self.http.request(
            method, address, data=data, headers=headers, allow_redirects=False
        ) as answer:
            return answer.status, answer.headers.get("location", "")

    async def posts(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> Page:
        async with self.http.post(self.served.address + path, data=fields, headers=headers) as answer:
            return await _page(answer)

    async def sees_after(self, path: str, fragment: str) -> Page:
        """Opens a page again and again until it shows this."""
        async with asyncio.timeout(10):
            page = await self.opens(path)
            while fragment not in page.text:
                page = await self.opens(path)
        return page


async def _page(answer: aiohttp.ClientResponse) -> Page:
    data = await answer.read()
    return Page(answer.status, data.decode(errors="replace"), data, answer.headers, answer.url.path_qs)


@pytest.fixture
async def person(served: Served, team: Team) -> AsyncIterator[Callable[..., Any]]:
    """`await person("swift", "analyst")`: a new member with a browser, signed in unless asked otherwise."""
    people: list[Person] = []

    async def add(
        call_sign: str,
        role: str = "analyst",
        compartments: Sequence[str] = (TEAM,),
        *,
        signed_in: bool = True,
    ) -> Person:
        one = Person(served, await team.adds(call_sign, role, compartments))
        people.append(one)
        if signed_in:
            page = await one.signs_in()
            assert page.path == "/queue" or role == "keeper", page.text
        return one

    yield add
    for one in people:
        await one.http.close()


@pytest.fixture
async def stranger(served: Served) -> AsyncIterator[Person]:
    one = Person(served, None)
    yield one
    await one.http.close()


def picture(colour: str = "orange", size: tuple[int, int] = (320, 200)) -> bytes:
    buffer = io.BytesIO()
    drawn = Image.new("RGB", size, colour)
    drawn.paste("white", (size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2))
    drawn.save(buffer, "JPEG")
    return buffer.getvalue()


def addresses(page: str, ending: str = "") -> list[str]:
    """The paths of files that a report's page leads to."""
    return sorted(set(re.findall(rf'/reports/[0-9a-f-]+/files/[0-9a-f-]+{ending}(?=")', page)))


async def rows(url: str, query: str, *args: Any) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(query, *args))
    finally:
        await connection.close()
