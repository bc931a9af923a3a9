"""Counts what did not happen in a simulation, by journey, reason and what decided it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from journeys.effects import Refusal
from journeys.identity import CustomerId

INSIDE = frozenset({"exit_condition", "wait_condition"})


@dataclass(slots=True)
class Count:
    """How often, and to how many customers; `values` are those that the first of them had."""

    values: Mapping[str, Any]
    events: int = 0
    customers: set[CustomerId] = field(default_factory=set)


class Refused:
    """Refusals counted by (journey, reason, decided by)."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str, str], Count] = {}

    def add(self, customer: CustomerId, refusals: Iterable[Refusal]) -> None:
        """Count these of one event of `customer`."""
        for refusal in refusals:
            place = (refusal.journey, refusal.reason, decided_by(refusal))
            count = self.counts.get(place)
            if count is None:
                count = self.counts[place] = Count(refusal.why.get("values") or {})
            count.events += 1
            count.customers.add(customer)


def decided_by(refusal: Refusal) -> str:
    """The step and the condition, or the key, that a refusal is about; may be empty."""
    if refusal.reason not in {"condition", "key_unknown", *INSIDE}:
        return ""
    said = refusal.why.get("condition") or refusal.why.get("key") or ""
    step = refusal.why.get("step")
    return f"{step}: {said}" if step else str(said)
