"""The messages of a page as their providers fetch them: those that are written, and what is out."""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

from activities.parcels import Parcel
from activities.passages import Page
from channels.base import Source


class Outbox:
    """Gives each provider the next message, written when none is waiting.

    When the page has stopped nothing more is fetched.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._write_one: Callable[[], bool] = nobody
        self._written: dict[str, deque[Parcel]] = {}
        self._sources: dict[str, Source] = {}
        self._fetching: str | None = None
        self._out = 0
        self._is_written_to_all = False
        self._is_over = asyncio.Event()

    async def emptied(self, write_one: Callable[[], bool]) -> None:
        """Return once everything was fetched, or the page has stopped, and nothing is out.

        `write_one` may offer messages, of whichever channel, and says whether there was anybody
        left to write to.
        """
        self._write_one = write_one
        while not self._is_written_to_all and not any(self._written.values()):
            self._is_written_to_all = self._page.stopped is not None or not self._write_one()
        self._look()
        await self._is_over.wait()
        # They lead back here: without them a page is let go of at once.
        self._sources.clear()
        self._write_one = nobody

    def offer(self, parcel: Parcel) -> None:
        """Let a message be fetched."""
        channel = parcel.circular.step.channel
        if channel not in self._written:
            self._written[channel] = deque()
            self._sources[channel] = partial(self._next, channel)
        self._written[channel].append(parcel)
        if channel != self._fetching:
            parcel.channel.provider.pull(self._sources[channel])

    def came_back(self) -> None:
        """One that was fetched is not out any more."""
        self._out -= 1
        self._look()

    def _next(self, channel: str) -> Parcel | None:
        written, self._fetching = self._written[channel], channel
        while not (written or self._is_written_to_all or self._page.stopped is not None):
            self._is_written_to_all = not self._write_one()
        self._fetching = None
        if self._page.stopped is not None or not written:
            self._look()
            return None
        self._out += 1
        return written.popleft()

    def _look(self) -> None:
        """Look whether this was all."""
        if self._out == 0 and (
            self._page.stopped is not None
            or (self._is_written_to_all and not any(self._written.values()))
        ):
            self._is_over.set()


def nobody() -> bool:
    """There is nobody left."""
    return False
