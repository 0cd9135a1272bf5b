"""The console's web process: it knows who is signed in and shows the queue; what is opened, it only passes on.

    run(settings)                                  # until it is stopped
    async with opened(place) as console: app = build(console)

`ROUTES` is every way in, each with the act that a role must be allowed. One such process at a time: sessions of an
earlier one are ended at the start, for their keys went with it.
"""

import asyncio
import contextlib
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from admin import keys, logs
from admin.console import door_pages, factor_pages, proving, queue_pages, report_pages, session_pages
from admin.console.children import Children, Served
from admin.console.door import Door
from admin.console.factors import Factors
from admin.console.guard import Person, Route, guarded, language
from admin.console.live import Live
from admin.console.network import Networks
from admin.console.pages import Pages
from admin.console.parts import Console
from admin.console.permissions import Act
from admin.console.protect import Protect
from admin.console.quiet import quiet
from admin.console.static import Static
from admin.console.throttle import Throttle
from admin.console.webauthn_site import Site
from admin.errors import AdminError
from admin.settings import ConsoleSettings, seen_manifest
from storage import desk, sessions
from storage.database import UNAVAILABLE, changes, pool
from storage.manifest import SeenSerial
from storage.members import Member

LISTEN_BACKLOG = 128
HOLDS = timedelta(minutes=30)  # a lock, without use
POLL_EVERY_S = 10.0
SWEEP_EVERY_S = 3.0
_log = structlog.get_logger()


async def health(console: Console, _: Person, __: Request) -> Response:
    """204 while the database answers; nothing else is said."""
    await console.database.fetchval("SELECT 1")
    return Response(status_code=204)


async def asset(console: Console, _: Person, request: Request) -> Response:
    """A script or a style, under the hash of what is in it."""
    found = console.static.asset(request.path_params["name"])
    if found is None:
        return Response(status_code=404)
    kept = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(found.data, media_type=found.content_type, headers=kept)


ROUTES = (
    Route("GET", "/", door_pages.start, Act.COME_IN),
    Route("GET", "/sign-in", door_pages.sign_in_page, Act.COME_IN),
    Route("POST", "/sign-in", door_pages.sign_in, Act.COME_IN),
    Route("GET", "/sign-in/key", door_pages.key_to_sign_in, Act.COME_IN),
    Route("POST", "/sign-out", door_pages.sign_out, Act.PROVE),
    Route("GET", "/prove", proving.prove_page, Act.PROVE),
    Route("POST", "/prove", proving.prove, Act.PROVE),
    Route("GET", "/sessions", session_pages.listed, Act.STAY),
    Route("POST", "/sessions/end", session_pages.end, Act.STAY),
    Route("POST", "/sessions/others/end", session_pages.end_other, Act.END_SESSIONS),
    Route("POST", "/language", door_pages.choose_language, Act.COME_IN),
    Route("GET", "/healthz", health, Act.COME_IN, watching=True),
    Route("GET", "/static/{name}", asset, Act.COME_IN, watching=True),
    Route("GET", "/factors", factor_pages.listed, Act.STAY),
    Route("GET", "/factors/key", factor_pages.key_to_add, Act.FACTORS),
    Route("POST", "/factors/key", factor_pages.add_key, Act.FACTORS),
    Route("POST", "/factors/remove", factor_pages.remove_key, Act.FACTORS),
    Route("POST", "/factors/codes", factor_pages.new_codes, Act.FACTORS),
    Route("GET", "/queue", queue_pages.queue, Act.SEE_QUEUE),
    Route("GET", "/queue/rows", queue_pages.rows, Act.SEE_QUEUE, watching=True),
    Route("GET", "/queue/changes", queue_pages.changes, Act.SEE_QUEUE, watching=True),
    Route("POST", "/queue/next", queue_pages.claim_next, Act.WORK),
    Route("POST", "/queue/waiting-room", queue_pages.let_all_in, Act.WORK),
    Route("POST", "/reports/{report:uuid}/let-in", queue_pages.let_in, Act.WORK),
    Route("POST", "/reports/{report:uuid}/claim", queue_pages.claim, Act.WORK),
    Route("POST", "/reports/{report:uuid}/release", queue_pages.release, Act.WORK),
    Route("POST", "/reports/{report:uuid}/status", queue_pages.change, Act.WORK),
    Route("POST", "/reports/{report:uuid}/take-over", queue_pages.take_over, Act.TAKE_OVER),
    Route("POST", "/reports/{report:uuid}/shred", queue_pages.agree_to_shred, Act.SHRED),
    Route("POST", "/reports/{report:uuid}/shred/take-back", queue_pages.take_back, Act.SHRED),
    Route("POST", "/reports/{report:uuid}/hold", queue_pages.hold, Act.HOLD),
    Route("POST", "/reports/{report:uuid}/hold/lift", queue_pages.lift, Act.HOLD),
    Route("POST", "/reports/{report:uuid}/answer", report_pages.relayed, Act.ANSWER),
    Route("GET", "/reports/{report:uuid}", report_pages.relayed, Act.OPEN),
    Route("GET", "/reports/{report:uuid}/files/{file:uuid}", report_pages.relayed, Act.DOWNLOAD),
    Route("GET", "/reports/{report:uuid}/files/{file:uuid}/veiled", report_pages.relayed, Act.OPEN),
    Route("GET", "/reports/{report:uuid}/files/{file:uuid}/look", report_pages.relayed, Act.OPEN),
    Route("GET", "/reports/{report:uuid}/files/{file:uuid}/blurred", report_pages.relayed, Act.OPEN),
    Route("GET", "/reports/{report:uuid}/files/{file:uuid}/clear", report_pages.relayed, Act.OPEN),
)


