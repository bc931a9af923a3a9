"""`parcours runs` and `parcours run`: how groups enter a journey, and how far they are."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import typer

from cli.client import Key, Url, server
from cli.control import Name
from cli.errors import CommandError
from cli.format import Format
from cli.reports.phrases import many, moment, share
from cli.reports.text import table

Verb = Annotated[
    Literal["start", "pause", "resume", "cancel"],
    typer.Argument(help="`start` a run of a journey now; `pause`, `resume` or `cancel` a run."),
]
Which = Annotated[str, typer.Argument(metavar="ID", help="The run; for `start`, the journey.")]
HEAD = ("run", "due", "by", "audience", "state", "done", "entered", "refused", "remarks")


def listed(journey: Name, url: Url = None, key: Key = None, format: Format = "text") -> None:
    """List a journey's runs, the latest first: when, how far, and who entered."""
    rows = server(url, key).get("journeys", journey, "runs")["items"]
    if format == "json":
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
        return
    for line in lines(journey, rows):
        sys.stdout.write(f"{line}\n")


def lines(journey: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The runs as a table."""
    if not rows:
        yield f"{journey} has had no run; `parcours run start {journey}` begins one now"
        return
    yield from table([HEAD, *map(row, rows)], frozenset({5, 6, 7}))


def row(one: Mapping[str, Any]) -> tuple[str, ...]:
    """One run as a row of the table."""
    expected = one["expected"]
    return (
        one["id"],
        moment(datetime.fromisoformat(one["scheduled_for"])),
        one["cause"],
        one["audience"] or "everybody",
        "waiting" if one["is_held"] and one["state"] == "running" else one["state"],
        share(one["reached"], expected) if expected else many(one["reached"]),
        many(one["entered"]),
        many(one["refused"]),
        one["why"] or "",
    )


def command(
    verb: Verb, id: Which, url: Url = None, key: Key = None, format: Format = "text"
) -> None:
    """Start a run of a journey now, or pause, resume or cancel one that is under way."""
    to = server(url, key)
    if verb != "start" and uuid_in(id) is None:
        raise CommandError(f"{id!r} is no id of a run; `parcours runs JOURNEY` lists them")
    answer = to.post("journeys", id, "runs") if verb == "start" else to.post("runs", id, verb)
    text = json.dumps(answer, indent=2) if format == "json" else said(answer)
    if verb in {"pause", "resume"} and answer["ended_at"] is not None:
        sys.stderr.write(f"a run that is over cannot be {verb}d\n")
    sys.stdout.write(f"{text}\n")


def uuid_in(text: str) -> UUID | None:
    """The id that a text is."""
    try:
        return UUID(text)
    except ValueError:
        return None


def said(answer: Mapping[str, Any]) -> str:
    """How a run stands."""
    return (
        f"run {answer['id']} of {answer['journey']} is {answer['state']}: "
        f"{many(answer['reached'])} reached, {many(answer['entered'])} entered"
    )
