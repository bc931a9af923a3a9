"""The messages of a page of a broadcast, each written when it is its turn."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol
from uuid import UUID, uuid4

from activities.letters import Channel, Circular, message_id
from activities.passages import Passage
from activities.sending import Said
from channels.base import Accepted, Outgoing
from journeys.calls import Call
from journeys.plan import Plan
from journeys.templates import Renderer
from storage.broadcasts import Reader
from storage.pages import Common, Copy


class Owner(Protocol):
    """Who answers for parcels."""

    def commit(self, parcel: "Parcel") -> "asyncio.Future[bool]":
        """Pass the point of no return."""
        ...

    def settled(self, parcel: "Parcel", said: Said) -> None:
        """This became of it."""
        ...

    def failed(self, parcel: "Parcel", error: Exception) -> None:
        """It was not sent, or nobody knows."""
        ...


@dataclass(slots=True, eq=False)
class Parcel:
    """A message as its provider fetches it (`channels.base.Parcel`), and whom it is for."""

    owner: Owner
    circular: Circular
    channel: Channel
    passage: Passage
    walking: Coroutine[Call, Any, None]
    copy: Copy
    message: Outgoing

    is_wanted: ClassVar[bool] = True
    is_awaited: ClassVar[bool] = False

    def commit(self) -> "asyncio.Future[bool]":
        """The point of no return, passed together with other connections."""
        return self.owner.commit(self)

    def succeed(self, accepted: Accepted) -> None:
        """It was taken."""
        self.owner.settled(self, Said("accepted", None, accepted.detail, accepted.provider_id))

    def fail(self, error: Exception) -> None:
        """It was not, or nobody knows."""
        self.owner.failed(self, error)


class Parcels:
    """Writes the messages of a page, of which each is tried once: one attempt for all."""

    def __init__(
        self,
        plan: Plan,
        readers: Mapping[UUID, Reader],
        channels: Mapping[str, Channel],
        renderer: Renderer,
        sender: str,
    ) -> None:
        self._plan = plan
        self._readers = readers
        self._channels = channels
        self._renderer = renderer
        self._sender = sender
        self._attempt = uuid4()
        self._circulars: dict[tuple[str, int], tuple[Circular, Common]] = {}

    def write(
        self, owner: Owner, passage: Passage, walking: Coroutine[Call, Any, None]
    ) -> Parcel | None:
        """The message of a visit; None if the customer was erased meanwhile.

        Raises:
            Forbidden: it must not be sent.
        """
        reader = self._readers.get(passage.instance)
        if reader is None:
            return None
        circular, common = self._circular(passage)
        channel, step = circular.open_channel, circular.step
        id = message_id(passage)
        address = circular.address(
            reader.attributes,
            is_unsubscribed=bool(reader.topics)
            and reader.wants_not(step.channel, step.topic or "*"),
            is_suppressed=step.channel in reader.suppressed,
        )
        parts = circular.words(
            self._renderer,
            id,
            passage.now,
            customer=reader.attributes,
            entry=passage.inside.entry,
            steps={},
        )
        return Parcel(
            owner,
            circular,
            channel,
            passage,
            walking,
            Copy(id, passage.instance, self._attempt, passage.now, common),
            Outgoing(
                id,
                step.channel,
                address,
                parts,
                self._sender,
                passage.instance,
                self._plan.name,
                step.id,
            ),
        )

    def _circular(self, passage: Passage) -> tuple[Circular, Common]:
        """What the messages of a step have in common, as they are written and in the ledger."""
        found = self._circulars.get((passage.step, passage.visit))
        if found is None:
            one = Circular.of(self._plan, passage.step, self._channels)
            common = Common(
                one.step.id,
                passage.visit,
                one.step.channel,
                self._plan.journey.class_,
                one.step.topic,
                one.guarantee,
                one.channel.provider.name if one.channel is not None else "",
            )
            found = self._circulars[passage.step, passage.visit] = one, common
        return found
