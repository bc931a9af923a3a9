"""Builds events and simulations for tests, showing only what matters."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from journeys.definition import Journey
from journeys.event import NAMES, Event, event_id
from journeys.plan import Plan, plan_ref
from journeys.simulate import Simulation
from journeys.simulation.passage import Passage
from journeys.templates import Renderer, Template

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
NUMBERS = count(1)


def at(minutes: float) -> datetime:
    """An instant that many minutes after the start."""
    return START + timedelta(minutes=minutes)


def event(name: str, minutes: float = 0, /, user: str | None = "ada", **given: Any) -> Event:
    """A track event; `anonymous`, `message_id`, `kind` and `context` are taken as such."""
    message_id = given.pop("message_id", None) or f"m{next(NUMBERS)}"
    kind = given.pop("kind", "track")
    return Event(
        id=event_id(message_id),
        received_at=at(minutes),
        occurred_at=at(minutes),
        kind=kind,
        name=NAMES.get(kind, name),
        message_id=message_id,
        user_id=user,
        anonymous_id=given.pop("anonymous", None),
        context=given.pop("context", {}),
        properties=given,
    )


def identify(minutes: float = 0, /, user: str | None = "ada", **traits: Any) -> Event:
    """What is known of a customer."""
    return event("", minutes, user, kind="identify", **traits)


def plan(
    *steps: Mapping[str, Any],
    journey: str = "one",
    parts: Mapping[str, str] | None = None,
    **rest: Any,
) -> Plan:
    """A journey that `Start` enters; every template has the same parts."""
    rest.setdefault("entry", {"event": "Start"})
    read = Journey.model_validate({"journey": journey, "steps": list(steps), **rest})
    templates = {
        step.template: Template(name=step.template, channel=step.channel, parts=dict(parts or {}))
        for step in read.steps
        if step.kind == "send"
    }
    return Plan(plan_ref(journey, 1, "0"), 1, read, templates)


def simulate(
    *plans: Plan, events: list[Event], until: float | None = None, **given: Any
) -> Simulation:
    """The world after these events, and after everything has run out unless `until` is given."""
    simulation = Simulation(plans, render=Renderer().render, **given)
    for one in events:
        simulation.feed(one)
    if until is None:
        simulation.run_out()
    else:
        simulation.run_until(at(until))
    return simulation


def walked(passage: Passage) -> list[tuple[str, str | None]]:
    """Its visits as (step, exit)."""
    return [(visit.step, visit.exit) for visit in passage.visits]
