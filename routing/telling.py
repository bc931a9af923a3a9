"""One turn of one subscriber: tells it what is new, in order for each customer."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from channels.base import ChannelError, TemporaryFailure
from channels.subscriber import Gone, Subscriber
from routing.announcements import body_of, id_of
from storage import news, retries, subscriptions
from storage.news import News
from storage.pool import Pool
from storage.subscriptions import Format, Subscription

log = structlog.get_logger()

PAGE = 200  # rows of the log read at once: at most so many are told again after a kill
LANES = 8  # customers whose news is under way to one subscriber at once
HOPELESS = 5  # failures in a row after which the rest of a page is not tried


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a subscriber that fails is asked again, and how long it is waited for."""

    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=5)
    keep: timedelta = timedelta(days=5)

    def wait(self, failures: int, error: ChannelError | None = None) -> timedelta:
        """Twice as long after each failure, or as long as the subscriber asks for."""
        grown = min(self.first * 2.0 ** min(failures, 30), self.longest)
        asked = error.retry_after if isinstance(error, TemporaryFailure) else None
        spread = grown * random.uniform(0.8, 1.2)
        return max(spread, min(asked, timedelta(hours=1))) if asked else spread


@dataclass(slots=True)
class Batch:
    """News on their way to one subscriber: what it took, and what it did not."""

    subscriber: Subscriber
    format: Format
    told: list[News] = field(default_factory=list)
    late: list[News] = field(default_factory=list)
    error: ChannelError | None = None
    misses: int = 0

    async def tell(self, found: Iterable[News]) -> None:
        """Tell them, one after the other for each customer, several customers at once."""
        customers: dict[UUID, list[News]] = {}
        for one in found:
            customers.setdefault(one.customer, []).append(one)
        lanes = iter(customers.values())

        async def work() -> None:
            for lane in lanes:
                await self._tell_in_order(lane)

        async with asyncio.TaskGroup() as group:
            for _ in range(LANES):
                group.create_task(work())

    async def _tell_in_order(self, lane: Sequence[News]) -> None:
        for place, one in enumerate(lane):
            if self.misses >= HOPELESS or isinstance(self.error, Gone):
                self.late += lane[place:]
                return
            try:
                await self.subscriber.post(id_of(one), *body_of(one, self.format))
            except ChannelError as error:
                self.error, self.misses = error, self.misses + 1
                self.late += lane[place:]
                return
            self.told.append(one)
            self.misses = 0


class Turn:
    """Everything that is to be told to one subscriber now."""

    def __init__(self, pool: Pool, subscriber: Subscriber, patience: Patience) -> None:
        self._pool = pool
        self._subscriber = subscriber
        self._patience = patience

    async def run(self, of: Subscription | None) -> None:
        """Tell until there is nothing more, or it does not take it."""
        while of is not None and of.stopped_at is None:
            if await self._again(of) or not await self._page(of):
                return
            of = await subscriptions.get(self._pool, of.id)

    async def _page(self, of: Subscription) -> bool:
        """Tell a page of what is new; False at the end, or if it took nothing."""
        found, end = await news.page(self._pool, of.position, of.audiences, PAGE)
        if end == of.position:
            return False
        waiting = await retries.customers(self._pool, of.id)
        batch = Batch(self._subscriber, of.format)
        await batch.tell(one for one in found if one.customer not in waiting)
        if batch.error is not None and (not batch.told or isinstance(batch.error, Gone)):
            await self._fail(of, batch.error)
            return False
        behind = [one for one in found if one.customer in waiting]
        await retries.advance(self._pool, of, end, batch.late + behind, self._patience.first)
        return True

    async def _again(self, of: Subscription) -> bool:
        """Try once more what it did not take; whether it wants nothing at all any more."""
        due = await retries.due(self._pool, of.id, PAGE)
        oldest = datetime.now(UTC) - self._patience.keep
        kept = {one.position: one for one in due if one.news and one.since > oldest}
        batch = Batch(self._subscriber, of.format)
        await batch.tell(one.news for one in kept.values() if one.news)
        gone = [one for one in due if one.position not in kept]
        done = [one.position for one in batch.told] + [one.position for one in gone]
        if done:
            await retries.done(self._pool, of.id, done)
        if dropped := sum(one.news is not None for one in gone):
            log.warning("push.dropped", subscription=str(of.id), count=dropped)
        if isinstance(batch.error, Gone):
            await self._fail(of, batch.error)
            return True
        waits = {
            one.position: self._patience.wait(kept[one.position].attempts) for one in batch.late
        }
        if waits:
            await retries.postpone(self._pool, of.id, waits)
        return False

    async def _fail(self, of: Subscription, error: ChannelError) -> None:
        """It took nothing: wait, longer each time; stop after days, or if it says so."""
        wait = self._patience.wait(of.failures, error)
        since = await subscriptions.fail(self._pool, of.id, error.detail, wait)
        log.info("push.failed", subscription=str(of.id), failures=of.failures + 1)
        is_given_up = since is not None and datetime.now(UTC) - since > self._patience.keep
        if is_given_up or isinstance(error, Gone):
            await subscriptions.stop(self._pool, of.id, error.detail)
            log.warning("push.stopped", subscription=str(of.id))
