"""Delivering a message: at once where the provider is healthy, else on the channel's long path."""

import asyncio
from collections.abc import Mapping

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.attempts import Attempts
from activities.fates import Fates
from activities.letters import Channel, Forbidden, Letter
from activities.world import World
from channels.base import TemporaryFailure
from journeys.calls import Ask, Call, Outcome
from journeys.templates import Renderer
from storage import trail
from storage.attempts import Settle
from storage.standing import Standing

BUDGET = 2.0  # seconds that the fast path gives a provider
GLANCE = 1.0  # seconds between two looks at a message that another process is sending

Begun = tuple[Letter, Channel, "asyncio.Task[Settle | None]"]


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
        self._fates = Fates(world, attempts)
        self._channels = channels
        self._renderer = renderer

    @activity.defn(name=Call.DELIVER)
    async def deliver(self, ask: Ask) -> Outcome:
        """The fast path: one try within a short budget, or `busy`."""
        begun = await self._begun(ask)
        return begun if isinstance(begun, Outcome) else await self._within_budget(*begun)

    @activity.defn(name=Call.DELIVER)
    async def deliver_long(self, ask: Ask) -> Outcome:
        """The long path: one try for as long as it takes; a temporary no is tried again later."""
        letter = await self._letter(ask)
        while True:
            if (task := self._attempts.under_way(letter.id)) is not None:
                await self._patiently(task)
                continue
            early, here = await self._fates.look(letter)
            if early is None:
                break
            if early.status != "pending":
                return early
            activity.heartbeat()
            await asyncio.sleep(GLANCE)
        try:
            channel = letter.circular.open_channel
        except Forbidden as forbidden:
            return await self._fates.skip(letter, forbidden)
        return await self._try(letter, here, channel)

    async def deliver_paged(self, ask: Ask) -> Outcome:
        """In a broadcast: one try for as long as it takes; `busy` after a temporary no."""
        begun = await self._begun(ask)
        if isinstance(begun, Outcome):
            return begun
        letter, channel, task = begun
        try:
            settle = await task
        except TemporaryFailure:
            channel.breaker.failed()
            return self._fates.elsewhere(letter, "busy")
        channel.breaker.succeeded()
        return await self._fates.after(letter, settle)

    async def _begun(self, ask: Ask) -> Begun | Outcome:
        """A message on its way; the answer where there is one already, or nothing may be sent."""
        letter = await self._letter(ask)
        if self._attempts.under_way(letter.id) is not None:
            return self._fates.elsewhere(letter, "pending")
        early, here = await self._fates.look(letter)
        if early is not None:
            return early
        try:
            channel = letter.circular.open_channel
            if ask.gives_up:
                return await self._fates.give_up(letter)
            if not channel.breaker.allows():
                return self._fates.elsewhere(letter, "busy")
            return letter, channel, await self._start(letter, here, channel)
        except Forbidden as forbidden:
            return await self._fates.skip(letter, forbidden)

    async def _letter(self, ask: Ask) -> Letter:
        return Letter.of(ask, await self._world.plan(ask.plan), self._channels)

    async def _start(
        self, letter: Letter, here: Standing, channel: Channel
    ) -> "asyncio.Task[Settle | None]":
        """Write the message and begin to send it.

        Raises:
            Forbidden: it must not be sent.
        """
        address, parts = await self._written(letter, here)
        return self._attempts.begin(letter, channel.provider, address, parts)

    async def _written(self, letter: Letter, here: Standing) -> tuple[str, dict[str, str]]:
        """Where the message goes and what it says.

        Raises:
            Forbidden: it must not be sent.
        """
        address = letter.circular.address(
            here.attributes,
            is_unsubscribed=here.is_unsubscribed,
            is_suppressed=here.is_suppressed,
        )
        template = letter.plan.templates[letter.step.template]
        steps = (
            await trail.outputs(self._world.pool, letter.ask.entered_at, letter.ask.instance)
            if any("steps" in text for text in template.parts.values())
            else {}
        )
        return address, letter.circular.words(
            self._renderer,
            letter.id,
            letter.ask.now,
            customer=here.attributes,
            entry=here.entry,
            steps=steps,
        )

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
                return self._fates.elsewhere(letter, "pending")
            task.cancel()
            return self._fates.elsewhere(letter, "busy")
        try:
            settle = task.result()
        except TemporaryFailure:
            channel.breaker.failed()
            return self._fates.elsewhere(letter, "busy")
        channel.breaker.succeeded()
        return await self._fates.after(letter, settle)

    async def _try(self, letter: Letter, here: Standing, channel: Channel) -> Outcome:
        try:
            task = await self._start(letter, here, channel)
        except Forbidden as forbidden:
            return await self._fates.skip(letter, forbidden)
        await self._patiently(task)
        try:
            settle = task.result()
        except TemporaryFailure as failure:
            channel.breaker.failed()
            await self._fates.defer(letter, failure)
            raise ApplicationError(
                "deferred", type="Deferred", next_retry_delay=failure.retry_after
            ) from failure
        channel.breaker.succeeded()
        outcome = await self._fates.after(letter, settle)
        if outcome.status in ("busy", "pending"):
            raise ApplicationError("its fate is unknown: it is sent again", type="Unknown")
        return outcome

    async def _patiently(self, task: "asyncio.Task[Settle | None]") -> None:
        """Wait for an attempt with heartbeats; leaving does not cut it off past the point."""
        while not task.done():
            activity.heartbeat()
            await asyncio.wait({task}, timeout=GLANCE)
