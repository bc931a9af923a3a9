"""The graph of a journey: what leads where, what can have run before, what takes no time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from journeys.definition import Journey
from journeys.steps.base import END, StepBase
from journeys.steps.wait import Wait
from journeys.steps.wait_for import TIMED_OUT, WaitFor

Edges = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Graph:
    """Steps by id and the edges between them that lead somewhere."""

    steps: Mapping[str, StepBase]
    edges: Mapping[tuple[str, str], str | None]
    reach: Edges

    @classmethod
    def of(cls, journey: Journey) -> "Graph":
        """The graph of `journey`; of two steps with one id the first counts."""
        steps: dict[str, StepBase] = {}
        for step in journey.steps:
            steps.setdefault(step.id, step)
        edges = {
            edge: target
            for edge, target in journey.edges().items()
            if (target is None or target in steps) and edge[1] in steps[edge[0]].exits
        }
        return cls(steps, edges, reachable(following(steps, edges)))

    def runs_before(self, earlier: str, later: str) -> bool:
        """Whether a path leads from one step to the other."""
        return later in self.reach.get(earlier, frozenset())

    def standing_still(self) -> list[list[str]]:
        """The groups of steps that can follow each other for ever without time passing."""
        instant = {
            (id, exit): target
            for (id, exit), target in self.edges.items()
            if not takes_time(self.steps[id], exit)
        }
        return [
            group
            for group in _rings(following(self.steps, instant))
            if _rings(following(self.steps, self._without_fresh_receipts(instant, group)))
        ]

    def _without_fresh_receipts(
        self, edges: Mapping[tuple[str, str], str | None], group: list[str]
    ) -> dict[tuple[str, str], str | None]:
        """The edges within `group`, less those that wait for a receipt of a message sent in it."""
        return {
            (id, exit): target
            for (id, exit), target in edges.items()
            if id in group and target in group and awaited_send(self.steps[id], exit) not in group
        }


def following(
    steps: Mapping[str, StepBase], edges: Mapping[tuple[str, str], str | None]
) -> dict[str, frozenset[str]]:
    """The steps that come directly after each."""
    after: dict[str, set[str]] = {id: set() for id in steps}
    for (id, _), target in edges.items():
        if target is not None:
            after[id].add(target)
    return {id: frozenset(targets) for id, targets in after.items()}


def reachable(after: Edges) -> dict[str, frozenset[str]]:
    """The steps that can come some time after each."""
    result = {}
    for start, first in after.items():
        seen, todo = set[str](), list(first)
        while todo:
            if (id := todo.pop()) not in seen:
                seen.add(id)
                todo += after[id]
        result[start] = frozenset(seen)
    return result


def _rings(after: Edges) -> list[list[str]]:
    """The groups of steps of which each can follow itself and all others."""
    reach = reachable(after)
    rings: list[list[str]] = []
    for id in after:
        if id in reach[id] and not any(id in ring for ring in rings):
            rings.append([other for other in after if other in reach[id] and id in reach[other]])
    return rings


def takes_time(step: StepBase, exit: str) -> bool:
    """Whether time passes, or something new happens, each time `step` is left by `exit`."""
    if isinstance(step, Wait):
        return bool(step.duration) or step.next is not None
    if isinstance(step, WaitFor):
        if exit == TIMED_OUT:
            return step.timeout > timedelta(0)
        awaited = step.events[exit]
        return awaited.since == "step" and awaited.of is None
    return step.kind == "unread"


def awaited_send(step: StepBase, exit: str) -> str | None:
    """The send whose receipt makes `step` take `exit`."""
    return step.events[exit].of if isinstance(step, WaitFor) and exit in step.events else None


def targets(step: StepBase) -> list[tuple[str | None, str]]:
    """What `then` says: a target for each exit, or one for all under None."""
    return [(None, step.then)] if isinstance(step.then, str) else [*step.then.items()]


def leads_nowhere(target: str, steps: Mapping[str, StepBase]) -> bool:
    """Whether no step is called `target`."""
    return target != END and target not in steps
