"""An age, or a date of birth, is understood when written plainly; anything else keeps its words only.

understand_age("about 8", today=today) == {"age": 8, "about": True}
"""

import re
from datetime import date
from typing import Any

from flows.dates import understand_date

ADULT = 18  # years
_AGE = re.compile(
    r"^(about |around |approximately |близько |приблизно |десь |около |примерно |~ ?)?(\d{1,2})"
    r"(?: ?(?:years old|years|year|yo|y/o|років|роки|рік|рочків|р|лет|года|год|г))?$"
)
_LONGEST = 60  # characters


def understand_age(words: str, *, today: date) -> dict[str, Any] | None:
    """Give {"age": whole years, "about": bool}, or {"edtf": birth, "today": when it was said}, or None.

    An age of 18 or more is not understood as a child's: the words stay, a person will read them.
    """
    if len(words) > _LONGEST:
        return None
    if found := _AGE.match(" ".join(words.casefold().split()).strip(" .,!")):
        age = int(found[2])
        return {"age": age, "about": bool(found[1])} if age < ADULT else None
    birth = understand_date(words, today=today)
    return {"edtf": birth, "today": today.isoformat()} if birth else None
