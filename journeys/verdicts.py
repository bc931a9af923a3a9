"""The conditions and keys by which an event is judged, what they see and what they need."""

from typing import Any

from expressions import Facts, Needs, Verdict, condition, value
from journeys.plan import Plan
from journeys.steps.wait_for import WaitFor

ENTRY_SEEN = frozenset({"customer", "event", "now"})
INSIDE_SEEN = frozenset({"customer", "event", "entry", "now"})


def verdict_of(source: str, roots: frozenset[str], facts: Facts) -> Verdict:
    """Judge one condition."""
    return condition(source, roots=roots).judge(facts)


def explained(source: str | None, verdict: Verdict | None) -> dict[str, Any]:
    """A verdict as it is written down."""
    if source is None or verdict is None:
        return {}
    said = {"condition": source, "values": verdict.operands, "holds": verdict.holds}
    return said if verdict.reason is None else {**said, "reason": verdict.reason}


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
