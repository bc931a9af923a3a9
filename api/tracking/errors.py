"""What is refused on the tracking routes.

JourneyError
├── Refusal     the whole request, with a status
└── BadItem     one item of it; the others are kept
"""

from journeys.errors import JourneyError


class Refusal(JourneyError):
    """The request cannot be taken as it is."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class BadItem(JourneyError):
    """This item cannot be taken; the rest of its batch can."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
