"""The bot's wiring: adapters are built here, once, and passed in. Nothing else reads settings or the clock.

async with build(settings) as app:
    await app.run()
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramRetryAfter
from aiohttp import web

from bot import introduction, telegram, upkeep, webhook
from bot.delivery import Delivery
from bot.downloads import Downloads
from bot.limits import Limits
from bot.pace import Pace
from bot.polling import poll
from bot.replies import Replies
from bot.settings import BotSettings
from bot.updates import ALLOWED, Updates
from flows.lookup import Atlas
from flows.places import Places
from flows.vocabulary import Vocabulary
from handlers.line import Line
from locales import Texts, offered
from storage import attendance, local, manifest, replies, roles, setup
from storage.blobs import Blobs
from storage.database import UNAVAILABLE, Announcer, pool
from storage.errors import ManifestError
from storage.intake import Intake
from storage.refusals import OnRecord, of_manifest
from storage.secrets import DaySecrets, ProcessSecret

log = structlog.get_logger()

DATABASE = "dodomu"
_MIB = 1024 * 1024
_REREAD_S = 30.0
_ASK_AGAIN_S = 2.0


def now() -> datetime:
    """The process's clock."""
    return datetime.now(UTC)


@dataclass
class App:
    """A bot that is wired and not yet running."""

    settings: BotSettings
    bot: Bot
    intake: Intake
    line: Line
    blobs: Blobs
    delivery: Delivery
    downloads: Downloads
    updates: Updates
    replies: Replies
    trust: "Trust"
    attendance: "Attendance"

    async def run(self) -> None:
        """Serves until cancelled."""
        if unconfirmed := self.settings.unconfirmed:
            log.warning("texts_to_confirm", settings=unconfirmed)
        if self.line.relay is None or self.trust.current().relay != str(self.line.relay.recipient):
            log.warning("relay_not_in_manifest", help="python -m bot relay")  # no reply could be opened here
        async with asyncio.TaskGroup() as group:
            group.create_task(introduction.introduce(self.bot, self.line.texts))
            group.create_task(self.trust.keep_reading())
            group.create_task(self.attendance.keep_reading())
            group.create_task(self.delivery.keep_leases())
            group.create_task(self.replies.run())
            group.create_task(
                upkeep.run(self.intake, self.delivery, self.downloads, self.blobs, self.updates)
            )
            if self.settings.webhook_url is None:
                await self._ask_telegram(self.bot.delete_webhook)
                log.info("bot_started", by="polling")
                group.create_task(poll(self.bot, self.updates))
            else:
                group.create_task(self._serve_webhook())

    async def _serve_webhook(self) -> None:
        settings = self.settings
        assert settings.webhook_url is not None
        assert settings.webhook_secret is not None  # the settings saw to both
        secret = settings.webhook_secret.get_secret_value()
        app = webhook.build(self.updates, path="/webhook", secret=secret)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.webhook_host, settings.webhook_port).start()
            await self._ask_telegram(
                partial(
                    self.bot.set_webhook, settings.webhook_url, secret_token=secret, allowed_updates=ALLOWED
                )
            )
            log.info("bot_started", by="webhook")
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _ask_telegram(self, question: Callable[[], Awaitable[bool]]) -> None:
        """Asks until it is answered: without it no update would ever come."""
        while True:
            try:
                await question()
            except TelegramRetryAfter as limit:
                await asyncio.sleep(limit.retry_after)
            except AiogramError as error:
                log.warning("telegram_away", error=type(error).__name__)
                await asyncio.sleep(_ASK_AGAIN_S)
            else:
                return


class Attendance:
    """For how long nobody has opened the queue, read again at times."""

    def __init__(self, intake: Intake, tell_after_hours: int) -> None:
        self._intake = intake
        self._tell_after = timedelta(hours=tell_after_hours)
        self._last: datetime | None = None

    def silent_hours(self) -> int:
        """Whole hours, once they are too many to keep to ourselves; 0 else, and while nobody ever came."""
        if self._last is None or not self._tell_after:
            return 0
        silent = self._intake.now() - self._last
        return int(silent / timedelta(hours=1)) if silent >= self._tell_after else 0

    async def read(self) -> None:
        """Reads when somebody came last."""
        self._last = await attendance.last_opened(self._intake.connections)

    async def keep_reading(self) -> None:
        """Reads again every half minute."""
        while True:
            await asyncio.sleep(_REREAD_S)
            with contextlib.suppress(*UNAVAILABLE):
                await self.read()


