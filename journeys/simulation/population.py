"""The customers of a simulation: who an event is about, what is known of them, what came before."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID, uuid5

from expressions import PastEvent
from journeys.event import Event
from journeys.identity import CustomerId, Directory, ExternalId, ids_of, resolve
from journeys.simulation.passage import Passage

NAMESPACE = UUID("6d1c3e0e-0b44-5f0a-9d0e-3f1f7a2b9c11")
OCCURRED_AT = attrgetter("occurred_at")


@dataclass(eq=False, slots=True)
class Person:
    """One customer."""

    id: CustomerId
    ids: set[ExternalId] = field(default_factory=set)
    attributes: dict[str, Any] = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=dict)
    history: dict[str, list[PastEvent]] = field(default_factory=dict)
    passages: list[Passage] = field(default_factory=list)
    lately: list[Event] = field(default_factory=list)  # what a wait that begins may look back at
    audiences: dict[str, datetime] = field(default_factory=dict)  # since when they are in each
    unsure: frozenset[str] = frozenset()  # audiences of which it cannot be told
    is_judged: bool = False  # by every audience, since they were made or merged
    turns_at: datetime | None = None  # when time alone may change their audiences

    def learn(self, values: Mapping[str, Any], at: datetime) -> None:
        """Set attributes; of two writes of one attribute the later by its own instant stays."""
        for name, value in values.items():
            if name not in self.times or self.times[name] <= at:
                self.attributes[name], self.times[name] = value, at

    def remember(self, event: Event) -> None:
        """Make the event part of the history that conditions see."""
        past = PastEvent(event.name, event.occurred_at, event.properties)  # type: ignore[arg-type]  # properties are JSON
        insort(self.history.setdefault(event.name, []), past, key=OCCURRED_AT)

    def notice(self, event: Event) -> None:
        """Keep the event for waits that look back, as long as some instance might."""
        if self.open_passages():
            insort(self.lately, event, key=OCCURRED_AT)
        else:
            self.lately.clear()

    def since(self, instant: datetime) -> list[Event]:
        """The events noticed at `instant` or later, in time order."""
        return self.lately[bisect_left(self.lately, instant, key=OCCURRED_AT) :]

    def open_passages(self) -> list[Passage]:
        """The instances they are inside of."""
        return [passage for passage in self.passages if passage.is_open]

    def values(self, kind: str) -> list[str]:
        """Their external ids of one kind, in order."""
        return sorted(id.value for id in self.ids if id.kind == kind)

    def absorb(self, other: "Person") -> None:
        """Everything of `other` becomes theirs; an attribute of both keeps its later value."""
        self.ids |= other.ids
        for name, value in other.attributes.items():
            if name not in self.times or self.times[name] < other.times[name]:
                self.attributes[name], self.times[name] = value, other.times[name]
        for name, past in other.history.items():
            self.history[name] = sorted([*self.history.get(name, ()), *past], key=OCCURRED_AT)
        self.lately = sorted([*self.lately, *other.lately], key=OCCURRED_AT)
        for name, since in other.audiences.items():
            self.audiences[name] = min(since, self.audiences.get(name, since))
        self.is_judged, self.turns_at = False, None
        for passage in other.passages:
            passage.update(customer=self.id)
        self.passages = sorted(
            [*self.passages, *other.passages], key=lambda one: one.inside.entered_at
        )


@dataclass(slots=True)
class Population:
    """Everybody, by our id and by the ids that others gave them."""

    people: dict[CustomerId, Person] = field(default_factory=dict)
    owners: dict[ExternalId, CustomerId] = field(default_factory=dict)
    merges: int = 0

    def resolve(self, event: Event, at: datetime) -> Person:
        """Whom the event is about; instances that a merge makes superfluous end at `at`."""
        directory = self._directory(event)
        customer = resolve(event, directory, lambda: _new_id(event))
        for created in directory.created:
            self.people[created] = Person(created)
        for loser, winner in directory.merges:
            self._merge(self.people.pop(loser), self.people[winner], at)
        for id, owner in directory.links.items():
            if (before := self.owners.get(id)) is not None and before in self.people:
                self.people[before].ids.discard(id)
            self.owners[id] = owner
            self.people[owner].ids.add(id)
        return self.people[customer]

    def __getitem__(self, customer: CustomerId) -> Person:
        return self.people[customer]

    def __iter__(self) -> Iterator[Person]:
        return iter(self.people.values())

    def __len__(self) -> int:
        return len(self.people)

    def _directory(self, event: Event) -> Directory:
        owners = {id: self.owners[id] for id in ids_of(event) if id in self.owners}
        known = {
            owner
            for owner in owners.values()
            if any(id.kind == "user_id" for id in self.people[owner].ids)
        }
        return Directory(owners=owners, known=known)

    def _merge(self, loser: Person, winner: Person, at: datetime) -> None:
        self.merges += 1
        for id in loser.ids:
            self.owners[id] = winner.id
        winner.absorb(loser)
        oldest: set[tuple[str, str | None]] = set()
        for passage in sorted(winner.open_passages(), key=_age):
            place = (passage.plan.name, passage.inside.key)
            if place in oldest:
                passage.end("merged", at)
            oldest.add(place)


def _age(passage: Passage) -> tuple[datetime, UUID]:
    return passage.inside.entered_at, passage.inside.id


def _new_id(event: Event) -> CustomerId:
    """A new customer's id: the same in every run."""
    id = ids_of(event)[0]
    return CustomerId(uuid5(NAMESPACE, f"{id.kind}:{id.value}"))
