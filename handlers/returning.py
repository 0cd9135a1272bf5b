"""Who comes back: with the seven words, from any account, or from a chat that may be answered.

Right, wrong, unknown and withdrawn words get the same card at once, and one answer at the same later moment, by
the process's clock: 5 s, twice that for each time this account asked within the hour, 10 min at most. Slow is the
account, never the report, so nobody can lock a family out. What a visit may see is looked up anew at each tap;
nothing of it is kept but the keyed hash of the words, sealed, until the visit ends by itself.

    returning = Returning(visit, line)
    returning.asked(numbers, lang, message)      # or .takes(came) while `is_open(visit)`
    await returning.does()                       # inside the visit's transaction
"""

import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog

from flows import Card, Claimed, Edited, Located, Said, Sent, Tapped, Text, Unusable, back, greeting
from handlers.chat import Came, Chat
from handlers.line import FALLBACK, Line
from storage import returning, submission
from storage.errors import ManifestError, RefusedReplyError
from storage.intake import Draft, Outgoing, Visit
from storage.refusals import Refusal
from storage.replies import Reply, open_reply
from storage.returning import Returned

log = structlog.get_logger()

STANDS = timedelta(minutes=15)  # how long a card of a visit stands when nothing is done
FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=5), timedelta(minutes=10)
REMEMBERS = timedelta(hours=1)
_MOST_REMEMBERED = 8  # more make no answer slower
_NO_SHARING = "child"  # a form whose reports never leave the team: nothing is asked about sharing
_NOTICES = frozenset({"too_big", "empty_file", "too_many"})
_UNREAD = "notice.not_understood"


def is_open(visit: Visit) -> bool:
    """Whether somebody who came back is being answered in this chat."""
    return visit.draft is not None and "back" in visit.draft.data


def leave(visit: Visit) -> None:
    """Ends a visit; what was written meanwhile, and joined no report, stays for the next interview."""
    draft = visit.draft
    if draft is None or draft.data.pop("back", None) is None:
        return
    if draft.data["early"] or draft.data["files"]:
        visit.keep(draft)
    else:
        visit.shred(draft)


