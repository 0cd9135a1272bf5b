"""All the words people read, in gettext catalogues: uk, ru, be, en. A leaf: it imports nothing of ours.

texts = Texts.load("uk")
texts.say(Text("ask.name"))
"""

from locales.catalogues import DOMAINS, LANGUAGES, offered
from locales.errors import LocaleError, MissingTextError, NotOfferedError
from locales.texts import Phrase, Texts

__all__ = [
    "DOMAINS",
    "LANGUAGES",
    "LocaleError",
    "MissingTextError",
    "NotOfferedError",
    "Phrase",
    "Texts",
    "offered",
]
