"""A breaker for one provider in one process: failures in a row, a pause, then one trial."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Literal

State = Literal["closed", "open", "half_open"]


class Breaker:
    """Says whether a provider may be tried at once; callers report how it went.

    Half open, it lets one trial through; one whose result is never reported is given up after
    another `open_for`, so that a trial that was cancelled does not hold the breaker.
    """

    def __init__(
        self,
        threshold: int = 5,
        open_for: timedelta = timedelta(seconds=10),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._threshold = threshold
        self._open_for = open_for.total_seconds()
        self._clock = clock
        self._failures = 0
        self._open_until: float | None = None

    @property
    def state(self) -> State:
        """`closed` lets everything through, `open` nothing, `half_open` one trial."""
        if self._open_until is None:
            return "closed"
        return "open" if self._clock() < self._open_until else "half_open"

    def allows(self) -> bool:
        """Whether to try now; half open, a yes is the one trial."""
        match self.state:
            case "closed":
                return True
            case "open":
                return False
            case "half_open":
                self._pause()
                return True

    def succeeded(self) -> None:
        """The provider answered as it should, be it with a no to one message."""
        self._failures = 0
        self._open_until = None

    def failed(self) -> None:
        """The provider did not do its work."""
        self._failures += 1
        if self._failures >= self._threshold:
            self._pause()

    def _pause(self) -> None:
        self._open_until = self._clock() + self._open_for
