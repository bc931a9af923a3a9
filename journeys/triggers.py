"""What one event does: the instances it ends or wakes, the goals it meets, the journeys it enters.

Pure decisions, shared by the router and the simulator. Everything that might have happened and did
not is named too, with the condition and the values it saw.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from expressions import Facts
from journeys.effects import (
    About,
    Effects,
    Ends,
    Gate,
    Inside,
    Meets,
    Refusal,
    Waiting,
    Wakes,
)
from journeys.entering import approach
from journeys.event import Event
from journeys.identity import CustomerId
from journeys.steps.wait_for import SEEN as WAIT_SEEN
from journeys.steps.wait_for import Awaited, WaitFor
from journeys.verdicts import INSIDE_SEEN, explained, verdict_of

FactsOf = Callable[[Inside | None], Facts]


def effects_of(
    event: Event,
    customer: CustomerId,
    insides: Iterable[Inside],
    gates: Iterable[Gate],
    facts: FactsOf,
    about: About | None = None,
) -> Effects:
    """What `event` of `customer` does to the instances and the journeys it meets."""
    effects, mine = Effects(), list(insides)
    for inside in mine:
        meet_instance(event, inside, facts, about, effects)
    moved: list[Ends | Wakes] = [*effects.ends, *effects.wakes]
    touched = {(effect.inside.plan.name, effect.inside.key) for effect in moved}
    begun = {inside.plan.name for inside in mine if inside.entry_event == event.id}
    for gate in gates:
        entry = gate.plan.journey.entry
        if gate.plan.name not in begun and entry.is_entered_by(event.name, event.properties):
            approach(event, customer, gate, mine, touched, facts(None), effects)
    return effects


def meet_instance(
    event: Event, inside: Inside, facts: FactsOf, about: About | None, effects: Effects
) -> None:
    """What `event` does to one instance: end it, else wake it; and meet its goal."""
    if event.id == inside.entry_event:
        return
    if inside.ended_at is None and event.occurred_at >= inside.entered_at:
        move = exit_of(event, inside, facts, effects) or wake_of(
            event, inside, facts, about, effects
        )
        if isinstance(move, Ends):
            effects.ends.append(move)
        elif move is not None:
            effects.wakes.append(move)
    if meets_goal(event, inside, facts):
        effects.meets.append(Meets(inside))


def exit_of(event: Event, inside: Inside, facts: FactsOf, effects: Effects) -> Ends | None:
    """The first exit rule that `event` fulfils."""
    for rule in inside.plan.journey.exits:
        if rule.event != event.name:
            continue
        verdict = verdict_of(rule.when, INSIDE_SEEN, facts(inside)) if rule.when else None
        if verdict is None or verdict.holds:
            return Ends(inside, {"event": event.name, **explained(rule.when, verdict)})
        effects.refusals.append(
            Refusal(inside.plan.name, "exit_condition", explained(rule.when, verdict))
        )
    return None


def wake_of(
    event: Event, inside: Inside, facts: FactsOf, about: About | None, effects: Effects
) -> Wakes | None:
    """The exit of its wait that `event` makes the instance take."""
    waiting = inside.waiting
    if waiting is None or not isinstance(step := inside.plan.step(waiting.step), WaitFor):
        return None
    for exit, awaited in step.events.items():
        if awaited.event != event.name or not in_time(event, inside, waiting, awaited, about):
            continue
        verdict = verdict_of(awaited.when, WAIT_SEEN, facts(inside)) if awaited.when else None
        why = {"event": event.name, **explained(awaited.when, verdict)}
        if verdict is None or verdict.holds:
            return Wakes(inside, waiting.visit, step.id, exit, why)
        effects.refusals.append(
            Refusal(inside.plan.name, "wait_condition", {"step": step.id, **why})
        )
    return None


def in_time(
    event: Event, inside: Inside, waiting: Waiting, awaited: Awaited, about: About | None
) -> bool:
    """Whether `event` falls between the beginning of the wait and its deadline."""
    if event.occurred_at > waiting.until:
        return False
    if awaited.of is not None:
        return about is not None and (about.instance, about.step) == (inside.id, awaited.of)
    since = inside.entered_at if awaited.since == "entry" else waiting.since
    return event.occurred_at > since


def meets_goal(event: Event, inside: Inside, facts: FactsOf) -> bool:
    """Whether `event` is what the instance's journey is for, in time and for the first time."""
    goal = inside.plan.journey.goal
    if goal is None or goal.event != event.name or inside.goal_at or inside.goal_until is None:
        return False
    if not inside.entered_at <= event.occurred_at <= inside.goal_until:
        return False
    return goal.when is None or bool(verdict_of(goal.when, INSIDE_SEEN, facts(inside)).holds)


def after_effects(insides: Iterable[Inside], effects: Effects, at: datetime) -> Iterator[Inside]:
    """The instances as they stand once `effects` have happened."""
    ended = {effect.inside.id for effect in effects.ends}
    woken = {effect.inside.id for effect in effects.wakes}
    met = {effect.inside.id for effect in effects.meets}
    for inside in insides:
        yield replace(
            inside,
            ended_at=at if inside.id in ended else inside.ended_at,
            waiting=None if inside.id in woken else inside.waiting,
            goal_at=at if inside.id in met else inside.goal_at,
        )
    yield from (effect.inside for effect in effects.enters)
