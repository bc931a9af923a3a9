"""`parcours simulate`: what journeys would have done with a history of events."""

import gc
import sys
from dataclasses import asdict, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cli import event_file
from cli.errors import CommandError
from cli.event_file import BadLine, EventFile
from cli.files import load
from cli.reports.html import page
from cli.reports.text import text
from cli.simulated_audiences import groups_of
from expressions import ExpressionError
from journeys.model import parse_duration
from journeys.plan import Plan, plan_ref
from journeys.simulate import Simulation
from journeys.simulation.assumptions import Assumptions
from journeys.simulation.reckoning import reckon
from journeys.simulation.tally import Report
from journeys.steps.call import Call
from journeys.templates import Renderer

NAMED = 20  # bad lines that are printed; all are counted


class Format(StrEnum):
    """How the report is written."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


def command(
    journeys: Annotated[list[Path], typer.Argument(help="journey files; they share customers")],
    events: Annotated[Path, typer.Option(help="events, one JSON object a line, or gzipped")],
    audience: Annotated[
        list[Path] | None,
        typer.Option(help="audience files, or folders of them; can be repeated"),
    ] = None,
    list_: Annotated[
        list[str] | None,
        typer.Option("--list", metavar="NAME=FILE", help="user ids on a list, one a line"),
    ] = None,
    assume: Annotated[
        Path | None, typer.Option(help="YAML: what `call` steps are answered, by step id")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="of the report")] = Format.TEXT,
    out: Annotated[Path | None, typer.Option(help="write the report to this file")] = None,
    instances: Annotated[
        bool, typer.Option("--instances", help="JSON: list every instance, visit by visit")
    ] = False,
    until: Annotated[
        str | None, typer.Option(help="let the clock run on until this instant")
    ] = None,
    run_out: Annotated[
        bool, typer.Option("--run-out", help="let the clock run on until everybody is out")
    ] = False,
    shift_to: Annotated[
        str | None, typer.Option(help="shift all events so that the last occurs at this instant")
    ] = None,
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="shift all events so that the last occurs now")
    ] = False,
    late_limit: Annotated[
        str, typer.Option(help="an event that comes this much out of order wakes nothing")
    ] = "1d",
) -> None:
    plans = [plan_of(path) for path in journeys]
    if len({plan.name for plan in plans}) < len(plans):
        raise CommandError("two of the files define the same journey")
    simulation = Simulation(
        plans,
        assumptions=assumptions_of(assume, plans),
        render=Renderer().render,
        groups=groups_of(audience or [], list_ or []),
        late_after=parse_duration(late_limit),
    )
    to = event_file.end_instant(shift_to, now=shift_to_now)
    horizon = event_file.instant_named(until, "--until") if until else None
    # What a simulation makes, it keeps: looking for garbage took a third of the time.
    gc.disable()
    bad = run(simulation, event_file.opened(events, to=to))
    finish(simulation, horizon, run_out=run_out)
    gc.enable()
    report = replace(
        reckon(simulation, with_instances=instances),
        bad_lines=len(bad),
        first_bad_lines=[str(line) for line in bad[:NAMED]],
    )
    write(report, form, out, events.name)


def plan_of(path: Path) -> Plan:
    """The plan in a journey file; raises CommandError with every error in it."""
    loaded = load(path)
    journey = loaded.journey
    ref = plan_ref(journey.journey, 1, "simulated")
    return Plan(ref=ref, version=1, journey=journey, templates=dict(loaded.templates))


def assumptions_of(path: Path | None, plans: list[Plan]) -> Assumptions:
    """What the file assumes; raises CommandError for what cannot be read or names no call."""
    if path is None:
        return Assumptions()
    try:
        assumptions = Assumptions.of(YAML(typ="safe").load(path))
    except (YAMLError, ValidationError, ExpressionError) as error:
        raise CommandError(f"{path}: {error}") from error
    calls = {
        name
        for plan in plans
        for step in plan.journey.steps
        if isinstance(step, Call)
        for name in (step.id, f"{plan.name}.{step.id}")
    }
    if unknown := sorted(assumptions.steps - calls):
        raise CommandError(f"{path}: {', '.join(unknown)}: no journey has such a call step")
    return assumptions


def run(simulation: Simulation, file: EventFile) -> list[BadLine]:
    """Feed the whole file, with a progress bar on a terminal; the lines that hold no event."""
    bad = []
    console = Console(stderr=True)
    with bar(console) as progress:
        task = progress.add_task(file.path.name, total=file.size)
        for event in file.events(lambda read: progress.advance(task, read)):
            if isinstance(event, BadLine):
                bad.append(event)
            else:
                simulation.feed(event)
        progress.update(task, completed=file.size)
    for line in bad[:NAMED]:
        console.print(str(line), style="yellow", highlight=False, markup=False, soft_wrap=True)
    if len(bad) > NAMED:
        console.print(f"… and {len(bad) - NAMED} more bad lines", style="yellow")
    return bad


def bar(console: Console) -> Progress:
    """A progress bar, shown only on a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)


def finish(simulation: Simulation, horizon: datetime | None, *, run_out: bool) -> None:
    """Let the clock run on as far as it was asked to, at least to the last event's timers."""
    simulation.run_until(horizon or simulation.now)
    if run_out:
        simulation.run_out()


def write(report: Report, form: Format, out: Path | None, source: str) -> None:
    """The report in its form, to the file or else to the standard output."""
    if form is Format.JSON:
        written = orjson.dumps(asdict(report), option=orjson.OPT_INDENT_2).decode()
    else:
        written = page(report, source) if form is Format.HTML else text(report, source)
    if out is not None:
        out.write_text(written + "\n", encoding="utf-8")
        typer.echo(f"written to {out}", file=sys.stderr)
    else:
        typer.echo(written)
