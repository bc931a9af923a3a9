"""A whole customer base on a virtual clock: the production steps, without a server.

Events are fed in the order they were received. What one of them does is decided by the same rules
as in the router; time passes from event to event, and timers go off in between.
"""

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial

from expressions import EVERYTHING, Facts
from journeys.audience_changes import listened
from journeys.effects import Effects, Gate, Inside, Refusal
from journeys.entering import approach
from journeys.event import Event, EventId
from journeys.learning import attributes_of
from journeys.plan import Plan
from journeys.simulation.agenda import Agenda
from journeys.simulation.answers import Answers
from journeys.simulation.assumptions import Assumptions
from journeys.simulation.crowd import Crowd
from journeys.simulation.driving import Driver
from journeys.simulation.groups import Groups
from journeys.simulation.interests import entered, heeded, remembered
from journeys.simulation.ledger import Ledger, Render
from journeys.simulation.passage import Passage
from journeys.simulation.population import Person, Population
from journeys.simulation.refused import Refused
from journeys.simulation.runs import Runs
from journeys.simulation.timers import Timers
from journeys.simulation.unknown import unknown_of
from journeys.triggers import effects_of

BEGINNING = datetime.min.replace(tzinfo=UTC)
LATE = timedelta(days=1)
LONGEST_RUN_OUT = timedelta(days=3660)


