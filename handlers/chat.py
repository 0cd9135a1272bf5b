"""One chat during one update: what shows in it, what goes from it, which files come with it.

Everything is decided in memory on the visit; `storage.intake` keeps it in one transaction, and only then is it sent.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flows import Card, Input, Interview, Sent, Text, place_codes
from flows.interview import BEFORE
from flows.taps import FORM
from handlers.line import Line
from storage.intake import Draft, Outgoing, Visit


@dataclass(frozen=True, slots=True)
class Came:
    """One input with what only the chat knows of it. `file` is how to fetch what was sent."""

    given: Input
    message: int | None = None
    file: dict[str, Any] | None = None


class Chat:
    """A visit and what is done in it. `popup` is what a tap is answered with; `erased` are files to remove."""

    def __init__(self, visit: Visit, line: Line, lang: str) -> None:
        self.visit = visit
        self.line = line
        self.lang = lang
        self.popup = ""
        self.erased: list[uuid.UUID] | None = None

    def shows(
        self,
        card: Card,
        *,
        revision: int = 0,
        tag: str = "",
        fresh: bool = False,
        beside: bool = False,
        at: datetime | None = None,
    ) -> None:
        """A card takes the place of the one that stands: edited, or anew below it if `fresh`."""
        shown = self.line.render(card, self.lang, revision=revision, tag=tag)
        self.visit.send(Outgoing(self.visit.address, show=shown, fresh=fresh, beside=beside), at=at)

    def says(self, text: Text) -> str:
        """A text for a pop-up."""
        return self.line.plain(text, self.lang)

    # ---- vanish as you go ----------------------------------------------------------------------

    def clears_answer(self, came: Came, *, keeps: bool = False) -> None:
        """The person's message goes once its answer is kept; one with a file waits until the file is safe.

        `keeps`: the person asked that messages stay, until the sweep.
        """
        if came.message is None:
            return
        if came.file is not None or keeps:
            self.visit.messages.ids[came.message] = self.line.now().timestamp()
        else:
            self.deletes(came.message)

    def clears(self, message: int | None = None, *, but_the_receipt: bool = False) -> None:
        """Everything but our card goes; the card is edited or replaced. A receipt may stay for its time."""
        messages = self.visit.messages
        stays = {messages.card, messages.receipt} if but_the_receipt else {messages.card}
        gone = [known for known in messages.ids if known not in stays]
        for known in gone:
            del self.visit.messages.ids[known]
        if message is not None:
            gone.append(message)
        self.deletes(*gone)

    def deletes(self, *messages: int) -> None:
        """These messages go, whoever wrote them."""
        if messages:
            self.visit.send(Outgoing(self.visit.address, delete=messages))

    # ---- files -----------------------------------------------------------------------------------

    def takes_file(self, draft: Draft, came: Came) -> None:
        """A file that belongs to the draft begins to be fetched after the commit."""
        if came.file is None or not isinstance(came.given, Sent):
            return
        interview = draft.data.get("interview", {})
        meta = {**came.file["meta"], "kind": came.given.kind, "step": interview.get("at", BEFORE)}
        draft.data["files"][came.given.file] = meta
        # Whose it is as the answers stand; what came before a place was named has the key of the form's compartment.
        places = place_codes(Interview.from_json(interview)) if interview else ()
        name, _ = self.line.compartment(interview.get("form", FORM), places)
        self._fetches(came, meta, compartment=name, draft=draft)

    def joins_its_album(self, came: Came) -> bool:
        """The rest of an album whose report is sent already joins it, whatever the chat shows by now."""
        album = came.given.album if isinstance(came.given, Sent) and came.file is not None else None
        report, compartment, until = self.visit.messages.albums.get(album or "", ("", "", 0.0))
        if until <= self.line.now().timestamp():
            return False
        self.joins_file(Draft(uuid.uuid4(), {"report": {"id": report, "compartment": compartment}}), came)
        return True

    def joins_file(self, draft: Draft, came: Came) -> None:
        """A file that comes after its report was sent joins it by itself, with its caption."""
        assert isinstance(came.given, Sent)
        assert came.file is not None
        meta = {**came.file["meta"], "kind": came.given.kind, "step": "later"}
        if came.given.caption:
            meta["caption"] = came.given.caption
        sent = draft.data["report"]
        self._fetches(came, meta, compartment=sent["compartment"], draft=draft, report=sent["id"])

    def _fetches(
        self, came: Came, meta: dict[str, Any], *, compartment: str, draft: Draft, report: str = ""
    ) -> None:
        assert isinstance(came.given, Sent)
        assert came.file is not None
        self.visit.downloads[uuid.UUID(came.given.file)] = {
            "to": self.visit.address,
            "draft": str(draft.id),
            "message": came.message,
            "compartment": compartment,
            "lang": self.lang,
            "file_id": came.file["file_id"],
            "meta": meta,
            **({"report": report} if report else {}),
        }

    def takes_back(self, draft: Draft, gone: list[tuple[str, int | None]]) -> None:
        """Files (our id, Telegram's message) that the person took back go at once, also those on their way."""
        self.erased = [uuid.UUID(file) for file, _ in gone]
        for file, _ in gone:
            draft.data["files"].pop(file, None)
        ids = self.visit.messages.ids
        standing = [message for _, message in gone if message is not None and message in ids]
        for message in standing:
            del ids[message]
        self.deletes(*standing)


def early_files(draft: Draft) -> list[Sent]:
    """The files that came before the first question; their captions are among the early words."""
    return [Sent(file, meta["kind"]) for file, meta in draft.data["files"].items() if meta["step"] == BEFORE]


def is_answered(draft: Draft) -> bool:
    """Whether the interview holds anything besides consent and what came before it."""
    interview = draft.data.get("interview", {})
    given = set(interview.get("answers", {})) - {"consent"}
    notes = any(note[0] != BEFORE for note in interview.get("notes", ()))
    files = any(file[2] != BEFORE for file in interview.get("files", ()))
    return bool(given or notes or files or interview.get("points"))


def holds_something(draft: Draft) -> bool:
    """Whether a draft has any answer, word or file."""
    return bool(draft.data.get("early") or draft.data.get("files") or is_answered(draft))
