"""Whether this process lives, and whether everything can serve."""

from fastapi import APIRouter
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import RPCError

from api.errors import AWAY, Problem
from api.state import Parts
from journeys.model import Model
from storage import inbox

router = APIRouter(tags=["health"])


class Live(Model):
    """This process answers."""

    status: str = "live"


class Ready(Model):
    """Everything can serve; how many events wait to be routed, and how many are parked."""

    status: str = "ready"
    unrouted: int
    parked: int


@router.get("/health/live")
async def live() -> Live:
    """This process answers."""
    return Live()


@router.get("/health/ready")
async def ready(parts: Parts) -> Ready:
    """Postgres and Temporal answer, and a worker polls; else 503 and which of them does not."""
    unrouted, parked = await inbox.backlog(parts.pool)
    request = DescribeTaskQueueRequest(
        namespace=parts.engine.client.namespace,
        task_queue=TaskQueue(name=parts.engine.task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    try:
        queue = await parts.engine.client.workflow_service.describe_task_queue(request)
    except RPCError as error:
        raise Problem(503, "Not ready", f"Temporal: {error.status.name.lower()}", AWAY) from error
    except RuntimeError as error:  # what a client says that has never been connected
        raise Problem(503, "Not ready", "Temporal: not reached yet", AWAY) from error
    if not queue.pollers:
        raise Problem(503, "Not ready", "no worker polls Temporal yet", AWAY)
    return Ready(unrouted=unrouted, parked=parked)
