"""Who may do what in the console: one enum of roles, one table, one question.

    if not may(Role.OBSERVER, Act.OPEN): ...

Every route of `admin.console.web.ROUTES` names its act, and `tests/console/test_permissions.py` walks them all.
"""

from enum import StrEnum


class Role(StrEnum):
    """A member's role (`storage.tables.ROLES`)."""

    OBSERVER = "observer"
    ANALYST = "analyst"
    LEAD = "lead"
    KEEPER = "keeper"
    AUDITOR = "auditor"
    SAFEGUARDING = "safeguarding"


class Act(StrEnum):
    """What a route does. `COME_IN` is open to everyone, signed in or not."""

    COME_IN = "come in"
    STAY = "stay"  # whatever every signed-in member may: the start page, signing out
    SEE_QUEUE = "see the queue"
    OPEN = "open a report"
    WORK = "claim, release, let in, change a status"
    ANSWER = "write to the reporter"
    SHRED = "agree that a withdrawn report be shredded"
    TAKE_OVER = "take over a report that someone holds"


_WATCHES = frozenset({Act.COME_IN, Act.STAY, Act.SEE_QUEUE})
_WORKS = _WATCHES | {Act.OPEN, Act.WORK, Act.ANSWER}

_TABLE: dict[Role, frozenset[Act]] = {
    Role.OBSERVER: _WATCHES,
    Role.ANALYST: _WORKS,
    Role.LEAD: _WORKS | {Act.SHRED, Act.TAKE_OVER},
    Role.KEEPER: frozenset({Act.COME_IN, Act.STAY}),
    Role.AUDITOR: _WATCHES,
    Role.SAFEGUARDING: _WORKS | {Act.SHRED},
}


def may(role: Role, act: Act) -> bool:
    """Whether a member of this role may do this."""
    return act in _TABLE[role]
