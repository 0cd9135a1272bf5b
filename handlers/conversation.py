"""What an input means for a chat: greeting, interview, hide, erase, help, and the way back. No Telegram types here.

`/start` and unknown words get the same greeting for everyone, draft or report or none.
"""

import math
import secrets
import uuid
from dataclasses import replace
from typing import Literal

import structlog

from flows import (
    Claimed,
    Edited,
    Interview,
    Located,
    Said,
    Sent,
    Tapped,
    Text,
    Turn,
    UnknownFormError,
    Unusable,
    after,
    back,
    begin,
    card,
    greeting,
    in_language,
    returnwords,
    take,
)
from flows.files import is_asked_for
from flows.words import asked_for, command_of
from handlers import sending
from handlers.chat import Came, Chat, early_files, holds_something, is_answered
from handlers.line import Line
from handlers.returning import Returning, is_open, leave
from handlers.sending import RECEIPT_TAG, RESUME_WORDS
from storage import draft_files
from storage.intake import Draft, Visit

log = structlog.get_logger()

LOST = frozenset({"too_big", "empty_file", "too_many", "too_much", "too_long"})  # what cannot be kept
FILES_AT_MOST = 60  # a report; step by step sealed, so only the list grows


class Conversation:
    """One update in one chat."""

    def __init__(self, visit: Visit, line: Line, language_code: str | None) -> None:
        self.visit = visit
        self.line = line
        self.chat = Chat(visit, line, line.language(language_code))
        self.returning = Returning(visit, line)
        self.wants_to_send = False

    # ---- what arrives ----------------------------------------------------------------------

    def takes(self, came: Came) -> None:
        """Any message or tap."""
        given = came.given
        self._lapses()
        if isinstance(given, Said | Edited) and (command := command_of(given.text)):
            self._commanded(command, came.message)
        elif isinstance(given, Said) and asked_for(given.text):
            self._helps(came.message)
        elif isinstance(given, Tapped) and self._is_for_the_chat(given.button):
            pass
        elif isinstance(given, Said) and (asked := back.asked(given.text)) is not None:
            self._set_aside()
            lang = asked.lang if asked.lang in self.line.texts else self.chat.lang
            self.returning.asked(asked.numbers, lang, came.message)
        elif (draft := self._interviewed()) is not None:
            self._answers(draft, came)
        elif isinstance(given, Said) and back.nearly(given.text):
            self.returning.hinted(self.chat.lang, came.message)
        elif is_open(self.visit) and (self._resumed(came) or self.returning.takes(came)):
            pass
        else:
            self._came_before_the_interview(came)

    def _lapses(self) -> None:
        """What could be added after sending is over once the greeting stands in its card's place."""
        draft = self.visit.draft
        if draft is not None and draft.data.get("until", math.inf) <= self.line.now().timestamp():
            self.visit.shred(draft)

    def _resumed(self, came: Came) -> bool:
        return isinstance(came.given, Said) and self._resumes(came.given.text, came.message)

    def sees_card(self, card: int) -> None:
        """A tapped card that is not the one we edit (a process died right after sending it) goes now."""
        if card not in {self.visit.messages.card, self.visit.messages.receipt}:
            self.visit.messages.ids.pop(card, None)
            self.chat.deletes(card)

    def greets(self, message: int | None = None) -> None:
        """The greeting, the same bytes for everyone; the chat is cleared of all else."""
        self._set_aside()
        self.chat.clears(message)
        if (card := self.visit.messages.card) is not None:
            # Another may stand below it already, not yet kept: the newest goes as the greeting takes its place.
            self.chat.deletes(card)
        self.chat.shows(greeting.card(), fresh=True)

    def _is_for_the_chat(self, button: str) -> bool:
        """Buttons that mean the same at any moment."""
        act, _, value = button.partition(".")
        if act == "lang":
            self._begins(value)
        elif act == "speak":
            self._speaks(value)
        elif act == "messages":
            self._keeps_messages(keeps=value == "stay")
        elif button in {"start", "clear_chat"}:
            self.greets()
        elif button == back.OPEN:
            self._set_aside()
            self.returning.opened(self.chat.lang)
        else:
            return False
        return True

    def _interviewed(self) -> Draft | None:
        """The draft of the interview that is open."""
        draft = self.visit.draft
        return draft if draft is not None and "interview" in draft.data else None

    # ---- hide, erase, help, the way back -----------------------------------------------------

    def _commanded(self, command: str, message: int | None) -> None:
        if command == "erase":
            self._erases(message)
        else:  # hide and start: what was begun is kept, and nothing of it is shown
            self.greets(message)

    def _helps(self, message: int | None) -> None:
        """What works at any moment, in the card's place; a tap on a language goes back to the question."""
        draft = self._interviewed()
        if draft is not None:
            self.chat.lang = draft.data["interview"]["lang"]
        if message is not None:
            self.chat.deletes(message)
        stays = draft is not None and draft.data.get("stay", False)
        self.chat.shows(after.help_card(tuple(self.line.texts), begun=draft is not None, stays=stays))

    def _speaks(self, lang: str) -> None:
        """Another language from here on; no answer changes."""
        draft = self._interviewed()
        if draft is None:
            self._begins(lang)
            return
        if lang not in self.line.texts:
            return
        try:
            interview = Interview.from_json(draft.data["interview"])
        except UnknownFormError:
            self._came_before_the_interview(Came(Tapped(0, "")))
            return
        words = " ".join(returnwords.words(draft.data["resume"], lang))
        self._shows(draft, in_language(interview, lang, resume=words))

    def _keeps_messages(self, *, keeps: bool) -> None:
        """The person's own messages stay until the sweep, or go at once again: as they choose."""
        draft = self._interviewed()
        if draft is not None:
            draft.data["stay"] = keeps
            self._speaks(draft.data["interview"]["lang"])

    def _hides(self) -> None:
        draft = self._interviewed()
        if draft is not None and holds_something(draft):
            interview = Interview.from_json(draft.data["interview"])
            self.chat.lang = interview.lang
            self.chat.popup = self.chat.says(Text("hide.popup", {"resume": interview.resume}))
        self.greets()

    def _erases(self, message: int | None = None) -> None:
        self.chat.erased = []
        for draft in [*self.visit.hidden, *([self.visit.draft] if self.visit.draft else [])]:
            self.visit.shred(draft)
            self.chat.erased += [uuid.UUID(file) for file in draft.data.get("files", {})]
        self.greets(message)

    def _set_aside(self) -> None:
        """The draft that was open waits for its two words; one without any answer is not worth keeping.

        What came before a first question has no words to come back with: it stays, unseen, for the next interview.
        A visit with the seven words ends.
        """
        leave(self.visit)
        draft = self._interviewed()
        if draft is None:
            return
        self.visit.draft = None
        if not holds_something(draft):
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
                    interview = interview.with_before(before.data["early"], early_files(before))
                    draft.data["early"] += before.data["early"]
                    draft.data["files"].update(before.data["files"])
                self.visit.hidden.remove(draft)
                draft.active = True
                self.visit.draft = draft
                self.chat.clears(message)
                self._shows(draft, interview, fresh=True)
                return True
        return False

    # ---- the interview -------------------------------------------------------------------------

    def _begins(self, lang: str) -> None:
        if lang not in self.line.texts:
            return
        self.chat.lang = lang
        leave(self.visit)
        draft = self.visit.draft
        if draft is not None and ("report" in draft.data or is_answered(draft)):  # not when only chosen again
            self._set_aside()
            draft = None
        if draft is None:
            draft = Draft(uuid.uuid4(), {"early": [], "files": {}})
            self.visit.draft = draft
        numbers = [secrets.randbelow(returnwords.COUNT) for _ in range(RESUME_WORDS)]
        draft.data["resume"] = numbers
        words = " ".join(returnwords.words(numbers, lang))
        early = draft.data["early"]
        hours = self.line.silent_hours()
        notice = Text("notice.silent", {"hours": str(hours)}) if hours else None
        begun = begin(lang, resume=words, before=early, files=early_files(draft))
        self._shows(draft, begun, notice=notice)

    def _answers(self, draft: Draft, came: Came) -> None:
        try:
            interview = Interview.from_json(draft.data["interview"])
        except UnknownFormError:
            # Begun with a form that this program lacks: it waits for one that has it, and this begins anew.
            log.error("draft_of_unknown_form", draft=str(draft.id))
            self._set_aside()
            self._came_before_the_interview(came)
            return
        self.chat.lang = interview.lang
        if isinstance(came.given, Sent) and len(draft.data["files"]) >= FILES_AT_MOST:
            came = Came(Unusable("too_many"), came.message)
        if not self._joins(draft, interview, came):
            turn = take(interview, came.given, today=self.line.now().date(), places=self.line.places)
            self._turns(draft, interview, came, turn)

    def _turns(self, draft: Draft, interview: Interview, came: Came, turn: Turn) -> None:
        """What one input led to: an end of the interview, or its next card."""
        late = turn.notice is not None and turn.notice.key == "notice.stale"
        if late and interview.sent and self._a_receipt_may_come():
            return  # «Send» tapped twice
        if turn.outcome == "hide":
            self._hides()
        elif turn.outcome == "erase":
            self._erases(came.message)
        elif turn.outcome == "send":
            self.wants_to_send = True
        elif turn.outcome is not None:
            self._ends(turn.outcome)
        else:
            self.chat.takes_file(draft, came)
            told = {file.id for file in turn.interview.files}
            if gone := [(file.id, file.message) for file in interview.files if file.id not in told]:
                self.chat.takes_back(draft, gone)
            self.chat.clears_answer(came, keeps=draft.data.get("stay", False))
            self._shows(draft, turn.interview, notice=turn.notice)

    def _joins(self, draft: Draft, interview: Interview, came: Came) -> bool:
        """A file after sending that no question asked for was on its way, and joins the report by itself."""
        if not isinstance(came.given, Sent):
            return False
        if interview.sent and not is_asked_for(interview, came.given):
            self.chat.joins_file(draft, came)
            notice = Text("notice.added")
        elif not interview.sent and self.chat.joins_its_album(came):
            notice = Text("notice.kept")
        else:
            return False
        self.chat.clears_answer(came)
        self._shows(draft, interview, notice=notice)
        return True

    def _shows(
        self, draft: Draft, interview: Interview, *, notice: Text | None = None, fresh: bool = False
    ) -> None:
        draft.data["interview"] = interview.to_json()
        draft.data.pop("until", None)
        self.visit.keep(draft)
        self.chat.lang = interview.lang
        if interview.sent:  # a receipt that stands, or is on its way, is never replaced
            fresh = fresh or self.visit.messages.tag.startswith(RECEIPT_TAG)
        shown = card(interview, notice)
        self.chat.shows(shown, revision=interview.revision, fresh=fresh, beside=interview.sent)

    def _ends(self, outcome: Literal["under_18", "not_now"]) -> None:
        """Not now, or under 18 in an older form: nothing is kept, and the chat shows what helps."""
        if self.visit.draft is not None:
            self.chat.erased = [uuid.UUID(file) for file in self.visit.draft.data["files"]]
            self.visit.shred(self.visit.draft)
        self.chat.shows(after.ended(outcome))
        self.chat.clears()

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
        joined = self.chat.joins_its_album(came)
        if not joined and isinstance(given, Said | Edited | Sent | Located | Claimed):
            self.visit.draft = draft
            draft.data["early"] += [words for words in [back.words_of(given)] if words]
            self.chat.takes_file(draft, came)
            self.visit.keep(draft)
        self.chat.clears_answer(came)
        greeted = greeting.card()
        if isinstance(given, Unusable) and given.what in LOST:  # who sent it must not think it is kept
            greeted = replace(greeted, texts=(Text(f"notice.{given.what}"), *greeted.texts))
        self.chat.shows(greeted, fresh=True, beside=True)

    def _a_receipt_may_come(self) -> bool:
        """Whether a receipt stands, or something not sent yet may be one: it is shown once and never again."""
        return self.visit.messages.tag.startswith(RECEIPT_TAG) or not self.visit.queue_is_empty

    # ---- what needs the database ---------------------------------------------------------------

    async def does(self) -> list[str]:
        """What was decided and needs the store; gives the blobs to delete once that is committed."""
        if self.wants_to_send:
            await sending.sends(self.chat)
        await self.returning.does()
        if self.chat.erased is None:
            return []
        return await draft_files.erase(self.visit.connection, self.chat.erased)
