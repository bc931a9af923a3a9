"""Sees to it that runs begin: keeps Temporal's schedules, and makes up for what nobody began.

Whatever was left half done, by us or by Temporal, is put right in the next round: every run has
one id and one workflow id, whoever begins it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice

from journeys import phrases
from journeys.entry import Entry
from journeys.occurrences import due, occurrences
from journeys.running import occurrence_id
from journeys.schedule import Schedule
from routing.round import Round
from storage import broadcasts, journeys, progress, runs
from storage.journeys import JourneyRow
from workflows.run import RUN, RunStart
from workflows.schedules import Schedules, Timetable, workflow_id

AHEAD = 100  # times that Temporal is told
RENEWED = timedelta(hours=1)
HEAD_START = timedelta(seconds=10)  # what Temporal's own schedule has before we begin a run
MADE_UP = 50  # runs of one journey begun in one round
PAGE = 100
LOST = timedelta(seconds=30)


@dataclass(slots=True)
class Kept:
    """What was last told Temporal of a journey, and up to when its occurrences have their runs."""

    told: tuple[int, str]
    at: datetime
    checked: datetime


@dataclass(slots=True)
class Timekeeper:
    """Keeps the time of all journeys that are entered by a schedule or a date."""

    round: Round
    _kept: dict[str, Kept] = field(default_factory=dict)
    _closed_since: datetime | None = None

    @property
    def _schedules(self) -> Schedules:
        return Schedules(self.round.engine.client)

    async def once(self) -> None:
        """One round of everything."""
        for row in await journeys.listed(self.round.pool):
            plan = await self.round.registry.plan(self.round.pool, row.name, row.version)
            entry = plan.journey.entry
            if entry.timetable is not None and row.closed_at is None:
                await self._keep(row, entry, entry.timetable)
            elif self._kept.pop(row.name, None) is not None:
                await self._schedules.drop(row.name)
        await self._drop_strangers()
        await self._begin_unbegun()
        await self._resume()
        await self._close_gone()

    async def _keep(self, row: JourneyRow, entry: Entry, timetable: Schedule) -> None:
        now, told = self.round.clock.now(), (row.version, row.state)
        kept = self._kept.get(row.name)
        if kept is None or kept.told != told or now - kept.at > RENEWED:
            await self._tell(row, entry, timetable, now)
            since = kept.checked if kept is not None else now - timetable.patience
            kept = self._kept[row.name] = Kept(told, now, since)
        if row.paused_at is None:
            since = max(kept.checked, row.enters_since, now - timetable.patience)
            kept.checked = await self._make_up(row.name, timetable, since, now)

    async def _tell(
        self, row: JourneyRow, entry: Entry, timetable: Schedule, now: datetime
    ) -> None:
        """Tell Temporal the next times, in real time; on an accelerated clock we begin all runs."""
        if self.round.clock.origin is not None:
            return
        await self._schedules.put(
            Timetable(
                row.name,
                list(islice(occurrences(timetable, now), AHEAD)),
                f"{phrases.of_entry(entry)} (version {row.version}; kept by Parcours, which "
                f"tells the next {AHEAD} times)",
                row.paused_at is not None,
                timetable.lateness,
            )
        )

    async def _make_up(
        self, journey: str, timetable: Schedule, since: datetime, now: datetime
    ) -> datetime:
        """Begin what should have begun and has not; up to when that is now so."""
        head = HEAD_START if self.round.clock.origin is None else timedelta(0)
        if (until := now - head) <= since:
            return since
        times = list(islice(due(timetable, since, until), MADE_UP))
        known = await progress.known(self.round.pool, [occurrence_id(journey, at) for at in times])
        for at in times:
            if occurrence_id(journey, at) not in known:
                start = RunStart(journey=journey, scheduled_for=at)
                await self.round.engine.begin(workflow_id(journey, at), start)
        return times[-1] if len(times) == MADE_UP else until

    async def _drop_strangers(self) -> None:
        """Once: schedules of journeys that were closed, or have none any more, by somebody else."""
        if self._closed_since is not None:
            return
        for journey in await self._schedules.journeys():
            if journey not in self._kept:
                await self._schedules.drop(journey)

    async def _begin_unbegun(self) -> None:
        """Runs whose maker died before beginning them."""
        for run in await progress.unstarted(self.round.pool, real_now() - LOST, PAGE):
            await self.round.engine.begin(
                run.workflow_id, RunStart(journey=run.journey, run=run.id)
            )

    async def _resume(self) -> None:
        """Tell those that wait and need not any longer."""
        rows = await progress.resumable(self.round.pool, PAGE)
        epoch = real_now().isoformat()
        for run in rows:
            await self.round.engine.resume(run.workflow_id, run.id, epoch)
        await progress.released(self.round.pool, [run.id for run in rows])

    async def _close_gone(self) -> None:
        """Runs whose workflows were terminated behind our back are over."""
        since, self._closed_since = self._closed_since or real_now(), real_now()
        query = (
            f"WorkflowType = '{RUN}' AND ExecutionStatus IN ('Terminated', 'Failed', 'TimedOut') "
            f"AND CloseTime >= '{(since - LOST).isoformat()}'"
        )
        found = self.round.engine.client.list_workflows(query)
        await self._end([one.id async for one in found])

    async def _end(self, gone: Sequence[str]) -> None:
        if not gone:
            return
        for run in await progress.open_of_workflows(self.round.pool, gone):
            if not await self.round.engine.is_running(run.workflow_id):
                now = self.round.clock.now()
                why = "its workflow was ended in Temporal"
                await runs.end(self.round.pool, run.id, now, "cancelled", why)
                await broadcasts.end_all(self.round.pool, run.id, now, "cancelled")


def real_now() -> datetime:
    """The real present, for what is about processes and not about customers."""
    return datetime.now(UTC)
