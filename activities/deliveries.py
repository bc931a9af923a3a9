"""Delivering a message: at once where the provider is healthy, else on the channel's long path."""

import asyncio
from collections.abc import Mapping

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.attempts import Attempts
from activities.letters import Channel, Forbidden, Letter
from activities.world import World, stored, taken
from channels.base import TemporaryFailure
from journeys.calls import Ask, Call, Outcome
from journeys.steps.send import ADDRESSES
from journeys.templates import Renderer
from storage import messages, trail
from storage.messages import Message, Settle
from storage.standing import Look, Standing
from workflows.start import channel_queue

NO_PROVIDER = "no provider is configured for this channel"
BUDGET = 2.0  # seconds that the fast path gives a provider
GLANCE = 1.0  # seconds between two looks at a message that another process is sending


class Deliveries:
    """The activity `deliver`, in its two ways."""

    def __init__(
        self,
        world: World,
        attempts: Attempts,
        channels: Mapping[str, Channel],
        renderer: Renderer,
    ) -> None:
        self._world = world
        self._attempts = attempts
        self._channels = channels
        self._renderer = renderer

    @activity.defn(name=Call.DELIVER)
    async def deliver(self, ask: Ask) -> Outcome:
        """The fast path: one try within a short budget, or `busy`."""
        letter = await self._letter(ask)
        if self._attempts.under_way(letter.id) is not None:
            return self._elsewhere(letter, "pending")
        early, here = await self._look(letter)
        if early is not None:
            return early
        channel = self._channels.get(letter.step.channel)
        if channel is None:
            return await self._skip(letter, Forbidden("no_provider", NO_PROVIDER))
        if ask.gives_up:
            return await self._give_up(letter)
        if not channel.breaker.allows():
            return self._elsewhere(letter, "busy")
        try:
            task = await self._start(letter, here, channel)
        except Forbidden as forbidden:
            return await self._skip(letter, forbidden)
        return await self._within_budget(letter, channel, task)

    @activity.defn(name=Call.DELIVER)
    async def deliver_long(self, ask: Ask) -> Outcome:
        """The long path: one try for as long as it takes; a temporary no is tried again later."""
        letter = await self._letter(ask)
        while True:
            if (task := self._attempts.under_way(letter.id)) is not None:
                await self._patiently(task)
                continue
            early, here = await self._look(letter)
            if early is None:
                break
            if early.status != "pending":
                return early
            activity.heartbeat()
            await asyncio.sleep(GLANCE)
        channel = self._channels.get(letter.step.channel)
        if channel is None:
            return await self._skip(letter, Forbidden("no_provider", NO_PROVIDER))
        return await self._try(letter, here, channel)

    # Looking ---------------------------------------------------------------------

    async def _letter(self, ask: Ask) -> Letter:
        return Letter.of(ask, await self._world.plan(ask.plan), self._channels)

    async def _look(self, letter: Letter) -> tuple[Outcome | None, Standing]:
        """The answer if there is one already, and how the instance stands."""
        ask, step = letter.ask, letter.step
        here = await self._world.standing_of(
            Look(
                ask.instance,
                ask.entered_at,
                ask.visit,
                step.channel,
                step.topic,
                ADDRESSES[step.channel],
                letter.id,
            )
        )
        if (before := stored(ask, letter.plan, here)) is not None:
            return before, here
        if here.message_state in ("sending", "unknown"):
            return await self._of_message(letter), here
        if here.is_over:
            return Outcome(status="over"), here
        if here.is_paused:
            return await self._world.hold(ask), here
        return None, here

    async def _of_message(self, letter: Letter) -> Outcome | None:
        """What the ledger says of a message that was begun and has no fate yet."""
        message = await messages.lapse(self._world.pool, letter.id)
        if message is None or message.state == "deferred":
            return None
        if message.state == "sending":
            return self._elsewhere(letter, "pending")
        return await self._concluded(letter, message)

    async def _concluded(self, letter: Letter, message: Message) -> Outcome | None:
        """End the visit by a fate that the ledger has and the trail has not."""
        settle = letter.settled(message.state, reason=message.reason, detail=message.detail)
        exit = letter.exit(settle)
        if exit is None:
            return None
        await self._world.write(letter.visits(settle))
        return taken(letter.ask, letter.plan, exit)

    def _elsewhere(self, letter: Letter, status: str) -> Outcome:
        return Outcome.model_validate({
            "status": status,
            "queue": channel_queue(letter.step.channel),
        })

    # Sending ---------------------------------------------------------------------

    async def _start(
        self, letter: Letter, here: Standing, channel: Channel
    ) -> "asyncio.Task[Settle | None]":
        """Write the message and begin to send it.

        Raises:
            Forbidden: it must not be sent.
        """
        address = letter.address(here)
        template = letter.plan.templates[letter.step.template]
        steps = (
            await trail.outputs(self._world.pool, letter.ask.entered_at, letter.ask.instance)
            if any("steps" in text for text in template.parts.values())
            else {}
        )
        parts = letter.words(self._renderer, here, steps)
        return self._attempts.begin(letter, channel.provider, address, parts)

    async def _within_budget(
        self, letter: Letter, channel: Channel, task: "asyncio.Task[Settle | None]"
    ) -> Outcome:
        try:
            done, _ = await asyncio.wait({task}, timeout=BUDGET)
        except asyncio.CancelledError:
            if not self._attempts.is_committed(letter.id):
                task.cancel()
            raise
        if not done:
            channel.breaker.failed()
            if self._attempts.is_committed(letter.id):
                return self._elsewhere(letter, "pending")
            task.cancel()
            return self._elsewhere(letter, "busy")
        try:
            settle = task.result()
        except TemporaryFailure:
            channel.breaker.failed()
            return self._elsewhere(letter, "busy")
        channel.breaker.succeeded()
        return await self._fate(letter, settle)

    async def _try(self, letter: Letter, here: Standing, channel: Channel) -> Outcome:
        try:
            task = await self._start(letter, here, channel)
        except Forbidden as forbidden:
            return await self._skip(letter, forbidden)
        await self._patiently(task)
        try:
            settle = task.result()
        except TemporaryFailure as failure:
            channel.breaker.failed()
            await self._defer(letter, failure)
            raise ApplicationError(
                "deferred", type="Deferred", next_retry_delay=failure.retry_after
            ) from failure
        channel.breaker.succeeded()
        outcome = await self._fate(letter, settle)
        if outcome.status in ("busy", "pending"):
            raise ApplicationError("its fate is unknown: it is sent again", type="Unknown")
        return outcome

    async def _patiently(self, task: "asyncio.Task[Settle | None]") -> None:
        """Wait for an attempt with heartbeats; leaving does not cut it off past the point."""
        while not task.done():
            activity.heartbeat()
            await asyncio.wait({task}, timeout=GLANCE)

    async def _fate(self, letter: Letter, settle: Settle | None) -> Outcome:
        """The answer that follows from what became of an attempt."""
        if settle is None:
            early, _ = await self._look(letter)
            return early or self._elsewhere(letter, "busy")
        exit = letter.exit(settle)
        if exit is None:
            return self._elsewhere(letter, "busy")
        return taken(letter.ask, letter.plan, exit)

    # Not sending -----------------------------------------------------------------

    async def _skip(self, letter: Letter, forbidden: Forbidden) -> Outcome:
        settle = letter.settled("skipped", reason=forbidden.reason, detail=forbidden.detail)
        return await self._close(letter, settle)

    async def _give_up(self, letter: Letter) -> Outcome:
        message = await messages.get(self._world.pool, letter.id)
        detail = message.detail if message else None
        return await self._close(letter, letter.settled("refused", reason="gave_up", detail=detail))

    async def _close(self, letter: Letter, settle: Settle) -> Outcome:
        await self._attempts.settle((settle, letter.visits(settle)))
        return taken(letter.ask, letter.plan, letter.exit(settle) or "")

    async def _defer(self, letter: Letter, failure: TemporaryFailure) -> None:
        """Name the reason in the ledger while the message waits for its next try."""
        settle = letter.settled("deferred", reason="temporary", detail=failure.detail[:500])
        await self._attempts.settle((settle, []))
