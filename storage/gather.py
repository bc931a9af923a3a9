"""Gathers work that arrives while a statement is under way, so that it goes to Postgres together.

Which statement it is, and what it means to do it twice, is left to its owner.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar, cast

import asyncpg

In = TypeVar("In")
Out = TypeVar("Out")
Waiting = tuple[In, asyncio.Future[Out]]

ATTEMPTS = 5  # of a statement that Postgres gave up for a deadlock or a serialization failure
PAUSE = 0.01


def is_data_error(error: BaseException) -> bool:
    """Whether a value of some row is at fault: Postgres refused it, or it could not be encoded."""
    refused = (
        asyncpg.DataError,
        asyncpg.IntegrityConstraintViolationError,
        asyncpg.ProgramLimitExceededError,
        UnicodeError,
    )
    unencodable = isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)
    return unencodable or isinstance(error, refused)


class Gather(Generic[In, Out]):
    """Runs items one by one while they come slowly, and as ever larger batches under load.

    `run` gets the items of a batch and answers with their results in the same order; it is one
    whole transaction. At most `lanes` of them are under way; what comes meanwhile waits, and goes
    together up to a weight of `limit`. A deadlock or a serialization failure is tried again. A data
    error splits the batch until the item is named: that item's caller gets the error, the others
    their results. Any other error is for all of its batch, and then it is not known whether the
    batch was committed. Where the load is known to be heavy, `linger` has a batch wait for company,
    that many seconds at most, until there are `enough`.
    """

    def __init__(
        self,
        run: Callable[[list[In]], Awaitable[Sequence[Out]]],
        limit: int = 1000,
        *,
        weigh: Callable[[In], int] | None = None,
        lanes: int = 1,
        linger: float | None = None,
        enough: int = 1,
    ) -> None:
        self._run = run
        self._limit = limit
        self._weigh = weigh
        self._lanes = lanes
        self._linger = linger
        self._enough = enough
        self._company: asyncio.Future[None] | None = None
        self._waiting: deque[Waiting[In, Out]] = deque()
        self._busy: set[asyncio.Task[None]] = set()

    async def __call__(self, item: In) -> Out:
        """The result of `item`; a caller that is cancelled does not disturb the others."""
        return await self.put(item)

    def put(self, item: In) -> "asyncio.Future[Out]":
        """What will be the result of `item`, for those who do not wait for it now."""
        future: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if len(self._busy) < self._lanes:
            self._busy.add(asyncio.create_task(self._work()))
        elif len(self._waiting) >= self._enough and self._company is not None:
            self._company.cancel()
        return future

    async def _work(self) -> None:
        await self._wait_for_company()
        while batch := self._take():
            await self._settle(batch)
            await self._wait_for_company()
        # In the same breath as the look that found nothing: an item that comes next must not
        # believe that somebody is still at work.
        self._busy.remove(cast(asyncio.Task[None], asyncio.current_task()))

    async def _wait_for_company(self) -> None:
        if self._linger is None or len(self._waiting) >= self._enough:
            return
        self._company = asyncio.get_running_loop().create_future()
        await asyncio.wait({self._company}, timeout=self._linger)
        self._company = None

    def _take(self) -> list[Waiting[In, Out]]:
        batch: list[Waiting[In, Out]] = []
        weight = 0
        while self._waiting:
            weight += self._weigh(self._waiting[0][0]) if self._weigh is not None else 1
            if batch and weight > self._limit:
                break
            waiting = self._waiting.popleft()
            if not waiting[1].cancelled():
                batch.append(waiting)
        return batch

    async def _settle(self, batch: list[Waiting[In, Out]]) -> None:
        try:
            results = await self._attempt([item for item, _ in batch])
            settled = list(zip(batch, results, strict=True))
        except Exception as error:  # whatever it is, it belongs to those who wait for it
            if is_data_error(error) and len(batch) > 1:
                middle = len(batch) // 2
                await self._settle(batch[:middle])
                await self._settle(batch[middle:])
                return
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), result in settled:
            if not future.done():
                future.set_result(result)

    async def _attempt(self, items: list[In]) -> Sequence[Out]:
        for attempt in range(1, ATTEMPTS):
            try:
                return await self._run(items)
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                await asyncio.sleep(PAUSE * attempt)
        return await self._run(items)
