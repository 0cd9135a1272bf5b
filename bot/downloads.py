"""Fetches what people send: from Telegram straight into a sealed blob, never in clear on a disk.

The order to fetch is a row, so that it outlives the process. The chat's row is locked only when the blob is
complete: then the draft learns of it, or, if the report was sent meanwhile, the file joins it as an addition; the
person's message is deleted only now. What was erased meanwhile is dropped, and so is a file that the same report
holds already, byte for byte: it is listed once, with both ids.
"""

import asyncio
import contextlib
import hashlib
import os
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest, TelegramNotFound, TelegramRetryAfter
from aiohttp import ClientError

from bot.delivery import Delivery
from bot.fetching import GoneError, original
from flows import FlowError, Interview, Text, card
from flows.files import told_once
from handlers.line import Line
from seal import HybridRecipient, padding, seal_chunks
from storage import draft_files, submission
from storage.blobs import Blobs, Stored, UnavailableBlobsError
from storage.database import UNAVAILABLE, Connection
from storage.draft_files import Download
from storage.errors import LapsedError, SwappedRowError
from storage.intake import LEASE, Draft, Intake, Outgoing, Visit

log = structlog.get_logger()

AT_ONCE = 4
ATTEMPTS = 12  # over about four hours
_LONGEST_PAUSE_S = 1800.0
_ZEROS = bytes(64 * 1024)
_LEASE = """UPDATE downloads SET leased_until = $1, attempts = attempts + 1 WHERE id IN (
  SELECT id FROM downloads WHERE not_before <= $2 AND (leased_until IS NULL OR leased_until < $2)
  ORDER BY not_before LIMIT 50 FOR UPDATE SKIP LOCKED) RETURNING id"""
_FETCH_WITHIN = timedelta(minutes=10)


class _Hashed:
    """Counts and hashes the original on its way, and pads it with zeros at its end."""

    def __init__(self, chunks: AsyncIterator[bytes], limit: int) -> None:
        self._chunks = chunks
        self._limit = limit
        self._sha256 = hashlib.sha256()
        self.length = 0

    @property
    def sha256(self) -> str:
        """Of the original, as received; hex."""
        return self._sha256.hexdigest()

    async def padded(self) -> AsyncIterator[bytes]:
        """The original, then zeros up to its padded length."""
        async for chunk in self._chunks:
            self.length += len(chunk)
            if self.length > self._limit:
                raise GoneError
            self._sha256.update(chunk)
            yield chunk
        left = padding.padded_length(self.length) - self.length
        while left > 0:
            yield _ZEROS[: min(left, len(_ZEROS))]
            left -= len(_ZEROS)


