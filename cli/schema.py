"""`parcours schema`: the JSON Schema of journey files, for editors."""

import json
import sys

from journeys.schema import journey_schema


def command() -> None:
    sys.stdout.write(json.dumps(journey_schema(), indent=2, ensure_ascii=False) + "\n")
