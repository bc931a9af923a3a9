"""Mails on their way: one that somebody waits for, and any once its bytes are written."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from channels.base import Accepted, Commit, Outgoing, Parcel


@dataclass(slots=True, eq=False)
class Mail:
    """A parcel with its bytes and the commands of its envelope."""

    parcel: Parcel
    data: bytes
    said: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Pending:
    """A `Parcel` that a task waits for."""

    message: Outgoing
    _commit: Commit
    answer: asyncio.Future[Accepted]
    _lane: "asyncio.Task[None] | None" = None  # which awaits its commit now

    is_awaited: ClassVar[bool] = True

    @property
    def is_wanted(self) -> bool:
        """Whether it still is waited for."""
        return not self.answer.cancelled()

    async def commit(self) -> bool:
        """What its commit says; False as soon as nobody waits for it any more."""
        if not self.is_wanted:
            return False  # given up on its way here
        self._lane = asyncio.current_task()
        try:
            return await self._commit()
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

    def fail(self, error: Exception) -> None:
        """Tell who waits, if anybody still does."""
        if not self.answer.done():
            self.answer.set_exception(error)
