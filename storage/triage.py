"""The machine of a report at the desk: which step leads from which status to which, and why. Pure.

    new → in triage → waiting for reporter → linked → closed(reason), reopenable

`TABLE` is the whole of it; what is not there is refused. `tests/console/test_triage.py` tries every status × step.
"""

from datetime import datetime
from enum import StrEnum

from storage.errors import StorageError
from storage.submission import CLAIM_WITHIN
from storage.tables import CLOSED_REASONS

CLOCK_GRAIN_S = 15 * 60  # `due_at` is a clear column: the quarter hour is all it says of when


class Status(StrEnum):
    """Where a report stands (`storage.tables.STATUSES`)."""

    NEW = "new"
    IN_TRIAGE = "in triage"
    WAITING = "waiting for reporter"
    LINKED = "linked"
    CLOSED = "closed"


class Step(StrEnum):
    """What a member can do with a report's status."""

    CLAIM = "claim"
    WAIT = "wait"
    RESUME = "resume"
    LINK = "link"
    CLOSE = "close"
    REOPEN = "reopen"


TABLE: dict[tuple[Status, Step], Status] = {
    (Status.NEW, Step.CLAIM): Status.IN_TRIAGE,
    (Status.NEW, Step.CLOSE): Status.CLOSED,
    (Status.IN_TRIAGE, Step.CLAIM): Status.IN_TRIAGE,
    (Status.IN_TRIAGE, Step.WAIT): Status.WAITING,
    (Status.IN_TRIAGE, Step.LINK): Status.LINKED,
    (Status.IN_TRIAGE, Step.CLOSE): Status.CLOSED,
    (Status.WAITING, Step.CLAIM): Status.WAITING,
    (Status.WAITING, Step.RESUME): Status.IN_TRIAGE,
    (Status.WAITING, Step.LINK): Status.LINKED,
    (Status.WAITING, Step.CLOSE): Status.CLOSED,
    (Status.LINKED, Step.CLAIM): Status.LINKED,
    (Status.LINKED, Step.WAIT): Status.WAITING,
    (Status.LINKED, Step.RESUME): Status.IN_TRIAGE,
    (Status.LINKED, Step.CLOSE): Status.CLOSED,
    (Status.CLOSED, Step.REOPEN): Status.IN_TRIAGE,
}

REASONS: dict[Step, tuple[str, ...]] = {
    Step.CLAIM: (),
    Step.WAIT: ("question asked", "files to come"),
    Step.RESUME: ("reporter answered", "read again"),
    Step.LINK: ("known child", "new child"),
    Step.CLOSE: CLOSED_REASONS,
    Step.REOPEN: ("new information", "closed by mistake"),
}
"""Why, as codes: leaves and clear columns hold no free words. A step that lists reasons needs one of them."""


class RefusedStepError(StorageError):
    """This step does not lead anywhere from the report's present status, or its reason is not one of the list."""


def after(status: Status, step: Step, why: str | None) -> Status:
    """The status that a step leads to. RefusedStepError when it leads nowhere or lacks its reason."""
    if (status, step) not in TABLE:
        raise RefusedStepError(f"no step '{step}' from '{status}'")
    if why not in (REASONS[step] or (None,)):
        raise RefusedStepError(f"a step '{step}' needs one of its reasons")
    return TABLE[status, step]


def steps(status: Status) -> list[Step]:
    """The steps with a reason that are open from a status, in the machine's order."""
    return [step for step in Step if REASONS[step] and (status, step) in TABLE]


def due(now: datetime, urgency: str) -> datetime:
    """By when a report of this class that nobody holds is to be claimed, down to the quarter hour."""
    moment = now + CLAIM_WITHIN[urgency]
    return datetime.fromtimestamp(moment.timestamp() // CLOCK_GRAIN_S * CLOCK_GRAIN_S, moment.tzinfo)