class Returning:
    """One update of somebody who comes back. `told_team`: something new lies at the desk."""

    def __init__(self, visit: Visit, line: Line) -> None:
        self.visit = visit
        self.line = line
        self.chat = Chat(visit, line, FALLBACK)
        self.told_team = False
        self._act: Callable[[], Awaitable[None]] | None = None

    # ---- what arrives -------------------------------------------------------------------------------

    def asked(self, numbers: tuple[int, ...], lang: str, message: int | None = None) -> None:
        """Seven return words. The card that asks for patience and the moment of the answer are set here, unseen what
        the words are.
        """
        self.chat.lang = lang
        mac = submission.words_mac(self.line.intake.secret, numbers)
        due = self.line.now() + self._delay()
        session = self._opens({"by": "words", "of": mac.hex()}, due)
        self.chat.clears(message)
        self._shows(back.wait(), at="wait", fresh=True)
        self._act = partial(self._tells, session, due)

    def opened(self, lang: str) -> None:
        """The button below the neutral word: the answer at once, if this chat may be answered."""
        self.chat.lang = lang
        self._act = self._opened

    def hinted(self, lang: str, message: int | None = None) -> None:
        """Almost seven words: how they are written, the same for everyone."""
        leave(self.visit)
        self.chat.lang = lang
        self.chat.clears(message)
        self._stands(back.hint(), self.line.now() + STANDS, fresh=True)

    def takes(self, came: Came) -> bool:
        """Anything during a visit; False when the visit is over, and this belongs to what comes before an interview."""
        draft = self.visit.draft
        assert draft is not None
        session = draft.data["back"]
        self.chat.lang = session["lang"] if session["lang"] in self.line.texts else FALLBACK
        now = self.line.now().timestamp()
        if now >= session["until"]:
            leave(self.visit)
            return False
        if now < session["due"]:
            self._keeps(came)
        else:
            self._act = partial(self._goes_on, session, came)
        return True

    async def does(self) -> None:
        """What needs the store, inside the visit's transaction."""
        if self._act is not None:
            await self._act()

    # ---- the visit ----------------------------------------------------------------------------------

    def _delay(self) -> timedelta:
        """How slow the answer is, by when words were written in this chat before; counts this time too."""
        now = self.line.now().timestamp()
        messages = self.visit.messages
        before = [at for at in messages.asked if at > now - REMEMBERS.total_seconds()]
        messages.asked = [*before, now][-_MOST_REMEMBERED:]
        return min(FIRST_DELAY * (1 << len(before)), LONGEST_DELAY)

    def _opens(self, key: dict[str, str], due: datetime) -> dict[str, Any]:
        draft = self.visit.draft or Draft(uuid.uuid4(), {"early": [], "files": {}})
        self.visit.draft = draft
        session: dict[str, Any] = {**key, "lang": self.chat.lang, "due": due.timestamp()}
        draft.data["back"] = session
        return session

    def _shows(self, card: Card, *, at: str, fresh: bool = False, protected: bool = False) -> None:
        """A card of the visit, in place of the one that stands; by itself it gives way to the greeting."""
        draft = self.visit.draft
        assert draft is not None
        session = draft.data["back"]
        until = max(self.line.now(), datetime.fromtimestamp(session["due"], UTC)) + STANDS
        tag = self._stands(card, until, fresh=fresh, protected=protected)
        session |= {"at": at, "tag": tag, "until": until.timestamp()}
        self.visit.keep(draft)

    def _stands(self, card: Card, until: datetime, *, fresh: bool = False, protected: bool = False) -> str:
        """Shows a card until then, and no longer if it still stands; gives its tag."""
        tag = f"back {uuid.uuid4().hex}"
        shown = self.line.render(card, self.chat.lang, tag=tag)
        if protected:
            shown["protect"] = True
        address = self.visit.address
        self.visit.send(Outgoing(address, show=shown, fresh=fresh))
        greeted = self.line.render(greeting.card(), self.chat.lang)
        self.visit.send(Outgoing(address, show=greeted, only_if=tag), at=until)
        return tag

    async def _tells(self, session: dict[str, Any], due: datetime) -> None:
        """The one answer to seven words, at its moment, unless the chat has moved on."""
        card = self._home(await self._found(session))
        shown = self.line.render(card, self.chat.lang, tag=session["tag"])
        self.visit.send(Outgoing(self.visit.address, show=shown, only_if=session["tag"]), at=due)

    async def _found(self, session: dict[str, Any]) -> Returned | None:
        connection = self.visit.connection
        if session["by"] == "words":
            return await returning.find(connection, bytes.fromhex(session["of"]))
        return await returning.find_by_chat(connection, self.visit.chat, uuid.UUID(session["of"]))

    def _home(self, found: Returned | None) -> Card:
        if found is None:
            return back.unknown()
        shares = found.compartment != self.line.manifest().routing.get(_NO_SHARING)
        return back.home(found.status, answers=found.answers, shares=shares)

    async def _opened(self) -> None:
        found = await returning.find_by_chat(self.visit.connection, self.visit.chat)
        self.chat.clears()
        if found is None:
            self._stands(back.locked(), self.line.now() + STANDS, fresh=True)
            return
        self._opens({"by": "chat", "of": str(found.report)}, self.line.now())
        await self._reads(found)

    async def _goes_on(self, session: dict[str, Any], came: Came) -> None:
        found = await self._found(session)
        if found is None:
            self._keeps(came)
            self._shows(back.unknown(), at="home")
        elif isinstance(came.given, Tapped):
            await self._tapped(found, session, came.given.button)
        else:
            await self._writes(found, came)

    # ---- what can be done ---------------------------------------------------------------------------

    async def _tapped(self, found: Returned, session: dict[str, Any], button: str) -> None:
        act, _, choice = button.removeprefix("back.").partition(".")
        if act in {"read", "next"}:
            await self._reads(found, after=session.get("reply", 0) if act == "next" else None)
        elif act == "write":
            self._shows(back.write(), at="write")
        elif act == "share":
            await self._shares(found, choice)
        elif act == "withdraw":
            await self._withdraws(found, session["at"], choice)
        else:
            self._shows(self._home(found), at="home")

    async def _reads(self, found: Returned, after: int | None = None) -> None:
        """The first answer that was not read yet, or the one that follows; else the last."""
        replies = await returning.replies(self.visit.connection, found.report)
        opened = [(reply, text) for reply in replies if (text := await self._text_of(reply)) is not None]
        if not opened:
            self._shows(back.no_reply() if replies else self._home(found), at="home", fresh=True)
            return
        following = [
            at
            for at, (reply, _) in enumerate(opened)
            if (reply.read_hour is None if after is None else reply.number > after)
        ]
        at = following[0] if following else len(opened) - 1
        reply, text = opened[at]
        await returning.mark_read(self.visit.connection, reply.id, self.line.now())
        self._shows(back.reply(text, more=at + 1 < len(opened)), at="reply", fresh=True, protected=True)
        assert self.visit.draft is not None
        self.visit.draft.data["back"]["reply"] = reply.number

    async def _text_of(self, reply: Reply) -> str | None:
        """What a reply says; None, told in the log and on record, when it is not the team's."""
        identities = [] if self.line.relay is None else [self.line.relay]
        try:
            return open_reply(reply, identities, self.line.manifest())
        except (RefusedReplyError, ManifestError) as error:
            log.error("reply_refused", reply=str(reply.id), error=type(error).__name__)
            if isinstance(error, RefusedReplyError):
                await self.line.on_record.refused(
                    self.visit.connection, Refusal.REPLY, str(reply.id), self.line.now()
                )
            return None

    async def _writes(self, found: Returned, came: Came) -> None:
        """Words, voice and photos join the report at once."""
        given = came.given
        if isinstance(given, Sent):
            into = {"id": str(found.report), "compartment": found.compartment}
            self.chat.joins_file(Draft(uuid.uuid4(), {"report": into}), came)
        elif isinstance(given, Said | Edited | Located | Claimed) and back.words_of(given).strip():
            await self._adds(found, back.said(given, self.chat.lang))
        else:
            what = given.what if isinstance(given, Unusable) else ""
            self.chat.clears_answer(came)
            self._shows(back.write(Text(f"notice.{what}" if what in _NOTICES else _UNREAD)), at="write")
            return
        self.chat.clears_answer(came)
        self._shows(back.write(Text("back.written")), at="write")

    async def _shares(self, found: Returned, choice: str) -> None:
        row, _, option = choice.partition(".")
        if row not in back.SHARING:
            self._shows(back.share(), at="share")
        elif option not in back.options_of(row):
            self._shows(back.share_row(row), at="share")
        else:
            lang = self.chat.lang
            asked = "\n".join(self.line.plain(text, lang) for text in back.consent_texts(row))
            await self._adds(found, back.shared(row, option, asked, lang))
            told = Text(
                "back.shared", {"row": Text(f"ask.{row}.label"), "answer": Text(f"ask.{row}.{option}")}
            )
            self._shows(back.share((told,)), at="share")

    async def _withdraws(self, found: Returned, at: str, choice: str) -> None:
        """Asked twice; a button of an earlier card asks again."""
        if choice == "sure" and at == "sure":
            await returning.withdraw(self.visit.connection, found.report, self.line.now())
            self.told_team = True
            leave(self.visit)
            self._stands(back.withdrawn(), self.line.now() + STANDS)
        elif choice == "yes" and at == "withdraw":
            self._shows(back.withdraw_sure(), at="sure")
        else:
            self._shows(back.withdraw(), at="withdraw")

    async def _adds(self, found: Returned, content: dict[str, Any]) -> None:
        await submission.add(
            self.visit.connection,
            found.report,
            content,
            [],
            key=self.line.manifest().compartments[found.compartment],
            now=self.line.now(),
        )
        self.told_team = True

    def _keeps(self, came: Came) -> None:
        """What comes while nothing is open is kept like what comes before a first question."""
        draft, given = self.visit.draft, came.given
        assert draft is not None
        if isinstance(given, Said | Edited | Sent | Located | Claimed):
            draft.data["early"] += [words for words in [back.words_of(given)] if words]
            self.chat.takes_file(draft, came)
            self.visit.keep(draft)
        self.chat.clears_answer(came)
