"""The audiences there are: what each one looks at, and who depends on whom."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from audiences.definition import AnyAudience, Composition
from expressions import EVERYTHING, Condition, Needs, condition, value
from expressions.horizon import is_derivable, joint, reach
from expressions.turning import Horizon

SEEN = frozenset({"customer", "now"})
RECEIPTS = frozenset({"Message Opened", "Message Clicked"})
CHOICES = frozenset({"Unsubscribed", "Subscribed"})
MOST = 1_000  # sets of audiences of which it is kept how they are judged


def judged(audience: AnyAudience) -> Condition | None:
    """The compiled condition of an audience whose customers are judged one by one.

    Raises:
        ExpressionError: it is none.
    """
    if audience.condition is None or (isinstance(audience, Composition) and audience.is_ranked):
        return None
    return condition(audience.condition, roots=SEEN)


def of(audience: AnyAudience) -> frozenset[str]:
    """The audiences that this one is made of, without their parts; raises ExpressionError."""
    return frozenset(base(name) for name in named(audience))


def named(audience: AnyAudience) -> frozenset[str]:
    """The audiences and parts that it names, as what it is made of or ranked by."""
    found: frozenset[str] = frozenset()
    if audience.condition is not None:
        found |= condition(audience.condition, roots=SEEN).needs.audiences
    if isinstance(audience, Composition) and audience.order_by is not None:
        found |= value(audience.order_by.value, roots=SEEN).needs.audiences
    return found


def base(name: str) -> str:
    """The audience of a part: `pilot` of `pilot/a`."""
    return name.partition("/")[0]


class Rule(NamedTuple):
    """An audience that is judged customer by customer; `names` are its own and those of parts."""

    audience: AnyAudience
    condition: Condition
    names: tuple[str, ...]

    @property
    def has_parts(self) -> bool:
        """Whether who is in may be in other parts of it than they should be."""
        return len(self.names) > 1


class Judgement(NamedTuple):
    """Audiences that are judged together, each after what it is made of.

    What has to be known for it, how far back it looks at events (None: for ever), and the rules by
    which time makes it due again.
    """

    rules: tuple[Rule, ...]
    needs: Needs
    reach: timedelta | None
    horizon: Horizon


@dataclass(frozen=True)
class Catalog:
    """Audiences by name, and those whose members have been found."""

    audiences: Mapping[str, AnyAudience] = field(default_factory=dict)
    ready: frozenset[str] = frozenset()

    @cached_property
    def conditions(self) -> dict[str, Condition]:
        """Of those that are judged customer by customer."""
        found = {name: judged(one) for name, one in self.audiences.items()}
        return {name: one for name, one in found.items() if one is not None}

    @cached_property
    def order(self) -> dict[str, int]:
        """The place of each audience after all that it is made of."""
        sorter = TopologicalSorter({name: of(one) for name, one in self.audiences.items()})
        return {name: place for place, name in enumerate(sorter.static_order())}

    @cached_property
    def _watchers(self) -> dict[tuple[str, str], frozenset[str]]:
        watchers: dict[tuple[str, str], set[str]] = {}
        for name, one in self.conditions.items():
            for watched in watched_by(one.needs):
                watchers.setdefault(watched, set()).add(name)
        return {watched: frozenset(names) for watched, names in watchers.items()}

    def touched_by(self, event: str | None, attributes: Iterable[str]) -> frozenset[str]:
        """The audiences that may change for a customer of whom this is news."""
        keys = [("event", event)] if event else []
        keys += [("attribute", attribute) for attribute in attributes]
        found = [self._watchers.get(key, frozenset()) for key in keys]
        if len(keys) > bool(event):
            found.append(self._watchers.get(("attribute", EVERYTHING), frozenset()))
        return frozenset().union(*found)

    @cached_property
    def _judgements(self) -> dict[frozenset[str], Judgement]:
        return {}

    def judgement(self, names: Iterable[str]) -> Judgement:
        """How these are judged, as far as they are, and their first members were found.

        Customers are touched by the same events over and over: it is worked out once.
        """
        asked = frozenset(names)
        if asked not in self._judgements:
            if len(self._judgements) >= MOST:
                self._judgements.clear()
            self._judgements[asked] = self._judgement(asked)
        return self._judgements[asked]

    def _judgement(self, asked: frozenset[str]) -> Judgement:
        known = self.ready.intersection(asked, self.conditions)
        rules = [
            Rule(one := self.audiences[name], self.conditions[name], one.names)
            for name in sorted(known, key=self.order.__getitem__)
        ]
        spans = [reach(rule.condition) for rule in rules]
        return Judgement(
            tuple(rules),
            Needs.of(*(rule.condition.needs for rule in rules)),
            None if None in spans else max(filter(None, spans), default=timedelta()),
            joint(self.timely[name] for name in known if name in self.timely),
        )

    def unready(self, names: Iterable[str]) -> list[str]:
        """Those whose customers are judged one by one, once its first members are found."""
        return [name for name in names if name in self.conditions and name not in self.ready]

    @cached_property
    def hourly(self) -> list[str]:
        """Those that time changes in a way that cannot be foreseen."""
        return [name for name, one in self.conditions.items() if not is_derivable(one)]

    @cached_property
    def timely(self) -> dict[str, Condition]:
        """Those that time alone can change, at instants that can be foreseen."""
        return {
            name: one
            for name, one in self.conditions.items()
            if is_derivable(one)
            and ("now" in one.needs.roots or one.needs.events or one.needs.messages)
        }

    def dependents(self, names: Iterable[str]) -> frozenset[str]:
        """The audiences that look at who is in these."""
        found = [
            self._watchers[key] for name in names if (key := ("audience", name)) in self._watchers
        ]
        return frozenset().union(*found)

    def users(self, name: str) -> list[str]:
        """The audiences that are made of this one, by name."""
        return sorted(other for other, one in self.audiences.items() if name in of(one))

    def cycle(self, audience: AnyAudience) -> list[str] | None:
        """The way back to itself that publishing `audience` would make."""
        given = {**self.audiences, audience.audience: audience}
        try:
            TopologicalSorter({name: of(one) for name, one in given.items()}).prepare()
        except CycleError as error:
            way: list[str] = error.args[1]
            return way
        return None


def watched_by(needs: Needs) -> set[tuple[str, str]]:
    """What makes a condition with these needs worth judging again."""
    events = set(needs.events)
    events |= RECEIPTS if needs.messages else set()
    events |= CHOICES if needs.subscriptions else set()
    return (
        {("event", name) for name in events}
        | {("attribute", name) for name in needs.customer}
        | {("audience", name) for name in needs.audiences}
    )
