"""The messages of one page of a broadcast: one read for all of them, and visits written at the end.

Only for pages that nobody has begun, of journeys that do nothing but send.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import UUID, uuid4

from activities.attempts import Attempts, patiently
from activities.letters import Channel, Circular, Forbidden, Letter, message_id
from activities.passages import Passage
from activities.world import World, passed, taken
from channels.base import Outgoing, TemporaryFailure
from journeys.calls import Ask, Call, Outcome
from journeys.effects import Inside
from journeys.plan import Plan
from journeys.steps.send import ADDRESSES
from journeys.templates import Renderer
from storage import broadcasts, pages
from storage.broadcasts import Reader
from storage.pages import Common, Copy
from storage.trail import Visit

DONE, BUSY, OVER = Outcome(), Outcome(status="busy"), Outcome(status="over")


@dataclass(slots=True)
class Mailing:
    """A page, what is known of its customers, and what there is to write when it is through.

    Each of its messages is tried once, all of them as one `attempt`.
    """

    plan: Plan
    readers: Mapping[UUID, Reader]
    task: "asyncio.Task[Any]"
    attempt: UUID = field(default_factory=uuid4)
    circulars: dict[tuple[str, int], tuple[Circular, Common]] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    lines: "list[asyncio.Future[bool]]" = field(default_factory=list)


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
        return Mailing(plan, found, cast("asyncio.Task[Any]", asyncio.current_task()))

    async def answer(self, mailing: Mailing, call: Call, asked: Passage) -> Outcome:
        """The answer to one visit; it is written down when the page is through."""
        if call is Call.RECORD:
            mailing.visits += ended(asked)
            return DONE
        reader = mailing.readers.get(asked.instance)
        if reader is None:
            return OVER  # the customer was erased meanwhile
        circular, common = self._circular(mailing, asked)
        copy = Copy(message_id(asked), asked.instance, mailing.attempt, asked.now, common)
        try:
            message = self._written(circular, copy, reader, asked)
        except Forbidden as forbidden:
            return await self._skipped(mailing, asked, forbidden)
        channel = circular.open_channel
        if not channel.breaker.allows():
            return BUSY
        try:
            line = await self._attempts.carry(copy, channel.provider, message, mailing.task)
        except TemporaryFailure:
            channel.breaker.failed()
            return BUSY
        channel.breaker.succeeded()
        if line is None:
            return await self._otherwise(asked.whole())
        mailing.lines.append(line)
        exit = circular.exit(copy.state)
        if exit is None:
            return BUSY
        mailing.visits += circular.visits(asked, copy.id, copy.state, copy.reason, copy.detail)
        return taken(asked, mailing.plan, exit)

    async def close(self, mailing: Mailing) -> None:
        """Write down what a page has come to: the ledger first, then the trail."""
        for line in mailing.lines:
            await line
        if mailing.visits:
            await patiently(lambda: pages.close(self._world.pool, mailing.visits))

    def _circular(self, mailing: Mailing, asked: Passage) -> tuple[Circular, Common]:
        """What the messages of a step have in common, as they are written and in the ledger."""
        found = mailing.circulars.get((asked.step, asked.visit))
        if found is None:
            one = Circular.of(mailing.plan, asked.step, self._channels)
            common = Common(
                one.step.id,
                asked.visit,
                one.step.channel,
                mailing.plan.journey.class_,
                one.step.topic,
                one.guarantee,
                one.channel.provider.name if one.channel is not None else "",
            )
            found = mailing.circulars[asked.step, asked.visit] = one, common
        return found

    def _written(self, circular: Circular, copy: Copy, reader: Reader, asked: Passage) -> Outgoing:
        """The message as its provider is handed it.

        Raises:
            Forbidden: it must not be sent.
        """
        step, _ = circular.step, circular.open_channel
        address = circular.address(
            reader.attributes,
            is_unsubscribed=bool(reader.topics)
            and reader.wants_not(step.channel, step.topic or "*"),
            is_suppressed=step.channel in reader.suppressed,
        )
        parts = circular.words(
            self._renderer,
            copy.id,
            copy.at,
            customer=reader.attributes,
            entry=asked.inside.entry,
            steps={},
        )
        return Outgoing(
            copy.id,
            step.channel,
            address,
            parts,
            self._attempts.sender,
            copy.instance,
            circular.plan.name,
            step.id,
        )

    async def _skipped(self, mailing: Mailing, asked: Passage, forbidden: Forbidden) -> Outcome:
        """The answer where a message must not be sent, and why."""
        letter = Letter.of(asked, mailing.plan, self._channels)
        settle = letter.settled("skipped", reason=forbidden.reason, detail=forbidden.detail)
        await self._attempts.settle((settle, []))
        mailing.visits += letter.visits(settle)
        return taken(asked, mailing.plan, letter.circular.exit("skipped") or "")


def ended(asked: Passage) -> list[Visit]:
    """The visits that rode along to the end of an instance."""
    *before, last = passed(asked)
    return [*before, replace(last, position=None, outcome=asked.outcome)]
