"""What one chat may give: beyond it comes a clear word, and whatever was kept before stays kept.

refused = await limits.refuses(message, visit)   # before the handlers: "too_much", "too_long" or ""
blobs = await limits.counts(message, visit)      # after them
visit.waiting_room = await limits.looks_scripted(visit)   # before a report is sent
"""

import json
import uuid
from datetime import datetime

from aiogram.types import Message

from bot.settings import Quotas
from flows import returnwords
from flows.words import command_of
from handlers import messages
from storage import draft_files, pace, submission
from storage.intake import Draft, Intake, Visit

_MIB = 1024 * 1024
REPORT_CHARACTERS = 200_000  # of a draft as it is kept
HIDDEN_DRAFTS = 20  # of one chat


class Limits:
    """Looks at what came before the handlers do, and counts it afterwards. Built once a process."""

    def __init__(self, intake: Intake, quotas: Quotas) -> None:
        self._intake = intake
        self._quotas = quotas

    async def refuses(self, message: Message, visit: Visit) -> str:
        """Why this message does not fit any more, as an `Unusable`; "" when it does."""
        words = message.text or message.caption or ""
        if visit.draft is not None and words and self._is_too_long(visit.draft, words):
            return "too_long"
        size = _size(message)
        if size and await self._is_too_much(visit, size):
            return "too_much"
        return ""

    def _is_too_long(self, draft: Draft, words: str) -> bool:
        held = len(json.dumps(draft.data, ensure_ascii=False))
        if held + len(words) <= REPORT_CHARACTERS:
            return False
        # Who wants to hide, erase or come back is heard whatever was said before.
        numbers = returnwords.numbers(words) or ()
        return command_of(words) is None and len(numbers) != submission.RECEIPT_WORDS

    async def _is_too_much(self, visit: Visit, size: int) -> bool:
        sizes = visit.draft.data.get("sizes", {}) if visit.draft is not None else {}
        if sum(sizes.values()) + size > self._quotas.report_mib * _MIB:
            return True
        name = pace.name(self._intake.secret, visit.address, self._intake.now().date())
        given = await pace.read(visit.connection, name)
        return given.mebibytes + pace.mebibytes(size) > self._quotas.day_mib

    async def counts(self, message: Message | None, visit: Visit) -> list[str]:
        """Notes what was taken, and lets the oldest of too many hidden drafts go; the blobs to delete."""
        if visit.draft is not None and visit.draft.id in visit.changed:
            visit.draft.data.setdefault("begun", self._intake.now().timestamp())
        if message is not None and visit.downloads:
            await self._counts_files(message, visit)
        return await self._forgets_oldest(visit)

    async def _counts_files(self, message: Message, visit: Visit) -> None:
        declared = {file.file_id: file.file_size or 0 for _, file in messages.files(message)}
        sizes = {str(file): declared.get(job["file_id"], 0) for file, job in visit.downloads.items()}
        if visit.draft is not None:
            kept = visit.draft.data.get("sizes", {}) | sizes
            visit.draft.data["sizes"] = {
                file: size for file, size in kept.items() if file in visit.draft.data["files"]
            }
        day = self._intake.now().date()
        name = pace.name(self._intake.secret, visit.address, day)
        await pace.add(visit.connection, name, day, size=sum(sizes.values()))

    async def _forgets_oldest(self, visit: Visit) -> list[str]:
        """To say that there are too many would tell whoever holds the phone that there are any."""
        files = []
        oldest_first = sorted(visit.hidden, key=lambda draft: float(draft.data.get("begun", 0)))
        for draft in oldest_first[: max(0, len(visit.hidden) - HIDDEN_DRAFTS)]:
            visit.shred(draft)
            files += [uuid.UUID(file) for file in draft.data["files"]]
        return await draft_files.erase(visit.connection, files) if files else []

    async def looks_scripted(self, visit: Visit) -> bool:
        """Whether the active draft, which is being sent, is one of too many today, or was quicker than a person."""
        assert visit.draft is not None, "something is being sent"
        now = self._intake.now()
        day = now.date()
        if "report" in visit.draft.data:
            return False  # it joins one that was judged already
        name = pace.name(self._intake.secret, visit.address, day)
        tally = await pace.add(visit.connection, name, day, reports=1)
        return tally.reports > self._quotas.reports_a_day or self._is_quick(visit.draft, now)

    def _is_quick(self, draft: Draft, now: datetime) -> bool:
        cards = len(draft.data["interview"]["answers"])
        took_s = now.timestamp() - float(draft.data.get("begun", 0))
        return took_s < cards * self._quotas.human_pace_s


def _size(message: Message) -> int:
    """The files' bytes together, as Telegram declares them."""
    return sum(file.file_size or 0 for _, file in messages.files(message))
