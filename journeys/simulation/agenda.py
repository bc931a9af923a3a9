"""What a simulated world does by itself at its instants: audiences change, runs begin."""

from collections.abc import Callable
from datetime import datetime
from heapq import heappop, heappush
from itertools import count


class Agenda:
    """Instants, and what is done then; of one instant in the order in which it was put there."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Callable[[], None]]] = []
        self._made = count()

    def put(self, at: datetime, what: Callable[[], None]) -> None:
        """Do `what` at the instant `at`."""
        heappush(self._heap, (at, next(self._made), what))

    @property
    def next(self) -> datetime | None:
        """The next instant at which something is done."""
        return self._heap[0][0] if self._heap else None

    def pop(self) -> Callable[[], None]:
        """What is done next."""
        return heappop(self._heap)[2]
