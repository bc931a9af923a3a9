"""An arrow as SVG: as wide as its crowd, through all its places, with its label and its head."""

from html import escape
from itertools import pairwise

from cli.reports.graph import LINE, Crowd
from cli.reports.layout import Layout
from cli.reports.places import Arrow, Place

WIDEST, THINNEST = 14.0, 1.5


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
