"""The messages of one page of a broadcast: one read for all of them, and visits written at the end.

Only for pages that nobody has begun, of journeys that do nothing but send.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from activities.attempts import Attempts, patiently
from activities.deliveries import NO_PROVIDER
from activities.letters import Channel, Forbidden, Letter
from activities.world import World, passed, taken
from channels.base import TemporaryFailure
from journeys.calls import Ask, Call, Outcome
from journeys.effects import Inside
from journeys.plan import Plan
from journeys.steps.send import ADDRESSES
from journeys.templates import Renderer
from storage import broadcasts, trail
from storage.attempts import Settle
from storage.broadcasts import Reader
from storage.standing import Standing
from storage.trail import Visit

BUSY, OVER = Outcome(status="busy"), Outcome(status="over")


@dataclass(slots=True)
class Mailing:
    """A page, what is known of its customers, and what there is to write when it is through."""

    plan: Plan
    page: Mapping[UUID, Inside]
    readers: Mapping[UUID, Reader]
    visits: list[Visit] = field(default_factory=list)
    lines: "list[asyncio.Future[bool]]" = field(default_factory=list)

    def standing(self, letter: Letter) -> Standing | None:
        """How the instance of a letter stands; None if it was erased meanwhile."""
        reader, inside = self.readers.get(letter.ask.instance), self.page[letter.ask.instance]
        if reader is None:
            return None
        channel, topic = letter.step.channel, letter.step.topic or "*"
        return Standing(
            customer=reader.customer,
            attributes=reader.attributes,
            entry=inside.entry,
            entry_event=inside.entry_event,
            is_over=False,
            is_paused=False,
            step=None,
            exit=None,
            result=None,
            is_unsubscribed=any(
                off in (channel, "*") and unwanted in (topic, "*")
                for off, unwanted in reader.topics
            ),
            is_suppressed=channel in reader.suppressed,
        )


class Refused(Exception):
    """A provider takes a message later, perhaps."""


class Mailings:
    """Answers what the instances of fresh pages ask; `otherwise` whatever is not plain sailing."""

    def __init__(
        self,
        world: World,
        attempts: Attempts,
        channels: Mapping[str, Channel],
        renderer: Renderer,
        otherwise: Callable[[Ask], Awaitable[Outcome]],
    ) -> None:
        self._world = world
        self._attempts = attempts
        self._channels = channels
        self._renderer = renderer
        self._otherwise = otherwise

    async def begin(self, plan: Plan, page: Sequence[Inside]) -> Mailing:
        """Read what the messages of a page need."""
        found = await broadcasts.readers(
            self._world.pool,
            [one.id for one in page],
            {
                channel: attribute
                for channel, attribute in ADDRESSES.items()
                if attribute is not None and channel in plan.channels
            },
            self._world.secret,
        )
        return Mailing(plan, {one.id: one for one in page}, found)

    async def answer(self, mailing: Mailing, call: Call, ask: Ask) -> Outcome:
        """The answer to one visit; it is written down when the page is through."""
        if call is Call.RECORD:
            mailing.visits += ended(ask)
            return Outcome()
        letter = Letter.of(ask, mailing.plan, self._channels)
        here = mailing.standing(letter)
        if here is None:
            return OVER
        try:
            settle = await self._sent(mailing, letter, here)
        except Forbidden as forbidden:
            settle = letter.settled("skipped", reason=forbidden.reason, detail=forbidden.detail)
            await self._attempts.settle((settle, []))
        except Refused:
            return BUSY
        if settle is None:
            return await self._otherwise(ask)
        exit = letter.exit(settle)
        if exit is None:
            return BUSY
        mailing.visits += letter.visits(settle)
        return taken(ask, mailing.plan, exit)

    async def _sent(self, mailing: Mailing, letter: Letter, here: Standing) -> Settle | None:
        """What became of a message; None if it was withdrawn.

        Raises:
            Forbidden: it must not be sent.
            Refused: no provider takes it now.
        """
        channel = self._channels.get(letter.step.channel)
        if channel is None:
            raise Forbidden("no_provider", NO_PROVIDER)
        address = letter.address(here)
        parts = letter.words(self._renderer, here, {})
        if not channel.breaker.allows():
            raise Refused
        try:
            carried = await self._attempts.carry(letter, channel.provider, address, parts)
        except TemporaryFailure as failure:
            channel.breaker.failed()
            raise Refused from failure
        channel.breaker.succeeded()
        if carried is None:
            return None
        settle, line = carried
        mailing.lines.append(line)
        return settle

    async def close(self, mailing: Mailing) -> None:
        """Write down what a page has come to: the ledger first, then the trail."""
        await asyncio.gather(*mailing.lines)
        if mailing.visits:
            await patiently(lambda: trail.write(self._world.pool, mailing.visits))


def ended(ask: Ask) -> list[Visit]:
    """The visits that rode along to the end of an instance."""
    *before, last = passed(ask)
    return [*before, replace(last, position=None, outcome=ask.outcome)]
