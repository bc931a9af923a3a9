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

    def succeed(self, accepted: Accepted) -> None:
        """It was taken."""
        if not self.answer.done():
            self.answer.set_result(accepted)

    def fail(self, error: BaseException) -> None:
        """Tell who waits, if anybody still does."""
        if not self.answer.done():
            self.answer.set_exception(error)
