"""A simulation's report for the terminal."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from cli.reports.phrases import STATES, lasting, many, moment, reason, share
from journeys.simulation.tally import JourneyReport, Report, StepRow

WIDTH = 40
OUTCOMES = {
    "completed": "reached the end",
    "exited": "left by an exit rule",
    "merged": "merged with an older instance",
    "failed": "failed",
}


def text(report: Report, source: str) -> str:
    """The whole report."""
    lines = [
        f"{source}: {moment(report.first_event)} to {moment(report.last_event)} UTC",
        f"{many(report.events)} events, {many(report.customers)} customers",
    ]
    odd = {
        "bad lines": report.bad_lines,
        "repeated events": report.repeats,
        "late events": report.late,
        "merged customers": report.merges,
    }
    if any(odd.values()):
        lines.append(", ".join(f"{many(count)} {what}" for what, count in odd.items() if count))
    if report.until != report.last_event:
        lines.append(f"the clock ran on until {moment(report.until)} UTC")
    lines += around(report)
    for journey in report.journeys:
        lines += ["", *of_journey(journey)]
    return "\n".join(lines)


def around(report: Report) -> Iterator[str]:
    """The audiences that there were, and what could not be known."""
    if report.runs:
        yield f"{many(report.runs)} runs began"
    yield from _section(
        "audiences",
        ("audience", "at the end", "joined", "left"),
        [
            (one.audience, many(one.size), many(one.joined), many(one.left))
            for one in report.audiences
        ],
        {1, 2, 3},
    )
    if report.unknown:
        yield ""
        yield "what could not be known"
        yield from (f"  {sentence}" for sentence in report.unknown)


def table(rows: Sequence[tuple[str, ...]], right: frozenset[int] = frozenset()) -> list[str]:
    """Rows in columns, two blanks apart; the columns in `right` are right-aligned."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def of_journey(journey: JourneyReport) -> Iterator[str]:
    """The part about one journey, a line at a time."""
    yield journey.journey
    yield "=" * len(journey.journey)
    yield f"entered {many(journey.entered)} times, by {many(journey.customers)} customers"
    ends = [
        (many(count), share(count, journey.entered), OUTCOMES.get(outcome, outcome))
        for outcome, count in journey.outcomes.items()
    ]
    if journey.still_inside:
        inside = journey.still_inside
        ends.append((many(inside), share(inside, journey.entered), "still inside"))
    yield from table(ends, frozenset({0, 1}))
    if journey.goal:
        goal = journey.goal
        took = f", half of them within {lasting(goal.median)}" if goal.median is not None else ""
        yield ""
        yield (
            f"goal {goal.event} within {lasting(goal.within)}: met by {many(goal.met)} "
            f"({share(goal.met, journey.entered)}){took}"
        )
    yield from _section(
        "steps",
        ("step", "visits", "", "left by", "", "to"),
        [row for step in journey.steps for row in _step(step)],
        {1, 4},
    )
    yield from _section(
        "messages",
        ("step", "channel", "", "", ""),
        [
            (row.step, row.channel, many(row.count), STATES[row.state], reason(row.reason))
            for row in journey.messages
        ],
        {2},
    )
    yield from _days(journey)
    yield from _section(
        "not entered, not moved",
        ("events", "customers", "", ""),
        [
            (many(row.events), many(row.customers), reason(row.reason), row.decided_by)
            for row in journey.refusals
        ],
        {0, 1},
    )


def _section(
    title: str, head: tuple[str, ...], rows: list[tuple[str, ...]], right: set[int]
) -> Iterator[str]:
    if rows:
        yield ""
        yield title
        yield from table([head, *rows], frozenset(right))


def _step(step: StepRow) -> Iterator[tuple[str, ...]]:
    left = [(row.exit, row.count, row.target or "end") for row in step.exits]
    left += [(f"({outcome})", count, "out") for outcome, count in step.cut_short.items()]
    if step.still_here:
        left.append(("(still here)", step.still_here, ""))
    first = (step.step, many(step.visits))
    for exit, count, target in left:
        yield (*first, share(count, step.visits), exit, many(count), target)
        first = ("", "")


def _days(journey: JourneyReport) -> Iterator[str]:
    """Sent messages as bars: by day, or by week or month where those would be too many."""
    sent: Counter[date] = Counter()
    for row in journey.messages_by_day:
        if row.state == "accepted":
            sent[row.day] += row.count
    if not sent:
        return
    span = (max(sent) - min(sent)).days
    unit = "day" if span <= 31 else "week" if span <= 140 else "month"
    bars: Counter[date] = Counter()
    for day, count in sent.items():
        bars[_beginning(day, unit)] += count
    most = max(bars.values())
    yield ""
    yield f"messages sent by {unit}"
    yield from table(
        [
            (
                f"{day:%Y-%m}" if unit == "month" else f"{day}",
                many(count),
                "█" * max(1, round(WIDTH * count / most)),
            )
            for day, count in sorted(bars.items())
        ],
        frozenset({1}),
    )


def _beginning(day: date, unit: str) -> date:
    if unit == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if unit == "week" else day
