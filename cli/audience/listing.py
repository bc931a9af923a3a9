"""`parcours audience list`: which audiences there are, and how many are in them."""

import json
import sys
from datetime import datetime

from cli.client import Key, Url, server
from cli.format import Format
from cli.reports.phrases import many, moment
from cli.reports.text import table


def command(url: Url = None, key: Key = None, format: Format = "text") -> None:
    rows = server(url, key).get("audiences")["items"]
    if format == "json":
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
        return
    if not rows:
        sys.stdout.write("no audience is published; `parcours audience publish FILE` does it\n")
        return
    head = ("audience", "kind", "shared", "version", "published", "members")
    shown = [
        (
            one["audience"],
            one["kind"],
            "yes" if one["shared"] else "",
            str(one["version"]),
            moment(datetime.fromisoformat(one["published_at"])),
            many(one["size"]) if one["ready"] else "being found",
        )
        for one in rows
    ]
    for line in table([head, *shown], frozenset({3, 5})):
        sys.stdout.write(f"{line}\n")
