"""Who may do what in the console: one enum of roles, one table, one question.

    if not may(Role.OBSERVER, Act.OPEN): ...
    if needs_proof(Act.DOWNLOAD): ...    # of the second factor, not older than PROOF_LASTS

Every route of `admin.console.web.ROUTES` and of the compartments' processes names its act;
`tests/console/test_permissions.py` walks them all.
"""

from datetime import timedelta
from enum import StrEnum

PROOF_LASTS = timedelta(minutes=5)


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
    PROVE = "prove the second factor, or sign out"  # also from a network where it was not proved yet
    STAY = "stay"  # whatever every signed-in member may: their own sessions, their own factors
    FACTORS = "make or remove a second factor of one's own"
    END_SESSIONS = "see and end the sessions of others"
    SEE_QUEUE = "see the queue"
    OPEN = "open a report"
    WORK = "claim, release, let in, change a status"
    DOWNLOAD = "take an original out"
    ANSWER = "write to the reporter"
    SHRED = "agree that a report be shredded, or take that back"
    HOLD = "set or lift a legal hold"
    TAKE_OVER = "take over a report that someone holds"


_STAYS = frozenset({Act.COME_IN, Act.PROVE, Act.STAY, Act.FACTORS})
_WATCHES = _STAYS | {Act.SEE_QUEUE}
_WORKS = _WATCHES | {Act.OPEN, Act.WORK, Act.DOWNLOAD, Act.ANSWER}

_TABLE: dict[Role, frozenset[Act]] = {
    Role.OBSERVER: _WATCHES,
    Role.ANALYST: _WORKS,
    Role.LEAD: _WORKS | {Act.SHRED, Act.HOLD, Act.TAKE_OVER, Act.END_SESSIONS},
    Role.KEEPER: _STAYS,
    Role.AUDITOR: _WATCHES,
    Role.SAFEGUARDING: _WORKS | {Act.SHRED, Act.HOLD},
}

_FRESHLY_PROVED = frozenset({Act.FACTORS, Act.END_SESSIONS, Act.DOWNLOAD, Act.SHRED, Act.HOLD})


def may(role: Role, act: Act) -> bool:
    """Whether a member of this role may do this."""
    return act in _TABLE[role]


def needs_proof(act: Act) -> bool:
    """Whether this asks for a proof of the second factor that is not older than `PROOF_LASTS`."""
    return act in _FRESHLY_PROVED
