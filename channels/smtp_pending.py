"""A mail that waits for a connection, and who waits for it."""

import asyncio
from dataclasses import dataclass

from channels.base import Accepted, Commit, Outgoing


@dataclass(slots=True, eq=False)
class Pending:
    """A mail that somebody waits for, and once its envelope is written, its bytes and commands."""

    message: Outgoing
    commit: Commit
    answer: asyncio.Future[Accepted]
    data: bytes = b""
    said: tuple[str, ...] = ()
    _lane: "asyncio.Task[None] | None" = None  # which awaits its commit now

    async def committed(self) -> bool:
        """What its commit says; False as soon as nobody waits for it any more."""
        self._lane = asyncio.current_task()
        try:
            return await self.commit()
        except asyncio.CancelledError:
            if self._lane is None or not self.answer.cancelled():
                raise
            self._lane.uncancel()
            return False
        finally:
            self._lane = None

    def give_up(self) -> None:
        """Nobody waits for it any more."""
        if self._lane is not None:
            self._lane.cancel()

    def succeed(self, accepted: Accepted) -> None:
        """It was taken."""
        if not self.answer.done():
            self.answer.set_result(accepted)

    def fail(self, error: BaseException) -> None:
        """Tell who waits, if anybody still does."""
        if not self.answer.done():
            self.answer.set_exception(error)
