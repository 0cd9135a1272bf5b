"""The greeting: `/start` answers everyone with this same card, so it knows nothing of anyone."""

from flows.cards import Button, Card, Text

# Each language by its own name; the order in which they are offered.
LANGUAGES = {"uk": "Українська", "ru": "Русский", "be": "Беларуская", "en": "English"}


def card() -> Card:
    """Greet, and let a language be chosen; buttons "lang.uk", "lang.ru", "lang.be", "lang.en"."""
    return Card(
        (Text("greeting"),),
        tuple((Button(f"lang.{lang}", name),) for lang, name in LANGUAGES.items()),
    )
