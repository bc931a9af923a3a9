"""Which way a group goes through a journey: as a broadcast, or by a workflow for each customer."""

from journeys.definition import Journey
from journeys.entry import Entry
from journeys.model import Model


class Way(Model):
    """The way that those go whom a run enters, and why, in a sentence."""

    is_broadcast: bool
    why: str


def way_of(journey: Journey) -> Way:
    """A broadcast where a group enters and every step is over at once.

    Its runs send page after page. Where a step lasts, each customer needs a workflow that waits.
    """
    if not is_entered_by_runs(journey.entry):
        why = "a workflow for each customer, since they enter one by one"
        return Way(is_broadcast=False, why=why)
    lasting = next((step for step in journey.steps if not step.at_once), None)
    if lasting is not None:
        return Way(
            is_broadcast=False,
            why=f"a workflow for each customer, since step {lasting.id!r} ({lasting.kind}) "
            f"takes time",
        )
    return Way(
        is_broadcast=True,
        why="a broadcast, sent page by page without a workflow for each customer, "
        "since no step takes time",
    )


def is_entered_by_runs(entry: Entry) -> bool:
    """Whether a group enters together: by a schedule, a date, or a business event."""
    return entry.timetable is not None or entry.business_event is not None
