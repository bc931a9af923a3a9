"""A message before it is sent: what forbids it, to whom it goes, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
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
from storage.ids import derived
from storage.messages import MessageState
from storage.trail import Visit


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


class Addressee(Protocol):
    """Whom a message is for: what it is written with, and what speaks against it."""

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The customer's."""
        ...

    @property
    def entry(self) -> Mapping[str, Any]:
        """What its instance began with."""
        ...

    @property
    def is_unsubscribed(self) -> bool:
        """Whether the customer does not want what is of this channel and topic."""
        ...

    @property
    def is_suppressed(self) -> bool:
        """Whether the address must not be written to."""
        ...


@dataclass(slots=True)
class Letter:
    """One message of one visit: its place in the ledger, and once written, its words."""

    id: UUID
    ask: Asked
    plan: Plan
    step: Send
    is_repeatable: bool

    @classmethod
    def of(cls, ask: Asked, plan: Plan, channels: Mapping[str, Channel]) -> "Letter":
        """The message that a visit is about; its id is made of the visit.

        It may be sent again after an unknown fate when its journey promises at least once, and
        when its provider recognises the id.
        """
        step = plan.step(ask.step)
        if type(step) is not Send:
            raise TypeError(f"step {ask.step!r} of {plan.ref} is no send")
        channel = channels.get(step.channel)
        repeatable = plan.journey.promise == "at_least_once" or (
            channel is not None and channel.provider.takes_idempotency_key
        )
        return cls(derived(ask.instance, f"{ask.step}/{ask.visit}"), ask, plan, step, repeatable)

    @property
    def guarantee(self) -> Guarantee:
        """What happens when its fate is unknown."""
        return "at_least_once" if self.is_repeatable else "at_most_once"

    def address(self, here: Addressee) -> str:
        """Where it goes.

        Raises:
            Forbidden: the customer has no such address, or does not want the message.
        """
        attribute = ADDRESSES[self.step.channel]
        if here.is_suppressed:
            raise Forbidden("suppressed", "the address bounced or complained before")
        if here.is_unsubscribed and self.plan.journey.class_ == "marketing":
            raise Forbidden("unsubscribed", f"topic {self.step.topic or '*'}")
        if attribute is None:
            return ""
        address = here.attributes.get(attribute)
        if not isinstance(address, str) or not address.strip():
            raise Forbidden("no_address", f"the customer has no {attribute}")
        return address.strip()

    def words(
        self, renderer: Renderer, here: Addressee, steps: Mapping[str, Any]
    ) -> dict[str, str]:
        """The rendered parts.

        Raises:
            Forbidden: a variable has no value and no default, or the template fails.
        """
        template = self.plan.templates[self.step.template]
        data = {
            "customer": here.attributes,
            "entry": here.entry,
            "steps": steps,
            "message": {
                "id": str(self.id),
                "topic": self.step.topic,
                "now": self.ask.now.isoformat(),
            },
        }
        try:
            return renderer.render(template.parts, data)
        except MissingVariable as missing:
            raise Forbidden("missing_variable", str(missing)) from missing
        except TemplateError as error:
            raise Forbidden("template_error", str(error)) from error

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
            guarantee=self.guarantee,
            state=state,
            at=self.ask.now,
            attempt=attempt,
            **said,
        )

    def exit(self, settle: Settle) -> str | None:
        """The exit that a message's fate takes; None while it is to be tried again.

        One that may have been sent counts as sent, unless it is to be sent again.
        """
        if settle.state == "accepted":
            return SENT
        if settle.state == "unknown":
            return None if self.is_repeatable else SENT
        return NOT_SENT if settle.state in ("refused", "skipped") else None

    def visits(self, settle: Settle) -> list[Visit]:
        """The visit as it is written down with the message's fate, once it has one."""
        exit = self.exit(settle)
        if exit is None:
            return []
        result = {"message": str(self.id), "state": settle.state}
        why = {"reason": settle.reason, "detail": settle.detail} if settle.reason else None
        return left(self.ask, self.plan, exit, result, why)
