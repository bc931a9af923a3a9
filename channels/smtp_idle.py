"""Connections between two mails: kept for a while, checked when taken, closed when stale."""

import asyncio
from datetime import timedelta

from channels.smtp_link import Link

GRAIN = 0.001  # timers may fire this much early


class IdleLinks:
    """A stack, so that a quiet hour lets all but the busiest connections go."""

    def __init__(self, limit: timedelta) -> None:
        self._limit = limit.total_seconds()
        self._links: list[Link] = []
        self._sweep: asyncio.TimerHandle | None = None
        self._is_closed = False

    def take(self) -> Link | None:
        """A connection that is still good, the one used last first."""
        while self._links:
            link = self._links.pop()
            if link.is_quiet:
                link.is_reused = True
                return link
            link.abort("the server spoke or left while it was idle")
        return None

    def put(self, link: Link) -> None:
        """Keep a connection whose mail is done, unless it is of no more use."""
        if self._is_closed or not link.is_quiet:
            link.quit()
            return
        loop = asyncio.get_running_loop()
        link.idle_since = loop.time()
        self._links.append(link)
        if self._sweep is None:
            self._sweep = loop.call_later(self._limit, self._close_old)

    def close(self) -> None:
        """Take leave on all of them, and on every one that is put back from now on."""
        self._is_closed = True
        while self._links:
            self._links.pop().quit()
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

    def _close_old(self) -> None:
        self._sweep = None
        loop = asyncio.get_running_loop()
        while self._links and self._links[0].idle_since + self._limit <= loop.time() + GRAIN:
            self._links.pop(0).quit()
        if self._links:
            due = self._links[0].idle_since + self._limit
            self._sweep = loop.call_at(due, self._close_old)
