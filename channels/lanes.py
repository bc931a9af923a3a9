"""Lanes: a bounded number of tasks that fetch messages as they get free, from several sources."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import cast

from channels.base import Parcel, Provider, Source


class Lanes:
    """At most `size` tasks, each with one parcel at a time; the sources take turns.

    `carry` answers for what becomes of a parcel, and raises nothing.
    """

    def __init__(self, size: int, carry: Callable[[Parcel], Awaitable[None]]) -> None:
        self._size = size
        self._carry = carry
        self._again: deque[Parcel] = deque()
        self._sources: deque[Source] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    def pull(self, source: Source, width: int | None = None) -> None:
        """Fetch from `source` until it has nothing, with `width` more lanes if there may be."""
        if source not in self._sources:
            self._sources.append(source)
        free = self._size - len(self._tasks)
        for _ in range(free if width is None else min(free, width)):
            self._tasks.add(asyncio.create_task(self._lane()))

    def next(self) -> Parcel | None:
        """The next parcel, for a lane that can take one."""
        if self._again:
            return self._again.popleft()
        while self._sources:
            source = self._sources.popleft()
            if (parcel := source()) is not None:
                if source not in self._sources:
                    self._sources.append(source)
                return parcel
        return None

    def put_back(self, parcel: Parcel) -> None:
        """Have a parcel fetched again, before all others."""
        self._again.append(parcel)

    async def _lane(self) -> None:
        try:
            while (parcel := self.next()) is not None:
                await self._carry(parcel)
        finally:
            # In the same breath as the look that found nothing: what comes next must make a lane.
            self._tasks.discard(cast("asyncio.Task[None]", asyncio.current_task()))


def lanes_of(provider: Provider, size: int) -> Lanes:
    """Lanes for a provider that knows nothing better than to send one after the other."""
    return Lanes(size, partial(hand_over, provider))


async def hand_over(provider: Provider, parcel: Parcel) -> None:
    """Send a parcel."""
    try:
        accepted = await provider.send(parcel.message, parcel.commit)
    except Exception as error:  # whatever it is, it belongs to who answers for the parcel
        parcel.fail(error)
    else:
        parcel.succeed(accepted)
