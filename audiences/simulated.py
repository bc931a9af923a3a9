"""Audiences in a simulation: judged by the catalog and the evaluator of production."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from uuid import UUID

from audiences.catalog import Catalog, named
from audiences.definition import Composition
from audiences.simulated_ranks import first_of
from expressions import Facts, condition, value
from expressions.horizon import next_change
from journeys.simulation.groups import Judged, Known, Moved

SEEN = frozenset({"customer", "now"})


class SimulatedAudiences:
    """Some audiences, and the user ids of those who are on lists from the beginning."""

    def __init__(self, catalog: Catalog, lists: Mapping[str, Collection[str]]) -> None:
        self._catalog = Catalog(catalog.audiences, frozenset(catalog.audiences))
        self._lists = {name: frozenset(ids) for name, ids in lists.items()}
        audiences = self._catalog.audiences
        self.given = frozenset(part for one in audiences.values() for part in one.names)
        self.known = frozenset(
            part
            for name, one in audiences.items()
            if one.kind != "list" or name in self._lists
            for part in one.names
        )
        self.timely = frozenset(self._catalog.timely)
        self.rankings = frozenset(
            name
            for name, one in audiences.items()
            if isinstance(one, Composition) and one.is_ranked
        )
        hourly = {*self._catalog.hourly, *self.rankings}
        self.hourly = tuple(sorted(hourly, key=self._catalog.order.__getitem__))

    @cached_property
    def events(self) -> frozenset[str]:
        """The events whose history their rules read."""
        needs = [one.needs for one in self._catalog.conditions.values()]
        needs += [
            value(one.order_by.value, roots=SEEN).needs
            for one in self._catalog.audiences.values()
            if isinstance(one, Composition) and one.order_by is not None
        ]
        return frozenset().union(*(one.events for one in needs))

    @cached_property
    def shaky(self) -> frozenset[str]:
        """Those that look, at some remove, at audiences of which nothing is known."""
        found: set[str] = set()
        for name in sorted(self._catalog.audiences, key=self._catalog.order.__getitem__):
            looked_at = named(self._catalog.audiences[name])
            if any(one not in self.known or one.partition("/")[0] in found for one in looked_at):
                found.add(name)
        return frozenset(found)

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """What cannot be known of them."""
        return tuple(self._remarks())

    def _remarks(self) -> Iterator[str]:
        for name, one in sorted(self._catalog.audiences.items()):
            if one.kind == "list" and name not in self._lists:
                yield (
                    f"audience {name!r} is a list, and who is on it was not given: nobody joins "
                    f"or leaves it, and conditions that ask for it are unknown; "
                    f"give it with --list {name}=FILE"
                )
            strangers = sorted(named(one) - self.known)
            if strangers:
                others = ", ".join(strangers)
                yield f"audience {name!r} looks at {others}, of which nothing is known"
            needs = condition(one.condition, roots=SEEN).needs if one.condition else None
            if needs is not None and (needs.messages or needs.subscriptions):
                yield (
                    f"audience {name!r} asks for messages or subscriptions, which a simulation "
                    "does not know"
                )

    def lists_of(self, user_ids: Iterable[str]) -> set[str]:
        """The lists that somebody with these user ids is on."""
        ids = set(user_ids)
        return {name for name, those in self._lists.items() if not ids.isdisjoint(those)}

    def touched_by(self, event: str, attributes: Iterable[str]) -> frozenset[str]:
        """The audiences that may change for a customer of whom this is news."""
        return self._catalog.touched_by(event, attributes)

    def dependents(self, names: Iterable[str]) -> frozenset[str]:
        """The audiences that look at who is in these."""
        return self._catalog.dependents(names)

    def judge(
        self,
        facts: Facts,
        customer: UUID,
        inside: Collection[str],
        unsure: Collection[str],
        names: Collection[str] | None,
    ) -> Judged:
        """Judge each after what it is made of, and what looks at those that change."""
        catalog, now_in, doubted = self._catalog, set(inside), set(unsure)
        asked = set(catalog.conditions if names is None else names)
        moves: list[Moved] = []
        judged: set[str] = set()
        turns: list[datetime] = []
        for name in sorted(catalog.conditions, key=catalog.order.__getitem__):
            if name not in asked:
                continue
            one, rule = catalog.audiences[name], catalog.conditions[name]
            known = replace(facts, audiences=Known(now_in, self.known, doubted))
            holds = rule.judge(known).holds
            belongs = {name, one.part_of(customer) or name} if holds else set()
            moved = [Moved(part, part in belongs) for part in one.names
                     if (part in belongs) != (part in now_in)]  # fmt: skip
            now_in = (now_in - set(one.names)) | belongs
            doubts = set(one.names) if holds is None and name in self.shaky else set()
            asked |= catalog.dependents(
                {part.audience for part in moved} | (doubts ^ (doubted & set(one.names)))
            )
            doubted = (doubted - set(one.names)) | doubts
            judged |= set(one.names)
            moves += moved
            if name in self.timely and (at := next_change(rule, known)) is not None:
                turns.append(at)
        return Judged(
            moves,
            min(turns, default=None),
            frozenset(doubted & judged),
            frozenset(judged - doubted),
        )

    def made_of(self, name: str) -> frozenset[str]:
        """The audiences of which a composition is made: who is in none of them is not in it."""
        one = self._catalog.audiences[name]
        return frozenset(one.of) if isinstance(one, Composition) else frozenset()

    def ranked(self, name: str, people: Mapping[UUID, Facts]) -> Mapping[UUID, Collection[str]]:
        """The first of those who are in, one of each kind, and the part of each."""
        one = self._catalog.audiences[name]
        if not isinstance(one, Composition) or one.condition is None:
            return {}
        rule = condition(one.condition, roots=SEEN)
        inside = {id: facts for id, facts in people.items() if rule.holds(facts)}
        return {id: {name, one.part_of(id) or name} for id in first_of(one, inside)}
