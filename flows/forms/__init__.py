"""Every version of every form that was ever offered, by name and version.

forms.get("family", 1)
"""

from flows.errors import UnknownFormError
from flows.form import Form
from flows.forms.family import FAMILY_1

_ALL: dict[tuple[str, int], Form] = {(form.name, form.version): form for form in (FAMILY_1,)}


def get(name: str, version: int) -> Form:
    """Find one version of a form. Raises UnknownFormError."""
    try:
        return _ALL[name, version]
    except (KeyError, TypeError):  # TypeError: not even hashable
        # The name is not quoted: it came from outside.
        raise UnknownFormError("This program does not know that form or version of it.") from None


def newest(name: str) -> Form:
    """Find the version that is offered now. Raises UnknownFormError."""
    versions = [version for known, version in _ALL if known == name]
    if not versions:
        raise UnknownFormError("This program does not know that form.")
    return _ALL[name, max(versions)]


def every() -> list[Form]:
    """Give all versions of all forms."""
    return list(_ALL.values())
