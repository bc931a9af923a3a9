"""`parcours audience publish`: audience files become the newest versions on a server."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import Any

from audiences.catalog import of
from cli.audience.files import Files, Loaded, complain, load
from cli.client import Key, Server, ServerError, Url, server
from cli.errors import CommandError
from cli.format import Format
from journeys.finding import Finding


def command(files: Files, url: Url = None, key: Key = None, format: Format = "text") -> None:
    loaded = load(files)
    complain([replace(one, findings=without_strangers(one.findings)) for one in loaded])
    to = server(url, key)
    answers = [put(to, one) for one in built(loaded)]
    if format == "json":
        sys.stdout.write(json.dumps(answers, indent=2, ensure_ascii=False) + "\n")
        return
    for answer in answers:
        became = "published" if answer["is_new"] else "unchanged"
        sys.stdout.write(f"{answer['audience']}@{answer['version']} {became}\n")


def without_strangers(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Those that are not about audiences elsewhere: the server knows these, and is asked next."""
    return tuple(one for one in findings if one.code != "unknown_audience")


def put(to: Server, one: Loaded) -> dict[str, Any]:
    """Publish one file; raises CommandError, with every place and what to do."""
    try:
        answer: dict[str, Any] = to.put("audiences", one.audience.audience, body=one.body)
    except ServerError as error:
        found = [Finding.model_validate(each) for each in error.problem.get("findings", ())]
        if not found:
            raise
        said = [str(placed(finding, one)) for finding in found]
        raise CommandError("\n".join([f"{one.path} was refused", *said])) from error
    return answer


def placed(finding: Finding, one: Loaded) -> Finding:
    """A finding of the server, which was sent no lines, at its place in the file."""
    place = one.document.map.place(tuple((finding.field or "").split(".")))
    return finding.model_copy(
        update={"file": str(one.path), "line": place.line, "column": place.column}
    )


def built(loaded: Sequence[Loaded]) -> list[Loaded]:
    """Each after what it is made of."""
    named = {one.audience.audience: one for one in loaded}
    order = TopologicalSorter({name: of(one.audience) for name, one in named.items()})
    return [named[name] for name in order.static_order() if name in named]
