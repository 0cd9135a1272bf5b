"""What can go wrong with texts, as one tree.

LocaleError
├── NotOfferedError     a language that is not offered, or a domain that does not exist
└── MissingTextError    a text or a parameter that the catalogues lack
"""


class LocaleError(Exception):
    """Something is wrong with the texts."""


class NotOfferedError(LocaleError):
    """That language is not offered."""


class MissingTextError(LocaleError):
    """The catalogues lack this text, or a value for one of its placeholders."""
