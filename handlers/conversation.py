"""What an input means for a chat: greeting, interview, hide, erase, send, and the way back. No Telegram types here.

Everything is decided in memory on the visit; `storage.intake` keeps it in one transaction, and only then is it
sent. `/start` and unknown words get the same greeting for everyone, draft or report or none.
"""

import secrets
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

import structlog

from flows import (
    Edited,
    Input,
    Interview,
    Located,
    Said,
    Sent,
    Tapped,
    Text,
    UnknownFormError,
    Unusable,
    after,
    begin,
    body,
    card,
    greeting,
    returnwords,
    take,
)
from flows.engine import FORM
from flows.inputs import sound
from flows.interview import BEFORE
from flows.words import command_of
from handlers.line import Line
from storage import draft_files, submission
from storage.intake import Draft, Outgoing, Visit

log = structlog.get_logger()

RESUME_WORDS = 2  # of 2,048: for one who holds the phone and guesses, 1 in 4 million
RECEIPT_STANDS = timedelta(minutes=15)
RECEIPT_TAG = "receipt "
LOST = frozenset({"too_big", "empty_file", "too_many"})  # files that cannot be kept
FILES_AT_MOST = 60  # a report; step by step sealed, so only the list grows


@dataclass(frozen=True, slots=True)
class Came:
    """One input with what only the chat knows of it. `file` is how to fetch what was sent."""

    given: Input
    message: int | None = None
    file: dict[str, Any] | None = None


