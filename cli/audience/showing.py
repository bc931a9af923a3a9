"""`parcours audience show`: an audience, who uses it, and its size over time, drawn."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from cli.check import count
from cli.client import Key, Url, server
from cli.format import Format
from cli.reports.phrases import many

WIDTH = 40
SAID = ("when", "union", "intersection", "difference", "distinct_by", "limit")


def command(
    audience: Annotated[str, typer.Argument(metavar="AUDIENCE")],
    days: Annotated[int, typer.Option(min=1, max=400, help="How many days back.")] = 30,
    url: Url = None,
    key: Key = None,
    format: Format = "text",
) -> None:
    shown = server(url, key).get("audiences", audience, days=days)
    if format == "json":
        sys.stdout.write(json.dumps(shown, indent=2, ensure_ascii=False) + "\n")
        return
    for line in (*head(shown), "", *drawn(shown["days"])):
        sys.stdout.write(f"{line}\n")


def head(shown: Mapping[str, Any]) -> Iterator[str]:
    """What it is and how many are in it."""
    shared = ", shared" if shown["shared"] else ""
    yield f"{shown['audience']} ({shown['kind']}{shared}), version {shown['version']}"
    definition = shown["definition"]
    if definition.get("description"):
        yield f"  {definition['description']}"
    for name in SAID:
        if name in definition:
            value = definition[name]
            yield f"  {name}: {', '.join(value) if isinstance(value, list) else value}"
    if order := definition.get("order_by"):
        first = "smallest" if order.get("ascending") else "largest"
        yield f"  order_by: {order['value']}, the {first} first"
    size = count(shown["size"], "member")
    yield f"  {size}" if shown["ready"] else "  its members are being found"
    for name, inside in shown["parts"].items():
        yield f"  {many(inside)} in {name}"
    if shown["used_by"]:
        yield f"  used by {', '.join(shown['used_by'])}"


def drawn(days: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Its size at the end of each day, as bars, with who joined and left."""
    most = max((day["size"] for day in days), default=0)
    wide = max((len(many(day["size"])) for day in days), default=1)
    yield "size at the end of each day (UTC)"
    for day in days:
        bar = "█" * round(WIDTH * day["size"] / most) if most else ""
        moved = "".join(
            f"  {sign}{many(day[name])}"
            for sign, name in (("+", "joined"), ("−", "left"))  # noqa: RUF001 -- a minus
            if day[name]
        )
        yield f"  {day['day']}  {many(day['size']):>{wide}}  {bar}{moved}".rstrip()
