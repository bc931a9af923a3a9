"""Drives instances in a simulation: each goes on until it needs time, or ends."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from expressions import Facts
from journeys.calls import Call
from journeys.effects import Effects, Inside, Waiting
from journeys.event import Event
from journeys.simulation.answers import Answers, Asked
from journeys.simulation.interests import looks_back_to
from journeys.simulation.ledger import Ledger
from journeys.simulation.passage import Passage
from journeys.simulation.population import Person, Population
from journeys.simulation.requests import Listen, Question, Sleep
from journeys.simulation.timers import Timers
from journeys.triggers import wake_of

MOST_VISITS_AT_ONCE = 1_000
DEADLINE = 1  # the rank of a wait's deadline: after everything else of its instant

FactsOf = Callable[[Person, datetime, Event | None, Inside | None], Facts]


class Driver:
    """Lets instances go on."""

    def __init__(
        self,
        population: Population,
        timers: Timers,
        ledger: Ledger,
        answers: Answers,
        facts: FactsOf,
        learned: Callable[[Person], None],
    ) -> None:
        self._population = population
        self._timers = timers
        self._ledger = ledger
        self._answers = answers
        self._facts = facts
        self._learned = learned

    def drive(self, passage: Passage, answer: Any) -> None:
        """Let an instance go on with `answer` until it needs time, or ends."""
        furthest = len(passage.visits) + MOST_VISITS_AT_ONCE
        while True:
            try:
                request = passage.course.send(answer)
            except StopIteration:
                passage.end("completed", passage.runtime.now)
                return
            if len(passage.visits) > furthest:
                why = {"reason": "it goes in circles without a wait"}
                passage.end("failed", passage.runtime.now, why)
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
                    answer = self._asked(passage, call)

    def _asked(self, passage: Passage, call: Call) -> Any:
        person, now = self._population[passage.inside.customer], passage.runtime.now
        facts = self._facts(person, now, None, passage.inside)
        answer = self._answers.to(call, Asked(passage, person, now, facts))
        if call is Call.UPDATE:
            self._learned(person)
        return answer

    def _listen(self, passage: Passage, until: datetime) -> str | None:
        """Register the wait, then look for an event that has already come."""
        visit = passage.visit
        passage.update(waiting=Waiting(visit.number, visit.step, visit.at, until))
        person, inside = self._population[passage.inside.customer], passage.inside
        for event in person.since(looks_back_to(inside)):
            if event.id == inside.entry_event:
                continue
            facts = partial(self._facts, person, event.occurred_at, event)
            about = self._ledger.about(event, person)
            if (wake := wake_of(event, inside, facts, about, Effects())) is not None:
                passage.update(waiting=None)
                return wake.exit
        return None
