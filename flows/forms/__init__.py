"""Every version of every form that was ever offered, by name and version.

forms.get("family", 1)
"""

from flows.errors import UnknownFormError
from flows.form import Form
from flows.forms.child import CHILD_1
from flows.forms.family import FAMILY_2
from flows.forms.family_1 import FAMILY_1
from flows.forms.insider import INSIDER_1
from flows.forms.later import LATER_1
from flows.forms.self import SELF_1
from flows.forms.with_me import WITH_ME_1
from flows.forms.witness import WITNESS_1

_ALL: dict[tuple[str, int], Form] = {
    (form.name, form.version): form
    for form in (FAMILY_1, FAMILY_2, WITNESS_1, INSIDER_1, SELF_1, WITH_ME_1, CHILD_1, LATER_1)
}


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
