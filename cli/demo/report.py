"""The demo's report: who entered, where they went, what was sent, what was not and why."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from cli.reports.phrases import STATES, many, reason
from cli.reports.text import of_journey, table
from journeys.model import parse_duration
from journeys.simulation.tally import (
    ExitRow,
    GoalRow,
    JourneyReport,
    MessageRow,
    RefusalRow,
    StepRow,
)

Json = dict[str, Any]
CARTS = "abandoned-cart"


def journeys(reports: Sequence[Json]) -> Iterator[str]:
    """The journeys one after the other, in the form that simulations are reported in."""
    for report in reports:
        yield ""
        yield from of_journey(as_simulated(report))


def as_simulated(report: Json) -> JourneyReport:
    """The server's report in the simulation's form: both count the same things."""
    goal = report["goal"]
    return JourneyReport(
        journey=report["journey"],
        description="",
        entry_event=None,
        entered=report["entered"],
        customers=report["customers"],
        outcomes=report["outcomes"],
        still_inside=report["still_inside"],
        steps=[
            StepRow(
                step=one["step"],
                kind=one["kind"] or "",
                visits=one["visits"],
                exits=[ExitRow(**exit) for exit in one["exits"]],
                cut_short=one["cut_short"],
                still_here=one["still_here"],
            )
            for one in report["steps"]
        ],
        messages=[MessageRow(**one) for one in report["messages"]],
        messages_by_day=[],
        goal=goal
        and GoalRow(
            goal["event"],
            parse_duration(goal["within"]).total_seconds(),
            goal["met"],
            goal["median"],
        ),
        refusals=[
            RefusalRow(one["reason"], one["decided_by"], one["events"], one["customers"], {})
            for one in report["refusals"]
        ],
        first_entries={},
        instances=None,
    )


def sums(messages: Sequence[Json], mails: int) -> Iterator[str]:
    """All messages together, beside what lies in the mailbox."""
    counts = Counter((one["state"], one["reason"]) for one in messages)
    yield ""
    yield "altogether"
    yield from table(
        [
            (many(count), str(STATES.get(state, state)), reason(why))
            for (state, why), count in sorted(counts.items(), key=str)
        ],
        frozenset({0}),
    )
    yield from table([(many(mails), "mails in the mailbox")], frozenset({0}))


def interesting(messages: Sequence[Json]) -> Json | None:
    """The message whose customer is worth a closer look: best one that was not wanted any more."""
    ranks = {"unsubscribed": 0, "no_address": 1}
    carts = [one for one in messages if one["journey"] == CARTS]
    return min(carts, key=lambda one: (ranks.get(one["reason"], 2), one["at"]), default=None)