class Simulation:
    """The world of some journeys: feed it events, then read what became of everybody."""

    def __init__(
        self,
        plans: Iterable[Plan],
        *,
        assumptions: Assumptions | None = None,
        render: Render | None = None,
        groups: Groups | None = None,
        late_after: timedelta = LATE,
    ) -> None:
        self.plans = list(plans)
        self.now = BEGINNING
        self.population = Population()
        self.passages: list[Passage] = []
        self.refused = Refused()
        self.ledger = Ledger(render)
        self.events = self.duplicates = self.late = 0
        self.first_event: datetime | None = None
        self.last_event: datetime | None = None
        self.unknown = unknown_of(self.plans, groups)
        self._late_after = late_after
        self._gates = [Gate(plan) for plan in self.plans]
        self._heeded = frozenset(name for plan in self.plans for name in heeded(plan))
        self._remembered = frozenset(name for plan in self.plans for name in remembered(plan))
        self._remembered |= groups.events if groups is not None else frozenset()
        self._seen: set[EventId] = set()
        self._accepted: deque[Event] = deque()
        self._timers = Timers()
        self._agenda = Agenda()
        self.crowd = Crowd(groups, self.population, self._agenda, self._of, self._accept)
        self.crowd.listened = frozenset().union(*(listened(plan.journey) for plan in self.plans))
        self.runs = Runs(
            self.plans, self.population, self._agenda, self._enter_by_run, lambda: self.now
        )
        answers = Answers(self.ledger, assumptions or Assumptions(), self._accept)
        self._driver = Driver(
            self.population, self._timers, self.ledger, answers, self._facts, self._updated
        )

    # Time --------------------------------------------------------------------------

    def feed(self, event: Event) -> None:
        """Let time pass until `event`, and let it do what it does; a repeat does nothing.

        An event wins over a deadline of the same instant: timers of that instant go off later.
        """
        self.events += 1
        if event.id in self._seen:
            self.duplicates += 1
            return
        if self.first_event is None:
            self.crowd.begin(event.occurred_at)
            self.runs.begin(event.occurred_at)
        self._elapse(event.occurred_at)
        self.now = max(self.now, event.occurred_at)
        self.first_event = min(self.first_event or event.occurred_at, event.occurred_at)
        self.last_event = self.now
        self._accept(event)
        self._route_accepted()

    def run_until(self, instant: datetime) -> None:
        """Let time pass until `instant`, its timers included."""
        self._elapse(instant + timedelta.resolution)
        self.now = max(self.now, instant)

    def run_out(self) -> None:
        """Let time pass until everybody is out, ten years at most; nobody enters by time alone."""
        self.runs.is_over = True
        self._gates = [gate for gate in self._gates if gate.plan.journey.entry.on is None]
        self._elapse(self.now + LONGEST_RUN_OUT, is_last=True)

    def _elapse(self, before: datetime, *, is_last: bool = False) -> None:
        """Do what is due before an instant: of one instant what the world does by itself first."""
        while not is_last or self._timers.next is not None:
            own, timer = self._agenda.next, self._timers.next
            first = min((one for one in (own, timer) if one is not None), default=before)
            if first >= before:
                return
            self.now = max(self.now, first)
            if own == first:
                self._agenda.pop()()
            elif (passage := self._timers.pop()) is not None:
                passage.update(waiting=None)
                self._driver.drive(passage, None)
            self._route_accepted()

    # Events ------------------------------------------------------------------------

    def _accept(self, event: Event) -> None:
        self._seen.add(event.id)
        self._accepted.append(event)

    def _route_accepted(self) -> None:
        while self._accepted:
            self._route(self._accepted.popleft())

    def _route(self, event: Event) -> None:
        person = self.population.resolve(event, self.now)
        if learned := attributes_of(event):
            person.learn(learned, event.occurred_at)
        if event.name in self._remembered or EVERYTHING in self._remembered:
            person.remember(event)
        self.crowd.meet(person)
        self._move(event, person)
        self.crowd.news(person, event.name, learned)

    def _move(self, event: Event, person: Person) -> None:
        """Let the event enter, wake and end what it does."""
        if event.name not in self._heeded:
            return
        if self.now - event.occurred_at > self._late_after:
            self.late += 1
            late = [Refusal(one.name, "late", {}) for one in self.plans if entered(one, event)]
            self.refused.add(person.id, late)
            return
        person.notice(event)
        effects = effects_of(
            event,
            person.id,
            [passage.inside for passage in person.passages],
            self._gates,
            partial(self._facts, person, event.occurred_at, event),
            self.ledger.about(event, person),
        )
        self._apply(event, person, effects)

    def _apply(self, event: Event, person: Person, effects: Effects) -> None:
        mine = {passage.inside.id: passage for passage in person.passages}
        self.refused.add(person.id, effects.refusals)
        for met in effects.meets:
            mine[met.inside.id].update(goal_at=event.occurred_at)
        for end in effects.ends:
            mine[end.inside.id].end("exited", self.now, end.why)
        for wake in effects.wakes:
            passage = mine[wake.inside.id]
            passage.alarm = None
            passage.update(waiting=None)
            self._driver.drive(passage, wake.exit)
        for entry in effects.enters:
            passage = Passage.begin(entry.inside, event, lambda: self.now)
            self.passages.append(passage)
            person.passages.append(passage)
            self._driver.drive(passage, None)

    def _enter_by_run(self, plan: Plan, event: Event, person: Person) -> bool:
        """Have a run enter somebody; whether it did."""
        effects = Effects()
        insides = [passage.inside for passage in person.passages]
        facts = self._facts(person, self.now, event, None)
        approach(event, person.id, Gate(plan), insides, set(), facts, effects)
        self._apply(event, person, effects)
        return bool(effects.enters)

    def _updated(self, person: Person) -> None:
        """A journey has set attributes."""
        self.crowd.news(person, "", person.attributes)

    def _of(self, person: Person) -> Facts:
        return self._facts(person, self.now, None, None)

    def _facts(
        self, person: Person, now: datetime, event: Event | None, inside: Inside | None
    ) -> Facts:
        passage = inside and next(one for one in person.passages if one.inside is inside)
        return Facts(
            now=now,
            customer=person.attributes,
            event=event.properties if event else None,  # type: ignore[arg-type]  # they are JSON
            entry=inside.entry if inside else None,
            steps=passage.outputs if passage else {},
            history=person.history,
            audiences=self.crowd.known(person),
        )
