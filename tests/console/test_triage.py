"""The machine of a report at every status × step, with every reason and none."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from storage.submission import CLAIM_WITHIN
from storage.tables import CLOSED_REASONS, STATUSES
from storage.triage import REASONS, TABLE, RefusedStepError, Status, Step, after, due, steps

ALL_REASONS = sorted({why for reasons in REASONS.values() for why in reasons})


def test_statuses_and_closed_reasons_are_the_schema_s() -> None:
    assert tuple(Status) == STATUSES
    assert REASONS[Step.CLOSE] == CLOSED_REASONS


@pytest.mark.parametrize(("status", "step"), list(itertools.product(Status, Step)))
def test_every_status_takes_every_step_or_refuses_it(status: Status, step: Step) -> None:
    for why in (None, "", "because", *ALL_REASONS):
        fits = why in REASONS[step] if REASONS[step] else why is None
        if (status, step) in TABLE and fits:
            assert after(status, step, why) == TABLE[status, step]
        else:
            with pytest.raises(RefusedStepError):
                after(status, step, why)


def test_a_closed_report_only_reopens() -> None:
    assert steps(Status.CLOSED) == [Step.REOPEN]
    assert after(Status.CLOSED, Step.REOPEN, "new information") == Status.IN_TRIAGE


@pytest.mark.parametrize("status", Status)
def test_every_status_leads_on_and_none_but_claiming_leads_back_to_new(status: Status) -> None:
    assert steps(status)
    assert Status.NEW not in TABLE.values()


@pytest.mark.parametrize("status", Status)
def test_every_open_report_can_be_closed_as_hostile_in_one_act(status: Status) -> None:
    if status != Status.CLOSED:
        assert after(status, Step.CLOSE, "hostile") == Status.CLOSED


@pytest.mark.parametrize("urgency", CLAIM_WITHIN)
def test_the_clock_says_no_more_than_the_quarter_hour(urgency: str) -> None:
    now = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
    moment = due(now, urgency)
    assert moment.minute % 15 == 0
    assert moment.second == moment.microsecond == 0
    assert timedelta(0) <= now + CLAIM_WITHIN[urgency] - moment < timedelta(minutes=15)
