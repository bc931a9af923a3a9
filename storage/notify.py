"""Rings for the routers: an empty NOTIFY after events were committed.

It is a hint. Whoever listens also polls, so a ring that gets lost costs time and nothing else.
"""

import asyncio

from storage.pool import FAILED, Pool

CHANNEL = "parcours_events"


class Bell:
    """Sends the NOTIFY of this process; at most one is under way, and many rings become one."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._rung = False
        self._ringing: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """Have the routers look soon; returns at once."""
        self._rung = True
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._notify())

    async def rest(self) -> None:
        """Wait until nothing is under way."""
        if self._ringing is not None:
            await self._ringing

    async def _notify(self) -> None:
        while self._rung:
            self._rung = False
            try:
                await self._pool.execute(f"NOTIFY {CHANNEL}")
            except FAILED:
                return
