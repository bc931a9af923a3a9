"""Starts and signals instances and runs, with request ids that make a repeat harmless."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from temporalio.api.common.v1 import Payloads, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import WorkflowIdConflictPolicy, WorkflowIdReusePolicy
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.converter import encode_search_attributes
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from journeys.calls import Nudge
from workflows.run import RUN, RunStart
from workflows.start import EVENT_SIGNAL, RESUME_SIGNAL, TASK_QUEUE, WORKFLOW, Start

JOURNEY = SearchAttributeKey.for_keyword("ParcoursJourney")
VERSION = SearchAttributeKey.for_int("ParcoursVersion")
CUSTOMER = SearchAttributeKey.for_keyword("ParcoursCustomer")
TASK_TIMEOUT = timedelta(seconds=10)


def of_journey(journey: str) -> TypedSearchAttributes:
    """What the runs of a journey are found by."""
    return TypedSearchAttributes([SearchAttributePair(JOURNEY, journey)])


class StillClosing(Exception):
    """Another run has this workflow id: the instance before is being closed."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Temporal as routing and the API see it."""

    client: Client
    eager: bool = False
    task_queue: str = TASK_QUEUE

    async def start(self, workflow_id: str, start: Start, *, replaces: bool = False) -> None:
        """Start an instance; doing so twice starts one.

        Raises:
            StillClosing: an earlier instance's workflow is open, and `replaces` is not set.
            RPCError: Temporal is away.
        """
        journey, _, rest = start.plan.partition("@")
        version = int(rest.partition(":")[0])
        request = StartWorkflowExecutionRequest(
            namespace=self.client.namespace,
            workflow_id=workflow_id,
            workflow_type=WorkflowType(name=WORKFLOW),
            task_queue=TaskQueue(name=self.task_queue),
            input=Payloads(payloads=await self.client.data_converter.encode([start])),
            identity=self.client.identity,
            request_id=str(start.instance),
            request_eager_execution=self.eager,
            workflow_id_reuse_policy=WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
            workflow_id_conflict_policy=(
                WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
                if replaces
                else WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL
            ),
        )
        request.workflow_task_timeout.FromTimedelta(TASK_TIMEOUT)
        encode_search_attributes(
            TypedSearchAttributes([
                SearchAttributePair(JOURNEY, journey),
                SearchAttributePair(VERSION, version),
                SearchAttributePair(CUSTOMER, str(start.customer)),
            ]),
            request.search_attributes,
        )
        try:
            await self.client.workflow_service.start_workflow_execution(request, retry=True)
        except RPCError as error:
            if error.status == RPCStatusCode.ALREADY_EXISTS:
                raise StillClosing(workflow_id) from error
            raise

    async def begin(self, workflow_id: str, start: RunStart) -> None:
        """Begin a run; doing so twice begins one."""
        try:
            await self.client.start_workflow(
                RUN,
                start,
                id=workflow_id,
                task_queue=self.task_queue,
                search_attributes=of_journey(start.journey),
            )
        except WorkflowAlreadyStartedError:
            return

    async def nudge(self, workflow_id: str, nudge: Nudge) -> bool:
        """Signal an instance; False if it is not running. The server drops a repeat."""
        return await self._signal(
            workflow_id, EVENT_SIGNAL, f"{nudge.id}:{nudge.instance}:{nudge.visit}", nudge
        )

    async def resume(self, workflow_id: str, instance: UUID, epoch: str) -> bool:
        """Tell a held instance that its journey goes on."""
        return await self._signal(workflow_id, RESUME_SIGNAL, f"resume:{instance}:{epoch}")

    async def is_running(self, workflow_id: str) -> bool:
        """Whether the workflow's latest run is open."""
        try:
            described = await self.client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        return described.status == WorkflowExecutionStatus.RUNNING

    async def delete(self, workflow_id: str) -> None:
        """Delete the histories of every run of a workflow: its customer was erased."""
        async for run in self.client.list_workflows(f"WorkflowId = '{workflow_id}'"):
            await self.client.workflow_service.delete_workflow_execution(
                DeleteWorkflowExecutionRequest(
                    namespace=self.client.namespace,
                    workflow_execution=WorkflowExecution(
                        workflow_id=workflow_id, run_id=run.run_id
                    ),
                )
            )

    async def terminate(self, workflow_id: str, reason: str) -> None:
        """End a workflow whose instance was erased."""
        try:
            await self.client.workflow_service.terminate_workflow_execution(
                TerminateWorkflowExecutionRequest(
                    namespace=self.client.namespace,
                    workflow_execution=WorkflowExecution(workflow_id=workflow_id),
                    reason=reason,
                    identity=self.client.identity,
                )
            )
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise

    async def _signal(
        self, workflow_id: str, name: str, request_id: str, *arguments: object
    ) -> bool:
        request = SignalWorkflowExecutionRequest(
            namespace=self.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            signal_name=name,
            identity=self.client.identity,
            request_id=request_id,
            input=Payloads(payloads=await self.client.data_converter.encode(list(arguments))),
        )
        try:
            await self.client.workflow_service.signal_workflow_execution(request, retry=True)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True
