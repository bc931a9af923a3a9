"""`parcours audience publish`: audience files become the newest versions on a server."""

import json
import sys
from collections.abc import Sequence
from graphlib import TopologicalSorter

from audiences.catalog import of
from cli.audience.files import Files, Loaded, complain, load
from cli.client import Key, Url, server
from cli.format import Format


def command(files: Files, url: Url = None, key: Key = None, format: Format = "text") -> None:
    loaded = load(files)
    complain(loaded)
    to = server(url, key)
    answers = [to.put("audiences", one.audience.audience, body=one.body) for one in built(loaded)]
    if format == "json":
        sys.stdout.write(json.dumps(answers, indent=2, ensure_ascii=False) + "\n")
        return
    for answer in answers:
        became = "published" if answer["is_new"] else "unchanged"
        sys.stdout.write(f"{answer['audience']}@{answer['version']} {became}\n")


def built(loaded: Sequence[Loaded]) -> list[Loaded]:
    """Each after what it is made of."""
    named = {one.audience.audience: one for one in loaded}
    order = TopologicalSorter({name: of(one.audience) for name, one in named.items()})
    return [named[name] for name in order.static_order() if name in named]
