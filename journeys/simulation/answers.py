"""How the simulated world answers what a step asks: what activities do in the real one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import uuid5

from expressions import Facts
from journeys.calls import Call, Outcome
from journeys.event import Event, event_id
from journeys.simulation.assumptions import Assumptions
from journeys.simulation.ledger import Ledger
from journeys.simulation.passage import Passage
from journeys.simulation.population import Person
from journeys.steps import call as steps
from journeys.steps.call import ANSWERED, FAILED
from journeys.steps.emit import CHAIN_LIMIT, EMITTED, Emit
from journeys.steps.send import NOT_SENT, SENT, Send
from journeys.templates import TemplateError


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: by whom, about whom, when, and what may be known."""

    passage: Passage
    person: Person
    now: datetime
    facts: Facts


class Answers:
    """The effects that steps have."""

    def __init__(
        self, ledger: Ledger, assumptions: Assumptions, accept: Callable[[Event], None]
    ) -> None:
        self._ledger = ledger
        self._assumptions = assumptions
        self._accept = accept

    def to(self, call: Call, asked: Asked) -> Outcome:
        """What the world answers."""
        match call:
            case Call.DECIDE:
                return self._decide(asked)
            case Call.DELIVER:
                return self._deliver(asked)
            case Call.REQUEST:
                return self._request(asked)
            case Call.UPDATE:
                return self._update(asked)
            case Call.EMIT:
                return self._emit(asked)
            case Call.LISTEN | Call.LOOK_AGAIN | Call.JUDGE | Call.RECORD:
                raise TypeError(f"no step asks {call} by itself")
        assert_never(call)

    def _decide(self, asked: Asked) -> Outcome:
        passage = asked.passage
        decision = passage.plan.step(passage.visit.step).decide(asked.facts)
        return Outcome(exit=decision.exit, until=decision.until)

    def _update(self, asked: Asked) -> Outcome:
        passage = asked.passage
        decision = passage.plan.step(passage.visit.step).decide(asked.facts)
        if decision.output:
            asked.person.learn(decision.output, asked.now)
            passage.outputs[passage.visit.step] = dict(decision.output)
        return Outcome(exit=decision.exit)

    def _request(self, asked: Asked) -> Outcome:
        passage = asked.passage
        step = passage.plan.step(passage.visit.step)
        if not isinstance(step, steps.Call):
            raise TypeError(f"step {step.id!r} is no call")
        try:
            self._ledger.render(step.parts(), asked.passage, asked.person, asked.now)
        except TemplateError as error:
            passage.visit.reason = f"missing_variable: {error}"
            return Outcome(exit=FAILED)
        answer = self._assumptions.answer(passage.plan.name, step.id, asked.facts)
        if answer is None:
            passage.visit.reason = "no answer is assumed"
            return Outcome(exit=FAILED)
        if answer.is_final:
            passage.outputs[step.id] = answer.output
        return Outcome(exit=ANSWERED if 200 <= answer.status < 300 else FAILED)

    def _deliver(self, asked: Asked) -> Outcome:
        passage = asked.passage
        step = passage.plan.step(passage.visit.step)
        if not isinstance(step, Send):
            raise TypeError(f"step {step.id!r} is no send")
        message = self._ledger.deliver(passage, step, asked.person, asked.now)
        passage.outputs[step.id] = {"message": str(message.id), "state": message.state}
        passage.visit.reason = message.reason
        return Outcome(exit=SENT if message.state == "accepted" else NOT_SENT)

    def _emit(self, asked: Asked) -> Outcome:
        passage = asked.passage
        step = passage.plan.step(passage.visit.step)
        if not isinstance(step, Emit):
            raise TypeError(f"step {step.id!r} is no emit")
        decision = step.decide(asked.facts)
        if decision.exit != EMITTED:
            return Outcome(exit=decision.exit)
        if passage.entered_by.depth >= CHAIN_LIMIT:
            passage.visit.reason = f"a chain of emitted events stops at {CHAIN_LIMIT}"
            return Outcome(exit=FAILED)
        if decision.output:
            passage.outputs[step.id] = dict(decision.output)
        self._accept(emitted(asked, step.event, dict(decision.output)))
        return Outcome(exit=EMITTED)


def emitted(asked: Asked, name: str, properties: dict[str, object]) -> Event:
    """The event that an `emit` makes; its message id is the visit's."""
    passage, person = asked.passage, asked.person
    made = uuid5(passage.inside.id, f"{passage.visit.step}/{passage.visit.number}")
    users, browsers = person.values("user_id"), person.values("anonymous_id")
    return Event(
        id=event_id(f"emit:{made}"),
        received_at=asked.now,
        occurred_at=asked.now,
        kind="track",
        name=name,
        message_id=f"emit:{made}",
        user_id=users[0] if users else None,
        anonymous_id=browsers[0] if browsers and not users else None,
        properties=properties,
        context={"journey": passage.plan.name, "instance": str(passage.inside.id)},
        depth=passage.entered_by.depth + 1,
    )
