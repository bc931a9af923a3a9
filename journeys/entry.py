"""Who enters a journey, as its author writes it."""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from journeys.model import Duration, Model, format_duration, parse_duration
from journeys.schedule import Schedule, Zone
from journeys.steps.moments import ClockTime
from journeys.timing import DAY

JOINED, LEFT = "Audience Joined", "Audience Left"
WAYS = ("event", "on", "schedule", "date", "business_event")
OF_DATE = ("every", "offset", "at", "zone")
ATTRIBUTE = re.compile(r"customer((?:\.[A-Za-z_]\w*)+)")


def read_offset(text: object) -> timedelta:
    """`-14d`, `7d`: whole days; refuses anything else with a sentence."""
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is not a number of days; write it like -14d or 7d")
    found = parse_duration(text.lstrip("+-"))
    if found % DAY:
        raise ValueError(f"{text!r} is not whole days; write it like -14d or 7d")
    return -found if text.startswith("-") else found


def read_attribute(text: object) -> object:
    """`customer.birthday`."""
    if isinstance(text, str) and ATTRIBUTE.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no attribute; write it like customer.birthday")
    return text


def sign_offset(value: timedelta) -> str:
    """A text that `read_offset` reads back."""
    return f"-{format_duration(-value)}" if value < timedelta(0) else format_duration(value)


Offset = Annotated[
    timedelta,
    BeforeValidator(read_offset),
    PlainSerializer(sign_offset, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[+-]?(\d+w)?(\d+d)?$"}),
]
Attribute = Annotated[str, BeforeValidator(read_attribute), Field(max_length=200)]
AudienceName = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}(/[a-z][a-z0-9-]{0,62})?$", max_length=127)
]
EventName = Annotated[str, Field(min_length=1, max_length=200)]


class After(Model):
    """Once more, when this long has passed since the last entry (and the customer is outside)."""

    after: Duration


class Entry(Model):
    """Who enters: by one event, change, schedule, date or business event; else through the API.

    `audience` is whose members enter; by a date or a business event it is everybody without one.
    """

    event: EventName | None = None
    audience: AudienceName | None = None
    on: Literal["joining", "leaving"] | None = None
    schedule: Schedule | None = None
    date: Attribute | None = Field(None, description="An attribute: customer.birthday.")
    every: Literal["year"] | None = None
    offset: Offset | None = Field(None, description="Days after the date, -14d before it.")
    at: ClockTime | None = None
    zone: Zone | None = None
    business_event: EventName | None = None
    when: str | None = None
    key: str | None = None
    reentry: Literal["never", "after_exit"] | After = "after_exit"

    @model_validator(mode="after")
    def one_way(self) -> "Entry":
        """Two ways would leave open which counts, and half of one enters nobody."""
        given = [way for way in WAYS if getattr(self, way) is not None]
        if len(given) > 1:
            raise ValueError(
                f"an entry has one of {', '.join(WAYS)}; this one has {' and '.join(given)}"
            )
        way = given[0] if given else None
        if way in {"on", "schedule"} and self.audience is None:
            raise ValueError(f"whose {way}? the audience is missing; add 'audience: …'")
        if self.audience is not None and way in {"event", None}:
            raise ValueError(
                "an audience enters on: joining, on: leaving, by a schedule, a date or a "
                "business_event; add one of them"
            )
        stray = [name for name in OF_DATE if getattr(self, name) is not None and way != "date"]
        if stray:
            raise ValueError(f"{stray[0]} belongs to a date; add 'date: customer.…' or remove it")
        if way == "date" and self.at is None:
            raise ValueError("at what time of that day is missing; add 'at: \"09:00\"'")
        return self

    # What it means ------------------------------------------------------------------

    @property
    def event_name(self) -> str | None:
        """The customer's event that enters, where one does."""
        return {"joining": JOINED, "leaving": LEFT}.get(self.on or "", self.event)

    @property
    def has_event(self) -> bool:
        """Whether an event enters, which `when` and `key` may see."""
        return self.event_name is not None or self.business_event is not None

    def is_entered_by(self, event: str, properties: Mapping[str, Any]) -> bool:
        """Whether an event of this name is of the kind that enters."""
        if event != self.event_name:
            return False
        return self.on is None or properties.get("audience") == self.audience

    @cached_property
    def timetable(self) -> Schedule | None:
        """When its runs begin; one by a date looks every day."""
        if self.date is None or self.at is None:
            return self.schedule
        return Schedule(cron=f"{self.at.minute} {self.at.hour} * * *", zone=self.zone or "UTC")

    @property
    def date_path(self) -> list[str]:
        """Where in a customer's attributes the date is."""
        found = ATTRIBUTE.fullmatch(self.date or "")
        return found[1].split(".")[1:] if found else []
