"""The signals an instance has heard and not heeded yet."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from temporalio import workflow

from journeys.calls import Nudge
from workflows.start import Progress


class Signals:
    """Each signal once, in the order they came; what was heard outlives a continue-as-new."""

    def __init__(self, instance: UUID, progress: Progress | None) -> None:
        self._instance = instance
        self.waiting = list(progress.nudges) if progress else []
        self.seen = set(progress.seen) if progress else set()

    def hear(self, nudge: Nudge) -> None:
        """Keep a signal that is for this instance for the main line."""
        name = f"{nudge.id}/{nudge.visit}"
        if nudge.instance in (None, self._instance) and name not in self.seen:
            self.seen.add(name)
            self.waiting.append(nudge)

    async def next(
        self, within: timedelta, doing: str, or_when: Callable[[], bool] = lambda: False
    ) -> Nudge | None:
        """The next signal; None after `within` of real time, or as soon as `or_when` is true."""
        if not self.waiting and within > timedelta(0):
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: bool(self.waiting) or or_when(),
                    timeout=within,
                    timeout_summary=doing,
                )
        return self.waiting.pop(0) if self.waiting else None
