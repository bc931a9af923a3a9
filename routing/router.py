"""The router: takes committed events by shard, in order, and has done what each of them does."""

import asyncio
import contextlib
import random
from collections.abc import Iterable, Sequence
from datetime import timedelta

import asyncpg
import structlog
from temporalio.service import RPCError

from journeys.calls import Nudge
from journeys.event import SHARDS, Event
from journeys.identity import rounds
from routing.consents import heed
from routing.identify import Resolved, identify
from routing.round import NotStarted, Round
from storage import inbox
from storage.connection import connect
from storage.inbox import Claimed, News
from storage.notify import CHANNEL
from storage.pool import FAILED, is_away

log = structlog.get_logger()

BATCH = 512  # events routed together
POLL = 1.0  # seconds between looks when nobody rings
LANES = 4  # batches under way at once, each with shards of its own
SHARE = SHARDS // LANES
AWAY = 1.0  # seconds to wait when Temporal or Postgres is away
PARKED = timedelta(seconds=30)


class Router:
    """Claims shards, routes their events, and gives the shards back."""

    def __init__(self, url: str, round: Round) -> None:
        self._url = url
        self._round = round
        self._held: set[int] = set()
        self._rings: asyncio.Queue[None] = asyncio.Queue(LANES)
        self._lock = asyncio.Lock()

    async def run(self) -> None:
        """Route until cancelled; a lost connection gives all shards up and begins again."""
        while True:
            try:
                await self._run_connected()
            except FAILED as error:
                log.warning("router.database_away", error=type(error).__name__)
                await asyncio.sleep(AWAY)

    async def _run_connected(self) -> None:
        connection = await connect(self._url)
        try:
            self._held.clear()
            await connection.add_listener(CHANNEL, lambda *_: self._ring())
            async with asyncio.TaskGroup() as lanes:
                for _ in range(LANES):
                    lanes.create_task(self._lane(connection))
        except* FAILED as group:
            raise group.exceptions[0] from None
        finally:
            connection.terminate()

    def _ring(self) -> None:
        """Wake one lane; those that are under way look again by themselves."""
        with contextlib.suppress(asyncio.QueueFull):
            self._rings.put_nowait(None)

    async def _lane(self, connection: asyncpg.Connection) -> None:
        """Claim, route, and give back with the next claim."""
        mine: set[int] = set()
        while True:
            async with self._lock:
                mine, claimed, news = await self._claim(connection, mine)
            if claimed:
                await self.route(claimed, news)
            elif mine:
                await self._step_back(connection, mine)
                mine = set()
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._rings.get(), POLL)

    # Claiming ----------------------------------------------------------------------

    async def _claim(
        self, connection: asyncpg.Connection, done: set[int]
    ) -> tuple[set[int], list[Claimed], News]:
        """Shards that nobody else routes meanwhile, and their events; `done` are given back."""
        now = self._round.clock.now()
        self._held -= done
        mine = set(
            await inbox.claim_shards(connection, now, sorted(done), sorted(self._held), SHARE)
        )
        if not mine:
            return set(), [], News(0, 0)
        claimed, news = await inbox.unrouted(connection, sorted(mine), now, BATCH)
        linked = {one.linked_shard for one in claimed if one.linked_shard is not None}
        wanted = sorted(linked - mine - self._held)
        mine |= set(await inbox.lock_shards(connection, wanted)) if wanted else set()
        self._held |= mine
        return mine, list(until_blocked(claimed, mine)), news

    async def _step_back(self, connection: asyncpg.Connection, mine: set[int]) -> None:
        """All events link to shards that somebody else has: let those go first."""
        async with self._lock:
            await inbox.unlock_shards(connection, sorted(mine))
            self._held -= mine
        await asyncio.sleep(random.uniform(0.001, 0.02))

    # Routing -----------------------------------------------------------------------

    async def route(self, claimed: Sequence[Claimed], news: News) -> None:
        """Route events in order; one that cannot be routed is parked with its reason."""
        try:
            await self._round.registry.refresh(self._round.pool, news.journeys)
            await self._round.catalogs.refresh(self._round.pool, news.audiences)
            await self._route(claimed)
        except (RPCError, NotStarted) as error:
            log.warning("router.engine_away", error=type(error).__name__)
            await asyncio.sleep(AWAY if isinstance(error, RPCError) else 0.05)
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            await asyncio.sleep(random.uniform(0.001, 0.02))
        except Exception as error:
            if is_away(error):
                raise
            if len(claimed) > 1:
                for one in claimed:
                    await self.route([one], news)
                return
            log.error(
                "router.parked",
                event_id=str(claimed[0].event.id),
                exc_info=True,
                error=type(error).__name__,
            )
            until = self._round.clock.now() + PARKED * self._round.clock.scale
            await inbox.park(self._round.pool, claimed[0].seq, until, describe(error))

    async def _route(self, claimed: Sequence[Claimed]) -> None:
        seqs = {one.event.id: one.seq for one in claimed}
        for batch in rounds(one.event for one in claimed):
            resolved = await identify(
                self._round.pool, batch, self._round.secret, self._round.clock.now()
            )
            await heed(self._round, batch, resolved.customers)
            for turn in one_each(batch, resolved):
                told = await self._round.decide(turn, resolved.customers)
                if told.heard:
                    self._ring()
                told.nudges += merged(turn[0], resolved)
                started = await self._round.tell(told)
                await inbox.routed(self._round.pool, [seqs[event.id] for event in turn], started)


def until_blocked(claimed: Iterable[Claimed], held: set[int]) -> Iterable[Claimed]:
    """The events up to the first, in each shard, that links to a shard somebody else has."""
    blocked: set[int] = set()
    for one in claimed:
        if one.linked_shard is not None and one.linked_shard not in held:
            blocked.add(one.shard)
        if one.shard not in blocked:
            yield one


def one_each(batch: Sequence[Event], resolved: Resolved) -> list[list[Event]]:
    """Split a round once more, so that no customer is in one part twice."""
    parts: list[list[Event]] = []
    turns: dict[object, int] = {}
    for event in batch:
        customer = resolved.customers.get(event.id, event.id)
        turn = turns.get(customer, 0)
        turns[customer] = turn + 1
        if turn == len(parts):
            parts.append([])
        parts[turn].append(event)
    return parts


def merged(event: Event, resolved: Resolved) -> list[tuple[str, Nudge, bool]]:
    """The signals that end what a merge has ended, given out once."""
    told = [
        (workflow_id, Nudge(id=event.id, instance=instance, ends=True), True)
        for instance, workflow_id in resolved.ended.items()
    ]
    resolved.ended.clear()
    return told


def describe(error: Exception) -> str:
    """An error as it is kept beside a parked event."""
    return f"{type(error).__name__}: {error}"
