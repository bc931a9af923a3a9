"""An interceptor that lets a test step in around an activity, and lose the task it ran in."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ActivityHandle

from journeys.calls import Ask

Hook = Callable[[], Awaitable[object]]


class LostTaskError(Exception):
    """Not a failure of the workflow but of its task: everything the task did is done again."""


class Hooks(Interceptor):
    """What to do before and after an activity, by its name or `name of step`; each is done once.

    The workflow task in which an activity of `loses` answered is lost whole, as if the worker had
    died before it could report it.
    """

    def __init__(
        self,
        before: dict[str, Hook] | None = None,
        after: dict[str, Hook] | None = None,
        loses: set[str] | None = None,
    ) -> None:
        self.before = before or {}
        self.after = after or {}
        self.loses = loses or set()
        self.ran: list[str] = []

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Called by Temporal."""
        return HookedActivity(next, self)

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        """Called by Temporal."""
        hooks = self

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(Losing(outbound, hooks))

        return Inbound


class HookedActivity(ActivityInboundInterceptor):
    """Runs the hooks around an activity."""

    def __init__(self, next: ActivityInboundInterceptor, hooks: Hooks) -> None:
        super().__init__(next)
        self._hooks = hooks

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """Called by Temporal."""
        ask: Ask = input.args[0]
        name = input.fn.__name__
        self._hooks.ran.append(f"{name} {ask.step}")
        if (hook := taken(self._hooks.before, name, ask.step)) is not None:
            await hook()
        answer = await super().execute_activity(input)
        if (hook := taken(self._hooks.after, name, ask.step)) is not None:
            await hook()
        return answer


class Losing(WorkflowOutboundInterceptor):
    """Fails the workflow task after the answer of a local activity."""

    def __init__(self, next: WorkflowOutboundInterceptor, hooks: Hooks) -> None:
        super().__init__(next)
        self._hooks = hooks

    def start_local_activity(self, input: StartLocalActivityInput) -> ActivityHandle[Any]:
        """Called by Temporal."""
        handle = super().start_local_activity(input)
        if input.activity not in self._hooks.loses:
            return handle

        async def lost() -> Any:
            answer = await handle
            if input.activity in self._hooks.loses:
                self._hooks.loses.discard(input.activity)
                raise LostTaskError(input.activity)
            return answer

        return cast("ActivityHandle[Any]", asyncio.create_task(lost()))


def taken(hooks: dict[str, Hook], activity: str, step: str) -> Hook | None:
    """The hook for an activity of a step, given out once."""
    return hooks.pop(f"{activity} of {step}", None) or hooks.pop(activity, None)
