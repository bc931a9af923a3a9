"""The messages of a simulation: what would have been sent, and what not and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid5

from journeys.effects import About
from journeys.event import Event
from journeys.simulation.passage import Passage
from journeys.simulation.population import Person
from journeys.steps.send import ADDRESSES, Channel, Send
from journeys.templates import MissingVariable, TemplateError

Render = Callable[[Mapping[str, str], Mapping[str, Any]], object]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of one visit."""

    id: UUID
    instance: UUID
    journey: str
    step: str
    visit: int
    channel: Channel
    at: datetime
    state: Literal["accepted", "skipped"]
    reason: str | None = None
    detail: str | None = None


class Ledger:
    """Every message, and which of them a receipt speaks of."""

    def __init__(self, render: Render | None) -> None:
        self.messages: list[Message] = []
        self._render = render
        self._by_id: dict[str, Message] = {}

    def deliver(self, passage: Passage, step: Send, person: Person, now: datetime) -> Message:
        """What becomes of the message of the current visit."""
        visit, plan = passage.visit, passage.plan
        id = message_id(passage)
        reason, detail = self._obstacle(passage, step, person, now)
        message = Message(
            id=id,
            instance=passage.inside.id,
            journey=plan.name,
            step=step.id,
            visit=visit.number,
            channel=step.channel,
            at=now,
            state="accepted" if reason is None else "skipped",
            reason=reason,
            detail=detail,
        )
        self.messages.append(message)
        if reason is None:
            self._by_id[str(id)] = message
        return message

    def about(self, event: Event, person: Person) -> About | None:
        """The message that `event` is a receipt of.

        A receipt names it by `message_id`; one written by hand may name `journey` and `step` and
        means the latest such message of the customer before it.
        """
        named = event.properties.get("message_id")
        found = self._by_id.get(named) if isinstance(named, str) else None
        if found is None:
            found = self._latest(event, person)
        return None if found is None else About(found.instance, found.step, found.at)

    def _latest(self, event: Event, person: Person) -> Message | None:
        journey, step = event.properties.get("journey"), event.properties.get("step")
        if not isinstance(journey, str) or not isinstance(step, str):
            return None
        sent = (
            message
            for passage in reversed(person.passages)
            if passage.plan.name == journey
            for visit in reversed(passage.visits)
            if visit.step == step and visit.at <= event.occurred_at
            if (message := self._by_id.get(str(uuid5(passage.inside.id, f"{step}/{visit.number}"))))
        )
        return next(sent, None)

    def render(
        self, parts: Mapping[str, str], passage: Passage, person: Person, now: datetime
    ) -> None:
        """Render the texts of the current visit, if this simulation renders any.

        Raises:
            TemplateError: they cannot be rendered.
        """
        if self._render is None:
            return
        visit, plan = passage.visit, passage.plan
        self._render(
            parts,
            {
                "customer": person.attributes,
                "entry": passage.inside.entry,
                "steps": passage.outputs,
                "message": {
                    "id": str(message_id(passage)),
                    "journey": plan.name,
                    "step": visit.step,
                    "now": now.isoformat(),
                },
            },
        )

    def _obstacle(
        self, passage: Passage, step: Send, person: Person, now: datetime
    ) -> tuple[str | None, str | None]:
        """Why the message cannot be sent: a word and a sentence."""
        attribute = ADDRESSES[step.channel]
        if attribute is not None:
            address = person.attributes.get(attribute)
            if not isinstance(address, str) or not address.strip():
                return "no_address", f"the customer has no {attribute}"
        if (template := passage.plan.templates.get(step.template)) is None:
            return None, None
        try:
            self.render(template.parts, passage, person, now)
        except MissingVariable as missing:
            return "missing_variable", str(missing)
        except TemplateError as error:
            return "template_error", str(error)
        return None, None


def message_id(passage: Passage) -> UUID:
    """The id of the message that the current visit sends: made of instance and visit."""
    return uuid5(passage.inside.id, f"{passage.visit.step}/{passage.visit.number}")
