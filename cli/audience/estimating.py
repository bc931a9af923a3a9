"""`parcours audience estimate`: how many an audience file would have, before it is published."""

import json
import sys

from cli.audience.files import File, sound
from cli.client import Key, Url, server
from cli.format import Format
from cli.reports.phrases import many, share


def command(file: File, url: Url = None, key: Key = None, format: Format = "text") -> None:
    loaded = sound(file)
    found = server(url, key).post("audience-estimates", body=loaded.body)
    if format == "json":
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        return
    part = share(found["size"], found["customers"])
    sys.stdout.write(
        f"{loaded.audience.audience}: {many(found['size'])} of {many(found['customers'])} "
        f"customers ({part})\n"
    )
