"""A form drawn for reviewers who read no code: each step once, and every way that leads to it.

From top to bottom along the line at the left: a box at that line is asked of everyone; an indented one only after
the answer that its arrow names. What is optional stands beside, under its headings.

Path("witness.svg").write_text(drawing(forms.newest("witness"), texts))
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from flows import svg
from flows.cards import Text
from flows.form import Condition, Fact, Form, Heading, Kind, Option, Repeat, Step
from flows.reading import Speaker
from flows.show import said_in, words_of_button
from flows.svg import Line
from flows.taps import FORM

_COLUMN = 430  # pixels, as all below
_GUTTER = 56  # between columns: loops run here
_RAIL = 18  # the line everyone goes along, from a column's left
_INDENT = 46
_PAD = 10
_GAP = 30  # between boxes
_MARGIN = 24
_HEAD = 92  # above the columns: title and legend
_COLUMNS = 2  # of headings, at most
_LEGEND = (
    "Boxes at the left line are asked of everyone; indented boxes only after the answer their arrow names.",
    "A thick double border and the words “critical path”: the way of someone who cannot wait. Dashed: an end.",
)


@dataclass(frozen=True, slots=True)
class Box:
    """One box with its place; `critical` boxes say so in words and have a double border."""

    id: str
    x: float
    y: float
    w: float
    lines: tuple[Line, ...]
    title: str
    ends: bool = False
    critical: bool = False
    said_in: str = ""  # BCP 47

    @property
    def height(self) -> float:
        """Its height, which follows from its lines."""
        return sum(line.height for line in self.lines) + 2 * _PAD

    @property
    def bottom(self) -> float:
        """The y of its lower edge."""
        return self.y + self.height


@dataclass(slots=True)
class _Picture:
    """What is drawn so far."""

    form: Form
    texts: Speaker
    critical: list[str]
    boxes: list[Box] = field(default_factory=list)
    drawn: list[str] = field(default_factory=list)
    urgent: list[str] = field(default_factory=list)  # drawn over the rest, where they share a line

    def arrow(
        self,
        source: str,
        target: str,
        points: Sequence[tuple[float, float]],
        label: str = "",
        *,
        critical: bool = False,
    ) -> None:
        title = f"from {source} to {target}" + (f": {label}" if label else "")
        (self.urgent if critical else self.drawn).append(
            svg.group(
                svg.arrow(points),
                title,
                class_="arrow critical" if critical else "arrow",
                data_from=source,
                data_to=target,
                data_label=label,
            )
        )

    def words(self, label: str, x: float, bottom: float, most: float) -> None:
        lines = _label_lines(label, most)
        self.drawn.append(svg.text(lines, x, bottom - sum(line.height for line in lines)))


def drawing(form: Form, texts: Speaker) -> str:
    """Give the form as an SVG file. The drawing speaks English, the questions the language of `texts`."""
    picture = _Picture(form, texts, critical_path(form))
    core = _Column(picture, "", _MARGIN, _HEAD)
    core.all(form.steps)
    core.end("sent", texts.plain(Text("nav.send")), "sent, receipt")
    if form.after:
        core.all(form.after)
        core.end("joined", "", "joins what was sent")
    bottom: float = core.y
    right: float = _MARGIN + _COLUMN
    if form.headings:
        right, lowest = _headings(picture, right + 2 * _GUTTER)
        bottom = max(bottom, lowest)
    title = f"The form “{form.name}”, version {form.version}"
    head = svg.text(
        [Line(title, 20, bold=True), *(Line(words, 12, "small") for words in _LEGEND)], _MARGIN, _MARGIN - 6
    )
    boxes = "".join(_draw(box) for box in picture.boxes)
    return svg.document(
        head + "\n" + "".join(picture.drawn + picture.urgent) + boxes,
        (max(right, 820) + _MARGIN, bottom + _MARGIN),
        title=title,
        description=f"{title}: {len(list(form.all_steps()))} steps from top to bottom. {' '.join(_LEGEND)} "
        "The same as a table: python -m flows show.",
    )


def _draw(box: Box) -> str:
    inside = svg.rectangle(
        box.x, box.y, box.w, box.height, "end" if box.ends else "box", corner=16 if box.ends else 6
    )
    if box.critical and not box.ends:
        inside += svg.rectangle(box.x + 5, box.y + 5, box.w - 10, box.height - 10, "inner", corner=3)
    first, *rest = box.lines
    inside += svg.text([first], box.x + _PAD + 2, box.y + _PAD)
    inside += svg.text(rest, box.x + _PAD + 2, box.y + _PAD + first.height, box.said_in)
    kind = "end" if box.ends else "step"
    return svg.group(inside, box.title, id=box.id, class_=f"{kind} critical" if box.critical else kind)


class _Column:
    """Boxes from top to bottom, and the line along them."""

    def __init__(self, picture: _Picture, prefix: str, x: float, y: float) -> None:
        self.picture, self.prefix, self.x, self.y = picture, prefix, x, y
        self.last: Box | None = None  # the last that everyone comes to
        self.label = ""  # with what answer it goes on from there
        self.pending: list[Box] = []  # indented since then: they lead back to the line

    def all(self, entries: Sequence[Step | Repeat]) -> None:
        """Draw steps and repeats."""
        for entry in entries:
            if isinstance(entry, Step):
                self.step(entry)
                continue
            self.repeat(entry)

    def repeat(self, entry: Repeat) -> None:
        """Draw its steps, and the way back from the last to the first."""
        start = len(self.picture.boxes)
        for step in entry.steps:
            self.step(step)
        first, last = self.picture.boxes[start], self.picture.boxes[-1]
        out = self.x + _COLUMN + 18
        again = words_of_button(entry.steps[-1], entry.steps[-1].options[0], self.picture.texts)
        points = [
            (last.x + last.w, last.y + 20),
            (out, last.y + 20),
            (out, first.y + 20),
            (first.x + first.w, first.y + 20),
        ]
        self.picture.arrow(last.id, first.id, points, again)
        lines = _label_lines(f"up again, at most {entry.limit} times: “{again}”", _COLUMN - _INDENT)
        self.picture.drawn.append(svg.text(lines, self.x + _INDENT, self.y + 4))
        self.y += sum(line.height for line in lines)

    def step(self, step: Step) -> None:
        """Draw one step with the arrows that lead to it, and its ways out of the form."""
        indent = _INDENT if step.when else 0
        critical = not self.prefix and step.key in self.picture.critical
        label = " and ".join(
            said_in(condition, self.picture.form, self.picture.texts) for condition in step.when
        )
        box = self.box(
            self.id(step.key),
            _step_lines(step, self.picture, _COLUMN - indent - 2 * _PAD - 4, critical=critical),
            f"{step.key}: {self.picture.texts.plain(Text(step.ask or f'ask.{step.key}'))}",
            indent=indent,
            label=f"if {label}" if label else self.label,
            critical=critical,
            said=self.picture.texts.lang,
        )
        if step.when:
            assert self.last  # no form begins with a condition
            self.branch(self.last, box, f"if {label}")
            self.pending.append(box)
        else:
            self.join(box)
        self.exits(step, box)
        if box.critical and step.key == self.picture.critical[-1] and self.picture.form.send_critical:
            self.send_now(box)

    def id(self, key: str) -> str:
        """Name a box: one step can stand in the core and again under a heading."""
        return f"{self.prefix}-{key}" if self.prefix else key

    def box(
        self,
        name: str,
        lines: Sequence[Line],
        title: str,
        *,
        indent: float = 0,
        label: str = "",
        critical: bool = False,
        ends: bool = False,
        said: str = "",
    ) -> Box:
        """Place one box, with room above for what its arrow says."""
        x = self.x + indent
        words = x if indent else x + _RAIL + 12
        most = self.x + _COLUMN - words - 10
        if self.last:
            self.y += _GAP
        if label:
            self.y += sum(line.height for line in _label_lines(label, most))
        box = Box(name, x, self.y, self.x + _COLUMN - x, tuple(lines), title, ends, critical, said)
        if label:
            self.picture.words(label, words, box.y - 8, most)
        self.picture.boxes.append(box)
        self.y = box.bottom
        return box

    def join(self, box: Box) -> None:
        """Lead the line, and all that left it, to a box that everyone comes to."""
        rail = self.x + _RAIL
        if self.last:
            both = self.last.critical and box.critical
            points = [(rail, self.last.bottom), (rail, box.y)]
            self.picture.arrow(self.last.id, box.id, points, self.label, critical=both)
        for before in self.pending:
            points = [(before.x, before.bottom - 14), (rail, before.bottom - 14), (rail, box.y)]
            self.picture.arrow(before.id, box.id, points)
        self.last, self.pending, self.label = box, [], ""

    def branch(self, source: Box, box: Box, label: str) -> None:
        """Lead from a box to one indented under it."""
        rail = source.x + _RAIL
        points = [(rail, source.bottom), (rail, box.y + 18), (box.x, box.y + 18)]
        both = source.critical and box.critical
        self.picture.arrow(source.id, box.id, points, label, critical=both)

    def exits(self, step: Step, box: Box) -> None:
        """Draw where answers lead that do not go on in this form, and say which go on."""
        ways: dict[str, list[str]] = {}
        on: list[str] = []
        for option in step.options:
            way = _way_out(step, option, self.picture.form)
            (ways.setdefault(way, []) if way else on).append(
                f"“{words_of_button(step, option, self.picture.texts)}”"
            )
        if not ways:
            return
        for number, (way, answers) in enumerate(ways.items(), 1):
            label = " or ".join(answers)
            indent = box.x - self.x + _INDENT
            end = self.box(
                f"{box.id}-exit-{number}",
                [Line(way, 13, bold=True)],
                way,
                indent=indent,
                label=label,
                ends=True,
            )
            self.branch(box, end, label)
        if not step.when:
            self.label = " or ".join(on)

    def send_now(self, box: Box) -> None:
        """Draw that someone who cannot wait can send already."""
        label = self.picture.texts.plain(Text("nav.send_now"))
        indent = box.x - self.x + _INDENT
        words = "sent, receipt"
        end = self.box(
            "sent-now",
            [Line(words, 13, bold=True)],
            words,
            indent=indent,
            label=label,
            critical=True,
            ends=True,
        )
        self.branch(box, end, label)

    def end(self, key: str, label: str, words: str) -> None:
        """Draw the end of this column's way."""
        self.label = label
        self.join(self.box(self.id(key), [Line(words, 13, bold=True)], words, label=label, ends=True))


