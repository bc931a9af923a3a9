"""`parcours audience export`: the members of an audience as CSV or as JSON lines."""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, TextIO

import typer

from cli.client import Key, Server, Url, server
from cli.event_file import instant_named

PAGE = 5_000
COLUMNS = ("customer", "user_id", "anonymous_id", "joined_at")


def command(
    audience: Annotated[
        str, typer.Argument(metavar="AUDIENCE", help="An audience, or a part: pilot/a.")
    ],
    at: Annotated[
        str | None, typer.Option(help="Who was in at this instant, like 2026-01-31T12:00:00Z.")
    ] = None,
    format: Annotated[Literal["csv", "jsonl"], typer.Option("--format")] = "csv",
    attributes: Annotated[
        str | None, typer.Option(help="These attributes as well, with commas between them.")
    ] = None,
    url: Url = None,
    key: Key = None,
) -> None:
    names = [name for name in (attributes or "").split(",") if name]
    instant = instant_named(at, "--at").isoformat() if at is not None else None
    found = members(server(url, key), audience, instant, names)
    if format == "csv":
        write_csv(found, names, sys.stdout)
        return
    for one in found:
        sys.stdout.write(json.dumps(of_member(one), ensure_ascii=False) + "\n")


def members(
    of: Server, audience: str, at: str | None, attributes: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Every member, a page at a time."""
    name, _, part = audience.partition("/")
    after = None
    while True:
        page = of.get(
            "audiences", name, "members",
            part=part or None, at=at, attribute=attributes, after=after, limit=PAGE,
        )  # fmt: skip
        yield from page["items"]
        after = page["next"]
        if after is None:
            return


def of_member(one: dict[str, Any]) -> dict[str, Any]:
    """A member on a line: every id it has, by its kind."""
    return {
        "customer": one["customer"],
        "user_id": ids(one, "user_id"),
        "anonymous_id": ids(one, "anonymous_id"),
        "joined_at": one["joined_at"],
        "attributes": one["attributes"],
    }


def write_csv(found: Iterator[dict[str, Any]], attributes: Sequence[str], file: TextIO) -> None:
    """A table; of several ids of one kind it has the first."""
    out = csv.writer(file, lineterminator="\n")
    out.writerow([*COLUMNS, *attributes])
    for one in found:
        out.writerow([
            one["customer"],
            *(next(iter(ids(one, kind)), "") for kind in ("user_id", "anonymous_id")),
            one["joined_at"],
            *(cell(one["attributes"].get(name)) for name in attributes),
        ])


def ids(one: dict[str, Any], kind: str) -> list[str]:
    """A member's ids of a kind."""
    return [id["value"] for id in one["ids"] if id["kind"] == kind]


def cell(value: object) -> str:
    """An attribute as the import reads it back."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)
