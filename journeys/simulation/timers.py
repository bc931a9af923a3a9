"""The virtual clock's timers, in the order in which they go off."""

from datetime import datetime
from heapq import heappop, heappush

from journeys.simulation.passage import Passage


class Timers:
    """Instants at which an instance goes on; one that was woken before is passed over."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, int, Passage]] = []
        self._made = 0

    def set(self, passage: Passage, at: datetime, *, rank: int = 0) -> None:
        """Wake `passage` at `at`; of one instant's timers those of a higher rank go off later."""
        self._made += 1
        passage.alarm = self._made
        heappush(self._heap, (at, rank, self._made, passage))

    @property
    def next(self) -> datetime | None:
        """The instant of the next timer."""
        while self._heap and self._heap[0][3].alarm != self._heap[0][2]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop(self) -> Passage | None:
        """The next instance to go on, if there is one."""
        if self.next is None:
            return None
        passage = heappop(self._heap)[3]
        passage.alarm = None
        return passage
