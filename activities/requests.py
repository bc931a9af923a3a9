"""HTTP requests of `call` steps, through the guard that keeps them out of private networks."""

from collections.abc import Mapping
from typing import Any

import httpx
import orjson
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.world import World
from channels.guard import ForbiddenAddress
from journeys.calls import Ask, Outcome
from journeys.calls import Call as Question
from journeys.plan import Plan
from journeys.steps.call import ANSWERED, FAILED, Call
from journeys.templates import Renderer, TemplateError
from storage import trail

BODY_LIMIT = 256 * 1024  # bytes of an answer that are kept


class Requests:
    """The activity `request`."""

    def __init__(self, world: World, client: httpx.AsyncClient, renderer: Renderer) -> None:
        self._world = world
        self._client = client
        self._renderer = renderer

    @activity.defn(name=Question.REQUEST)
    async def request(self, ask: Ask) -> Outcome:
        """Make the request once; tried again as often as the step says, then it has failed."""
        plan, here, early = await self._world.begin(ask, holds=True)
        if early is not None:
            return early
        step = plan.step(ask.step)
        if not isinstance(step, Call):
            raise TypeError(f"step {ask.step!r} of {ask.plan} is no call")
        if ask.gives_up:
            return await self._failed(ask, plan, "gave_up", "no answer within a day")
        steps = await trail.outputs(self._world.pool, ask.entered_at, ask.instance)
        data = {
            "customer": here.attributes,
            "entry": here.entry,
            "steps": steps,
            "message": {"id": f"{ask.instance}/{ask.visit}", "now": ask.now.isoformat()},
        }
        try:
            parts = self._renderer.render(step.parts(), data)
        except TemplateError as error:
            return await self._failed(ask, plan, "missing_variable", str(error))
        return await self._answer(ask, plan, step, parts)

    async def _answer(self, ask: Ask, plan: Plan, step: Call, parts: Mapping[str, str]) -> Outcome:
        try:
            answer = await self._made(ask, step, parts)
        except ForbiddenAddress as refused:
            return await self._failed(ask, plan, "not_allowed", str(refused))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            said = f"{type(error).__name__}: {error}"[:300]
            return await self._again(ask, plan, step, "no_answer", said)
        if 200 <= answer["status"] < 300:
            return await self._world.conclude(ask, plan, ANSWERED, answer)
        if answer["status"] in (408, 425, 429) or answer["status"] >= 500:
            return await self._again(ask, plan, step, "refused", f"status {answer['status']}")
        return await self._failed(ask, plan, "refused", f"status {answer['status']}", answer)

    async def _made(self, ask: Ask, step: Call, parts: Mapping[str, str]) -> dict[str, Any]:
        """The answer: its status, and its body as JSON where it is any, else as text."""
        headers = {
            name.removeprefix("headers."): text
            for name, text in parts.items()
            if name.startswith("headers.")
        }
        headers.setdefault("Idempotency-Key", f"{ask.instance}/{ask.visit}")
        if "body" in parts:
            headers.setdefault("Content-Type", "application/json")
        async with self._client.stream(
            step.method,
            parts["url"].strip(),
            headers=headers,
            content=parts.get("body", "").encode() or None,
            timeout=step.timeout.total_seconds(),
        ) as response:
            body = b""
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > BODY_LIMIT:
                    raise ValueError(f"the answer is longer than {BODY_LIMIT} bytes")
        return {"status": response.status_code, "body": parsed(body)}

    async def _again(self, ask: Ask, plan: Plan, step: Call, reason: str, detail: str) -> Outcome:
        """Fail this try; after the last one the step has failed."""
        if activity.info().attempt > step.retries:
            return await self._failed(ask, plan, reason, detail)
        raise ApplicationError("the request is tried again", type=reason)

    async def _failed(
        self, ask: Ask, plan: Plan, reason: str, detail: str, result: dict[str, Any] | None = None
    ) -> Outcome:
        why = {"reason": reason, "detail": detail}
        return await self._world.conclude(ask, plan, FAILED, result, why)


def parsed(body: bytes) -> Any:
    """A body as JSON, else as text."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")
