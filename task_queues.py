"""The workers of Temporal's task queues: of instances, calls, runs and channels' long paths."""

from collections.abc import Mapping
from datetime import timedelta

import asyncpg
import httpx
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.attempts import Attempts
from activities.decisions import Decisions
from activities.deliveries import Deliveries
from activities.letters import Channel
from activities.listening import Listening
from activities.requests import Requests
from activities.runs import Runs
from activities.world import World
from journeys.event import Event
from journeys.templates import Renderer
from routing.round import Round
from storage import events
from storage.notify import Bell
from workflows.journey import JourneyWorkflow
from workflows.run import RUN_QUEUE, RunWorkflow
from workflows.start import CALL_QUEUE, TASK_QUEUE, channel_queue

GRACE = timedelta(seconds=10)
INSTANCES_CACHED = 2000
TASKS = 200  # a workflow task holds its slot while its local activities run
RUNS = 8  # runs gone on with at once
LONG_SENDS = 20  # messages of one channel on the long path at once


def workers(
    client: Client,
    pool: asyncpg.Pool,
    world: World,
    round: Round,
    attempts: Attempts,
    channels: Mapping[str, Channel],
    http: httpx.AsyncClient,
) -> list[Worker]:
    """The worker of instances, and one for each long path."""
    renderer, bell = Renderer(), Bell(pool)

    async def accept(made: list[Event]) -> None:
        await events.insert(pool, made)
        bell.ring()

    deliveries = Deliveries(world, attempts, channels, renderer)
    decisions, listening = Decisions(world, accept), Listening(world, round.registry)
    requests = Requests(world, http, renderer)
    main = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[JourneyWorkflow, RunWorkflow],
        activities=[
            decisions.decide,
            decisions.update,
            decisions.emit,
            decisions.record,
            deliveries.deliver,
            listening.listen,
            listening.look_again,
            listening.judge,
            requests.request,
        ],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=INSTANCES_CACHED,
        max_concurrent_workflow_tasks=TASKS,
        max_concurrent_local_activities=TASKS,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=5),
        graceful_shutdown_timeout=GRACE,
    )
    long_paths = [
        Worker(
            client,
            task_queue=channel_queue(channel),
            activities=[deliveries.deliver_long],
            max_concurrent_activities=LONG_SENDS,
            graceful_shutdown_timeout=GRACE,
        )
        for channel in ("email", "sms", "push", "whatsapp", "webhook")
    ]
    calls = Worker(
        client,
        task_queue=CALL_QUEUE,
        activities=[requests.request],
        max_concurrent_activities=100,
        graceful_shutdown_timeout=GRACE,
    )
    runs = Runs(round)
    groups = Worker(
        client,
        task_queue=RUN_QUEUE,
        activities=[runs.open, runs.advance, runs.abandon],
        max_concurrent_activities=RUNS,
        graceful_shutdown_timeout=GRACE,
    )
    return [main, calls, groups, *long_paths]
