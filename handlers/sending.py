"""*Send*: the draft is sealed and submitted in the visit's transaction; only then is the person told, and what.

A report gets its receipt; what is given afterwards joins it. To add without the seven words is acknowledged with the
same bytes at the same moment, whether this chat has a report or not.
"""

import secrets
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flows import Card, Interview, Text, after, body, card, greeting, once_sent, place_codes, returnwords
from handlers.chat import Chat
from storage import draft_files, submission, threads
from storage.intake import Draft, Outgoing

RECEIPT_STANDS = timedelta(minutes=15)
RECEIPT_TAG, BELOW_TAG = "receipt ", "below "
SIBLINGS_JOIN_FOR = timedelta(hours=24)
PASSED_ON_AFTER = timedelta(seconds=2)
RESUME_WORDS = 2  # of 2,048: for one who holds the phone and guesses, 1 in 4 million
PUSH_ZONES: Mapping[str, str] = {"kyiv": "Europe/Kyiv", "moscow": "Europe/Moscow", "central": "Europe/Warsaw"}
LATER = "later"  # the form of one who wrote before and adds without the words


async def sends(chat: Chat) -> None:
    """Submits the active draft, or adds it to the report that it belongs to."""
    draft = chat.visit.draft
    assert draft is not None
    interview = Interview.from_json(draft.data["interview"])
    chat.lang = interview.lang
    if "report" in draft.data:
        await _adds(chat, draft, interview, draft.data["report"])
        _goes_on(chat, draft, interview, Text("notice.added"))
    elif interview.form == LATER:
        linked = await threads.linked(chat.visit.connection, chat.visit.chat)
        if linked is None:
            await _submits(chat, draft, interview)
        else:
            await _adds(chat, draft, interview, {"id": str(linked.report), "compartment": linked.compartment})
        chat.visit.shred(draft)
        chat.clears()
        chat.shows(after.passed_on(), at=chat.line.now() + PASSED_ON_AFTER)
    else:
        receipt, compartment = await _submits(chat, draft, interview)
        chat.visit.shred(draft)  # its row went with the report
        until = (chat.line.now() + SIBLINGS_JOIN_FOR).timestamp()
        for album in {file.album for file in interview.files if file.album}:
            chat.visit.messages.albums[album] = (str(receipt.report), compartment, until)
        _shows_receipt(chat, interview, receipt, compartment, draft_files.hashes(draft))


async def _submits(chat: Chat, draft: Draft, interview: Interview) -> tuple[submission.Receipt, str]:
    """The receipt, and the compartment that the report went to."""
    content = body(interview)
    ready, pending = await draft_files.files_of(chat.visit.connection, draft)
    given = submission.Given(
        form=interview.form,
        form_version=interview.version,
        urgency=content["urgency"],
        content=_sealed_with(interview, content, pending),
        files=ready,
        answer_here=content["answer_here"] == "chat",
        address=chat.visit.address,
        chat=chat.visit.chat,
        push=_push(content),
        lang=interview.lang,
        waiting_room=chat.visit.waiting_room,
    )
    to = chat.line.compartment(interview.form, place_codes(interview))
    receipt = await submission.submit(
        chat.visit.connection, draft.id, given, to=to, secret=chat.line.intake.secret, now=chat.line.now()
    )
    await draft_files.hand_over(
        chat.line.intake,
        chat.visit.connection,
        pending,
        receipt.report,
        compartment=to[0],
        seen=draft_files.hashes(draft),
    )
    return receipt, to[0]


