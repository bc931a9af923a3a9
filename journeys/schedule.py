"""When a scheduled entry takes place, as its author writes it; working it out is `occurrences`'."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from dateutil import rrule as rfc5545
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from journeys.model import UNITS, Duration, Model
from journeys.timing import MIDNIGHT, zone_named

CUSTOMER = "customer"
RATE = re.compile(r"([1-9]\d{0,8})/([smhd])")
FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY")
EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 -- a local time
AROUND = timedelta(hours=26)  # from where a local time comes first to where it comes last
PROMPT = timedelta(minutes=1)
"""As late as an occurrence may begin where nothing is caught up."""


def read_local(text: object) -> datetime:
    """`2026-12-24T09:00`: a local time; refuses anything else with a sentence."""
    said = f'{text!r} is not a local time; write it like "2026-12-24T09:00" and name the zone'
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else text
    except ValueError as error:
        raise ValueError(said) from error
    if not isinstance(found, datetime) or found.tzinfo is not None:
        raise ValueError(said)
    return found.replace(microsecond=0)


def read_day(text: object) -> date:
    """`2026-09-01`; refuses anything else with a sentence."""
    said = f'{text!r} is not a day; write it like "2026-09-01"'
    try:
        found = date.fromisoformat(text) if isinstance(text, str) else text
    except ValueError as error:
        raise ValueError(said) from error
    if not isinstance(found, date) or isinstance(found, datetime):
        raise ValueError(said)
    return found


def known_zone(name: str) -> str:
    """`customer`, or a name that the time zone database has."""
    if name != CUSTOMER and zone_named(name) is None:
        raise ValueError(
            f"{name!r} is not a time zone; write it like Europe/London, or `customer` for each "
            "customer's own"
        )
    return name


def known_cron(text: str) -> str:
    """Five fields that cron can read."""
    hint = 'write five fields like "30 8 * * 1-5": minute, hour, day, month, weekday'
    if len(text.split()) != 5:
        raise ValueError(f"cron {text!r} has {len(text.split())} fields; {hint}")
    try:
        CronSim(text, EPOCH)
    except CronSimError as error:
        raise ValueError(f"cron {text!r} cannot be read: {error}; {hint}") from error
    return text


def parts_of(rule: str) -> dict[str, str]:
    """A recurrence rule by its parts: `{"FREQ": "DAILY", "COUNT": "3"}`."""
    named = (part.partition("=") for part in rule.upper().split(";"))
    return {name.strip(): value for name, _, value in named}


def known_rule(text: str) -> str:
    """One recurrence rule of RFC 5545, without its beginning and end: `from` and `until`."""
    hint = 'write it like "FREQ=MONTHLY;BYDAY=1TU;BYHOUR=9;BYMINUTE=0"'
    parts = parts_of(text)
    if parts.get("FREQ") not in FREQUENCIES:
        known = ", ".join(FREQUENCIES)
        raise ValueError(f"rrule {text!r} has no FREQ that can be kept; it is one of {known}")
    if "UNTIL" in parts or "DTSTART" in text.upper():
        raise ValueError(
            f"rrule {text!r} has a beginning or an end; write them as 'from' and 'until'"
        )
    try:
        rfc5545.rrulestr(text, dtstart=EPOCH)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise ValueError(f"rrule {text!r} cannot be read: {error}; {hint}") from error
    return text


def known_rate(text: object) -> str:
    """`500/m`."""
    if not isinstance(text, str) or RATE.fullmatch(text) is None:
        raise ValueError(
            f"{text!r} is not a rate; write how many enter a second, minute, hour or day: 500/m"
        )
    return text


LocalMoment = Annotated[
    datetime,
    BeforeValidator(read_local),
    PlainSerializer(lambda at: at.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "description": "A local time: 2026-12-24T09:00."}),
]
Day = Annotated[
    date,
    BeforeValidator(read_day),
    PlainSerializer(lambda day: day.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "format": "date", "description": "A day: 2026-09-01."}),
]
Zone = Annotated[str, AfterValidator(known_zone)]
Cron = Annotated[str, Field(max_length=200), AfterValidator(known_cron)]
Rule = Annotated[str, Field(max_length=500), AfterValidator(known_rule)]
Rate = Annotated[
    str,
    BeforeValidator(known_rate),
    WithJsonSchema({"type": "string", "pattern": f"^{RATE.pattern}$"}),
]


class CatchUp(Model):
    """What was missed while nothing ran is made up for, if it is no older than this."""

    within: Duration


class Schedule(Model):
    """Once (`at`), by `cron`, or by a recurrence rule of RFC 5545 (`rrule`, counted from `from`).

    All times are local to `zone`, which may be `customer`: each enters when it is that time where
    it lives. A time that a night skips is the first instant after the gap, one that a night has
    twice is the first of the two.
    """

    at: LocalMoment | None = None
    cron: Cron | None = None
    rrule: Rule | None = None
    zone: Zone = "UTC"
    starts: Day | None = Field(None, alias="from", description="The first day.")
    until: Day | None = Field(None, description="The last day.")
    only: Literal["new"] | None = Field(
        None, description="Only those who joined since the run before; the first run takes all."
    )
    rate: Rate | None = Field(None, description="How many enter at most: 500/m.")
    catch_up: Literal["skip"] | CatchUp = CatchUp(within=timedelta(days=1))

    @model_validator(mode="after")
    def one_form(self) -> "Schedule":
        """Two forms would leave open which counts; a rule without a beginning, when it begins."""
        given = [form for form in ("at", "cron", "rrule") if getattr(self, form) is not None]
        if len(given) != 1:
            said = f"this one has {' and '.join(given)}" if given else "this one has none"
            raise ValueError(f"a schedule has exactly one of at, cron, rrule; {said}")
        if self.at is not None and (self.starts or self.until):
            raise ValueError("a schedule with 'at' is one moment; leave out 'from' and 'until'")
        if self.rrule is not None and self.starts is None:
            raise ValueError("an rrule is counted from its first day; add 'from: 2026-09-01'")
        if self.starts and self.until and self.until < self.starts:
            raise ValueError(f"the schedule ends on {self.until}, before it begins; correct it")
        return self

    @property
    def lateness(self) -> timedelta:
        """How late an occurrence may begin."""
        return PROMPT if self.catch_up == "skip" else max(self.catch_up.within, PROMPT)

    @property
    def patience(self) -> timedelta:
        """How late its run may begin: one by each customer's own clock lasts for a day and more."""
        return self.lateness + (AROUND if self.is_local else timedelta(0))

    @property
    def is_local(self) -> bool:
        """Whether it goes by each customer's own clock."""
        return self.zone == CUSTOMER

    @property
    def clock(self) -> ZoneInfo:
        """The zone whose clock says when a run begins: for `customer` the earliest on earth."""
        return ZoneInfo("Etc/GMT-14" if self.is_local else self.zone)

    def walls(self, until: datetime) -> Iterable[datetime]:
        """The local times up to `until` that the recurrence rule names, from its first day on."""
        if self.rrule is None or self.starts is None:
            return ()
        rule = rfc5545.rrulestr(self.rrule, dtstart=datetime.combine(self.starts, MIDNIGHT))
        if not isinstance(rule, rfc5545.rrule):
            return ()
        count = parts_of(self.rrule).get("COUNT")
        return islice(rule.replace(count=None, until=until), int(count) if count else None)


def per_second(rate: str) -> float:
    """`500/m` as a number a second."""
    count, _, unit = rate.partition("/")
    return int(count) / UNITS[unit]
