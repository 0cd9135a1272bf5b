"""Dates of any precision are understood as EDTF (ISO 8601-2, level 1), never forced, and said back.

understand("восени 22-го", today=date(2026, 11, 22)) == Understood("2022-23", certain=True)
span("2022-23") == (date(2022, 9, 1), date(2022, 11, 30))
"""

from datetime import date

from flows.dates.edtf import birthday_may_come, may_be_recent, span, spoken
from flows.dates.reading import Understood, understand

__all__ = [
    "Understood",
    "birthday_may_come",
    "may_be_recent",
    "span",
    "spoken",
    "understand",
    "understand_date",
]


def understand_date(words: str, *, today: date) -> str | None:
    """Give the EDTF of a date that is certain, or None."""
    understood = understand(words, today=today)
    return understood.edtf if understood and understood.certain else None
