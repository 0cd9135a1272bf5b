"""The card of every state: one question, at most three short lines, its buttons, Back, Skip and Hide.

card(interview, turn.notice).texts
"""

from collections.abc import Mapping, Sequence

from flows.cards import Button, Card, Text
from flows.echo import echo
from flows.form import Kind, Option, Step
from flows.interview import Answer, Interview
from flows.path import Slot, answer_at, class_of, find, holds, is_offered, is_sendable, live_answers, path
from flows.told import Beside, beside, label_key, option_key, place_label, said_understood, told

Rows = tuple[tuple[Button, ...], ...]

_BACK = Button("back", Text("nav.back"))
_HIDE = Button("hide", Text("nav.hide"))
_SEND_NOW = Button("send", Text("nav.send_now"))
_KEEP = Button("keep", Text("nav.keep"))
_DONE = Button("keep", Text("nav.done"))
_CLEAR = Button("clear", Text("nav.clear"))
_TO_REVIEW = Button("review", Text("nav.review"))
_MOST_WORDS = 2  # buttons in a row, when they hold words
_MOST_OTHERS = 12  # things kept beside that the review shows one by one
_REVIEW_UNITS = 2600  # UTF-16 units of a person's words on the review, of the 4096 a message may have


def card(interview: Interview, notice: Text | None = None, *, slots: list[Slot] | None = None) -> Card:
    """Show what stands in the chat now; `notice` is its first line, and makes room by leaving out hints.

    `slots` is its path, where that is known already.
    """
    form = interview.definition()
    slots = path(form, interview) if slots is None else slots
    slot = slots[find(slots, interview.at)]
    live = live_answers(slots, interview)
    sendable = is_sendable(form, interview, live)
    first = (notice,) if notice else ()
    if slot.step.kind is Kind.REVIEW:
        nothing_yet = interview.sent and not sendable
        if interview.menu == "more" or nothing_yet:
            shown = _more(interview, live, nothing_yet=nothing_yet)
        elif interview.menu == "change":
            shown = _change(interview, slots)
        else:
            shown = _review(interview, slots, live, sendable=sendable)
        return Card((*first, *shown.texts), shown.buttons)
    shown = (
        _which(interview)
        if interview.picks
        else _question(interview, slots, slot, shorter=notice is not None)
    )
    send: Rows = ()
    if not slot.step.plain and sendable and class_of(form, live) == "critical":
        send = ((_SEND_NOW,),)
    return Card((*first, *shown.texts), (*send, *shown.buttons))


def _question(interview: Interview, slots: list[Slot], slot: Slot, *, shorter: bool) -> Card:
    step = slot.step
    live = live_answers(slots, interview)
    ask = next(
        (key for condition, key in step.variants if holds(condition, live, slot.turn)),
        step.ask or f"ask.{step.key}",
    )
    answer = answer_at(slot, interview) or Answer()
    files = sum(file.slot == slot.name for file in interview.files)
    has_answer = step.told and answer.is_given
    texts = [Text(ask)]
    now = has_answer or (files > 0 and not step.whole)
    if now:
        texts.append(Text("card.now", {"answer": _said(slot, answer, files, interview.lang, limit=160)}))
    # Three lines at most; only a consent text that was not yet answered stays whole under a notice.
    if step.hint and not now and (step.whole or not shorter):
        texts.append(Text(f"{ask}.hint"))
    if step.resume and interview.resume and not now:
        texts.append(Text("card.resume", {"resume": interview.resume}))
    navigation = _navigation(slot, has_answer=has_answer, files=files)
    if interview.sent and slot is slots[0] and not slot.heading:  # nothing stands before it
        navigation = (*navigation[:-1], (_HIDE,))
    return Card(tuple(texts), (*_options(step), *navigation))


def _options(step: Step) -> Rows:
    buttons = [Button(f"o.{option.key}", _option_text(step, option)) for option in step.options]
    # Beside a grid of numbers words would be cut on a phone: they stand above it, each in a row of its own.
    words = [button for button in buttons if step.columns > _MOST_WORDS and isinstance(button.text, Text)]
    grid = [button for button in buttons if button not in words]
    rows = (tuple(grid[start : start + step.columns]) for start in range(0, len(grid), step.columns))
    return (*((button,) for button in words), *rows)


def _option_text(step: Step, option: Option) -> Text | str:
    return option.literal or Text(option_key(step.key, option.key))


def _navigation(slot: Slot, *, has_answer: bool, files: int) -> Rows:
    """Never offer Skip over an answer: it would lose it. Leave it, or remove it, each by its own name."""
    step = slot.step
    if step.plain:
        return ()
    first: tuple[Button, ...]
    if step.kind is Kind.FILES and (files or has_answer):
        first = (_DONE, _CLEAR) if files else (_DONE,)
    elif has_answer:
        first = (_KEEP, Button("skip", Text("nav.remove"))) if step.skip else (_KEEP,)
    elif step.skip:
        first = (Button("skip", Text(f"nav.{step.skip}")),)
    else:
        first = ()
    leave: Rows = ((_TO_REVIEW,),) if slot.heading else ()
    return (*((first,) if first else ()), *leave, (_BACK, _HIDE))


