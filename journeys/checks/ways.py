"""Ways through a journey: ids, exits, targets, what is never reached, what never stands still."""

from collections import Counter
from collections.abc import Iterator

from journeys.checks.graph import leads_nowhere, targets
from journeys.checks.subject import Subject
from journeys.fields import nearest
from journeys.finding import Finding
from journeys.source_map import Path
from journeys.steps.base import END, StepBase
from journeys.steps.end import End


def check_ways(subject: Subject) -> Iterator[Finding]:
    """Everything about ids, exits and edges."""
    yield from _ids(subject)
    for path, step in subject.steps():
        yield from _exits(subject, path, step)
    yield from _unreached(subject)
    yield from _rings(subject)


def _ids(subject: Subject) -> Iterator[Finding]:
    seen: dict[str, Path] = {}
    for path, step in subject.steps():
        if step.id == END:
            yield subject.finding(
                (*path, "id"),
                "reserved_id",
                f"no step can be called {END!r}: it is the journey's end",
                "choose another id",
            )
        if step.id and step.id in seen:
            line = subject.map.place((*seen[step.id], "id")).line
            yield subject.finding(
                (*path, "id"),
                "duplicate_id",
                f"the id {step.id!r} is taken by the step on line {line}",
                "give each step an id of its own",
            )
        seen.setdefault(step.id, path)


def _exits(subject: Subject, path: Path, step: StepBase) -> Iterator[Finding]:
    for name, count in Counter(step.exits).items():
        if count > 1:
            yield subject.finding(
                path,
                "reserved_exit",
                f"{name!r} is the name of an exit that every {step.kind} has",
                "choose another name",
            )
    if isinstance(step, End) and step.then:
        yield subject.finding(
            (*path, "then"),
            "end_with_edge",
            "an end leads nowhere",
            "leave out 'then'",
            at_key=True,
        )
        return
    for exit, target in targets(step):
        where = (*path, "then") if exit is None else (*path, "then", exit)
        if exit is not None and exit not in step.exits:
            yield subject.finding(
                where,
                "unknown_exit",
                f"a {step.kind} like this has no exit {exit!r}",
                nearest(exit, step.exits),
                at_key=True,
            )
        if leads_nowhere(target, subject.graph.steps):
            exits = f"exit {exit!r}" if exit is not None else "it"
            yield subject.finding(
                where,
                "unknown_step",
                f"{exits} leads to {target!r}, and there is no such step",
                nearest(target, [*(id for id in subject.graph.steps if id != step.id), END]),
            )


def _unreached(subject: Subject) -> Iterator[Finding]:
    if not subject.journey.steps:
        return
    first = subject.journey.steps[0].id
    reached = {first} | subject.graph.reach[first]
    for path, step in subject.steps():
        if step.id not in reached and step is subject.graph.steps[step.id]:
            yield subject.finding(
                path,
                "unreachable",
                "no way leads to this step",
                "lead to it from the 'then' of another step, or remove it",
            )


def _rings(subject: Subject) -> Iterator[Finding]:
    paths = {step.id: path for path, step in reversed(subject.steps())}
    for ring in subject.graph.standing_still():
        way = " → ".join([*ring, ring[0]])
        yield subject.finding(
            paths[ring[0]],
            "endless_ring",
            f"this goes round for ever without time passing: {way}",
            "put a wait with a duration, a wait for a next time, or a wait_for for a new event "
            "in between",
        )