def critical_path(form: Form) -> list[str]:
    """List the steps on the way of someone whose answer makes the report critical, up to where it can be sent."""
    # A date that is near makes it critical too, but nobody can see that in the questions.
    rules = [rule for rule, urgency in form.urgency if urgency == "critical" and rule.fact is Fact.CHOSEN]
    way: list[str] = []
    last = 0
    for step in form.steps:
        assert isinstance(step, Step)
        urgent = any(_follows(condition, rules) for condition in step.when)
        if urgent or not step.when:
            way.append(step.key)
        if urgent or any(rule.step == step.key for rule in rules):
            last = len(way)
    return way[:last]


def _follows(condition: Condition, rules: Sequence[Condition]) -> bool:
    """Say whether a condition holds because one of the critical answers was given."""
    same = (rule for rule in rules if rule.step == condition.step and condition.fact is Fact.CHOSEN)
    return any(set(condition.options) <= set(rule.options) for rule in same)


def _way_out(step: Step, option: Option, form: Form) -> str:
    """Say where an answer leads, unless it goes on in this form."""
    if option.outcome:
        return option.outcome.replace("_", " ")
    # Beside an answer that leads here by name, one without a name leads where interviews begin.
    leads_here = any(other.form == form.name for other in step.options)
    name = option.form or (FORM if leads_here else form.name)
    return "" if name == form.name else f"goes on in the form {name}"


