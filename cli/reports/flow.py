"""The picture of a journey: steps as boxes, exits as arrows as wide as the crowd that took them."""

from html import escape

from cli.reports.arrows import arrow_svg
from cli.reports.graph import ENTRY, LINE, Box, Crowd, graph
from cli.reports.layout import Layout
from cli.reports.phrases import many, share
from cli.reports.places import Arrow, Place
from journeys.simulation.tally import JourneyReport

MARGIN = 12.0


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


def cut(text: str, most: int) -> str:
    """The text, ended by an ellipsis where it is too long."""
    return text if len(text) <= most else f"{text[: max(most - 1, 1)]}…"
