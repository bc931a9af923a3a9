"""The picture of a journey: steps as boxes, exits as arrows as wide as the crowd that took them."""

from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

from cli.reports.layout import Arrow, Layout, Place
from cli.reports.phrases import many, share
from journeys.fields import KINDS
from journeys.simulation.tally import JourneyReport, StepRow

ENTRY = "entry"
MARGIN, BOX_HEIGHT, PILL_HEIGHT, LINE = 12.0, 62.0, 28.0, 16.0
WIDEST, THINNEST = 14.0, 1.5
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


def flow(journey: JourneyReport) -> str:
    """The picture as SVG."""
    boxes, crowds = graph(journey)
    visits = {step.step: step.visits for step in journey.steps} | {ENTRY: journey.entered}
    labels = [label_lines(crowd, visits[crowd.source]) for crowd in crowds]
    layout = Layout(
        {name: Place(box.width, box.height) for name, box in boxes.items()},
        [
            Arrow(crowd.source, crowd.target, 6.4 * max(map(len, lines)) + 12, LINE * len(lines))
            for crowd, lines in zip(crowds, labels, strict=True)
        ],
    ).arrange()
    most = max((crowd.count for crowd in crowds), default=0) or 1
    parts = [
        arrow_svg(layout, arrow, crowd, lines, most)
        for arrow, crowd, lines in zip(layout.arrows, crowds, labels, strict=True)
    ]
    parts += [box_svg(box, layout.boxes[name]) for name, box in boxes.items()]
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    return (
        f'<svg class="flow" viewBox="{-MARGIN:g} {-MARGIN:g} {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" '
        f'aria-label="How customers went through {escape(journey.journey)}">{"".join(parts)}</svg>'
    )


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


def label_lines(crowd: Crowd, visits: int) -> list[str]:
    """`clicked 120 · 8 %`, a line an exit."""
    return [
        f"{exit} {many(count)} · {share(count, visits)}"
        if exit and count
        else f"{exit} {many(count)}".strip()
        for exit, count in crowd.exits
    ]


def box_svg(box: Box, place: Place) -> str:
    """A box with its words."""
    left, radius = place.x - place.width / 2, 14 if not box.lines else 9
    title = cut(box.title, int((place.width - 30) / 7.6))
    said = [
        f'<g class="box {box.family}"><rect x="{left:.1f}" y="{place.y:.1f}" '
        f'width="{place.width:.1f}" height="{place.height:.1f}" rx="{radius}"/>'
        f"<title>{escape(box.title)}</title>"
    ]
    if not box.lines:
        said.append(f'<text x="{place.x:.1f}" y="{place.y + 18.5:.1f}">{escape(title)}</text></g>')
        return "".join(said)
    said.append(
        f'<rect class="edge" x="{left:.1f}" y="{place.y + 10:.1f}" width="4" '
        f'height="{place.height - 20:.1f}" rx="2"/>'
    )
    y = place.y + 26
    said.append(f'<text class="name" x="{place.x:.1f}" y="{y:.1f}">{escape(title)}</text>')
    for number, line in enumerate(box.lines):
        y = place.y + 46 + LINE * number
        said.append(f'<text class="line" x="{place.x:.1f}" y="{y:.1f}">{escape(line)}</text>')
    return "".join([*said, "</g>"])


def arrow_svg(layout: Layout, arrow: Arrow, crowd: Crowd, lines: list[str], most: int) -> str:
    """An arrow through all its places, with its label."""
    width = THINNEST + (WIDEST - THINNEST) * crowd.count / most
    points = route(layout, arrow)
    path = f"M{points[0][0]:.1f},{points[0][1]:.1f}"
    for (x1, y1), (x2, y2) in pairwise(points):
        middle = (y1 + y2) / 2
        path += f" C{x1:.1f},{middle:.1f} {x2:.1f},{middle:.1f} {x2:.1f},{y2:.1f}"
    kind = "arrow" if crowd.count else "arrow unused"
    said = [f'<path class="{kind}" d="{path}" stroke-width="{width:.1f}"/>']
    said.append(head(points, width, kind))
    place = arrow.label
    if lines and lines[0]:
        said.append(
            f'<rect class="behind" x="{place.x - place.width / 2:.1f}" y="{place.y - 1:.1f}" '
            f'width="{place.width:.1f}" height="{place.height + 2:.1f}" rx="5"/>'
        )
    for number, line in enumerate(lines):
        y = place.y + 12 + LINE * number
        said.append(f'<text class="label" x="{place.x:.1f}" y="{y:.1f}">{escape(line)}</text>')
    return "".join(said)


def route(layout: Layout, arrow: Arrow) -> list[tuple[float, float]]:
    """The points of an arrow, from its source to just before its target."""
    top, *between, bottom = arrow.way
    points = [(port(layout, arrow, top), top.y + top.height)]
    for place in between:
        row = layout.rows[place.row]
        highest = min(one.y for one in row)
        lowest = max(one.y + one.height for one in row)
        points += [(place.x, highest), (place.x, lowest)]
    points.append((port(layout, arrow, bottom), bottom.y))
    if arrow.is_back:
        points.reverse()
    (x, y), ahead = points[-1], -7 if not arrow.is_back else 7
    return [*points[:-1], (x, y + ahead)]


def port(layout: Layout, arrow: Arrow, box: Place) -> float:
    """Where on the upper or lower side of a box an arrow begins or ends."""
    at_top = arrow.way[0] is box
    sharing = sorted(
        (one for one in layout.arrows if (one.way[0] if at_top else one.way[-1]) is box),
        key=lambda one: (one.way[1] if at_top else one.way[-2]).x,
    )
    distance = min(34.0, (box.width - 30) / max(len(sharing) - 1, 1))
    return box.x + (sharing.index(arrow) - (len(sharing) - 1) / 2) * distance


def head(points: list[tuple[float, float]], width: float, kind: str) -> str:
    """The arrow's head, pointing the way it goes."""
    (_, before), (x, y) = points[-2:]
    half, tip = max(4.5, width / 2 + 2), 7 if before < y else -7
    return (
        f'<path class="{kind} head" d="M{x - half:.1f},{y - tip * 0.15:.1f} '
        f'L{x + half:.1f},{y - tip * 0.15:.1f} L{x:.1f},{y + tip:.1f} Z"/>'
    )


def cut(text: str, most: int) -> str:
    """The text, ended by an ellipsis where it is too long."""
    return text if len(text) <= most else f"{text[: max(most - 1, 1)]}…"
