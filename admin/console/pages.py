"""Pages: Jinja templates that escape everything, texts from the catalogues, moments said for a person at 3 a.m.

    pages = Pages(("console", "forms"))
    html = pages.render("queue.html", "uk", rows=…, now=…)

Titles are the same for every report: no code, no name, nothing to read over a shoulder or in a history.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from babel.dates import format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from admin.console.permissions import may
from admin.console.static import Static
from flows.cards import Text
from locales import MissingTextError, Texts, offered

_TEMPLATES = Path(__file__).parent / "templates"
FALLBACK = "uk"
NATIVE = {"uk": "Українська", "ru": "Русский", "be": "Беларуская", "en": "English"}
_DAY_MIN, _HOUR_MIN = 1440, 60


class Pages:
    """All templates in all offered languages. Built once a process."""

    def __init__(self, domains: tuple[str, ...], static: Static) -> None:
        self.texts = {lang: Texts.load(lang, domains=domains) for lang in offered("console")}
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._static = static

    def render(self, template: str, lang: str, **facts: Any) -> str:
        """A page or a part of one."""
        texts = self.texts[lang]
        speak = _Speaker(texts)
        return self._templates.get_template(template).render(
            t=speak.text,
            moment=speak.moment,
            hour=speak.hour,
            span=speak.span,
            clock=speak.clock,
            size=speak.size,
            form=speak.form,
            kind=speak.kind,
            act=speak.act,
            compartment=speak.compartment,
            language_name=speak.language_name,
            may=may,
            lang=lang,
            languages={lang: name for lang, name in NATIVE.items() if lang in self.texts},
            static=self._static.address,
            **{"person": None, "path": "/", "holder": "", **facts},
        )

    def language(self, cookie: str | None, accepted: str) -> str:
        """The language a person chose, else the first their browser names that is offered, else Ukrainian."""
        if cookie in self.texts:
            return cookie
        for part in accepted.split(","):
            lang = part.split(";")[0].strip().split("-")[0].lower()
            if lang in self.texts:
                return lang
        return FALLBACK


class _Speaker:
    """One language's ways to say things."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def text(self, key: str, **params: str) -> str:
        return self._texts.plain(Text(key, params))

    def known(self, key: str, otherwise: str) -> str:
        """A text for a word of ours; a word this version does not know yet is shown as it is."""
        try:
            return self.text(key)
        except MissingTextError:
            return otherwise

    def form(self, name: str) -> str:
        """A form's name."""
        return self.known(f"desk.form.{name}", name)

    def compartment(self, name: str) -> str:
        """A compartment's name."""
        return self.known(f"desk.compartment.{name}", name)

    def kind(self, kind: str) -> str:
        """A kind of file, as Telegram sends it."""
        return self.known(f"desk.kind.{kind}", kind)

    def language_name(self, lang: str) -> str:
        """A language in which a report was given."""
        return self.known(f"desk.language.{lang}", lang)

    def act(self, leaf: Mapping[str, Any]) -> str:
        """What a leaf of the custody log tells."""
        kind = str(leaf["kind"])
        said = self.known(f"desk.act.{_key(kind)}", kind)
        if kind == "status":
            status = self.known(f"desk.status.{_key(leaf['after'])}", leaf["after"])
            why = self.known(f"desk.why.{_key(leaf['why'])}", leaf["why"])
            return f"{said} {status} ({why})"
        return said

    def moment(self, at: datetime) -> str:
        return format_datetime(at.astimezone(UTC), "d MMM y, HH:mm", locale=self._texts.lang) + " UTC"

    def hour(self, at: datetime | str) -> str:
        """An hour, as clear columns and leaves have it; a leaf's `2026-11-22T14Z` is read too."""
        if isinstance(at, str):
            at = datetime.strptime(at, "%Y-%m-%dT%HZ").replace(tzinfo=UTC)
        return format_datetime(at.astimezone(UTC), "d MMM, HH:mm", locale=self._texts.lang)

    def span(self, length: timedelta) -> str:
        """«2 d 4 h», «3 h 05 min», «40 min»."""
        minutes = max(0, int(length.total_seconds() // 60))
        if minutes >= _DAY_MIN:
            days, rest = divmod(minutes, _DAY_MIN)
            return self.text("desk.span.days", days=str(days), hours=str(rest // _HOUR_MIN))
        if minutes >= _HOUR_MIN:
            hours, rest = divmod(minutes, _HOUR_MIN)
            return self.text("desk.span.hours", hours=str(hours), minutes=f"{rest:02}")
        return self.text("desk.span.minutes", minutes=str(minutes))

    def clock(self, due: datetime | None, now: datetime) -> Mapping[str, str]:
        """How a clock stands: {"state": "stopped" | "runs" | "soon" | "late", "text"}."""
        if due is None:
            return {"state": "stopped", "text": self.text("desk.clock.stopped")}
        if due <= now:
            return {"state": "late", "text": self.text("desk.clock.late", time=self.span(now - due))}
        state = "soon" if due - now < timedelta(minutes=30) else "runs"
        return {"state": state, "text": self.text("desk.clock.left", time=self.span(due - now))}

    def size(self, length: int) -> str:
        """A length in bytes, said shortly, with the exact number kept elsewhere on the page."""
        for unit, step in (("mb", 1024 * 1024), ("kb", 1024)):
            if length >= step:
                number = f"{length / step:.1f}".replace(".", "," if self._texts.lang != "en" else ".")
                return self.text(f"desk.size.{unit}", number=number)
        return self.text("desk.size.b", number=str(length))


def _key(words: str) -> str:
    return words.replace(" ", "_")
