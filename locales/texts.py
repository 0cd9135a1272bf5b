"""One language's texts: a key and parameters in, words out; a person's words can never become markup.

texts = Texts.load("en")
texts.say(Text("review.row", {"label": Text("ask.name.label"), "answer": "<Olha>"}))   # HTML
texts.plain(Text("nav.skip"))                                                         # a button, a pop-up
"""

import html
from collections.abc import Mapping, Sequence
from gettext import GNUTranslations
from string import Formatter
from typing import Any, Protocol, Self

from locales.catalogues import DOMAINS, LANGUAGES, offered, read
from locales.errors import MissingTextError, NotOfferedError


class Phrase(Protocol):
    """A text by its key; each parameter is words as they are, or a phrase again."""

    @property
    def key(self) -> str:
        """The msgid."""
        ...

    @property
    def params(self) -> Mapping[str, Any]:
        """Values of its placeholders."""
        ...


class Texts:
    """The texts of one language.

    A placeholder without a parameter of its name takes the operator's value ("team": "Dodomu"), else the
    text `value.NAME` of the catalogues.
    """

    def __init__(self, lang: str, catalogues: Sequence[GNUTranslations], values: Mapping[str, str]) -> None:
        self.lang = lang
        self._catalogues = catalogues
        self._values = values

    @classmethod
    def load(
        cls, lang: str, *, domains: Sequence[str] = DOMAINS, values: Mapping[str, str] | None = None
    ) -> Self:
        """Load a language that all of `domains` are offered in. Raises NotOfferedError."""
        if lang not in LANGUAGES or any(lang not in offered(domain) for domain in domains):
            raise NotOfferedError(f"{lang!r} is not offered.")
        return cls(lang, [read(lang, domain) for domain in domains], values or {})

    def say(self, text: Phrase) -> str:
        """Give a text as Telegram's HTML: markup of the catalogues stays, parameters are escaped.

        Raises MissingTextError for an unknown key and for a placeholder without a value.
        """
        return self._fill(text, escape=True)

    def plain(self, text: Phrase) -> str:
        """Give a text where no markup is read: a button, a pop-up, the console's own escaping pages."""
        return self._fill(text, escape=False)

    def page(self, texts: Sequence[Phrase]) -> str:
        """Give several texts, one below the other, as HTML."""
        return "\n".join(map(self.say, texts))

    def _fill(self, text: Phrase, *, escape: bool) -> str:
        pattern = self._pattern(text.key)
        if "{" not in pattern:
            return pattern
        names = [name for _, name, _, _ in Formatter().parse(pattern) if name]
        return pattern.format_map({name: self._value(text, name, escape=escape) for name in names})

    def _value(self, text: Phrase, name: str, *, escape: bool) -> str:
        value = text.params.get(name, self._values.get(name))
        if value is None:
            return self._pattern(f"value.{name}")
        if not isinstance(value, str):
            return self._fill(value, escape=escape)
        return html.escape(value, quote=False) if escape else value

    def _pattern(self, key: str) -> str:
        for catalogue in self._catalogues:
            found = catalogue.gettext(key)
            if found != key and key:  # the empty key holds the catalogue's own header
                return found
        raise MissingTextError(f"The {self.lang} catalogues lack {key!r}.")
