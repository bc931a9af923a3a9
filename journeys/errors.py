"""What can be wrong with a journey.

JourneyError
├── PlanMissing        the plan of an instance is not at hand
└── InstanceOver       the instance ended while it was doing something else
"""


class JourneyError(Exception):
    """Something about a journey does not hold."""


class PlanMissing(JourneyError):
    """The plan that an instance names is not at hand."""


class InstanceOver(JourneyError):
    """The instance ended elsewhere: nothing more may be done for it."""
