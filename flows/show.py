"""A form laid out as a table a person can read and review: what is asked, how it is answered, when, and the rules.

print(table(forms.newest("family"), texts))
"""

import textwrap
from collections.abc import Iterable, Iterator

from flows.cards import Text
from flows.form import Condition, Fact, Form, Option, Repeat, Step
from flows.reading import Speaker
from flows.told import option_key

_WIDTHS = (16, 7, 46, 34, 26)  # columns, in characters
_HEADS = ("step", "kind", "asks", "buttons", "asked when")
_HOW = {
    Fact.GIVEN: "{step} is answered",
    Fact.TYPED: "{step} is kept as typed",
    Fact.FILE: "any photo, voice or file",
    Fact.LINK: "a link",
    Fact.SAID: "any words, voice or file",
    Fact.RECENT: "{step} within {days} days",
    Fact.SOON: "{step} in the next {days} days",
    Fact.ADULT_SOON: "18 within {days} days, by {step}",
}


def table(form: Form, texts: Speaker) -> str:
    """Give the whole form in one language, as lines of at most 140 characters."""
    lines = [f"{form.name}, version {form.version} (consent text {form.consent})", ""]
    lines += [_line(_HEADS), _line(["-" * width for width in _WIDTHS])]
    lines += _entries(form.steps, texts)
    if form.after:
        lines += ["AFTER SENDING, in the same sitting", "", *_entries(form.after, texts)]
    for heading in form.headings:
        offered = f", offered if {all_of(heading.when)}" if heading.when else ""
        name = texts.plain(Text(f"heading.{heading.key}"))
        lines += [f"HEADING {heading.key} [{name}]{offered}", "", *_entries(heading.steps, texts)]
    lines.append("can be sent when: " + all_of(form.needs) + "; and any one of:")
    lines += [f"  {all_of(facts)}" for facts in form.send]
    lines += [f"  if critical: {all_of(facts)}" for facts in form.send_critical]
    lines.append("class, the first that holds:")
    lines += [f"  {urgency}: {said(condition)}" for condition, urgency in form.urgency]
    if form.sharing:
        lines.append(f"sharing: {', '.join(form.sharing)} (silence: team only)")
    lines.append(f"answer here: {form.answer_here or 'as the first message said'}")
    return "\n".join(lines) + "\n"


def said(condition: Condition) -> str:
    """Say one condition in words."""
    if condition.fact in {Fact.CHOSEN, Fact.NOT_CHOSEN}:
        verb = "is" if condition.fact is Fact.CHOSEN else "is not"
        return f"{condition.step} {verb} {' or '.join(condition.options)}"
    return _HOW[condition.fact].format(step=condition.step, days=condition.days)


def all_of(conditions: Iterable[Condition]) -> str:
    """Say that several conditions hold together."""
    return " and ".join(map(said, conditions))


def said_in(condition: Condition, form: Form, texts: Speaker) -> str:
    """Say one condition with the names that its question and its buttons have in a language."""
    step = next((step for step in form.all_steps() if step.key == condition.step), None)
    if step is None:
        return said(condition)
    name = texts.plain(Text(f"ask.{step.key}.label")) if step.told else step.key
    if condition.fact not in {Fact.CHOSEN, Fact.NOT_CHOSEN}:
        return _HOW[condition.fact].format(step=f"“{name}”", days=condition.days)
    options = [option for option in step.options if option.key in condition.options]
    verb = "is" if condition.fact is Fact.CHOSEN else "is not"
    said_options = " or ".join(f"“{words_of_button(step, option, texts)}”" for option in options)
    return f"“{name}” {verb} {said_options}"


def words_of_button(step: Step, option: Option, texts: Speaker) -> str:
    """Give what stands on a button."""
    return option.literal or texts.plain(Text(option_key(step.key, option.key)))


def _entries(entries: Iterable[Step | Repeat], texts: Speaker) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, Repeat):
            yield f"repeated, turns {entry.first} to {entry.first + entry.limit - 1}:"
        for step in entry.steps if isinstance(entry, Repeat) else (entry,):
            yield from (*_rows(step, texts), "")


def _rows(step: Step, texts: Speaker) -> Iterator[str]:
    """Give one step: its cells wrapped beside each other."""
    asks = list(_asked(step.ask or f"ask.{step.key}", step, texts))
    for condition, key in step.variants:
        asks += [f"[{said(condition)}]", *_asked(key, step, texts)]
    buttons = [_button(step, option, texts) for option in step.options if not option.literal]
    if literals := [f"[{option.literal}]" for option in step.options if option.literal]:
        buttons.append(" ".join(literals))
    if step.skip:
        buttons.append(f"({texts.plain(Text(f'nav.{step.skip}'))})")
    cells = [[step.key], [step.kind.value], asks, buttons, [all_of(step.when)] if step.when else [""]]
    wrapped = [
        [part for line in cell for part in textwrap.wrap(line, width) or [""]]
        for cell, width in zip(cells, _WIDTHS, strict=True)
    ]
    for number in range(max(map(len, wrapped))):
        yield _line([cell[number] if number < len(cell) else "" for cell in wrapped])


def _asked(key: str, step: Step, texts: Speaker) -> Iterator[str]:
    yield from texts.plain(Text(key)).split("\n")
    if step.hint:
        yield from texts.plain(Text(f"{key}.hint")).split("\n")


def _button(step: Step, option: Option, texts: Speaker) -> str:
    way = option.outcome or (f"form {option.form}" if option.form else "")
    return f"[{words_of_button(step, option, texts)}]" + (f" → {way}" if way else "")


def _line(cells: Iterable[str]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()
