"""What can go wrong in `flows`, as one tree.

FlowError
├── UnknownFormError       a form or version that this program does not hold
└── MalformedInterviewError   a draft that is not an interview
"""


class FlowError(Exception):
    """Something is wrong with an interview."""


class UnknownFormError(FlowError):
    """This program does not know that form or version of it."""


class MalformedInterviewError(FlowError):
    """What was read is not an interview."""
