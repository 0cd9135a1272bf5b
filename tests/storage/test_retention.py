"""A policy is read whole or refused by name; the closest of its lines counts."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as some

from storage import retention
from storage.retention import PolicyError, days_for, parse
from storage.tables import CLASSES, CLOSED_REASONS


def test_the_closest_line_counts() -> None:
    policy = parse(
        '{"*/closed": 900, "critical/closed": 1800, "*/closed: hostile": 90, "critical/closed: hostile": 120}'
    )
    assert days_for(policy, "normal", "closed", "duplicate") == 900
    assert days_for(policy, "critical", "closed", "duplicate") == 1800
    assert days_for(policy, "normal", "closed", "hostile") == 90
    assert days_for(policy, "critical", "closed", "hostile") == 120
    assert days_for(policy, "critical", "linked", None) is None


def test_what_comes_with_the_program_ends_no_evidence() -> None:
    """Only what is out of scope or hostile has an end; whatever may speak of a child stays until people decide."""
    ended = {
        (urgency, reason) for urgency in CLASSES for reason in CLOSED_REASONS
        if days_for(retention.DEFAULT, urgency, "closed", reason) is not None
    }  # fmt: skip
    assert {reason for _, reason in ended} == {"out of scope", "hostile"}
    assert all(days_for(retention.DEFAULT, urgency, "linked", None) is None for urgency in CLASSES)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "JSON object"),
        ("[]", "JSON object"),
        ('{"closed": 9}', "expected CLASS/STATUS"),
        ('{"*/new": 9}', "expected CLASS/STATUS"),  # what nobody worked on does not end
        ('{"*/in triage": 9}', "expected CLASS/STATUS"),
        ('{"urgent/closed": 9}', "expected CLASS/STATUS"),
        ('{"*/closed: boring": 9}', "expected CLASS/STATUS"),
        ('{"*/closed": 0}', "whole number of days"),
        ('{"*/closed": -1}', "whole number of days"),
        ('{"*/closed": true}', "whole number of days"),
        ('{"*/closed": 1.5}', "whole number of days"),
        ('{"*/closed": "90"}', "whole number of days"),
        ('{"*/closed": 99999}', "whole number of days"),
    ],
)
def test_a_policy_that_is_none_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        parse(text)


@given(some.text())
def test_any_text_is_a_policy_or_refused_by_its_name(text: str) -> None:
    with contextlib.suppress(PolicyError):
        parse(text)
