"""Attempts to send: each owns its message from the point of no return to the written answer."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from activities.letters import Letter
from activities.sending import LONGEST, Said, Sender, Try, deferred
from channels.base import Outgoing, Provider, TemporaryFailure
from storage import attempts, pages
from storage.attempts import Begin, Settle
from storage.gather import Gather
from storage.pages import Copy
from storage.pool import FAILED, UNREACHABLE, Pool, is_away
from storage.trail import Visit

RENEWAL = 3.0  # seconds; a lease lasts storage.attempts.LEASE

Out = TypeVar("Out")
Settled = tuple[Settle, list[Visit]]
TOGETHER = 200  # lines of the ledger in one statement when many come at once
# A broadcast's lines wait for those of the other connections: a statement costs as much as some
# ten lines in it.
LINGER, ENOUGH = 0.004, 36
PAUSES = (0.1, 0.5, 1, 2, 5, *[10] * 60)  # seconds between tries to write an answer down


class Attempts:
    """All attempts of this process; renews their leases, and never lets one be cut off."""

    def __init__(self, pool: Pool, sender: str, secret: bytes) -> None:
        self.sender = sender
        self._pool = pool
        self._sender = Sender(pool, secret)
        self._tasks: dict[UUID, tuple[Try | Copy, asyncio.Task[Any]]] = {}
        self._begin = Gather(self._begin_all, TOGETHER)
        self.exchange: Gather[Copy, bool] = Gather(
            self._exchange_all, TOGETHER, linger=LINGER, enough=ENOUGH
        )
        self.settle: Gather[Settled, None] = Gather(self._settle_all, TOGETHER)

    def under_way(self, id: UUID) -> "asyncio.Task[Any] | None":
        """What sends a message, if this process has one."""
        found = self._tasks.get(id)
        return found[1] if found else None

    def begin(
        self, letter: Letter, provider: Provider, address: str, parts: dict[str, str]
    ) -> "asyncio.Task[Settle | None]":
        """Start sending; the task's result is the ledger's new line, None if it was withdrawn.

        Raises (in the task):
            TemporaryFailure: not sent, and written down as deferred if it had begun.
        """
        one = Try(letter, provider, address, parts)
        task = asyncio.create_task(self._send(one))
        self._tasks[letter.id] = one, task
        task.add_done_callback(lambda _: self._tasks.pop(letter.id, None))
        return task

    def track(self, copy: Copy, page: "asyncio.Task[Any]") -> None:
        """A message of a page is under way, in the page's task."""
        self._tasks[copy.id] = copy, page

    def untrack(self, copy: Copy) -> None:
        """It is not any more."""
        self._tasks.pop(copy.id, None)

    async def suppress(self, message: Outgoing, now: datetime) -> None:
        """Do not write again to an address that its provider calls bad."""
        await patiently(lambda: self._sender.suppress(message, now))

    def note(self, settle: Settle) -> "asyncio.Task[None]":
        """Write down what became of a page's message that was not begun, however long it takes."""
        return asyncio.create_task(patiently(lambda: self.settle((settle, []))))

    def is_committed(self, id: UUID) -> bool:
        """Whether the attempt for a message has passed the point of no return."""
        found = self._tasks.get(id)
        return found is not None and found[0].is_committed

    async def renew_leases(self) -> None:
        """Keep the leases of what is under way, for ever."""
        while True:
            await asyncio.sleep(RENEWAL)
            alive = {id: one.attempt for id, (one, _) in self._tasks.items() if one.is_committed}
            if alive:
                try:
                    await attempts.renew(self._pool, alive)
                except FAILED:
                    continue  # a lease that lapses meanwhile is settled by its attempt all the same

    async def finish(self, within: timedelta) -> None:
        """Let what has passed the point of no return come to its end."""
        if self._tasks:
            await asyncio.wait(
                [task for _, task in self._tasks.values()], timeout=within.total_seconds()
            )

    async def _send(self, one: Try) -> Settle | None:
        async def commit() -> bool:
            one.is_committed = await self._begin(one.beginning())
            return one.is_committed

        message = one.outgoing(self.sender)
        try:
            said = await self._sender.send(one.provider, message, commit, one.letter.ask.now)
        except TemporaryFailure as failure:
            if one.is_committed:
                await self._write(one, one.line(deferred(failure)))
            raise
        return await self._write(one, one.line(said)) if said is not None else None

    async def _write(self, one: Try, settle: Settle) -> Settle:
        """Write the answer down, however long the database is away."""
        await patiently(lambda: self.settle((settle, one.letter.visits(settle))))
        return settle

    async def _exchange_all(self, lines: list[Copy]) -> list[bool]:
        """Write answers down and begin messages, however long the database is away."""
        begins = [one for one in lines if one.state == "sending"]
        settles = [one for one in lines if one.state != "sending"]
        begun = await patiently(lambda: pages.exchange(self._pool, begins, settles))
        for one in begins:
            one.is_committed = one.id in begun
        return [one.is_committed for one in lines]

    async def _begin_all(self, begins: list[Begin]) -> list[bool]:
        begun = await attempts.begin(self._pool, begins)
        return [one.attempt in begun for one in begins]

    async def _settle_all(self, settled: list[Settled]) -> list[None]:
        visits = [visit for _, left in settled for visit in left]
        await attempts.settle(self._pool, [settle for settle, _ in settled], visits)
        return [None] * len(settled)


def became(copy: Copy, said: Said) -> Copy:
    """The message as the ledger is told what became of it."""
    copy.state, copy.reason, copy.provider_id = said.state, said.reason, said.provider_id
    copy.detail = said.detail[:LONGEST]
    return copy


async def patiently(write: Callable[[], Awaitable[Out]]) -> Out:
    """What `write` gives, tried again while the database is away."""
    for pause in PAUSES:
        try:
            return await write()
        except UNREACHABLE as error:
            if not is_away(error):
                raise
            await asyncio.sleep(pause)
    return await write()