def _which(interview: Interview) -> Card:
    labels = [place_label(pick, interview.lang) for pick in interview.picks]
    exact = [
        place_label(pick, interview.lang, levels=("name", "hromada", "raion"))
        if labels.count(label) > 1
        else label
        for pick, label in zip(interview.picks, labels, strict=True)
    ]
    picks = tuple((Button(f"pick.{index}", label),) for index, label in enumerate(exact))
    none = Button("pick.none", Text("which.none"))
    asked: tuple[Text, ...] = (Text("which"), Text("which.hint"))
    if any("organisation" in pick for pick in interview.picks):
        asked = (Text("which.organisation"),)
    return Card(asked, (*picks, (none,), (_BACK, _HIDE)))


def _more(interview: Interview, live: Mapping[str, Answer], *, nothing_yet: bool) -> Card:
    """Offer the headings; `nothing_yet`: there is no message to go back to."""
    form = interview.definition()
    buttons = [
        Button(f"open.{heading.key}", Text(f"heading.{heading.key}"))
        for heading in form.headings
        if is_offered(heading, live)
    ]
    back: Rows = ((_HIDE,),) if nothing_yet else ((_TO_REVIEW,), (_BACK, _HIDE))
    return Card((Text("ask.more"),), (*_in_twos(buttons), *back))


def _change(interview: Interview, slots: list[Slot]) -> Card:
    """Offer each answer, to be given anew; under a heading only those that were given."""
    buttons = [
        Button(f"change.{slot.name}", _label(slot))
        for slot in slots
        if slot.step.told and (not slot.heading or slot.name in interview.answers)
    ]
    return Card((Text("ask.change"),), (*_in_twos(buttons), (_TO_REVIEW,), (_BACK, _HIDE)))


def _in_twos(buttons: Sequence[Button]) -> Rows:
    return tuple(tuple(buttons[start : start + 2]) for start in range(0, len(buttons), 2))


def _review(interview: Interview, slots: list[Slot], live: Mapping[str, Answer], *, sendable: bool) -> Card:
    """List all that was told, one line each, cut to fit."""
    form = interview.definition()
    answers = told(slots, interview)
    others = beside(slots, interview)
    limit = max(24, min(160, _REVIEW_UNITS // (len(answers) + min(len(others), _MOST_OTHERS) + 1)))
    texts = [Text("ask.review.more" if interview.sent else slots[-1].step.ask or "ask.review")]
    for row in answers:
        said = _said(row.slot, row.answer, len(row.files), interview.lang, limit=limit)
        texts.append(Text("review.row", {"label": _label(row.slot), "answer": said}))
    for other in others[:_MOST_OTHERS]:
        said = _said_beside(other, limit)
        texts.append(Text("review.beside", {"label": Text(label_key(form, other.slot)), "answer": said}))
    if len(others) > _MOST_OTHERS:
        texts.append(Text("review.more", {"count": str(len(others) - _MOST_OTHERS)}))
    if not sendable:
        texts.append(Text("review.cannot_send"))
    send: Rows = ((Button("send", Text("nav.send")),),) if sendable else ()
    offered = any(is_offered(heading, live) for heading in form.headings)
    more = (Button("menu.more", Text("nav.more")),) if sendable and offered else ()
    change = (Button("menu.change", Text("nav.change")),) if any(slot.step.told for slot in slots) else ()
    leave = (_BACK, _HIDE) if len(slots) > 1 else (_HIDE,)
    return Card(tuple(texts), (*send, *((more + change,) if more + change else ()), leave))


def _said_beside(other: Beside, limit: int) -> Text | str:
    words = other.words or (other.file.caption if other.file else "")
    if words:
        return echo(words, limit)
    return Text("said.files", {"count": "1"}) if other.file else Text("said.point")


def _label(slot: Slot) -> Text:
    label = Text(f"ask.{slot.step.key}.label")
    return Text("label.turn", {"label": label, "turn": str(slot.turn)}) if slot.turn else label


def _said(slot: Slot, answer: Answer, files: int, lang: str, *, limit: int) -> Text | str:
    """Say an answer on one line: its words, what was understood, how many files."""
    parts: list[Text | str] = []
    if answer.parts:
        parts.append(Text("said.words", {"words": echo(answer.words, limit)}))
    option = slot.step.option(answer.option) if answer.option else None
    understood = said_understood(answer.understood, lang)
    if option:
        parts.append(_option_text(slot.step, option))
    elif understood is not None:
        parts.append(understood)
    if files:
        parts.append(Text("said.files", {"count": str(files)}))
    if not parts:
        return Text(f"said.{answer.skipped}" if answer.skipped else "said.none")
    said = parts[0]
    for part in parts[1:]:
        said = Text("said.both", {"first": said, "second": part})
    return said
