"""How the moments of a wait are written: times of day, dates, windows, zones."""

from datetime import datetime, time, timedelta
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from journeys.model import Duration, Model
from journeys.timing import DAY, MIDNIGHT, Weekday, zone_named


def read_clock_time(text: object) -> time:
    """`09:00`; refuses anything else with a sentence."""
    if isinstance(text, time):
        return text
    try:
        return time.fromisoformat(text if isinstance(text, str) and len(text) == 5 else "")
    except ValueError as error:
        raise ValueError(f'{text!r} is not a time of day; write it like "09:00"') from error


def read_instant(text: object) -> object:
    """Text only: a number would be read as seconds since 1970."""
    if not isinstance(text, str | datetime):
        raise ValueError(f"{text!r} is not an instant; write it like 2026-12-24T09:00:00+01:00")
    return text


def known_zone(name: str) -> str:
    """A name that the time zone database has."""
    if zone_named(name) is None:
        raise ValueError(f"{name!r} is not a time zone; write it like Europe/London")
    return name


ClockTime = Annotated[
    time,
    BeforeValidator(read_clock_time),
    PlainSerializer(lambda at: f"{at:%H:%M}", return_type=str),
    WithJsonSchema({
        "type": "string",
        "pattern": r"^([01]\d|2[0-3]):[0-5]\d$",
        "description": "A local time of day: 09:00.",
    }),
]
Instant = Annotated[AwareDatetime, BeforeValidator(read_instant)]
ZoneName = Annotated[str, AfterValidator(known_zone)]
Weekdays = Annotated[tuple[Weekday, ...], Field(max_length=7)]


class DateWait(Model):
    """Until a date of the customer's, or some time before or after it.

    `attribute` names a customer attribute (`renewal_date`) or is an expression
    (`entry.delivery_date`). It may hold a date, an instant or either as ISO 8601 text; `no_date`
    is taken where it holds nothing of the kind. A moment that has passed lets the customer on at
    once. With `at`, the wait ends at that local time of the day, and `before` and `after` are
    whole days.
    """

    attribute: str = Field(min_length=1)
    before: Duration | None = None
    after: Duration | None = None
    at: ClockTime | None = None

    @model_validator(mode="after")
    def one_offset(self) -> "DateWait":
        """Before and after at once, or part of a day at a time of day, mean nothing."""
        if self.before is not None and self.after is not None:
            raise ValueError("a date wait ends before or after its date; keep one of the two")
        if self.at is not None and self.offset % DAY:
            raise ValueError("with 'at', before and after are whole days; write them like 14d")
        return self

    @property
    def offset(self) -> timedelta:
        """How far from the date the wait ends, negative before it."""
        return (self.after or timedelta(0)) - (self.before or timedelta(0))

    @property
    def expression(self) -> str:
        """Where the date comes from."""
        return f"customer.{self.attribute}" if self.attribute.isidentifier() else self.attribute


class NextTime(Model):
    """Until it is `time` next, where the customer lives; on one of `weekdays`, if there are any."""

    time: ClockTime = MIDNIGHT
    weekdays: Weekdays = ()


class Window(Model):
    """On at once between `from` and `to` where the customer lives, else when it opens next.

    A window may span midnight (`from: "22:00"`, `to: "06:00"`); its weekday is that of the day it
    opened. Without times it is the whole day.
    """

    opens: ClockTime = Field(MIDNIGHT, alias="from")
    closes: ClockTime = Field(MIDNIGHT, alias="to")
    weekdays: Weekdays = ()
