"""The greeting: `/start` answers everyone with this same card, so it knows nothing of anyone."""

from flows.cards import Button, Card, Text

# Each language by its own name; the order in which they are offered.
LANGUAGES = {"uk": "Українська", "ru": "Русский", "be": "Беларуская", "en": "English"}
OFFERED = ("uk", "en")


def card() -> Card:
    """Greet, and let a language be chosen; buttons "lang.uk", "lang.en"."""
    return Card(
        (Text("greeting"),),
        tuple((Button(f"lang.{lang}", LANGUAGES[lang]),) for lang in OFFERED),
    )