class Trust:
    """The newest manifest that verified; read again at times, and kept when a worse one is found."""

    def __init__(self, settings: BotSettings, intake: Intake) -> None:
        self._key = settings.verification_key
        self._intake = intake
        self._on_record = OnRecord("bot")
        self._seen = manifest.SeenSerial(settings.state / "bot" / "manifest-serial")
        self._manifest: manifest.Manifest | None = None

    def current(self) -> manifest.Manifest:
        """The manifest to seal by."""
        assert self._manifest is not None, "read() comes first"
        return self._manifest

    async def read(self) -> None:
        """Reads and verifies the newest manifest; ManifestError, on record, when it cannot be trusted."""
        connections = self._intake.connections
        try:
            self._manifest = await manifest.newest(connections, self._key, self._seen)
        except ManifestError as error:
            if what := of_manifest(error):
                await self._on_record.refused(connections, what, "", self._intake.now())
            raise

    async def keep_reading(self) -> None:
        """Reads again every half minute; a manifest that cannot be trusted changes nothing and is logged."""
        while True:
            await asyncio.sleep(_REREAD_S)
            try:
                await self.read()
            except ManifestError as error:
                log.error("manifest_refused", error=type(error).__name__)
            except UNAVAILABLE:
                log.warning("database_away")


@contextlib.asynccontextmanager
async def build(settings: BotSettings, *, clock: Callable[[], datetime] = now) -> AsyncIterator[App]:
    """Builds every adapter, and takes them down in turn."""
    async with contextlib.AsyncExitStack() as stack:
        url = database_url(settings, stack)
        connections = await stack.enter_async_context(pool(url))
        state = settings.state / "bot"
        intake = Intake(
            connections,
            ProcessSecret.at(state / "secret"),
            DaySecrets(state / "days"),
            now=clock,
            draft_ttl=settings.draft_ttl,
        )
        trust = Trust(settings, intake)
        await trust.read()
        team = Attendance(intake, settings.silent_hours)
        await team.read()
        bot = telegram.connect(settings.bot_token.get_secret_value(), settings.api_base)
        stack.push_async_callback(bot.session.close)
        line = Line(
            texts={
                lang: Texts.load(lang, domains=("forms", "bot"), values=settings.values(lang))
                for lang in offered("forms")
            },
            places=Atlas(Places.load(), Vocabulary.load()),
            manifest=trust.current,
            intake=intake,
            max_file_bytes=settings.max_file_mib * _MIB,
            silent_hours=team.silent_hours,
            relay=replies.relay_identity(state / replies.RELAY),
        )
        blobs = Blobs.open(settings.blobs or str(settings.state / "blobs"), settings.s3())
        pace = Pace(time.monotonic)
        delivery = Delivery(intake, bot, pace)
        downloads = Downloads(intake, bot, blobs, line, delivery)
        stack.push_async_callback(downloads.stop)
        limits = Limits(intake, settings.quotas)
        announcer = Announcer(connections)
        updates = Updates(bot, intake, line, delivery, downloads, blobs, announcer, pace, limits)
        stack.push_async_callback(updates.stop)
        answers = Replies(intake, bot, line, thread_ttl=settings.thread_ttl)
        yield App(settings, bot, intake, line, blobs, delivery, downloads, updates, answers, trust, team)


def database_url(settings: BotSettings, stack: contextlib.AsyncExitStack) -> str:
    """The database of the settings, or the embedded one, held until the stack unwinds."""
    if settings.bot_database_url is not None:
        return settings.bot_database_url.get_secret_value()
    server = stack.enter_context(local.acquire(settings.state / "postgres"))
    password = setup.new_passwords(settings.state / "roles")[roles.BOT]
    return server.url(roles.BOT, password, DATABASE)
