"""How an instance asks: in this process or on a queue, with which timeouts and retries."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from journeys.calls import Ask, Call, Outcome
from workflows.start import CALL_QUEUE

# A question to the worker's own process: Postgres away is tried again for as long as it takes, the
# longer pauses as durable timers so that no workflow task is held.
LOCAL_TIMEOUT = timedelta(seconds=15)
LOCAL_THRESHOLD = timedelta(seconds=2)
LOCAL_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    backoff_coefficient=2,
    maximum_interval=timedelta(seconds=60),
)

# The long path of a channel: its own queue, paced by the channel, for at most a day.
LONG_HEARTBEAT = timedelta(seconds=10)
LONG_ATTEMPT = timedelta(minutes=5)
LONG_PATH = timedelta(days=1)
LONG_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(minutes=15),
)

# What is never done within a workflow task, and the queue where it is.
LONG_ONLY = {Call.REQUEST: CALL_QUEUE}

# A held instance is told when its journey goes on; this is for a message that got lost.
HELD_RECHECK = timedelta(hours=1)


async def here(call: Call, ask: Ask) -> Outcome:
    """The answer of this worker, within the workflow task."""
    answer: Outcome = await workflow.execute_local_activity(
        call.value,
        ask,
        result_type=Outcome,
        start_to_close_timeout=LOCAL_TIMEOUT,
        local_retry_threshold=LOCAL_THRESHOLD,
        retry_policy=LOCAL_RETRY,
        summary=ask.step,
    )
    return answer


def there(call: Call, ask: Ask, queue: str) -> "asyncio.Task[Outcome]":
    """The answer of a worker of `queue`, some time."""
    return workflow.start_activity(
        call.value,
        ask,
        result_type=Outcome,
        task_queue=queue,
        start_to_close_timeout=LONG_ATTEMPT,
        schedule_to_close_timeout=LONG_PATH,
        heartbeat_timeout=LONG_HEARTBEAT,
        retry_policy=LONG_RETRY,
        summary=ask.step,
    )
