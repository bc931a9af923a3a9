"""The worker: runs instances, routes events, delivers messages. Opens, wires, runs, closes."""

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
import uvloop
from temporalio.client import Client
from temporalio.worker import Worker

import telemetry
from activities.attempts import Attempts
from activities.letters import Channel
from activities.world import World
from channels import Route, open_providers
from channels.breaker import Breaker
from channels.guard import guarded_client
from routing.announcing import announce
from routing.evaluating import Evaluation
from routing.housekeeping import Housekeeping
from routing.pushing import Pusher
from routing.qualifier import Qualifier
from routing.registry import Registry
from routing.round import Round
from routing.router import Router
from settings import Settings, SettingsError, load
from storage import installation, journeys
from storage.members import Change
from storage.notify import Bell
from storage.pool import Db
from storage.pool import pool as open_pool
from task_queues import GRACE, workers
from wiring import temporal_address
from workflows.client import Engine
from workflows.connect import connect
from workflows.converter import worker_converter

log = structlog.get_logger("worker")

POOL = 20
LOOKUPS = 10  # connections for what instances ask


@dataclass(frozen=True, slots=True)
class Parts:
    """A wired worker: what has to run."""

    workers: list[Worker]
    router: Router
    housekeeping: Housekeeping
    attempts: Attempts
    qualifier: Qualifier
    evaluation: Evaluation
    pusher: Pusher

    def jobs(self) -> list[Coroutine[None, None, None]]:
        """What runs beside the workers, apart from the router."""
        return [
            self.housekeeping.run(),
            self.attempts.renew_leases(),
            self.qualifier.run(),
            self.evaluation.run(),
            self.pusher.run(),
        ]


def routes(settings: Settings) -> dict[str, Route]:
    """Which channels are configured, and where their messages go."""
    found = {}
    if settings.smtp_url is not None:
        found["email"] = Route(settings.smtp_url)
    for channel in ("sms", "push", "whatsapp", "webhook"):
        url, secret = getattr(settings, f"{channel}_url"), getattr(settings, f"{channel}_secret")
        if url is not None:
            found[channel] = Route(
                url,
                secret.get_secret_value() if secret else None,
                allow_private=settings.allow_private_calls,
            )
    return found


@asynccontextmanager
async def wired(settings: Settings) -> AsyncIterator[Parts]:
    """Everything a worker needs, opened; closed at the end."""
    async with AsyncExitStack() as stack:
        url = str(settings.database_url)
        pool = await stack.enter_async_context(open_pool(url, POOL))
        found = await installation.get(pool)
        if found is None:
            raise SettingsError("the database is not prepared: run `parcours migrate`")
        lookups = await stack.enter_async_context(open_pool(url, LOOKUPS, looks_up=True))
        world = World(lookups, found.secret)
        client = await patiently_connected(settings, world)
        registry = Registry(world.plans)
        round = Round(
            pool,
            registry,
            Engine(client, eager=True),
            found.clock,
            found.secret,
            settings.late_event_limit,
            world.catalogs,
        )
        attempts = Attempts(lookups, settings.email_from, found.secret)
        stack.push_async_callback(attempts.finish, GRACE)
        channels = {
            name: Channel(provider, Breaker())
            for name, provider in open_providers(routes(settings)).items()
        }
        for channel in channels.values():
            stack.push_async_callback(channel.provider.close)
        http = await stack.enter_async_context(
            guarded_client(settings.allow_private_calls, timedelta(seconds=60))
        )
        yield Parts(
            workers(client, pool, world, round, attempts, channels, http),
            Router(url, round),
            Housekeeping(url, round, settings.retention),
            attempts,
            qualifier(round),
            Evaluation(url, pool, round.catalogs, round.clock),
            Pusher(url, pool, allow_private=settings.allow_private_calls),
        )


def qualifier(round: Round) -> Qualifier:
    """What judges customers; journeys that listen hear of what it changes."""
    bell = Bell(round.pool)

    async def tell(db: Db, changes: Sequence[Change]) -> bool:
        await round.registry.refresh(db, await journeys.changed(db))
        return await announce(db, changes, round.registry.listened)

    return Qualifier(round.pool, round.catalogs, round.clock, tell, bell.ring)


async def patiently_connected(settings: Settings, world: World) -> Client:
    """A client, once Temporal is there."""
    while True:
        try:
            return await connect(
                temporal_address(settings), worker_converter(world.fetch), lazy=False
            )
        except RuntimeError as error:
            log.warning("worker.temporal_away", error=str(error))
            await asyncio.sleep(1)


async def run(settings: Settings) -> None:
    """Work until a signal says to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with wired(settings) as parts, AsyncExitStack() as stack:
        for one in parts.workers:
            await stack.enter_async_context(one)
        tasks = [asyncio.create_task(one) for one in (parts.router.run(), *parts.jobs())]
        stopped = asyncio.create_task(stop.wait())
        log.info("worker.started")
        done, _ = await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopped}:
            log.error("worker.part_failed", exc_info=task.exception())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        log.info("worker.stopping", asked=stopped in done)


def spare_collector() -> None:
    """Leave what was loaded out of the search for cycles, and search less often.

    Almost nothing that a message makes is in one; searching took a twelfth of a broadcast's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def main() -> int:
    """Run one worker with what the settings name."""
    try:
        settings = load()
        telemetry.configure(settings.log_format)
        spare_collector()
        uvloop.run(run(settings))
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 -- the reader is at a terminal
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