class Conversation:
    """One update in one chat. `popup` is what a tap is answered with."""

    def __init__(self, visit: Visit, line: Line, language_code: str | None) -> None:
        self.visit = visit
        self.line = line
        self.lang = line.language(language_code)
        self.popup = ""
        self.wants_to_send = False
        self.erased: list[uuid.UUID] | None = None

    # ---- what arrives ----------------------------------------------------------------------

    def takes(self, came: Came) -> None:
        """Any message or tap."""
        given = came.given
        if isinstance(given, Said | Edited) and (command := command_of(given.text)):
            self._commanded(command, came.message)
        elif isinstance(given, Tapped) and given.button.startswith("lang."):
            self._begins(given.button.removeprefix("lang."))
        elif isinstance(given, Tapped) and given.button in {"start", "clear_chat"}:
            self.greets()
        elif self.visit.draft is not None and "interview" in self.visit.draft.data:
            self._answers(self.visit.draft, came)
        else:
            self._came_before_the_interview(came)

    def sees_card(self, card: int) -> None:
        """A tapped card whose id was never kept (the process died right after sending it) goes now."""
        if card not in self.visit.messages.ids:
            self.visit.send(Outgoing(self.visit.address, delete=(card,)))

    def greets(self, message: int | None = None) -> None:
        """The greeting, the same bytes for everyone; the chat is cleared of all else."""
        self._set_aside()
        self._clears(message)
        if (card := self.visit.messages.card) is not None:
            # Another may stand below it already, not yet kept: the newest goes as the greeting takes its place.
            self.visit.send(Outgoing(self.visit.address, delete=(card,)))
        shown = self.line.render(greeting.card(), self.lang)
        self.visit.send(Outgoing(self.visit.address, show=shown, fresh=True))

    # ---- hide, erase, the way back -----------------------------------------------------------

    def _commanded(self, command: str, message: int | None) -> None:
        if command == "erase":
            self._erases(message)
        else:  # hide and start: what was begun is kept, and nothing of it is shown
            self.greets(message)

    def _hides(self) -> None:
        draft = self.visit.draft
        if draft is not None:
            interview = Interview.from_json(draft.data["interview"])
            self.popup = self.line.plain(Text("hide.popup", {"resume": interview.resume}), interview.lang)
        self.greets()

    def _erases(self, message: int | None = None) -> None:
        self.erased = []
        for draft in [*self.visit.hidden, *([self.visit.draft] if self.visit.draft else [])]:
            self.visit.shred(draft)
            self.erased += [uuid.UUID(file) for file in draft.data["files"]]
        self.greets(message)

    def _set_aside(self) -> None:
        """The draft that was open waits for its two words; one without any answer is not worth keeping.

        What came before a first question has no words to come back with: it stays, unseen, for the next interview.
        """
        draft = self.visit.draft
        if draft is None or "interview" not in draft.data:
            return
        self.visit.draft = None
        if not _holds_something(draft):
            self.visit.shred(draft)
            return
        draft.active = False
        self.visit.keep(draft)
        self.visit.hidden.append(draft)

    def _resumes(self, words: str, message: int | None) -> bool:
        numbers = returnwords.numbers(words)
        if numbers is None or len(numbers) != RESUME_WORDS:
            return False
        for draft in self.visit.hidden:
            if draft.data.get("resume") == list(numbers):
                try:
                    interview = Interview.from_json(draft.data["interview"])
                except UnknownFormError:
                    log.error("draft_of_unknown_form", draft=str(draft.id))
                    return False
                before = self.visit.draft
                if before is not None:
                    self.visit.shred(before)  # only what stood before a first question; see _set_aside
                    interview = interview.with_before(before.data["early"], _early_files(before))
                    draft.data["early"] += before.data["early"]
                    draft.data["files"].update(before.data["files"])
                self.visit.hidden.remove(draft)
                draft.active = True
                self.visit.draft = draft
                self._clears(message)
                self._shows(draft, interview, fresh=True)
                return True
        return False

    # ---- the interview -------------------------------------------------------------------------

    def _begins(self, lang: str) -> None:
        if lang not in self.line.texts:
            return
        self.lang = lang
        draft = self.visit.draft
        if draft is not None and _is_answered(draft):  # not when a language is only chosen again
            self._set_aside()
            draft = None
        if draft is None:
            draft = Draft(uuid.uuid4(), {"early": [], "files": {}})
            self.visit.draft = draft
        numbers = [secrets.randbelow(returnwords.COUNT) for _ in range(RESUME_WORDS)]
        draft.data["resume"] = numbers
        words = " ".join(returnwords.words(numbers, lang))
        early = draft.data["early"]
        self._shows(draft, begin(lang, resume=words, before=early, files=_early_files(draft)))

    def _answers(self, draft: Draft, came: Came) -> None:
        given = came.given
        try:
            interview = Interview.from_json(draft.data["interview"])
        except UnknownFormError:
            # Begun with a form that this program lacks: it waits for one that has it, and this begins anew.
            log.error("draft_of_unknown_form", draft=str(draft.id))
            self._set_aside()
            self._came_before_the_interview(came)
            return
        self.lang = interview.lang
        if isinstance(given, Sent) and len(draft.data["files"]) >= FILES_AT_MOST:
            came = Came(Unusable("too_many"), came.message)
        turn = take(interview, came.given, today=self.line.now().date(), places=self.line.places)
        if turn.outcome == "hide":
            self._hides()
        elif turn.outcome == "erase":
            self._erases(came.message)
        elif turn.outcome == "send":
            self.wants_to_send = True
        elif turn.outcome is not None:
            self._ends(turn.outcome)
        else:
            self._takes_file(draft, came)
            self._takes_back(draft, interview, turn.interview)
            self._clears_answer(came)
            self._shows(draft, turn.interview, notice=turn.notice)

    def _shows(
        self, draft: Draft, interview: Interview, *, notice: Text | None = None, fresh: bool = False
    ) -> None:
        draft.data["interview"] = interview.to_json()
        self.visit.keep(draft)
        shown = self.line.render(card(interview, notice), interview.lang, revision=interview.revision)
        self.visit.send(Outgoing(self.visit.address, show=shown, fresh=fresh))

    def _takes_back(self, draft: Draft, before: Interview, after: Interview) -> None:
        """Files that the person took back go at once, also those still on their way: only what is told is sent."""
        told = {file.id for file in after.files}
        gone = [file for file in before.files if file.id not in told]
        if not gone:
            return
        self.erased = [uuid.UUID(file.id) for file in gone]
        for file in gone:
            draft.data["files"].pop(file.id, None)
        ids = self.visit.messages.ids
        standing = tuple(file.message for file in gone if file.message is not None and file.message in ids)
        for message in standing:
            del ids[message]
        if standing:
            self.visit.send(Outgoing(self.visit.address, delete=standing))

    def _ends(self, outcome: Literal["under_18", "not_now"]) -> None:
        """Not now, or under 18: nothing is kept, and the chat shows what helps."""
        if self.visit.draft is not None:
            self.erased = [uuid.UUID(file) for file in self.visit.draft.data["files"]]
            self.visit.shred(self.visit.draft)
        shown = self.line.render(after.ended(outcome), self.lang)
        self.visit.send(Outgoing(self.visit.address, show=shown))
        self._clears(None)

    def _came_before_the_interview(self, came: Came) -> None:
        """Words or files before a language is chosen: kept, for they may be all that somebody can send."""
        given = came.given
        if isinstance(given, Said) and self._resumes(given.text, came.message):
            return
        if isinstance(given, Tapped) and self._a_receipt_may_come():
            return  # «Send» tapped twice
        draft = self.visit.draft or Draft(uuid.uuid4(), {"early": [], "files": {}})
        if isinstance(given, Sent) and len(draft.data["files"]) >= FILES_AT_MOST:
            given = Unusable("too_many")
            came = Came(given, came.message)
        if isinstance(given, Said | Edited | Sent | Located):
            self.visit.draft = draft
            draft.data["early"] += [words for words in [_words_of(given)] if words]
            self._takes_file(draft, came)
            self.visit.keep(draft)
        self._clears_answer(came)
        greeted = greeting.card()
        if isinstance(given, Unusable) and given.what in LOST:  # who sent it must not think it is kept
            greeted = replace(greeted, texts=(Text(f"notice.{given.what}"), *greeted.texts))
        shown = self.line.render(greeted, self.lang)
        self.visit.send(Outgoing(self.visit.address, show=shown, fresh=True, beside=True))

    def _a_receipt_may_come(self) -> bool:
        """Whether a receipt stands, or something not sent yet may be one: it is shown once and never again."""
        return self.visit.messages.tag.startswith(RECEIPT_TAG) or not self.visit.queue_is_empty

    async def erases_files(self) -> list[str]:
        """Removes what the erased drafts' files left in the store; returns the blobs to delete after the commit."""
        return await draft_files.erase(self.visit.connection, self.erased or [])

    # ---- sending -------------------------------------------------------------------------------

    async def sends(self) -> None:
        """Seals and submits the draft, in the visit's transaction; then the receipt takes the card's place."""
        draft = self.visit.draft
        assert draft is not None
        interview = Interview.from_json(draft.data["interview"])
        content = body(interview)
        ready, pending = await draft_files.files_of(self.visit.connection, draft)
        given = submission.Given(
            form=interview.form,
            form_version=interview.version,
            urgency=content["urgency"],
            content={
                "language": interview.lang,
                "form": interview.form,
                "form_version": interview.version,
                "answers": content,
                "files_on_their_way": [str(file) for file in pending],
            },
            files=ready,
            answer_here=content["answer_here"] == "chat",
            address=self.visit.address,
        )
        receipt = await submission.submit(
            self.visit.connection,
            draft.id,
            given,
            to=self.line.compartment(interview.form),
            secret=self.line.intake.secret,
            now=self.line.now(),
        )
        await draft_files.hand_over(self.line.intake, self.visit.connection, pending, receipt.report)
        self.visit.shred(draft)  # its row went with the report
        self._shows_receipt(receipt, interview.lang)

    def _shows_receipt(self, receipt: submission.Receipt, lang: str) -> None:
        words = " ".join(returnwords.words(receipt.words, lang))
        tag = f"{RECEIPT_TAG}{uuid.uuid4().hex}"
        shown = self.line.render(after.receipt(receipt.public_code, words), lang, tag=tag)
        self.visit.send(Outgoing(self.visit.address, show=shown))
        self._clears(None)
        now = self.line.now()
        # Below the receipt, and queued by itself: one visit's cards of this moment are one card.
        official = self.line.render(after.official(), lang, tag=tag)
        self.visit.send(Outgoing(self.visit.address, show=official, fresh=True, beside=True), at=now)
        greeted = self.line.render(greeting.card(), lang)
        stood = () if self.visit.messages.card is None else (self.visit.messages.card,)
        self.visit.send(
            Outgoing(self.visit.address, show=greeted, delete=stood, only_if=tag), at=now + RECEIPT_STANDS
        )

    # ---- vanish as you go ------------------------------------------------------------------------

    def _clears_answer(self, came: Came) -> None:
        """The person's message goes once its answer is kept; one with a file waits until the file is safe."""
        if came.message is None:
            return
        if came.file is not None:
            self.visit.messages.ids[came.message] = self.line.now().timestamp()
        else:
            self.visit.send(Outgoing(self.visit.address, delete=(came.message,)))

    def _clears(self, message: int | None) -> None:
        """Everything but our card goes; the card is edited or replaced."""
        gone = [known for known in self.visit.messages.ids if known != self.visit.messages.card]
        for known in gone:
            del self.visit.messages.ids[known]
        if message is not None:
            gone.append(message)
        if gone:
            self.visit.send(Outgoing(self.visit.address, delete=tuple(gone)))

    def _takes_file(self, draft: Draft, came: Came) -> None:
        if came.file is None or not isinstance(came.given, Sent):
            return
        interview = draft.data.get("interview", {})
        meta = {**came.file["meta"], "kind": came.given.kind, "step": interview.get("at", BEFORE)}
        draft.data["files"][came.given.file] = meta
        name, _ = self.line.compartment(interview.get("form", FORM))
        self.visit.downloads[uuid.UUID(came.given.file)] = {
            "to": self.visit.address,
            "draft": str(draft.id),
            "message": came.message,
            "compartment": name,
            "lang": self.lang,
            "file_id": came.file["file_id"],
            "meta": meta,
        }


def _words_of(given: Said | Edited | Sent | Located) -> str:
    """What an input that no question asked for says; a point only as exact as a settlement."""
    if isinstance(given, Located):
        return f"{given.latitude:.1f}, {given.longitude:.1f}"
    return sound((given.caption or "") if isinstance(given, Sent) else given.text)


def _early_files(draft: Draft) -> list[Sent]:
    """The files that came before the first question; their captions are among the early words."""
    return [Sent(file, meta["kind"]) for file, meta in draft.data["files"].items() if meta["step"] == BEFORE]


def _is_answered(draft: Draft) -> bool:
    """Whether the interview holds anything besides consent and what came before it."""
    interview = draft.data.get("interview", {})
    given = set(interview.get("answers", {})) - {"consent"}
    notes = any(slot != BEFORE for slot, *_ in interview.get("notes", ()))
    files = any(slot != BEFORE for _, _, slot, *_ in interview.get("files", ()))
    return bool(given or notes or files or interview.get("points"))


def _holds_something(draft: Draft) -> bool:
    """Whether a draft has any answer, word or file."""
    return bool(draft.data["early"] or draft.data["files"] or _is_answered(draft))
