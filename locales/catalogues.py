"""Catalogues on disk: `.po` files are the source, `.mo` files are made of them, and nothing breaks without.

read("uk", "forms")["ask.name"]
"""

import io
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from locales.errors import NotOfferedError

LANGUAGES = ("uk", "ru", "be", "en")
DOMAINS = ("forms", "bot", "console")
_OFFERED = {"forms": LANGUAGES, "bot": LANGUAGES, "console": ("uk", "en")}
_HERE = Path(__file__).parent


def offered(domain: str) -> list[str]:
    """List the languages in which a domain is offered, and so must be complete. Raises NotOfferedError."""
    try:
        return list(_OFFERED[domain])
    except KeyError:
        raise NotOfferedError(f"There is no domain {domain!r}; there are {', '.join(DOMAINS)}.") from None


def source(lang: str, domain: str, folder: Path = _HERE) -> Path:
    """Give the path of a catalogue's source."""
    return folder / lang / f"{domain}.po"


def parse(path: Path) -> Catalog:
    """Read a `.po` file; anything that is not one raises babel's PoFileError."""
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def compiled(catalog: Catalog) -> bytes:
    """Give the `.mo` bytes: what is empty or fuzzy is left out."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def compile_all(folder: Path = _HERE) -> Iterator[Path]:
    """Make every `.mo` beside its `.po`, each at once or not at all."""
    for lang in LANGUAGES:
        for domain in DOMAINS:
            path = source(lang, domain, folder).with_suffix(".mo")
            fresh = path.with_suffix(".mo.new")
            fresh.write_bytes(compiled(parse(source(lang, domain, folder))))
            fresh.replace(path)
            yield path


def read(lang: str, domain: str, folder: Path = _HERE) -> GNUTranslations:
    """Load one catalogue: the `.mo` if it is not older than its `.po`, else the `.po` itself, in memory."""
    po = source(lang, domain, folder)
    mo = po.with_suffix(".mo")
    if mo.exists() and mo.stat().st_mtime_ns >= po.stat().st_mtime_ns:
        return GNUTranslations(io.BytesIO(mo.read_bytes()))
    return GNUTranslations(io.BytesIO(compiled(parse(po))))