class Downloads:
    """Fetches files in the background: `begin` after a commit, `recover` at times for what is left over."""

    def __init__(self, intake: Intake, bot: Bot, blobs: Blobs, line: Line, delivery: Delivery) -> None:
        self._intake = intake
        self._bot = bot
        self._blobs = blobs
        self._line = line
        self._delivery = delivery
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[uuid.UUID, asyncio.Task[None]] = {}

    def begin(self, files: list[uuid.UUID]) -> None:
        """Fetches these, whose lease this process holds. Returns at once."""
        for file in files:
            if file not in self._tasks:
                task = self._tasks[file] = asyncio.create_task(self._run(file))
                task.add_done_callback(partial(self._finished, file))

    async def recover(self) -> None:
        """Takes over what nobody is fetching."""
        now = self._intake.now()
        rows = await self._intake.connections.fetch(_LEASE, now + LEASE, now)
        self.begin([row["id"] for row in rows])

    def _finished(self, file: uuid.UUID, _: asyncio.Task[None]) -> None:
        self._tasks.pop(file, None)

    async def stop(self) -> None:
        """Ends what is under way; the rows stay."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, file: uuid.UUID) -> None:
        async with self._slots:
            renewal = asyncio.create_task(self._renew(file))
            try:
                await self._fetch(file)
            except (LapsedError, SwappedRowError) as error:
                log.error("download_refused", file=str(file), error=type(error).__name__)
                await self._intake.connections.execute("DELETE FROM downloads WHERE id = $1", file)
            except UNAVAILABLE:
                pass
            except Exception as error:  # noqa: BLE001 -- it is tried again when its lease lapses, and not for ever
                log.error("download_refused", file=str(file), error=type(error).__name__)
            finally:
                renewal.cancel()

    async def _renew(self, file: uuid.UUID) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 2)
            with contextlib.suppress(*UNAVAILABLE):
                await self._intake.connections.execute(
                    "UPDATE downloads SET leased_until = $2 WHERE id = $1", file, self._intake.now() + LEASE
                )

    async def _fetch(self, file: uuid.UUID) -> None:
        async with self._intake.connections.acquire() as connection, connection.transaction():
            download = await draft_files.read(self._intake, connection, file)
        if download is None:
            return
        manifest = self._line.manifest()
        key = manifest.compartments[download.job["compartment"]]
        if download.attempts > ATTEMPTS:  # whatever stopped it each time
            await self._settle(download, None, {"lost": True}, key.epoch)
            return
        salt = os.urandom(32)
        try:
            stored, seen = await asyncio.wait_for(
                self._stream(download.job["file_id"], key.key()), _FETCH_WITHIN.total_seconds()
            )
        except (GoneError, TelegramBadRequest, TelegramNotFound):
            await self._settle(download, None, {"lost": True}, key.epoch)
        except (AiogramError, ClientError, TimeoutError, UnavailableBlobsError) as error:
            await self._again(download, error, key.epoch)
        else:
            facts = {"length": seen.length, "sha256": seen.sha256, "salt": salt.hex()}
            if not await self._settle(download, stored, facts, key.epoch):
                await self._blobs.delete(stored.name)

    async def _stream(self, file_id: str, recipient: HybridRecipient) -> tuple[Stored, _Hashed]:
        seen = _Hashed(original(self._bot, file_id), self._line.max_file_bytes)
        return await self._blobs.put(seal_chunks(seen.padded(), [recipient])), seen

    async def _again(self, download: Download, error: Exception, epoch: int) -> None:
        """Later, or never when it failed too often."""
        log.info(
            "download_failed", file=str(download.id), error=type(error).__name__, attempts=download.attempts
        )
        if download.attempts >= ATTEMPTS:
            await self._settle(download, None, {"lost": True}, epoch)
            return
        pause = error.retry_after if isinstance(error, TelegramRetryAfter) else 2.0**download.attempts
        await self._intake.connections.execute(
            "UPDATE downloads SET not_before = $2, leased_until = NULL WHERE id = $1",
            download.id, self._intake.now() + timedelta(seconds=min(pause, _LONGEST_PAUSE_S)),
        )  # fmt: skip

    async def _settle(
        self, download: Download, stored: Stored | None, facts: dict[str, Any], epoch: int
    ) -> bool:
        """Writes what became of a download; False when its blob is not to be kept."""
        if download.chat is not None:
            async with self._intake.visit(download.chat, download.job["to"]) as visit:
                now = await draft_files.read(self._intake, visit.connection, download.id)
                if now is None:
                    return False
                await visit.connection.execute("DELETE FROM downloads WHERE id = $1", download.id)
                if now.chat is not None:
                    _vanishes(visit, now)
                if now.chat is None or "report" in now.job:
                    kept = await self._join_report(visit.connection, now, stored, facts, epoch, visit)
                else:
                    kept = await self._join_draft(visit, now, stored, facts, epoch)
            self._delivery.hand(visit.queued, visit.messages)
            return kept
        async with self._intake.connections.acquire() as connection, connection.transaction():
            now = await draft_files.read(self._intake, connection, download.id)
            if now is None:
                return False
            await connection.execute("DELETE FROM downloads WHERE id = $1", download.id)
            return await self._join_report(connection, now, stored, facts, epoch)

    async def _join_draft(
        self, visit: Visit, download: Download, stored: Stored | None, facts: dict[str, Any], epoch: int
    ) -> bool:
        key = str(download.id)
        draft = next((draft for draft in _drafts(visit) if key in draft.data["files"]), None)
        if draft is None:
            return False
        visit.keep(draft)
        if stored is None:
            draft.data["files"][key].update(facts)
            self._asks_again(visit, draft)
            return True
        first = draft_files.same_file(draft, facts["sha256"])
        if first is not None:
            self._tells_once(visit, draft, key, first)
            return False
        draft.data["files"][key].update(facts)
        expires = draft_files.expires_on(self._intake.now().date(), self._intake.draft_ttl)
        await draft_files.add(
            visit.connection, download.id, stored, download.job["compartment"], epoch, expires
        )
        return True

    def _asks_again(self, visit: Visit, draft: Draft) -> None:
        """The person is told that a file has not come, at the question that stands."""
        interview = _interview(draft) if draft.active else None
        if interview is not None:
            self._shows(visit, interview, Text("notice.not_received"))

    def _tells_once(self, visit: Visit, draft: Draft, second: str, first: str) -> None:
        """The file that was repeated goes from the draft, and from the card that counts files."""
        again = draft.data["files"].pop(second)
        if first:
            noted = {"id": second, **{told: again[told] for told in ("name", "kind", "step")}}
            draft.data["files"][first].setdefault("also", []).append(noted)
        interview = _interview(draft)
        if interview is None:
            return
        once = told_once(interview, second, first)
        draft.data["interview"] = once.to_json()
        if draft.active and once.at in {
            once.definition().review.key,
            *(file.slot for file in interview.files),
        }:
            self._shows(visit, once, None)

    def _shows(self, visit: Visit, interview: Interview, notice: Text | None) -> None:
        shown = self._line.render(card(interview, notice), interview.lang, revision=interview.revision)
        visit.send(Outgoing(visit.address, show=shown))

    async def _join_report(
        self,
        connection: Connection,
        download: Download,
        stored: Stored | None,
        facts: dict[str, Any],
        epoch: int,
        visit: Visit | None = None,
    ) -> bool:
        if stored is None:
            return False
        report = download.job["report"]
        sitting = next((draft for draft in _drafts(visit) if _report_of(draft) == report), None)
        seen = {*download.job.get("seen", ()), *(sitting.data["report"].get("seen", ()) if sitting else ())}
        if facts["sha256"] in seen and "caption" not in download.job["meta"]:
            return False
        if visit is not None and sitting is not None:
            sitting.data["report"]["seen"] = sorted({*seen, facts["sha256"]})
            visit.keep(sitting)
        name = download.job["compartment"]
        meta = draft_files.sealed_meta({**download.job["meta"], **facts}, name, epoch)
        file = submission.SealedFile(download.id, stored.name, stored.sha256, stored.size, epoch, meta)
        await submission.add(
            connection,
            uuid.UUID(report),
            {"language": download.job["lang"]},
            [file],
            # A body is always sealed for those who read its report, whatever the file was sealed for.
            key=self._line.manifest().compartments[download.job.get("report_compartment", name)],
            now=self._intake.now(),
        )
        return True


def _vanishes(visit: Visit, download: Download) -> None:
    """The person's message goes: its file is safe, or will never come."""
    message = download.job["message"]
    visit.messages.ids.pop(message, None)
    visit.send(Outgoing(visit.address, delete=(message,)))


def _drafts(visit: Visit | None) -> list[Draft]:
    if visit is None:
        return []
    return [*visit.hidden, *([visit.draft] if visit.draft else [])]


def _report_of(draft: Draft) -> str:
    """The report that a draft adds to; "" for one that was never sent."""
    return str(draft.data.get("report", {}).get("id", ""))


def _interview(draft: Draft) -> Interview | None:
    """A draft's interview; None before its first question, and of a form that this program lacks."""
    try:
        return Interview.from_json(draft.data["interview"]) if "interview" in draft.data else None
    except FlowError as error:
        log.error("draft_of_unknown_form", draft=str(draft.id), error=type(error).__name__)
        return None