def _headings(picture: _Picture, left: float) -> tuple[float, float]:
    """Draw all headings in a frame beside the core, each in the shortest column; give its right and lower edge."""
    columns = min(_COLUMNS, len(picture.form.headings))
    lowest = [_HEAD + 40.0] * columns
    for heading in picture.form.headings:
        at = lowest.index(min(lowest))
        lowest[at] = _heading(picture, heading, left + at * (_COLUMN + _GUTTER), lowest[at]) + 2 * _GAP
    edge = left - _GUTTER / 2
    right = left + columns * (_COLUMN + _GUTTER) - _GUTTER / 2
    words = "Headings: offered on the review and again after sending. Each can be left at any question."
    inside = svg.rectangle(edge, _HEAD, right - edge, max(lowest) - _HEAD, "frame", corner=10)
    inside += svg.text([Line(words, 13, bold=True)], edge + 12, _HEAD + 8)
    picture.drawn.append(svg.group(inside, words, id="headings", class_="headings"))
    review = next(box for box in picture.boxes if box.id == "review")
    level = review.y + 24
    label = picture.texts.plain(Text("nav.more"))
    picture.arrow("review", "headings", [(review.x + review.w, level), (edge, level)], label)
    picture.words(label, review.x + review.w + 8, level - 4, edge - review.x - review.w)
    return right, max(lowest)


