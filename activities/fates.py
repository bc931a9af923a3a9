"""The fates of messages: looked up, followed from an attempt, or written without one."""

from activities.attempts import Attempts
from activities.letters import Forbidden, Letter
from activities.world import World, stored, taken
from channels.base import TemporaryFailure
from journeys.calls import Outcome
from journeys.steps.send import ADDRESSES
from storage import attempts, messages
from storage.attempts import Settle
from storage.messages import Message
from storage.standing import Look, Standing
from workflows.start import channel_queue


class Fates:
    """What is known of a message, as the answer to the instance that sends it."""

    def __init__(self, world: World, attempts: Attempts) -> None:
        self._world = world
        self._attempts = attempts

    # Looking ---------------------------------------------------------------------

    async def look(self, letter: Letter) -> tuple[Outcome | None, Standing]:
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
        if here.message_state not in (None, "deferred"):
            return await self._of_message(letter), here
        if here.is_over:
            return Outcome(status="over"), here
        if here.is_paused:
            return await self._world.hold(ask), here
        return None, here

    async def _of_message(self, letter: Letter) -> Outcome | None:
        """What the ledger says of a message whose visit is not over."""
        message = await attempts.lapse(self._world.pool, letter.id)
        if message is None or message.state == "deferred":
            return None
        if message.state == "sending":
            return self.elsewhere(letter, "pending")
        return await self._concluded(letter, message)

    async def _concluded(self, letter: Letter, message: Message) -> Outcome | None:
        """End the visit by a fate that the ledger has and the trail has not."""
        settle = letter.settled(message.state, reason=message.reason, detail=message.detail)
        exit = letter.circular.exit(settle.state)
        if exit is None:
            return None
        await self._world.write(letter.visits(settle))
        return taken(letter.ask, letter.plan, exit)

    async def after(self, letter: Letter, settle: Settle | None) -> Outcome:
        """The answer that follows from what became of an attempt."""
        if settle is None:
            early, _ = await self.look(letter)
            return early or self.elsewhere(letter, "busy")
        exit = letter.circular.exit(settle.state)
        if exit is None:
            return self.elsewhere(letter, "busy")
        return taken(letter.ask, letter.plan, exit)

    def elsewhere(self, letter: Letter, status: str) -> Outcome:
        """It goes on by the channel's own queue: `busy` begins there, `pending` is under way."""
        return Outcome.model_validate({
            "status": status,
            "queue": channel_queue(letter.step.channel),
        })

    # Not sending -----------------------------------------------------------------

    async def skip(self, letter: Letter, forbidden: Forbidden) -> Outcome:
        """The message must not be sent, and why."""
        settle = letter.settled("skipped", reason=forbidden.reason, detail=forbidden.detail)
        return await self._close(letter, settle)

    async def give_up(self, letter: Letter) -> Outcome:
        """The message was tried for long enough; the last answer stays as the detail."""
        message = await messages.get(self._world.pool, letter.id)
        detail = message.detail if message else None
        return await self._close(letter, letter.settled("refused", reason="gave_up", detail=detail))

    async def _close(self, letter: Letter, settle: Settle) -> Outcome:
        await self._attempts.settle((settle, letter.visits(settle)))
        return taken(letter.ask, letter.plan, letter.circular.exit(settle.state) or "")

    async def defer(self, letter: Letter, failure: TemporaryFailure) -> None:
        """Name the reason in the ledger while the message waits for its next try."""
        settle = letter.settled("deferred", reason="temporary", detail=failure.detail[:500])
        await self._attempts.settle((settle, []))
