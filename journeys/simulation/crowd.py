"""Who is in which audience while a simulation goes on, and who is told of it."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from expressions import Facts
from journeys.audience_changes import Listened, event_of, is_heard
from journeys.event import Event
from journeys.identity import ExternalId
from journeys.simulation.agenda import Agenda
from journeys.simulation.groups import Groups, Known, Moved
from journeys.simulation.population import Person, Population

HOUR = timedelta(hours=1)


class Crowd:
    """Judges people when something happens to them, and when it is time."""

    def __init__(
        self,
        groups: Groups | None,
        population: Population,
        agenda: Agenda,
        facts: Callable[[Person], Facts],
        tell: Callable[[Event], None],
    ) -> None:
        self.joined: Counter[str] = Counter()
        self.left: Counter[str] = Counter()
        self.listened: frozenset[Listened] = frozenset()
        self._groups = groups
        self._population = population
        self._agenda = agenda
        self._facts = facts
        self._tell = tell

    @property
    def names(self) -> list[str]:
        """The audiences of which it is known who is in."""
        return sorted(self._groups.known) if self._groups is not None else []

    def begin(self, now: datetime) -> None:
        """Look at audiences that cannot be foreseen at every full hour from now on."""
        if self._groups is not None and self._groups.hourly:
            hour = now.replace(minute=0, second=0, microsecond=0) + HOUR
            self._agenda.put(hour, partial(self._beat, hour))

    def known(self, person: Person) -> Known | None:
        """What is known of the audiences somebody is in."""
        if self._groups is None:
            return None
        return Known(person.audiences, self._groups.known, person.unsure)

    def meet(self, person: Person) -> None:
        """Know of somebody which lists they are on, and of what else nothing can be known."""
        if self._groups is None:
            return
        lists = self._groups.lists_of(person.values("user_id"))
        for name in lists - person.audiences.keys():
            person.audiences[name], person.is_judged = self._facts(person).now, False
        if not person.is_judged:
            person.unsure |= self._groups.shaky

    def news(self, person: Person, event: str, attributes: Iterable[str]) -> None:
        """Something happened to somebody; whoever is new, or was merged, is judged by all."""
        if self._groups is None:
            return
        names = self._groups.touched_by(event, attributes) if person.is_judged else None
        person.is_judged = True
        if names is None or names:
            self._judge(person, names)

    def _judge(self, person: Person, names: Collection[str] | None) -> None:
        if self._groups is None:
            return
        facts = self._facts(person)
        judged = self._groups.judge(facts, person.id, person.audiences, person.unsure, names)
        person.unsure = (person.unsure - judged.sure) | judged.unsure
        self._move(person, judged.moves, facts.now)
        at = judged.turns_at
        if at is not None and (person.turns_at is None or at < person.turns_at):
            person.turns_at = at
            self._agenda.put(at, partial(self._turn, person, at))

    def _turn(self, person: Person, at: datetime) -> None:
        """Time may have changed somebody's audiences."""
        is_there = self._population.people.get(person.id) is person
        if self._groups is not None and is_there and person.turns_at == at:
            person.turns_at = None
            self._judge(person, self._groups.timely)

    def _beat(self, hour: datetime) -> None:
        """A full hour: some audiences are found anew."""
        if self._groups is None:
            return
        for name in self._groups.hourly:
            people = list(self._population)
            if name not in self._groups.rankings:
                for person in people:
                    self._judge(person, {name})
                continue
            of = self._groups.made_of(name)
            able: dict[UUID, Facts] = {
                one.id: self._facts(one) for one in people if not of.isdisjoint(one.audiences)
            }
            found = self._groups.ranked(name, able)
            for person in people:
                if person.id in found or name in person.audiences:
                    self._rank(person, name, found)
        self._agenda.put(hour + HOUR, partial(self._beat, hour + HOUR))

    def _rank(self, person: Person, name: str, found: Mapping[UUID, Collection[str]]) -> None:
        mine = {one for one in person.audiences if one.partition("/")[0] == name}
        now = set(found.get(person.id, ()))
        moves = [Moved(one, joined=one in now) for one in sorted(mine ^ now)]
        if moves and self._groups is not None:
            self._move(person, moves, self._facts(person).now)
            if names := self._groups.dependents(one.audience for one in moves):
                self._judge(person, names)

    def _move(self, person: Person, moves: Iterable[Moved], now: datetime) -> None:
        for name, joined in moves:
            if joined:
                person.audiences[name] = now
            else:
                person.audiences.pop(name, None)
            (self.joined if joined else self.left)[name] += 1
            if is_heard(name, joined, self.listened):
                event = event_of(name, person.id, joined, now, in_order(person.ids))
                if event.user_id or event.anonymous_id:
                    self._tell(event)


def in_order(ids: Iterable[ExternalId]) -> list[ExternalId]:
    """User ids first, as storage has them."""
    return sorted(ids, key=lambda id: (id.kind != "user_id", id.kind, id.value))