def _heading(picture: _Picture, heading: Heading, x: float, y: float) -> float:
    """Draw one heading; give its lower edge."""
    column = _Column(picture, heading.key, x, y)
    name = picture.texts.plain(Text(f"heading.{heading.key}"))
    lines = [Line(name, 16, bold=True)]
    if heading.when:
        said = " and ".join(said_in(condition, picture.form, picture.texts) for condition in heading.when)
        lines += [Line(part, 12, "small") for part in svg.wrapped(f"offered if {said}", 12, _COLUMN - 30)]
    column.join(column.box(f"heading-{heading.key}", lines, f"heading: {name}", ends=True))
    column.all(heading.steps)
    column.end("end", "", "to the message")
    return column.y


def _label_lines(label: str, most: float) -> list[Line]:
    return [Line(part, 12) for part in svg.wrapped(label, 12, most)]


def _step_lines(step: Step, picture: _Picture, most: float, *, critical: bool) -> list[Line]:
    """Say what is asked, and with what buttons."""
    texts = picture.texts
    tag = "  ·  critical path" if critical else ""
    lines = [Line(f"{step.key}  ·  {step.kind.value}{tag}", 11, "small tag", bold=bool(tag))]
    ask = step.ask or f"ask.{step.key}"
    lines += [Line(part, 14, bold=True) for part in svg.wrapped(texts.plain(Text(ask)), 15, most)]
    if step.hint:
        for words in texts.plain(Text(f"{ask}.hint")).split("\n"):
            lines += [Line(part, 12) for part in svg.wrapped(words, 12, most)]
    buttons = [f"[{words_of_button(step, option, texts)}]" for option in _named(step)]
    if step.skip and step.kind is not Kind.REVIEW:
        buttons.append(f"({texts.plain(Text(f'nav.{step.skip}'))})")
    buttons = [button.replace(" ", "\N{NO-BREAK SPACE}") for button in buttons]  # each stays on one line
    lines += [Line(part, 12, "small") for part in svg.wrapped(" ".join(buttons), 12, most)]
    for condition, _ in step.variants:
        words = f"other words if {said_in(condition, picture.form, texts)}"
        lines += [Line(part, 11, "small") for part in svg.wrapped(words, 11, most)]
    return lines


def _named(step: Step) -> list[Option]:
    """Of a grid of numbers only the first and the last are drawn."""
    literal = [option for option in step.options if option.literal]
    return [option for option in step.options if option not in literal[1:-1]]
