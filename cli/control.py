"""`parcours list`, and the verbs that say who may enter a journey and go on in it."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from cli.client import Key, Url, server
from cli.format import Format
from cli.reports.phrases import many, moment
from cli.reports.text import table

Name = Annotated[str, typer.Argument(metavar="NAME", help="A published journey.")]


def listed(url: Url = None, key: Key = None, format: Format = "text") -> None:
    rows = server(url, key).get("journeys")["items"]
    if format == "json":
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
        return
    for line in lines(rows):
        sys.stdout.write(f"{line}\n")


def lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The journeys as a table."""
    if not rows:
        yield "no journey is published; `parcours publish FILE` publishes one"
        return
    head = ("journey", "state", "version", "published", "entered", "inside")
    yield from table([head, *map(row, rows)], frozenset({2, 4, 5}))


def row(one: Mapping[str, Any]) -> tuple[str, ...]:
    """One journey as a row of the table."""
    published = moment(datetime.fromisoformat(one["published_at"]))
    return (
        one["journey"],
        one["state"],
        str(one["version"]),
        published,
        many(one["entered"]),
        many(one["inside"]),
    )


def verb(name: str, done: str) -> Callable[..., None]:
    """The command of one verb, and what it says afterwards."""

    def command(journey: Name, url: Url = None, key: Key = None, format: Format = "text") -> None:
        answer = server(url, key).post("journeys", journey, name)
        text = json.dumps(answer, indent=2) if format == "json" else f"{journey} {done}"
        sys.stdout.write(f"{text}\n")

    return command


pause = verb("pause", "takes no entries, effects are held")
resume = verb("resume", "goes on")
close = verb("close", "takes no entries; those inside go on")
open = verb("open", "takes entries")
stop = verb("stop", "is stopped; everybody inside is ended")
