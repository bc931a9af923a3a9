"""The base of every model that crosses a boundary: frozen, and nothing unknown gets in."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
LONGEST = timedelta(days=36_500)


class Model(BaseModel):
    """Frozen data; an unknown field is an error, not a surprise."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def parse_duration(value: object) -> timedelta:
    """`90m`, `1d12h`, `2w`; refuses anything else with a sentence."""
    if isinstance(value, timedelta):
        return value
    match = DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if match is None:
        raise ValueError(f"{value!r} is not a duration; write it like 45m, 12h, 7d or 1d12h")
    pairs = zip(match.groups(), UNITS.values(), strict=True)
    seconds = sum(int(count) * unit for count, unit in pairs if count)
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"{value!r} is longer than {LONGEST.days} days")
    return timedelta(seconds=seconds)


def format_duration(value: timedelta) -> str:
    """A text that `parse_duration` reads back, in days and smaller: `30d`, `1d12h`."""
    rest, parts = int(value.total_seconds()), []
    for unit, seconds in [*UNITS.items()][1:]:
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({
        "type": "string",
        "pattern": r"^(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?$",
        "description": "A length of time: 45m, 12h, 7d, 1d12h.",
    }),
]
