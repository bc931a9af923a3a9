"""Server-sent events: pages that follow what one customer joins and leaves; one of these a process.

One task reads the log for all of them. A page first gets the whole state, or what it missed since
its Last-Event-ID, then each change; it may hear of a change twice, never of one too few.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import orjson
import structlog

from storage import customers, news, sharing
from storage.news import News, Position
from storage.pool import FAILED, Pool

log = structlog.get_logger()

MOST = 1000  # streams a process
MOST_EACH = 8  # of one customer
POLL = 0.25  # seconds between two looks at the log
HEARTBEAT = 15.0  # seconds; proxies close what is silent for a minute
BACKLOG = 1000  # changes that a slow page may lag behind
AGAIN = b"retry: 2000\n\n"
BEAT = b": \n\n"


@dataclass(eq=False, slots=True)
class Place:
    """One open stream: what it has not been sent yet; None says that it is over."""

    waiting: asyncio.Queue[News | None] = field(default_factory=asyncio.Queue)

    def put(self, one: News) -> None:
        """Something new; a page that lags too far behind has to come again."""
        if self.waiting.qsize() >= BACKLOG:
            self.end()
        else:
            self.waiting.put_nowait(one)

    def end(self) -> None:
        """Nothing more comes after what waits."""
        self.waiting.put_nowait(None)


class Streams:
    """The open streams by customer."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._places: dict[UUID, set[Place]] = {}
        self._reading = asyncio.Lock()
        self._follower: asyncio.Task[None] | None = None
        self._horizon = 0
        self._is_closed = False

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(map(len, self._places.values()))

    def has_room(self) -> bool:
        """Whether this process takes one more."""
        return not self._is_closed and self.count < MOST

    def has_room_for(self, customer: UUID) -> bool:
        """Whether one more of this customer is taken."""
        return len(self._places.get(customer, ())) < MOST_EACH

    def close(self) -> None:
        """End all of them: the process is about to go."""
        self._is_closed = True
        for places in self._places.values():
            for place in places:
                place.end()

    async def follow(
        self, customer: UUID, after: Position | None, seconds: float
    ) -> AsyncIterator[bytes]:
        """What a page is sent for so many seconds, at most."""
        until = asyncio.get_running_loop().time() + seconds
        with self._place(customer) as place:
            first, horizon = await self._begin(customer, after)
            yield AGAIN + first
            while (left := until - asyncio.get_running_loop().time()) > 0:
                try:
                    one = await asyncio.wait_for(place.waiting.get(), min(left, HEARTBEAT))
                except TimeoutError:
                    yield BEAT
                    continue
                if one is None:
                    return
                if one.position[0] >= horizon:  # all before is in what was sent first
                    yield frame_of(one)

    @contextmanager
    def _place(self, customer: UUID) -> Iterator[Place]:
        place = Place()
        self._places.setdefault(customer, set()).add(place)
        try:
            yield place
        finally:
            self._places[customer].discard(place)
            if not self._places[customer]:
                del self._places[customer]

    async def _begin(self, customer: UUID, after: Position | None) -> tuple[bytes, int]:
        """What a page gets first, and the transaction from which on changes are still to come.

        Not while the log is read for the others: that look does not know of this stream yet.
        """
        async with self._reading:
            if after is None:
                inside, horizon = await sharing.inside_now(self._pool, customer)
                first = state_of(inside, horizon)
            else:
                found, horizon = await news.of_streams(self._pool, after[0], [customer])
                first = b"".join(frame_of(one) for one in found if one.position > after)
            if self._follower is None or self._follower.done():
                self._horizon = horizon
                self._follower = asyncio.create_task(self._follow_log())
        return first, horizon

    async def _follow_log(self) -> None:
        while self._places:
            try:
                async with self._reading:
                    await self._look()
            except FAILED as error:
                log.warning("streams.database_away", error=type(error).__name__)
            await asyncio.sleep(POLL)

    async def _look(self) -> None:
        """Hand on what is new, and end the streams of those who were erased or merged."""
        open_ones = list(self._places)
        gone = await customers.gone(self._pool, open_ones)
        found, self._horizon = await news.of_streams(self._pool, self._horizon, open_ones)
        for one in found:
            for place in self._places.get(one.customer, ()):
                place.put(one)
        for customer in gone:
            for place in self._places.get(customer, ()):
                place.end()


def state_of(inside: Sequence[sharing.Inside], horizon: int) -> bytes:
    """The event that says all there is: it takes the place of whatever the page knew."""
    audiences = [{"audience": one.audience, "joined_at": one.joined_at} for one in inside]
    return frame("audiences", (horizon, 0), {"audiences": audiences})


def frame_of(one: News) -> bytes:
    """The event of one change."""
    kind = "audience.entered" if one.joined else "audience.left"
    return frame(kind, one.position, {"audience": one.audience, "at": one.at})


def frame(kind: str, position: Position, data: object) -> bytes:
    """One server-sent event; its id is what the browser sends back as Last-Event-ID."""
    head = f"event: {kind}\nid: {position[0]}-{position[1]}\ndata: "
    return head.encode() + orjson.dumps(data) + b"\n\n"
