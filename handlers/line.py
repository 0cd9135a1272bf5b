"""What handlers need besides the update and its visit; built once a process and passed in."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flows import Card, Places, Text
from locales import Texts
from seal import HybridIdentity
from storage.intake import Intake
from storage.manifest import Compartment, Manifest
from storage.refusals import OnRecord

FALLBACK = "en"


@dataclass(frozen=True)
class Line:
    """The tip line: its texts in each offered language, its places, keys and limits."""

    texts: Mapping[str, Texts]
    places: Places
    manifest: Callable[[], Manifest]
    intake: Intake
    max_file_bytes: int
    silent_hours: Callable[[], int] = int  # since the queue was opened last, if that is too long ago; else 0
    relay: HybridIdentity | None = field(default=None, repr=False)  # opens what the team answers
    on_record: OnRecord = field(default_factory=lambda: OnRecord("bot"), repr=False)

    def now(self) -> datetime:
        """The process's clock."""
        return self.intake.now()

    def language(self, code: str | None) -> str:
        """Telegram's language if it is offered, else English."""
        short = (code or "").partition("-")[0].lower()
        return short if short in self.texts else FALLBACK

    def say(self, text: Text, lang: str) -> str:
        """A text in a language; HTML for Telegram."""
        return self.texts[lang].say(text)

    def plain(self, text: Text, lang: str) -> str:
        """The same for places where Telegram reads no HTML: buttons and pop-ups."""
        return self.texts[lang].plain(text)

    def render(self, card: Card, lang: str, *, revision: int = 0, tag: str = "") -> dict[str, Any]:
        """A card as it goes out: HTML text, rows of [label, callback data, words to copy instead], and its tag."""
        rows = [
            [
                [
                    button.text if isinstance(button.text, str) else self.plain(button.text, lang),
                    f"{revision:x}:{button.key}",
                    *([button.copy] if button.copy else []),
                ]
                for button in row
            ]
            for row in card.buttons
        ]
        return {"text": self.texts[lang].page(card.texts), "buttons": rows, "tag": tag}

    def compartment(self, form: str, places: Iterable[str] = ()) -> tuple[str, Compartment]:
        """Where reports of this form go that name places of these codes, and the key they are sealed to."""
        manifest = self.manifest()
        name = manifest.compartment_of(form, places)
        return name, manifest.compartments[name]
