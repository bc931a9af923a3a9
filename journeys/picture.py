"""A journey to look at: an outline in words, and a picture for Mermaid."""

from collections.abc import Iterator

from journeys import phrases
from journeys.definition import Journey
from journeys.steps import Step
from journeys.steps.base import END
from journeys.way import is_entered_by_runs, way_of

MOST = 60
SHAPES = {
    "branch": "{{{}}}",
    "split": "{{{}}}",
    "wait": "([{}])",
    "wait_for": "([{}])",
    "end": "(({}))",
}


def outline(journey: Journey) -> str:
    """The journey in words: a block for the rules, then a line a step and one for each exit."""
    return "\n".join(_outline(journey))


def _outline(journey: Journey) -> Iterator[str]:
    yield f"{journey.journey} ({journey.class_}, {journey.promise.replace('_', ' ')})"
    if journey.description:
        yield f"  {journey.description.strip()}"
    yield f"  enter  {phrases.of_entry(journey.entry)}"
    if is_entered_by_runs(journey.entry):
        yield f"  group  {way_of(journey).why}"
    for rule in journey.exits:
        yield f"  exit   {phrases.of_rule(rule)}"
    if journey.goal is not None:
        yield f"  goal   {phrases.of_rule(journey.goal)}"
    width, edges = max(len(step.id) for step in journey.steps), journey.edges()
    following = [*(step.id for step in journey.steps), None][1:]
    for number, (step, after) in enumerate(zip(journey.steps, following, strict=True), 1):
        yield f"{number:>3}  {step.id:<{width}}  {phrases.of_step(step)}"
        for exit in step.exits if not step.ends else ():
            target = edges[step.id, exit]
            why = phrases.of_exit(step, exit)
            if why or target != after:
                reason = f": {why}" if why else ""
                yield f"     {'':<{width}}  {exit} → {target or END}{reason}"


def mermaid(journey: Journey) -> str:
    """The journey as a Mermaid flowchart."""
    return "\n".join(_mermaid(journey))


def _mermaid(journey: Journey) -> Iterator[str]:
    yield "flowchart TD"
    yield f"    entry([{_text(phrases.of_entry(journey.entry))}]) --> {_node(journey.steps[0].id)}"
    for step in journey.steps:
        yield f"    {_node(step.id)}{_box(step)}"
    for source, label, target in _arrows(journey):
        yield (
            f"    {source} -->|{_text(label)}| {target}" if label else f"    {source} --> {target}"
        )
    if None in journey.edges().values():
        yield '    finish(("end"))'


def _arrows(journey: Journey) -> Iterator[tuple[str, str, str]]:
    """Where each step leads; exits to the same step share an arrow, a sole one needs no name."""
    edges = journey.edges()
    for step in journey.steps:
        by_target: dict[str | None, list[str]] = {}
        for exit in step.exits:
            by_target.setdefault(edges[step.id, exit], []).append(exit)
        for target, exits in by_target.items():
            label = ", ".join(exits) if len(by_target) > 1 else ""
            yield _node(step.id), label, "finish" if target is None else _node(target)


def _box(step: Step) -> str:
    return SHAPES.get(step.kind, "[{}]").format(_text(f"{step.id}: {phrases.of_step(step)}"))


def _node(id: str) -> str:
    return f"s_{id}"  # some ids, such as `end` and `style`, are words of Mermaid's


def _text(text: str) -> str:
    short = text if len(text) <= MOST else f"{text[: MOST - 1]}…"
    safe = short.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;")
    return f'"{safe}"'
