"""What a step may read of those before it: the answers of calls, once they can have been given."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from journeys.checks.graph import Graph
from journeys.fields import nearest
from journeys.steps.call import Call

OUTPUTS: dict[str, tuple[str, ...]] = {"call": ("status", "body")}


class Misread(NamedTuple):
    """Something that cannot be read, said in a sentence, and what to do."""

    code: str
    message: str
    hint: str


def misread(paths: Iterable[str], reader: str | None, graph: Graph) -> Iterator[Misread]:
    """What is wrong with reading `steps.…` at those dotted paths in the step called `reader`."""
    calls = [id for id, step in graph.steps.items() if isinstance(step, Call)]
    for path in sorted(set(paths)):
        _, id, *rest = [*path.split("."), ""]
        if not id or id == "*":
            continue
        step = graph.steps.get(id)
        if step is None:
            hint = nearest(id, calls) if calls else "only a call has an answer; there is none here"
            yield Misread("unknown_step", f"steps.{id} is read, and there is no step {id!r}", hint)
        elif step.kind == "unread":
            continue
        elif step.kind not in OUTPUTS:
            yield Misread(
                "no_output",
                f"steps.{id} is read, and a {step.kind} has no answer to read",
                "only calls have one: steps.<call>.status and steps.<call>.body",
            )
        elif reader is None or not graph.runs_before(id, reader):
            yield Misread(
                "read_too_early",
                f"steps.{id} is read before {id!r} can have run",
                f"lead through {id!r} on the way to this step",
            )
        elif rest[0] and rest[0] not in OUTPUTS[step.kind]:
            yield Misread(
                "no_output", f"steps.{id} has no {rest[0]!r}", nearest(rest[0], OUTPUTS[step.kind])
            )
