"""The graph of a journey: its steps as boxes, and its exits as the crowds that took them."""

from dataclasses import dataclass, field

from cli.reports.phrases import many
from journeys.fields import KINDS
from journeys.simulation.tally import JourneyReport, StepRow

ENTRY = "entry"
BOX_HEIGHT, PILL_HEIGHT, LINE = 62.0, 28.0, 16.0
FAMILIES = {
    "wait": "time",
    "wait_for": "time",
    "branch": "choice",
    "split": "choice",
    "send": "send",
    "update": "effect",
    "call": "effect",
    "emit": "effect",
    "end": "end",
    ENTRY: "entry",
}


@dataclass(slots=True)
class Box:
    """What stands in one box."""

    title: str
    lines: list[str]
    family: str
    tip: str = ""

    @property
    def width(self) -> float:
        """Wide enough for its text."""
        longest = max(8.2 * len(self.title), *(6.6 * len(line) for line in self.lines), 0.0)
        return min(max(longest + 34, 120 if self.lines else 56), 320)

    @property
    def height(self) -> float:
        """Boxes have two lines at least; the pill of an end has one."""
        return PILL_HEIGHT if not self.lines else BOX_HEIGHT + LINE * (len(self.lines) - 1)


@dataclass(slots=True)
class Crowd:
    """All exits of one step with one target."""

    source: str
    target: str
    exits: list[tuple[str, int]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many went this way."""
        return sum(count for _, count in self.exits)


def graph(journey: JourneyReport) -> tuple[dict[str, Box], list[Crowd]]:
    """The boxes and the arrows.

    Each step that leads to the end gets an end of its own; one that leads to itself says so inside.
    """
    title = journey.entry_event or "API"
    boxes = {ENTRY: Box(title, [f"{many(journey.entered)} entered"], ENTRY)}
    first = Crowd(ENTRY, journey.steps[0].step, [("", journey.entered)])
    crowds = {(ENTRY, first.target): first}
    for step in journey.steps:
        boxes[step.step] = step_box(step)
    for step in journey.steps:
        if KINDS[step.kind].ends:
            continue
        for row in step.exits:
            if row.target == step.step:
                boxes[step.step].lines.append(f"{row.exit}: again {many(row.count)}")
                continue
            target = row.target or f"end of {step.step}"
            crowd = crowds.setdefault((step.step, target), Crowd(step.step, target))
            crowd.exits.append((row.exit, row.count))
            if row.target is None:
                boxes[target] = Box("end", [], "end")
    return boxes, list(crowds.values())


def step_box(step: StepRow) -> Box:
    """A step with its visits, and those that never left it by an exit."""
    lines = [f"{step.kind.replace('_', ' ')} · {many(step.visits)}"]
    if step.still_here:
        lines.append(f"{many(step.still_here)} still here")
    lines += [f"{many(count)} {outcome} here" for outcome, count in step.cut_short.items()]
    return Box(step.step, lines, FAMILIES.get(step.kind, "effect"))