class ServeError(AdminError):
    """The console cannot be served; the text says what is in the way."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the console works. `seen` notes the highest manifest; `work_factor` is what members' files cost."""

    database: str = field(repr=False)
    blobs: str
    ceremony_key: Ed25519PublicKey
    seen: Path
    work_factor: int
    idle: timedelta
    holds: timedelta = HOLDS
    blob_settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxy: str = ""  # the address whose headers are believed
    certificate_header: str = ""
    url: str = "http://localhost:8080"  # the address that browsers use


def _now() -> datetime:
    return datetime.now(UTC)


@contextlib.asynccontextmanager
async def opened(
    place: Place,
    *,
    now: Callable[[], datetime] = _now,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Console]:
    """The console's parts, for as long as it is served."""
    engine, static, live = desk.engine(place.database), Static(), Live()
    children = Children(
        Served(
            place.database, place.blobs, place.blob_settings, place.holds.total_seconds(),
            place.ceremony_key.public_bytes_raw().hex(), str(place.seen.resolve()),
        )
    )  # fmt: skip
    networks = Networks(
        secrets.token_bytes(32), proxy=place.proxy, certificate_header=place.certificate_header
    )
    throttle, proofs = Throttle(clock=clock, sleep=sleep), Throttle(clock=clock, sleep=sleep)
    decoy = await asyncio.to_thread(_nobody, place.work_factor, now())
    async with pool(place.database, size=4) as database:
        await sessions.end_all(database)
        factors = Factors(database, Site.at(place.url))
        door = Door(
            database, place.ceremony_key, SeenSerial(place.seen), throttle, factors,
            decoy=decoy, now=now, clock=clock, sleep=sleep,
        )  # fmt: skip
        console = Console(
            database, desk.Desk(engine, now=now, holds=place.holds), door, proofs, networks, factors, children, live,
            Pages(("console",), static), static, now, place.idle,
        )  # fmt: skip
        tasks = [
            asyncio.create_task(live.follow(changes(place.database, poll_every=POLL_EVERY_S))),
            asyncio.create_task(_sweep(console)),
        ]
        try:
            yield console
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await children.close()
            await engine.dispose()


def build(console: Console) -> Protect:
    """The ASGI app of all `ROUTES`."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for route in ROUTES:
        app.add_api_route(route.path, guarded(console, route), methods=[route.method], response_model=None)

    def page(reason: str, request: Request) -> str:
        return console.pages.render("refused.html", language(console, request), reason=reason, back="/")

    async def not_found(request: Request, _: Exception) -> Response:
        return HTMLResponse(page("not_found", request), 404)

    app.add_exception_handler(404, not_found)
    app.add_exception_handler(405, not_found)
    return Protect(app, page)


def run(settings: ConsoleSettings) -> None:
    """Serves until SIGINT or SIGTERM. ServeError says what is in the way; LocalError when PostgreSQL cannot run."""
    logs.start()
    quiet()
    with _listen(settings) as listening, settings.database() as url:
        place = Place(
            url,
            settings.blobs_at,
            settings.ceremony_public_key(),
            seen_manifest(settings.state, "console"),
            settings.scrypt_work_factor,
            timedelta(minutes=settings.session_minutes),
            blob_settings=settings.s3(),
            proxy=str(settings.proxy_address or ""),
            certificate_header=settings.client_certificate_header,
            url=settings.url,
        )
        sys.stderr.write(f"The console is at {settings.url} (Ctrl-C stops it).\n")
        try:
            asyncio.run(serve(place, listening))
        except UNAVAILABLE:
            raise ServeError(
                "The database does not answer. Check that it runs and that DODOMU_CONSOLE_DATABASE_URL is right."
            ) from None


async def serve(place: Place, listening: socket.socket) -> None:
    """Serves on a socket that listens already, until the process is told to end."""
    async with opened(place) as console:
        await Server(console).serve(sockets=[listening])


class Server(uvicorn.Server):
    """Ends the streams before it waits for connections to end."""

    def __init__(self, console: Console) -> None:
        super().__init__(
            uvicorn.Config(
                build(console),
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=3,
            )
        )
        self._console = console

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end serving, and no more: what was opened is then closed in its order."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for one in signals:
            loop.add_signal_handler(one, self._end)
        try:
            yield
        finally:
            for one in signals:
                loop.remove_signal_handler(one)

    def _end(self) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's."""
        self._console.live.close()
        await super().shutdown(sockets)


def _listen(settings: ConsoleSettings) -> socket.socket:
    host, port = settings.console_host, settings.console_port
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(LISTEN_BACKLOG)
    except OSError as error:
        listening.close()
        raise ServeError(
            f"{settings.listens_at} cannot be listened on: {error.strerror}. Stop what uses it, or set"
            " DODOMU_CONSOLE_PORT to another port."
        ) from None
    return listening


async def _sweep(console: Console) -> None:
    while True:
        await asyncio.sleep(SWEEP_EVERY_S)
        try:
            await console.end_lapsed()
        except UNAVAILABLE as error:
            _log.warning("sweep_waits", error=type(error).__name__)


def _nobody(work_factor: int, now: datetime) -> Member:
    """A member who does not exist, for call signs that do not."""
    return keys.new_member(secrets.token_urlsafe(32), work_factor).row("nobody", "observer", now)
