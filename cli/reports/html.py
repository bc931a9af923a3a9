"""A simulation's report as one page that needs nothing else."""

from collections.abc import Iterator
from html import escape

from cli.reports.days import bars
from cli.reports.flow import flow
from cli.reports.phrases import STATES, lasting, many, moment, reason, share
from cli.reports.style import STYLE
from journeys.simulation.tally import JourneyReport, Report

SHOWN_VALUES = 160


def page(report: Report, source: str) -> str:
    """The whole page."""
    several = len(report.journeys) > 1
    names = f"{len(report.journeys)} journeys" if several else report.journeys[0].journey
    body = "".join([*head(report, source, names), *map(section, report.journeys), *foot(report)])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(names)}: simulated</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>"
    )


def head(report: Report, source: str, names: str) -> Iterator[str]:
    """What was simulated over what."""
    yield f"<h1>{escape(names)}, simulated</h1>"
    yield (
        f'<p class="soft">over <code>{escape(source)}</code>, '
        f"{moment(report.first_event)} to {moment(report.last_event)} UTC"
    )
    if report.until != report.last_event:
        yield f"; the clock ran on until {moment(report.until)}"
    yield "</p>"
    for sentence in report.unknown:
        yield f'<p class="soft">Not known: {escape(sentence)}.</p>'
    yield tiles({
        "events": many(report.events),
        "customers": many(report.customers),
        **({"merged customers": many(report.merges)} if report.merges else {}),
        **({"repeated events": many(report.repeats)} if report.repeats else {}),
        **({"late events": many(report.late)} if report.late else {}),
        **({"bad lines": many(report.bad_lines)} if report.bad_lines else {}),
    })


def section(journey: JourneyReport) -> str:
    """One journey."""
    return "".join([
        f"<h2>{escape(journey.journey)}</h2>",
        f'<p class="soft">{escape(journey.description)}</p>' if journey.description else "",
        tiles(numbers(journey)),
        card("Who went where", flow(journey)),
        days(journey),
        card("Messages", messages(journey)) if journey.messages else "",
        card("What did not happen, and why", refusals(journey)) if journey.refusals else "",
    ])


def numbers(journey: JourneyReport) -> dict[str, str]:
    """The figures that say most."""
    sent = sum(row.count for row in journey.messages if row.state == "accepted")
    found = {
        "entries": many(journey.entered),
        "customers who entered": many(journey.customers),
        "reached the end": many(journey.outcomes.get("completed", 0)),
    }
    if exited := journey.outcomes.get("exited"):
        found["left by an exit rule"] = many(exited)
    if merged := journey.outcomes.get("merged"):
        found["merged with an older one"] = many(merged)
    if journey.still_inside:
        found["still inside"] = many(journey.still_inside)
    found["messages sent"] = many(sent)
    if goal := journey.goal:
        took = f", half in {lasting(goal.median)}" if goal.median is not None else ""
        found[f"met the goal {goal.event}{took}"] = share(goal.met, journey.entered)
    return found


def tiles(shown: dict[str, str]) -> str:
    """Figures with their names."""
    inner = "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(name)}</span></div>'
        for name, value in shown.items()
    )
    return f'<div class="tiles">{inner}</div>'


def card(title: str, content: str, aside: str = "") -> str:
    """A titled card."""
    note = f'<span class="soft">{aside}</span>' if aside else ""
    return (
        f'<section class="card"><div class="head-line"><h3>{escape(title)}</h3>{note}</div>'
        f"{content}</section>"
    )


def days(journey: JourneyReport) -> str:
    """The chart of messages by day, if there were any."""
    chart = bars(journey.messages_by_day)
    key = "".join(f'<i class="key {state}"></i>{STATES[state]}' for state in STATES)
    return card("Messages by day (UTC)", chart, key) if chart else ""


def messages(journey: JourneyReport) -> str:
    """The fates of messages, by step."""
    whole: dict[str, int] = {}
    for row in journey.messages:
        whole[row.step] = whole.get(row.step, 0) + row.count
    return table(
        ("Step", "Channel", "Fate", "#Messages", "#Share"),
        [
            (
                f"<code>{escape(row.step)}</code>",
                escape(row.channel),
                escape(STATES[row.state] + (f": {reason(row.reason)}" if row.reason else "")),
                many(row.count),
                share(row.count, whole[row.step]),
            )
            for row in sorted(journey.messages, key=lambda row: (row.step, -row.count))
        ],
    )


def refusals(journey: JourneyReport) -> str:
    """What events could have done and did not."""
    if not any(row.decided_by for row in journey.refusals):
        return table(
            ("Why", "#Events", "#Customers"),
            [
                (escape(reason(row.reason)), many(row.events), many(row.customers))
                for row in journey.refusals
            ],
        )
    return table(
        ("Why", "Decided by", "For example", "#Events", "#Customers"),
        [
            (
                escape(reason(row.reason)),
                f"<code>{escape(row.decided_by)}</code>",
                f"<code>{escape(example(row.values))}</code>",
                many(row.events),
                many(row.customers),
            )
            for row in journey.refusals
        ],
    )


def example(values: dict[str, object]) -> str:
    """`event.total = -1.5`, cut where it is long."""
    said = ", ".join(f"{name} = {value}" for name, value in values.items())
    return said if len(said) <= SHOWN_VALUES else f"{said[:SHOWN_VALUES]}…"


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table of ready HTML; heads that begin with # are over numbers."""
    kinds = [' class="number"' if head.startswith("#") else "" for head in heads]
    first = "".join(
        f"<th{kind}>{escape(head.lstrip('#'))}</th>"
        for head, kind in zip(heads, kinds, strict=True)
    )
    inner = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row, kinds, strict=True))
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{first}</tr></thead><tbody>{inner}</tbody></table>"


def foot(report: Report) -> Iterator[str]:
    """Lines that held no event, and what made the page."""
    if report.first_bad_lines:
        lines = "".join(
            f"<tr><td><code>{escape(line)}</code></td></tr>" for line in report.first_bad_lines
        )
        yield card(f"Bad lines ({many(report.bad_lines)})", f"<table>{lines}</table>")
    yield (
        "<footer>Simulated by Parcours: the production steps on a virtual clock. Receipts "
        "(opens, clicks) come from the event file only.</footer>"
    )
