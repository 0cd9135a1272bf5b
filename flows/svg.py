"""Boxes, arrows and wrapped words as an SVG text: well-formed for any words, readable on light and on dark.

Sizes are pixels. No font is measured: widths are those of a wide one (Verdana, DejaVu Sans), so others fit too.
"""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

STYLE = """
svg { color-scheme: light dark; font-family: Verdana, "DejaVu Sans", sans-serif; }
text { fill: #1a1a1a; } .small { fill: #4a4a4a; } .paper { fill: #ffffff; }
rect.box { fill: #f4f6f8; stroke: #5a6470; stroke-width: 1.5; } .inner { fill: none; stroke: #5a6470; }
rect.end { fill: #ffffff; stroke: #5a6470; stroke-width: 1.5; stroke-dasharray: 5 4; }
.frame { fill: none; stroke: #8a94a0; stroke-width: 1.5; stroke-dasharray: 2 4; }
.line { fill: none; stroke: #5a6470; stroke-width: 1.5; } .tip { fill: #5a6470; }
.critical rect.box, .critical .inner, .critical .line { stroke: #a3260f; } .critical .tip { fill: #a3260f; }
.critical rect.box, .critical .line { stroke-width: 4; } .critical .tag { fill: #a3260f; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f0f0; } .small { fill: #c2c8ce; } .paper { fill: #14181c; }
  rect.box { fill: #20262c; stroke: #a8b2bc; } .inner { stroke: #a8b2bc; } rect.end { fill: #14181c; stroke: #a8b2bc; }
  .frame { stroke: #76808a; } .line { stroke: #a8b2bc; } .tip { fill: #a8b2bc; }
  .critical rect.box, .critical .inner, .critical .line { stroke: #ff9a80; } .critical .tip { fill: #ff9a80; }
  .critical .tag { fill: #ff9a80; }
}
"""
_NARROW, _WIDE = frozenset("ijlftrI.,:;'’!|()[] -іїј\N{NO-BREAK SPACE}"), frozenset("mwMW%@—шщжюыфмШЩЖЮЫФМДД")
_EM = {"narrow": 0.42, "wide": 0.98, "upper": 0.76, "other": 0.64}  # of the font's size


def width(words: str, size: float) -> float:
    """Say how wide a line is at most."""
    return size * sum(_EM[_class(letter)] for letter in words)


def _class(letter: str) -> str:
    if letter in _NARROW:
        return "narrow"
    if letter in _WIDE:
        return "wide"
    return "upper" if letter.isupper() else "other"


def wrapped(words: str, size: float, most: float) -> list[str]:
    """Break words into lines of at most `most` pixels; a no-break space stays, a longer word has its own line."""
    lines: list[str] = []
    for word in words.split(" "):
        if lines and width(f"{lines[-1]} {word}", size) <= most:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


@dataclass(frozen=True, slots=True)
class Line:
    """One line of words in a box."""

    words: str
    size: int = 13
    style: str = ""  # class names of STYLE
    bold: bool = False

    @property
    def height(self) -> float:
        """From its top to the next line's."""
        return self.size * 1.35


def text(lines: Iterable[Line], x: float, y: float, lang: str = "") -> str:
    """Write lines below each other; (x, y) is the top left corner."""
    written = []
    for line in lines:
        weight = ' font-weight="bold"' if line.bold else ""
        style = f' class="{line.style}"' if line.style else ""
        language = f' xml:lang="{html.escape(lang)}"' if lang else ""
        written.append(
            f'<text x="{x:g}" y="{y + line.size:.1f}" font-size="{line.size}"{weight}{style}{language}>'
            f"{html.escape(line.words)}</text>"
        )
        y += line.height
    return "".join(written)


def rectangle(x: float, y: float, w: float, h: float, style: str, *, corner: float = 6) -> str:
    """Write a rectangle with rounded corners."""
    return f'<rect class="{style}" x="{x:g}" y="{y:.1f}" width="{w:g}" height="{h:.1f}" rx="{corner:g}"/>'


def arrow(points: Sequence[tuple[float, float]]) -> str:
    """Write a line along the points, with its tip at the last."""
    (x0, y0), (x, y) = points[-2], points[-1]
    dx, dy = (x > x0) - (x < x0), (y > y0) - (y < y0)  # the last part is level or upright
    side = [(x - 9 * dx - 5 * dy * s, y - 9 * dy - 5 * dx * s) for s in (1, -1)]
    along = " L".join(f"{px:.1f} {py:.1f}" for px, py in (*points[:-1], (x - 8 * dx, y - 8 * dy)))
    tip = " ".join(f"{px:.1f},{py:.1f}" for px, py in ((x, y), *side))
    return f'<path class="line" d="M{along}"/><polygon class="tip" points="{tip}"/>'


def group(inside: str, title: str, **names: str) -> str:
    """Put elements together under a title that a screen reader says; `_` in a name stands for `-`."""
    said = "".join(
        f' {name.strip("_").replace("_", "-")}="{html.escape(value)}"'
        for name, value in names.items()
        if value
    )
    return f"<g{said}><title>{html.escape(title)}</title>{inside}</g>\n"


def document(inside: str, size: tuple[float, float], *, title: str, description: str) -> str:
    """Give the whole file."""
    w, h = (f"{side:.0f}" for side in size)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" '
        f'aria-labelledby="title description">\n<title id="title">{html.escape(title)}</title>\n'
        f'<desc id="description">{html.escape(description)}</desc>\n<style>{html.escape(STYLE, quote=False)}</style>\n'
        f'<rect class="paper" width="{w}" height="{h}"/>\n{inside}</svg>\n'
    )
