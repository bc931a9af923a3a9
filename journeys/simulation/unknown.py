"""What a simulation cannot know, said plainly beside its result."""

from collections.abc import Iterable, Iterator

from expressions import Needs, condition, value
from journeys.plan import Plan
from journeys.simulation.groups import Groups
from journeys.verdicts import needs_of


def unknown_of(plans: Iterable[Plan], groups: Groups | None) -> list[str]:
    """Sentences about audiences that were not given, and about what no history of events has."""
    said = [sentence for plan in plans for sentence in _of_plan(plan, groups)]
    return [*said, *(groups.remarks if groups is not None else ())]


def _of_plan(plan: Plan, groups: Groups | None) -> Iterator[str]:
    entry, needs = plan.journey.entry, Needs.of(needs_of(plan), *_of_steps(plan))
    given = groups.given if groups is not None else frozenset()
    if entry.audience is not None and entry.audience not in given:
        yield (
            f"journey {plan.name!r} is entered by audience {entry.audience!r}, which was not "
            "given: nobody enters by it; give its file with --audience"
        )
    for name in sorted(needs.audiences - given - {entry.audience}):
        yield (
            f"journey {plan.name!r} asks for audience {name!r}, which was not given: what depends "
            "on it is unknown; give its file with --audience"
        )
    if entry.business_event is not None:
        yield (
            f"journey {plan.name!r} is entered by the business event {entry.business_event!r}; "
            "a history of customers has none, so nobody enters"
        )
    if needs.messages or needs.subscriptions:
        yield (
            f"journey {plan.name!r} asks for messages or subscriptions: in a simulation what "
            "depends on them is unknown"
        )


def _of_steps(plan: Plan) -> Iterator[Needs]:
    for step in plan.journey.steps:
        for source in step.sources():
            compiled = condition if source.gives == "condition" else value
            yield compiled(source.text, roots=source.roots).needs
