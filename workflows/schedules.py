"""Temporal Schedules of journeys: their next times, as instants."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from workflows.client import of_journey
from workflows.run import RUN, RunStart
from workflows.start import TASK_QUEUE

PREFIX = "run/"


@dataclass(frozen=True, slots=True)
class Timetable:
    """What a journey's schedule shall be."""

    journey: str
    times: Sequence[datetime]
    note: str
    paused: bool
    lateness: timedelta


@dataclass(frozen=True, slots=True)
class Schedules:
    """Temporal as the timekeeper sees it."""

    client: Client

    async def put(self, wanted: Timetable) -> None:
        """Make the schedule so, whether there is one or not."""
        schedule = schedule_of(wanted)
        try:
            await self.client.create_schedule(PREFIX + wanted.journey, schedule)
        except ScheduleAlreadyRunningError:

            def changed(_: ScheduleUpdateInput) -> ScheduleUpdate:
                return ScheduleUpdate(schedule=schedule)

            await self.client.get_schedule_handle(PREFIX + wanted.journey).update(changed)

    async def drop(self, journey: str) -> None:
        """There is no schedule of this journey any more."""
        try:
            await self.client.get_schedule_handle(PREFIX + journey).delete()
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise

    async def journeys(self) -> list[str]:
        """The journeys that have a schedule."""
        found = await self.client.list_schedules()
        return [one.id.removeprefix(PREFIX) async for one in found if one.id.startswith(PREFIX)]


def schedule_of(wanted: Timetable) -> Schedule:
    """The schedule as Temporal takes it: a calendar a time, so that every local rule is kept."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            RUN,
            RunStart(journey=wanted.journey),
            id=PREFIX + wanted.journey,
            task_queue=TASK_QUEUE,
            typed_search_attributes=of_journey(wanted.journey),
        ),
        spec=ScheduleSpec(calendars=calendars(wanted.times)),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.ALLOW_ALL, catchup_window=wanted.lateness
        ),
        state=ScheduleState(note=wanted.note, paused=wanted.paused),
    )


def calendars(times: Iterable[datetime]) -> list[ScheduleCalendarSpec]:
    """Instants as calendars in UTC."""
    return [
        ScheduleCalendarSpec(
            year=[ScheduleRange(at.year)],
            month=[ScheduleRange(at.month)],
            day_of_month=[ScheduleRange(at.day)],
            hour=[ScheduleRange(at.hour)],
            minute=[ScheduleRange(at.minute)],
            second=[ScheduleRange(at.second)],
        )
        for at in (time.astimezone(UTC) for time in times)
    ]


def workflow_id(journey: str, at: datetime) -> str:
    """The workflow that Temporal's schedule starts at the instant `at`."""
    return f"{PREFIX}{journey}-{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
