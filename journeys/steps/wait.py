"""A wait lets time pass: so much of it, until an instant, or until a local time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from expressions import Facts, UnknownValue, value
from journeys.calls import Call
from journeys.model import Duration
from journeys.runtime import Runtime
from journeys.steps.base import Decision, Source, StepBase
from journeys.steps.moments import DateWait, Instant, NextTime, Window, ZoneName
from journeys.timing import next_open, next_time, read_date, shifted, zone_named

SEEN = frozenset({"customer", "entry", "steps", "now"})
WAITED, NO_DATE = "waited", "no_date"
FORMS = ("duration", "until", "date", "next", "window")


class Wait(StepBase):
    """A wait of exactly one form: `duration`, `until`, `date`, `next` or `window`.

    Local times are those of the customer's own time zone; where that is unknown, of `zone`, else
    of UTC. On the night that clocks skip a time it is the first instant after the gap (02:30 is
    then 03:00); on the night that has it twice it is the first one only.
    """

    kind: Literal["wait"] = "wait"
    duration: Duration | None = Field(None, description="For this long: 45m, 12h, 7d, 1d12h.")
    until: Instant | None = Field(None, description="Until this instant, with its offset.")
    date: DateWait | None = None
    next: NextTime | None = None
    window: Window | None = None
    zone: ZoneName | None = Field(
        None, description="The time zone of customers whose own is unknown: Europe/London."
    )

    @model_validator(mode="after")
    def one_form(self) -> "Wait":
        """Two forms would leave open which counts, none would wait for nothing."""
        given = [form for form in FORMS if getattr(self, form) is not None]
        if len(given) != 1:
            said = f"this one has {' and '.join(given)}" if given else "this one has none"
            raise ValueError(f"a wait has exactly one of {', '.join(FORMS)}; {said}")
        if self.zone is not None and given[0] in {"duration", "until"}:
            raise ValueError(f"a zone changes nothing for a wait with {given[0]}; leave it out")
        return self

    @property
    def exits(self) -> tuple[str, ...]:
        return (WAITED, NO_DATE) if self.date is not None else (WAITED,)

    def sources(self) -> tuple[Source, ...]:
        if self.date is None:
            return ()
        return (Source("date.attribute", self.date.expression, "value", SEEN),)

    def decide(self, facts: Facts) -> Decision:
        """The instant at which the wait ends, and the zone it was worked out in."""
        zone, why = self._zone(facts.customer)
        if self.date is not None:
            return self._decide_date(self.date, facts, zone, why)
        if self.next is not None:
            until = next_time(facts.now, self.next.time, self.next.weekdays, zone)
        elif self.window is not None:
            window = self.window
            until = next_open(facts.now, window.opens, window.closes, window.weekdays, zone)
        else:
            raise TypeError(f"wait {self.id!r} has nothing to decide")
        return Decision(until=until, why=why)

    def _zone(self, customer: Mapping[str, Any]) -> tuple[ZoneInfo, dict[str, Any]]:
        """The zone that counts, and whose it is."""
        if (own := zone_named(customer.get("time_zone"))) is not None:
            return own, {"zone": own.key, "zone_of": "customer"}
        if (given := zone_named(self.zone)) is not None:
            return given, {"zone": given.key, "zone_of": "step"}
        return ZoneInfo("UTC"), {"zone": "UTC", "zone_of": "default"}

    def _decide_date(
        self, date: DateWait, facts: Facts, zone: ZoneInfo, why: Mapping[str, Any]
    ) -> Decision:
        why = {**why, "date": date.expression}
        try:
            found = value(date.expression, roots=SEEN).of(facts)
        except UnknownValue as unknown:
            return Decision(exit=NO_DATE, why={**why, "reason": str(unknown)})
        base = read_date(found)
        until = None if base is None else shifted(base, date.offset, date.at, zone)
        if until is None:
            reason = f"{date.expression} is no date"
            return Decision(exit=NO_DATE, why={**why, "value": found, "reason": reason})
        return Decision(until=until, why={**why, "value": found})

    async def run(self, runtime: Runtime) -> str:
        until = await self._end(runtime)
        if until is None:
            return NO_DATE
        await runtime.sleep_until(until)
        return WAITED

    async def _end(self, runtime: Runtime) -> datetime | None:
        """The instant at which the wait ends; None where there is no date to tell it by."""
        if self.duration is not None:
            return runtime.now + self.duration
        if self.until is not None:
            return self.until
        return (await runtime.ask(Call.DECIDE)).until
