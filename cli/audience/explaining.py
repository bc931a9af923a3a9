"""`parcours audience explain`: the statement that finds the members, and Postgres's plan for it."""

import json
import sys
from typing import Annotated

import typer

from cli.audience.files import File, sound
from cli.client import Key, Url, server
from cli.format import Format


def command(
    file: File,
    measure: Annotated[
        bool, typer.Option("--measure", help="Run it, and say how long each part took.")
    ] = False,
    url: Url = None,
    key: Key = None,
    format: Format = "text",
) -> None:
    body = {**sound(file).body, "measure": measure}
    found = server(url, key).post("audience-plans", body=body)
    if format == "json":
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        return
    out = [found["statement"].strip(), ""]
    out += [f"  ${n} = {value}" for n, value in enumerate(found["parameters"], start=1)]
    out += ["", "judged again by", *(f"  {one}" for one in found["watches"])]
    out += ["", "plan", *(f"  {line}" for line in found["plan"])]
    sys.stdout.write("\n".join(out) + "\n")
