"""A whole customer base on a virtual clock: the production steps, without a server.

Events are fed in the order they were received. What one of them does is decided by the same rules
as in the router; time passes from event to event, and timers go off in between.
"""

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from expressions import EVERYTHING, Facts
from journeys.effects import Effects, Gate, Inside, Refusal, Waiting
from journeys.event import Event, EventId
from journeys.learning import attributes_of
from journeys.plan import Plan
from journeys.simulation.answers import Answers, Asked
from journeys.simulation.assumptions import Assumptions
from journeys.simulation.interests import entered, heeded, looks_back_to, remembered
from journeys.simulation.ledger import Ledger, Render
from journeys.simulation.passage import Passage
from journeys.simulation.population import Person, Population
from journeys.simulation.refused import Refused
from journeys.simulation.requests import Listen, Question, Sleep
from journeys.simulation.timers import Timers
from journeys.triggers import effects_of, wake_of

BEGINNING = datetime.min.replace(tzinfo=UTC)
LATE = timedelta(days=1)
LONGEST_RUN_OUT = timedelta(days=3660)
MOST_VISITS_AT_ONCE = 1_000
DEADLINE = 1  # the rank of a wait's deadline: after everything else of its instant


class Simulation:
    """The world of some journeys: feed it events, then read what became of everybody."""

    def __init__(
        self,
        plans: Iterable[Plan],
        *,
        assumptions: Assumptions | None = None,
        render: Render | None = None,
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
        self._answers = Answers(self.ledger, assumptions or Assumptions(), self._accept)
        self._late_after = late_after
        self._gates = [Gate(plan) for plan in self.plans]
        self._heeded = frozenset(name for plan in self.plans for name in heeded(plan))
        self._remembered = frozenset(name for plan in self.plans for name in remembered(plan))
        self._seen: set[EventId] = set()
        self._accepted: deque[Event] = deque()
        self._timers = Timers()

    # Time --------------------------------------------------------------------------

    def feed(self, event: Event) -> None:
        """Let time pass until `event`, and let it do what it does; a repeat does nothing.

        An event wins over a deadline of the same instant: timers of that instant go off later.
        """
        self.events += 1
        if event.id in self._seen:
            self.duplicates += 1
            return
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
        """Let time pass until everybody is out, ten years at most."""
        self._elapse(self.now + LONGEST_RUN_OUT)

    def _elapse(self, before: datetime) -> None:
        while (due := self._timers.pop(before)) is not None:
            at, passage = due
            self.now = max(self.now, at)
            passage.update(waiting=None)
            self._drive(passage, None)
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
            self._drive(passage, wake.exit)
        for entry in effects.enters:
            passage = Passage.begin(entry.inside, event, lambda: self.now)
            self.passages.append(passage)
            person.passages.append(passage)
            self._drive(passage, None)

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
        )

    # Instances -----------------------------------------------------------------------

    def _drive(self, passage: Passage, answer: Any) -> None:
        """Let an instance go on with `answer` until it needs time, or ends."""
        furthest = len(passage.visits) + MOST_VISITS_AT_ONCE
        while True:
            try:
                request = passage.course.send(answer)
            except StopIteration:
                passage.end("completed", self.now)
                return
            if len(passage.visits) > furthest:
                passage.end("failed", self.now, {"reason": "it goes in circles without a wait"})
                return
            match request:
                case Sleep(until):
                    self._timers.set(passage, until)
                    return
                case Listen(until):
                    answer = self._listen(passage, until)
                    if answer is None:
                        self._timers.set(passage, until, rank=DEADLINE)
                        return
                case Question(call):
                    person = self.population[passage.inside.customer]
                    facts = self._facts(person, self.now, None, passage.inside)
                    answer = self._answers.to(call, Asked(passage, person, self.now, facts))

    def _listen(self, passage: Passage, until: datetime) -> str | None:
        """Register the wait, then look for an event that has already come."""
        visit = passage.visit
        passage.update(waiting=Waiting(visit.number, visit.step, visit.at, until))
        person, inside = self.population[passage.inside.customer], passage.inside
        for event in person.since(looks_back_to(inside)):
            if event.id == inside.entry_event:
                continue
            facts = partial(self._facts, person, event.occurred_at, event)
            about = self.ledger.about(event, person)
            if (wake := wake_of(event, inside, facts, about, Effects())) is not None:
                passage.update(waiting=None)
                return wake.exit
        return None
