"""Adds up what became of everybody in a simulation."""

from collections import Counter
from collections.abc import Iterable
from statistics import median

from journeys.plan import Plan
from journeys.simulate import Simulation
from journeys.simulation.ledger import Message
from journeys.simulation.passage import Passage
from journeys.simulation.population import Population
from journeys.simulation.refused import Refused
from journeys.simulation.tally import (
    AudienceRow,
    DayRow,
    ExitRow,
    GoalRow,
    InstanceRow,
    JourneyReport,
    MessageRow,
    RefusalRow,
    Report,
    StepRow,
    VisitRow,
)


def reckon(simulation: Simulation, *, with_instances: bool = False) -> Report:
    """The report of a simulation as it stands."""
    return Report(
        events=simulation.events,
        repeats=simulation.duplicates,
        late=simulation.late,
        customers=len(simulation.population),
        merges=simulation.population.merges,
        first_event=simulation.first_event,
        last_event=simulation.last_event,
        until=simulation.now if simulation.events else None,
        journeys=[_journey(simulation, plan, with_instances) for plan in simulation.plans],
        audiences=_audiences(simulation),
        runs=simulation.runs.begun,
        unknown=simulation.unknown,
    )


def _audiences(simulation: Simulation) -> list[AudienceRow]:
    crowd = simulation.crowd
    sizes = Counter(name for person in simulation.population for name in person.audiences)
    return [
        AudienceRow(name, sizes[name], crowd.joined[name], crowd.left[name]) for name in crowd.names
    ]


def _journey(simulation: Simulation, plan: Plan, with_instances: bool) -> JourneyReport:
    passages = [one for one in simulation.passages if one.plan is plan]
    messages = [one for one in simulation.ledger.messages if one.journey == plan.name]
    population = simulation.population
    return JourneyReport(
        journey=plan.name,
        description=plan.journey.description,
        entry_event=plan.journey.entry.event_name,
        entered=len(passages),
        customers=len({passage.inside.customer for passage in passages}),
        outcomes=dict(Counter(str(one.outcome) for one in passages if not one.is_open)),
        still_inside=sum(passage.is_open for passage in passages),
        steps=_steps(plan, passages),
        messages=_messages(messages),
        messages_by_day=_by_day(messages),
        goal=_goal(plan, passages),
        refusals=_refusals(plan, simulation.refused),
        first_entries=_first_entries(passages, population),
        instances=[_instance(one, population) for one in passages] if with_instances else None,
    )


def _steps(plan: Plan, passages: Iterable[Passage]) -> list[StepRow]:
    visits: Counter[str] = Counter()
    left: Counter[tuple[str, str | None]] = Counter()
    for passage in passages:
        for visit in passage.visits:
            visits[visit.step] += 1
            left[visit.step, visit.exit] += 1
    return [
        StepRow(
            step=step.id,
            kind=step.kind,
            visits=visits[step.id],
            exits=[
                ExitRow(exit, plan.target(step.id, exit), left[step.id, exit])
                for exit in step.exits
            ],
            cut_short={
                str(exit): count
                for (id, exit), count in left.items()
                if id == step.id and exit is not None and exit not in step.exits
            },
            still_here=left[step.id, None],
        )
        for step in plan.journey.steps
    ]


def _messages(messages: Iterable[Message]) -> list[MessageRow]:
    counts = Counter((one.step, one.channel, one.state, one.reason) for one in messages)
    return [
        MessageRow(step, channel, state, reason, count)
        for (step, channel, state, reason), count in counts.items()
    ]


def _by_day(messages: Iterable[Message]) -> list[DayRow]:
    counts = Counter((one.at.date(), one.step, one.state) for one in messages)
    return [DayRow(*place, count) for place, count in sorted(counts.items())]


def _goal(plan: Plan, passages: Iterable[Passage]) -> GoalRow | None:
    goal = plan.journey.goal
    if goal is None:
        return None
    taken = [
        (one.inside.goal_at - one.inside.entered_at).total_seconds()
        for one in passages
        if one.inside.goal_at is not None
    ]
    within = goal.within.total_seconds()
    return GoalRow(goal.event, within, len(taken), median(taken) if taken else None)


def _refusals(plan: Plan, refused: Refused) -> list[RefusalRow]:
    rows = [
        RefusalRow(reason, decided_by, count.events, len(count.customers), dict(count.values))
        for (journey, reason, decided_by), count in refused.counts.items()
        if journey == plan.name
    ]
    return sorted(rows, key=lambda row: -row.events)


def _first_entries(passages: Iterable[Passage], population: Population) -> dict[str, str]:
    """In the order of entry; of a customer with several user ids, each."""
    first: dict[str, str] = {}
    for passage in passages:
        for user_id in population[passage.inside.customer].values("user_id"):
            first.setdefault(user_id, passage.entered_by.message_id)
    return first


def _instance(passage: Passage, population: Population) -> InstanceRow:
    inside, person = passage.inside, population[passage.inside.customer]
    names = [*person.values("user_id"), *person.values("anonymous_id")]
    return InstanceRow(
        id=str(inside.id),
        customer=names[0] if names else None,
        key=inside.key,
        entry_message_id=passage.entered_by.message_id,
        entered_at=inside.entered_at,
        ended_at=inside.ended_at,
        outcome=passage.outcome,
        goal_at=inside.goal_at,
        visits=[
            VisitRow(one.step, one.at, one.left_at, one.exit, one.reason) for one in passage.visits
        ],
    )
