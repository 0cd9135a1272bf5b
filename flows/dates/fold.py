"""Spellings that differ by habit, keyboard or haste fall together, so that one list of words serves four languages.

fold("Сэнтябрь") == fold("сентябрь") == "сентябр"
"""

import unicodedata

_LETTERS = str.maketrans("іїыйєёэўґ–—−", "ииииеееуг---", "ьъ'’ʼ`´")


def fold(words: str) -> str:
    """Give `words` in lower case with і ї ы й as и, є ё э as е, ў as у, without soft signs and apostrophes."""
    return unicodedata.normalize("NFC", words.casefold()).translate(_LETTERS)
