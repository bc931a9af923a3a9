"""A message before it is sent: what forbids it, to whom it goes, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from activities.world import left
from channels.base import Provider
from channels.breaker import Breaker
from journeys.calls import Asked
from journeys.definition import Guarantee
from journeys.plan import Plan
from journeys.steps.send import ADDRESSES, NOT_SENT, SENT, Send
from journeys.templates import MissingVariable, Renderer, TemplateError
from storage.attempts import Settle
from storage.consent import BLANKS
from storage.ids import derived
from storage.messages import MessageState
from storage.trail import Visit

NO_PROVIDER = "no provider is configured for this channel"


@dataclass(slots=True)
class Channel:
    """A provider with the breaker that this process keeps for it."""

    provider: Provider
    breaker: Breaker


class Forbidden(Exception):
    """The message is not to be sent: the reason in a word, and in a sentence."""

    def __init__(self, reason: str, detail: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(slots=True)
class Circular:
    """What all messages of a step have in common.

    They may be sent again after an unknown fate (`is_repeatable`) when their journey promises at
    least once, and when their provider recognises the id.
    """

    plan: Plan
    step: Send
    channel: Channel | None
    is_repeatable: bool

    @classmethod
    def of(cls, plan: Plan, step: str, channels: Mapping[str, Channel]) -> "Circular":
        """That of the step called `step`."""
        send = plan.step(step)
        if type(send) is not Send:
            raise TypeError(f"step {step!r} of {plan.ref} is no send")
        channel = channels.get(send.channel)
        repeatable = plan.journey.promise == "at_least_once" or (
            channel is not None and channel.provider.takes_idempotency_key
        )
        return cls(plan, send, channel, repeatable)

    @property
    def guarantee(self) -> Guarantee:
        """What happens when the fate of one is unknown."""
        return "at_least_once" if self.is_repeatable else "at_most_once"

    @property
    def open_channel(self) -> Channel:
        """Who carries them.

        Raises:
            Forbidden: nobody.
        """
        if self.channel is None:
            raise Forbidden("no_provider", NO_PROVIDER)
        return self.channel

    def address(
        self, attributes: Mapping[str, Any], *, is_unsubscribed: bool, is_suppressed: bool
    ) -> str:
        """Where the one for the customer with these `attributes` goes.

        Raises:
            Forbidden: the customer has no such address, or does not want the message.
        """
        attribute = ADDRESSES[self.step.channel]
        if is_suppressed:
            raise Forbidden("suppressed", "the address bounced or complained before")
        if is_unsubscribed and self.plan.journey.class_ == "marketing":
            raise Forbidden("unsubscribed", f"topic {self.step.topic or '*'}")
        if attribute is None:
            return ""
        address = attributes.get(attribute)
        if not isinstance(address, str) or not (address := address.strip(BLANKS)):
            raise Forbidden("no_address", f"the customer has no {attribute}")
        return address

    def words(
        self,
        renderer: Renderer,
        id: UUID,
        now: datetime,
        *,
        customer: Mapping[str, Any],
        entry: Mapping[str, Any],
        steps: Mapping[str, Any],
    ) -> dict[str, str]:
        """The rendered parts of the message `id` with what these three hold.

        Raises:
            Forbidden: a variable has no value and no default, or the template fails.
        """
        message = {"id": str(id), "topic": self.step.topic, "now": now.isoformat()}
        data = {"customer": customer, "entry": entry, "steps": steps, "message": message}
        try:
            return renderer.render(self.plan.templates[self.step.template].parts, data)
        except MissingVariable as missing:
            raise Forbidden("missing_variable", str(missing)) from missing
        except TemplateError as error:
            raise Forbidden("template_error", str(error)) from error

    def exit(self, state: MessageState) -> str | None:
        """The exit that a message's fate takes; None while it is to be tried again.

        One that may have been sent counts as sent, unless it is to be sent again.
        """
        if state == "accepted":
            return SENT
        if state == "unknown":
            return None if self.is_repeatable else SENT
        return NOT_SENT if state in ("refused", "skipped") else None

    def visits(
        self,
        ask: Asked,
        id: UUID,
        state: MessageState,
        reason: str | None,
        detail: str | None,
    ) -> list[Visit]:
        """The visit as it is written down with the message's fate, once it has one."""
        exit = self.exit(state)
        if exit is None:
            return []
        result = {"message": str(id), "state": state}
        why = {"reason": reason, "detail": detail} if reason else None
        return left(ask, self.plan, exit, result, why)


def message_id(ask: Asked) -> UUID:
    """The id of the message that a visit is about; it is made of the visit."""
    return derived(ask.instance, f"{ask.step}/{ask.visit}")


@dataclass(slots=True)
class Letter:
    """One message of one visit and its place in the ledger."""

    id: UUID
    ask: Asked
    circular: Circular

    @classmethod
    def of(cls, ask: Asked, plan: Plan, channels: Mapping[str, Channel]) -> "Letter":
        """The message that a visit is about."""
        return cls(message_id(ask), ask, Circular.of(plan, ask.step, channels))

    @property
    def plan(self) -> Plan:
        """The journey that it is of."""
        return self.circular.plan

    @property
    def step(self) -> Send:
        """The step that it is of."""
        return self.circular.step

    def settled(
        self, state: MessageState, attempt: UUID | None = None, **said: str | None
    ) -> Settle:
        """The ledger's line on what became of it."""
        return Settle(
            id=self.id,
            instance=self.ask.instance,
            step=self.step.id,
            visit=self.ask.visit,
            channel=self.step.channel,
            class_=self.plan.journey.class_,
            topic=self.step.topic,
            guarantee=self.circular.guarantee,
            state=state,
            at=self.ask.now,
            attempt=attempt,
            **said,
        )

    def visits(self, settle: Settle) -> list[Visit]:
        """The visit as it is written down with the message's fate, once it has one."""
        return self.circular.visits(self.ask, self.id, settle.state, settle.reason, settle.detail)
