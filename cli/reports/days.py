"""Messages by day as bars, sent and not sent stacked, with axes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import cycle

from cli.reports.phrases import STATES, many
from journeys.simulation.tally import DayRow

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 960.0, 240.0, 52.0, 28.0, 10.0
ORDER = ("accepted", "skipped")
ROOM = 28.0  # half the width of a label, so that the last one is not cut
LABELS = 12


def bars(rows: Iterable[DayRow]) -> str:
    """The chart as SVG; empty where there is nothing to show."""
    counts: Counter[tuple[date, str]] = Counter()
    for row in rows:
        counts[row.day, row.state] += row.count
    if not counts:
        return ""
    first, last = min(day for day, _ in counts), max(day for day, _ in counts)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    step = nice(max(sum(counts[day, state] for state in ORDER) for day in days))
    top = step * -(-max(sum(counts[day, state] for state in ORDER) for day in days) // step)
    scale = (HEIGHT - TOP - BOTTOM) / top
    slot = (WIDTH - LEFT) / len(days)
    parts = [*grid(step, top, scale)]
    for number, day in enumerate(days):
        parts += stack(day, counts, LEFT + number * slot, slot, scale)
    parts += labels(days, slot)
    return (
        f'<svg class="days" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" '
        f'aria-label="Messages by day">{"".join(parts)}</svg>'
    )


def grid(step: int, top: int, scale: float) -> Iterator[str]:
    """Horizontal lines with their numbers."""
    for value in range(0, top + 1, step):
        y = HEIGHT - BOTTOM - value * scale
        yield f'<line class="grid" x1="{LEFT:g}" x2="{WIDTH:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="tick right" x="{LEFT - 8:g}" y="{y + 4:.1f}">{many(value)}</text>'


def stack(
    day: date, counts: Counter[tuple[date, str]], left: float, slot: float, scale: float
) -> Iterator[str]:
    """One day's bars on top of each other."""
    y = HEIGHT - BOTTOM
    width = max(slot * 0.78, 0.8) if slot > 3 else slot
    for state in ORDER:
        if count := counts[day, state]:
            y -= count * scale
            yield (
                f'<rect class="{state}" x="{left + (slot - width) / 2:.2f}" y="{y:.2f}" '
                f'width="{width:.2f}" height="{count * scale:.2f}">'
                f"<title>{day}: {many(count)} {STATES[state]}</title></rect>"
            )


def labels(days: list[date], slot: float) -> Iterator[str]:
    """Days below the bars where there is room, else the first of months."""
    every = -(-len(days) // LABELS)
    months = [day for day in days if day.day == 1]
    by_month = len(days) > 62 and len(months) > 1
    for number, day in enumerate(days):
        if day in months[:: -(-len(months) // LABELS)] if by_month else number % every == 0:
            x = min(LEFT + (number + 0.5) * slot, WIDTH - ROOM)
            said = f"{day:%b %Y}" if by_month else f"{day:%d %b}"
            yield f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 8:g}">{said}</text>'


def nice(most: int) -> int:
    """A round step that makes six lines at most up to `most`."""
    step, factors = 1, cycle((2.0, 2.5, 2.0))
    while most > 6 * step:
        step = int(step * next(factors))
    return step
