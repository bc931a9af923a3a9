"""The messages of one page of a broadcast: one read for all of them, and visits written at the end.

Only for pages that nobody has begun, of journeys that do nothing but send.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import UUID

from activities.attempts import Attempted, Attempts, patiently
from activities.deliveries import NO_PROVIDER
from activities.letters import Channel, Forbidden, Letter
from activities.passages import Question
from activities.world import World, passed, taken
from channels.base import TemporaryFailure
from journeys.calls import Ask, Call, Outcome
from journeys.effects import Inside
from journeys.plan import Plan
from journeys.steps.send import ADDRESSES, Send
from journeys.templates import Renderer
from storage import broadcasts, pages
from storage.attempts import Settle
from storage.broadcasts import Reader
from storage.trail import Visit

BUSY, OVER = Outcome(status="busy"), Outcome(status="over")


@dataclass(slots=True)
class Mailing:
    """A page, what is known of its customers, and what there is to write when it is through."""

    plan: Plan
    readers: Mapping[UUID, Reader]
    attempted: Attempted
    visits: list[Visit] = field(default_factory=list)
    lines: "list[asyncio.Future[bool]]" = field(default_factory=list)

    def addressee(self, asked: Question, step: Send) -> "Addressed | None":
        """Whom a message of `step` is for; None if the customer was erased meanwhile."""
        reader = self.readers.get(asked.instance)
        if reader is None:
            return None
        return Addressed(
            reader.attributes,
            asked.inside.entry,
            bool(reader.topics) and reader.wants_not(step.channel, step.topic or "*"),
            step.channel in reader.suppressed,
        )


@dataclass(slots=True)
class Addressed:
    """An `Addressee` of a page."""

    attributes: Mapping[str, Any]
    entry: Mapping[str, Any]
    is_unsubscribed: bool
    is_suppressed: bool


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
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        return Mailing(plan, found, Attempted(task))

    async def answer(self, mailing: Mailing, call: Call, asked: Question) -> Outcome:
        """The answer to one visit; it is written down when the page is through."""
        if call is Call.RECORD:
            mailing.visits += ended(asked)
            return Outcome()
        letter = Letter.of(asked, mailing.plan, self._channels)
        here = mailing.addressee(asked, letter.step)
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
            return await self._otherwise(asked.whole())
        exit = letter.exit(settle)
        if exit is None:
            return BUSY
        mailing.visits += letter.visits(settle)
        return taken(asked, mailing.plan, exit)

    async def _sent(self, mailing: Mailing, letter: Letter, here: Addressed) -> Settle | None:
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
            carried = await self._attempts.carry(
                letter, channel.provider, address, parts, mailing.attempted
            )
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
        for line in mailing.lines:
            await line
        if mailing.visits:
            await patiently(lambda: pages.close(self._world.pool, mailing.visits))


def ended(asked: Question) -> list[Visit]:
    """The visits that rode along to the end of an instance."""
    *before, last = passed(asked)
    return [*before, replace(last, position=None, outcome=asked.outcome)]
