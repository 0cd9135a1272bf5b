"""The catalogues agree: every offered language is complete, all have the same keys and placeholders.

problems() == []
"""

from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog

from locales.catalogues import DOMAINS, LANGUAGES, offered, parse, source

# Catalogues are written in this language first; its keys are all the keys there are.
FIRST = "uk"


def problems(folder: Path | None = None) -> list[str]:
    """List what is wrong, one sentence each."""
    found: list[str] = []
    owner: dict[str, str] = {}
    for domain in DOMAINS:
        catalogues = {lang: parse(_path(lang, domain, folder)) for lang in LANGUAGES}
        first = _texts(catalogues[FIRST])
        found += [
            f"{domain}: {key} is also a key of {owner[key]}"
            for key in first
            if owner.setdefault(key, domain) != domain
        ]
        for lang, catalogue in catalogues.items():
            where = f"{lang}/{domain}.po"
            found += [
                f"{where}: {problem}" for problem in _compare(catalogue, first, must=lang in offered(domain))
            ]
    return found


def _path(lang: str, domain: str, folder: Path | None) -> Path:
    return source(lang, domain, folder) if folder else source(lang, domain)


def _texts(catalogue: Catalog) -> dict[str, str]:
    """Give key → text; what is fuzzy counts as empty."""
    return {
        str(message.id): "" if message.fuzzy else str(message.string or "")
        for message in catalogue
        if message.id
    }


def _compare(catalogue: Catalog, first: dict[str, str], *, must: bool) -> Iterator[str]:
    texts = _texts(catalogue)
    yield from (f"{key} is unknown" for key in texts if key not in first)
    for key, original in first.items():
        text = texts.get(key)
        if text is None:
            yield f"{key} is not listed"
        elif not text:
            if must:
                yield f"{key} is empty"
        elif text != text.strip():
            yield f"{key} begins or ends with a space"
        else:
            yield from _placeholders(key, original, text)


def _placeholders(key: str, original: str, text: str) -> Iterator[str]:
    """Placeholders are plain names in braces, the same ones in every language."""
    try:
        wanted, given = _names(original), _names(text)
    except ValueError as problem:
        yield f"{key} has a broken placeholder ({problem})"
        return
    if given != wanted:
        yield f"{key} has placeholders {sorted(given)}, not {sorted(wanted)}"


def _names(text: str) -> set[str]:
    names: set[str] = set()
    for _, name, spec, conversion in Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError(f"{{{name}}} is not a plain name")
        names.add(name)
    return names