async def _adds(chat: Chat, draft: Draft, interview: Interview, to: Mapping[str, str]) -> None:
    """What is new joins a report as a body of its own; whoever allows answers from now on has a thread."""
    content = body(interview)
    report = uuid.UUID(to["id"])
    ready, pending = await draft_files.files_of(chat.visit.connection, draft)
    await submission.add(
        chat.visit.connection,
        report,
        _sealed_with(interview, content, pending),
        ready,
        key=chat.line.manifest().compartments[to["compartment"]],
        now=chat.line.now(),
        urgency=content["urgency"],
    )
    seen = draft_files.hashes(draft)
    if "report" in draft.data:
        draft.data["report"]["seen"] = seen
    await draft_files.hand_over(
        chat.line.intake, chat.visit.connection, pending, report, compartment=to["compartment"], seen=seen
    )
    if content.get("answer_here") == "chat":
        await threads.open_thread(
            chat.visit.connection,
            report,
            chat=chat.visit.chat,
            address=chat.visit.address,
            push=_push(content),
            lang=interview.lang,
            secret=chat.line.intake.secret,
        )
    elif "answer_here" in content:
        await threads.end_thread(chat.visit.connection, report)


def _sealed_with(
    interview: Interview, content: Mapping[str, Any], pending: list[uuid.UUID]
) -> dict[str, Any]:
    return {
        "language": interview.lang,
        "form": interview.form,
        "form_version": interview.version,
        "answers": content,
        "files_on_their_way": [str(file) for file in pending],
    }


def _push(content: Mapping[str, Any]) -> str:
    """The time zone in whose day, from ten to six, one word may come; "" for none."""
    chosen = next((entry.get("option") for entry in content["answers"] if entry["step"] == "push"), None)
    return PUSH_ZONES.get(chosen or "", "")


def _shows_receipt(
    chat: Chat, interview: Interview, receipt: submission.Receipt, compartment: str, seen: list[str]
) -> None:
    """The receipt in the card's place, and below it what may be added; by itself the receipt goes in a while."""
    words = " ".join(returnwords.words(receipt.words, interview.lang))
    tag = f"{RECEIPT_TAG}{uuid.uuid4().hex}"
    given = interview.answers.get(interview.definition().answer_here)
    copy = given is not None and given.option == "chat"
    shown = after.receipt(receipt.public_code, words, child=interview.form == "child", copy=copy)
    chat.shows(shown, tag=tag)
    chat.clears()
    now = chat.line.now()
    following = once_sent(interview)
    below = after.below_receipt(interview)
    revision = 0
    if following is not None:
        draft = Draft(uuid.uuid4(), {"early": [], "files": {}})
        draft.data["report"] = {"id": str(receipt.report), "compartment": compartment, "seen": seen}
        draft.data["until"] = (now + RECEIPT_STANDS).timestamp()  # untouched, it goes with its card
        _comes_back_with(draft, following)
        chat.visit.draft = draft
        chat.visit.keep(draft)
        question = card(following)
        below = Card((*below.texts, *question.texts), question.buttons)
        revision = following.revision
    # Queued by itself: one visit's cards of this moment are one card. While the tag is the receipt's, so is the card.
    below_it = f"{BELOW_TAG}{uuid.uuid4().hex}"
    chat.shows(below, revision=revision, tag=below_it, fresh=True, beside=True, at=now)
    greeted = chat.line.render(greeting.card(), chat.lang)
    stood = () if chat.visit.messages.card is None else (chat.visit.messages.card,)
    chat.visit.send(
        Outgoing(chat.visit.address, show=greeted, delete=stood, only_if=below_it), at=now + RECEIPT_STANDS
    )


def _comes_back_with(draft: Draft, interview: Interview) -> None:
    """Two new words of its own; the interview is kept in the draft."""
    numbers = [secrets.randbelow(returnwords.COUNT) for _ in range(RESUME_WORDS)]
    resume = " ".join(returnwords.words(numbers, interview.lang))
    draft.data |= {"resume": numbers, "interview": {**interview.to_json(), "resume": resume}}


def _goes_on(chat: Chat, draft: Draft, interview: Interview, notice: Text) -> None:
    """What was added is sealed and gone from the draft; more may follow."""
    following = once_sent(interview)
    assert following is not None, "only such forms go on"
    draft.data |= {"files": {}, "early": [], "interview": following.to_json()}
    chat.visit.keep(draft)
    chat.clears(but_the_receipt=True)
    chat.shows(card(following, notice), revision=following.revision)
