"""The workers of Temporal's task queues: of instances, calls, runs and channels' long paths."""

from collections.abc import Mapping
from datetime import timedelta
from importlib.metadata import version

import httpx
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.attempts import Attempts
from activities.broadcasts import Broadcasts
from activities.decisions import Decisions
from activities.deliveries import Deliveries
from activities.letters import Channel
from activities.listening import Listening
from activities.mailing import Means
from activities.mailings import Mailings
from activities.requests import Requests
from activities.runs import Runs
from activities.world import World
from journeys.calls import Call
from journeys.event import Event
from journeys.templates import Renderer
from routing.round import Round
from storage import events
from storage.notify import Bell
from storage.pool import Pool
from workflows.journey import JourneyWorkflow
from workflows.run import BROADCAST_QUEUE, RUN_QUEUE, RunWorkflow
from workflows.start import CALL_QUEUE, TASK_QUEUE, channel_queue

GRACE = timedelta(seconds=10)
# Left to itself, Temporal's worker compiles every module that is loaded to make a name of them:
# seconds of every start.
BUILD = f"parcours-{version('parcours')}"
INSTANCES_CACHED = 2000
TASKS = 200  # a workflow task holds its slot while its local activities run
RUNS = 8  # runs gone on with at once
LANES = 2  # of broadcasts: one sends while the other reads and writes; what is more waits
LONG_SENDS = 20  # messages of one channel on the long path at once


def workers(
    client: Client,
    pool: Pool,
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
        build_id=BUILD,
    )
    long_paths = [
        Worker(
            client,
            task_queue=channel_queue(channel),
            activities=[deliveries.deliver_long],
            max_concurrent_activities=LONG_SENDS,
            graceful_shutdown_timeout=GRACE,
            build_id=BUILD,
        )
        for channel in ("email", "sms", "push", "whatsapp", "webhook")
    ]
    calls = Worker(
        client,
        task_queue=CALL_QUEUE,
        activities=[requests.request],
        max_concurrent_activities=100,
        graceful_shutdown_timeout=GRACE,
        build_id=BUILD,
    )
    answers = {
        Call.DELIVER: deliveries.deliver_paged,
        Call.DECIDE: decisions.decide,
        Call.UPDATE: decisions.update,
        Call.EMIT: decisions.emit,
        Call.RECORD: decisions.record,
    }
    means = Means(world.pool, attempts, channels, round.clock, deliveries.deliver_paged)
    mailings = Mailings(means, renderer, world.secret)
    runs = Runs(round, Broadcasts(round, channels, mailings, answers))
    groups = Worker(
        client,
        task_queue=RUN_QUEUE,
        activities=[runs.open, runs.advance, runs.abandon],
        max_concurrent_activities=RUNS,
        graceful_shutdown_timeout=GRACE,
        build_id=BUILD,
    )
    lanes = Worker(
        client,
        task_queue=BROADCAST_QUEUE,
        activities=[runs.advance],
        max_concurrent_activities=LANES,
        graceful_shutdown_timeout=GRACE,
        build_id=BUILD,
    )
    return [main, calls, groups, lanes, *long_paths]
