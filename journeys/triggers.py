"""What one event does: the instances it ends or wakes, the goals it meets, the journeys it enters.

Pure decisions, shared by the router and the simulator. Everything that might have happened and did
not is named too, with the condition and the values it saw.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from expressions import Facts, Needs, UnknownValue, Verdict, condition, value
from journeys.definition import After, Entry
from journeys.event import Event
from journeys.identity import CustomerId
from journeys.plan import Plan
from journeys.steps.wait_for import SEEN as WAIT_SEEN
from journeys.steps.wait_for import Awaited, WaitFor

ENTRY_SEEN = frozenset({"customer", "event", "now"})
INSIDE_SEEN = frozenset({"customer", "event", "entry", "now"})


@dataclass(frozen=True, slots=True)
class About:
    """The message that a receipt speaks of: of which instance and step, and when it was sent."""

    instance: UUID
    step: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an instance waits for: the visit of a `wait_for`, from when and until when."""

    visit: int
    step: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Inside:
    """An instance as an event meets it."""

    id: UUID
    plan: Plan
    customer: CustomerId
    key: str | None
    entry_event: UUID
    entry: Mapping[str, Any]
    entered_at: datetime
    workflow_id: str = ""
    waiting: Waiting | None = None
    ended_at: datetime | None = None
    goal_until: datetime | None = None
    goal_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ends:
    """The event ends the instance by an exit rule."""

    inside: Inside
    why: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wakes:
    """The event wakes the instance: the visit leaves by `exit`."""

    inside: Inside
    visit: int
    step: str
    exit: str
    why: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Meets:
    """The event meets the instance's goal."""

    inside: Inside


@dataclass(frozen=True, slots=True)
class Enters:
    """The event starts an instance."""

    inside: Inside
    why: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The event could have entered `journey`, or moved one of its instances, and did not."""

    journey: str
    reason: str
    why: Mapping[str, Any]


@dataclass(slots=True)
class Effects:
    """All that one event does."""

    ends: list[Ends] = field(default_factory=list)
    wakes: list[Wakes] = field(default_factory=list)
    meets: list[Meets] = field(default_factory=list)
    enters: list[Enters] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Gate:
    """A journey as it can be entered now: its current plan and whether it takes anybody."""

    plan: Plan
    closed: bool = False
    paused: bool = False


FactsOf = Callable[[Inside | None], Facts]


def instance_id(journey: str, event: UUID) -> UUID:
    """The id of the instance that `event` starts in `journey`: always the same one."""
    return uuid5(event, journey)


def verdict_of(source: str, roots: frozenset[str], facts: Facts) -> Verdict:
    """Judge one condition."""
    return condition(source, roots=roots).judge(facts)


def explained(source: str | None, verdict: Verdict | None) -> dict[str, Any]:
    """A verdict as it is written down."""
    if source is None or verdict is None:
        return {}
    said = {"condition": source, "values": verdict.operands, "holds": verdict.holds}
    return said if verdict.reason is None else {**said, "reason": verdict.reason}


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
        if gate.plan.journey.entry.event == event.name and gate.plan.name not in begun:
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


def approach(
    event: Event,
    customer: CustomerId,
    gate: Gate,
    mine: list[Inside],
    touched: set[tuple[str, str | None]],
    facts: Facts,
    effects: Effects,
    given_key: str | None = None,
) -> None:
    """Enter the journey of `gate`, or say why not; a key that is given replaces the expression."""
    plan, entry = gate.plan, gate.plan.journey.entry
    verdict = verdict_of(entry.when, ENTRY_SEEN, facts) if entry.when else None
    why = explained(entry.when, verdict)
    if verdict is not None and not verdict.holds:
        effects.refusals.append(Refusal(plan.name, "condition", why))
        return
    try:
        key = given_key or key_of(entry, facts)
    except UnknownValue as unknown:
        effects.refusals.append(
            Refusal(plan.name, "key_unknown", {"key": entry.key, "reason": str(unknown)})
        )
        return
    reason = kept_out(event.occurred_at, gate, key, mine, touched)
    if reason is not None:
        effects.refusals.append(Refusal(plan.name, reason, why))
        return
    effects.enters.append(Enters(newcomer(event, customer, plan, key), why))


def key_of(entry: Entry, facts: Facts) -> str | None:
    """The instance's key as text; None where the journey has none."""
    if entry.key is None:
        return None
    key = value(entry.key, roots=ENTRY_SEEN).of(facts)
    if isinstance(key, bool) or not isinstance(key, str | int | float):
        raise UnknownValue(f"{entry.key} is {key!r}, which is no text or number")
    return f"{key:g}" if isinstance(key, float) and key.is_integer() else str(key)


def kept_out(
    at: datetime,
    gate: Gate,
    key: str | None,
    mine: Iterable[Inside],
    touched: set[tuple[str, str | None]],
) -> str | None:
    """Why an entry at `at` is refused, or None."""
    if gate.closed:
        return "closed"
    if gate.paused:
        return "paused"
    name = gate.plan.name
    if (name, key) in touched:
        return "was_inside"
    same = [one for one in mine if one.plan.name == name and one.key == key]
    if any(one.ended_at is None or one.ended_at > at >= one.entered_at for one in same):
        return "inside"
    if same and gate.plan.journey.entry.reentry == "never":
        return "reentry_never"
    if any(too_soon(at, one.entered_at, gate.plan.journey.entry) for one in same):
        return "reentry_too_soon"
    return None


def too_soon(at: datetime, last: datetime, entry: Entry) -> bool:
    """Whether the re-entry rule asks for more time since the entry at `last`."""
    pause = entry.reentry.after if isinstance(entry.reentry, After) else timedelta(0)
    return at < last + pause


def newcomer(event: Event, customer: CustomerId, plan: Plan, key: str | None) -> Inside:
    """The instance that `event` starts."""
    goal = plan.journey.goal
    return Inside(
        id=instance_id(plan.name, event.id),
        plan=plan,
        customer=customer,
        key=key,
        entry_event=event.id,
        entry=event.properties,
        entered_at=event.occurred_at,
        goal_until=event.occurred_at + goal.within if goal else None,
    )


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


def needs_of(plan: Plan) -> Needs:
    """What the rules of `plan` that meet an event have to know."""
    journey = plan.journey
    conditions = [(journey.entry.when, ENTRY_SEEN)]
    conditions += [(rule.when, INSIDE_SEEN) for rule in journey.exits]
    conditions += [(journey.goal.when, INSIDE_SEEN)] if journey.goal else []
    needs = [condition(text, roots=roots).needs for text, roots in conditions if text]
    if journey.entry.key:
        needs.append(value(journey.entry.key, roots=ENTRY_SEEN).needs)
    for step in journey.steps:
        if isinstance(step, WaitFor):
            needs += [condition(one.text, roots=one.roots).needs for one in step.sources()]
    return Needs.of(*needs)
