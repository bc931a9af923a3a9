"""`parcours audience members`: who is in an audience, since when and why."""

import json
import sys
from datetime import datetime
from typing import Annotated

import typer

from cli.client import Key, Url, server
from cli.event_file import instant_named
from cli.format import Format
from cli.reports.phrases import moment
from cli.reports.reasons import of_membership
from cli.reports.text import table


def command(
    audience: Annotated[
        str, typer.Argument(metavar="AUDIENCE", help="An audience, or a part: pilot/a.")
    ],
    at: Annotated[
        str | None, typer.Option(help="Who was in at this instant, like 2026-01-31T12:00:00Z.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many to show.")] = 50,
    url: Url = None,
    key: Key = None,
    format: Format = "text",
) -> None:
    name, _, part = audience.partition("/")
    page = server(url, key).get(
        "audiences",
        name,
        "members",
        part=part or None,
        at=instant_named(at, "--at").isoformat() if at else None,
        limit=limit,
    )
    if format == "json":
        sys.stdout.write(json.dumps(page["items"], indent=2, ensure_ascii=False) + "\n")
        return
    rows = [
        (
            next((id["value"] for id in one["ids"]), one["customer"]),
            moment(datetime.fromisoformat(one["joined_at"]) if one["joined_at"] else None),
            of_membership(one["why"] or {}),
        )
        for one in page["items"]
    ]
    for line in table([("customer", "since", "why"), *rows]) if rows else ["nobody is in it"]:
        sys.stdout.write(f"{line}\n")
    if page["next"]:
        sys.stdout.write("  … and more: `parcours audience export` writes all of them\n")
