"""Who an event is about: which customer its ids lead to, and what that changes.

An anonymous id moves to the user who was seen with it last. Customers with different user ids are
never merged, except by `alias`; a customer without a user id is merged into the one that has it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, NewType
from uuid import UUID

from journeys.event import Event

CustomerId = NewType("CustomerId", UUID)
IdKind = Literal["user_id", "anonymous_id"]


@dataclass(frozen=True, slots=True)
class ExternalId:
    """An id that somebody else gave a customer."""

    kind: IdKind
    value: str


@dataclass(slots=True)
class Directory:
    """The part of all external ids that a few events need, and what they change in it."""

    owners: dict[ExternalId, CustomerId] = field(default_factory=dict)
    known: set[CustomerId] = field(default_factory=set)  # those that have a user id
    created: list[CustomerId] = field(default_factory=list)
    links: dict[ExternalId, CustomerId] = field(default_factory=dict)
    merges: list[tuple[CustomerId, CustomerId]] = field(default_factory=list)  # from, into

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to write down."""
        return bool(self.created or self.links or self.merges)

    def link(self, id: ExternalId, customer: CustomerId) -> None:
        """From now on `id` leads to `customer`."""
        self.owners[id] = self.links[id] = customer
        if id.kind == "user_id":
            self.known.add(customer)

    def merge(self, loser: CustomerId, winner: CustomerId) -> None:
        """Everything of `loser` becomes `winner`'s."""
        self.merges.append((loser, winner))
        for id, owner in self.owners.items():
            if owner == loser:
                self.link(id, winner)
        if loser in self.known:
            self.known.add(winner)


def ids_of(event: Event) -> list[ExternalId]:
    """Every external id that the event names, the user's first."""
    ids = []
    if event.user_id is not None:
        ids.append(ExternalId("user_id", event.user_id))
    if event.anonymous_id is not None:
        ids.append(ExternalId("anonymous_id", event.anonymous_id))
    if (previous := previous_id(event)) is not None:
        ids += [ExternalId("user_id", previous), ExternalId("anonymous_id", previous)]
    return ids


def previous_id(event: Event) -> str | None:
    """The id that an `alias` gives up."""
    previous = event.properties.get("previous_id") if event.kind == "alias" else None
    return previous if isinstance(previous, str) and previous else None


def resolve(event: Event, directory: Directory, new_id: Callable[[], CustomerId]) -> CustomerId:
    """The customer of `event`; what had to be created, linked or merged is in `directory`."""
    user, anonymous = _owner(event.user_id, "user_id"), _owner(event.anonymous_id, "anonymous_id")
    customer = _of_both(user, anonymous, directory)
    if customer is None:
        customer = new_id()
        directory.created.append(customer)
    for id in (user, anonymous):
        if id is not None and directory.owners.get(id) != customer:
            directory.link(id, customer)
    if (previous := previous_id(event)) is not None:
        _join(previous, customer, directory)
    return customer


def _owner(value: str | None, kind: IdKind) -> ExternalId | None:
    return None if value is None else ExternalId(kind, value)


def _of_both(
    user: ExternalId | None, anonymous: ExternalId | None, directory: Directory
) -> CustomerId | None:
    by_user = directory.owners.get(user) if user else None
    by_anonymous = directory.owners.get(anonymous) if anonymous else None
    if by_anonymous is None or user is None:
        return by_user or by_anonymous
    if by_user is None:
        return None if by_anonymous in directory.known else by_anonymous
    if by_user != by_anonymous and by_anonymous not in directory.known:
        directory.merge(by_anonymous, by_user)
    return by_user


def _join(previous: str, customer: CustomerId, directory: Directory) -> None:
    """`alias`: whoever had the previous id becomes `customer`, and the id leads there for ever."""
    for kind in ("user_id", "anonymous_id"):
        id = ExternalId(kind, previous)
        owner = directory.owners.get(id)
        if owner is not None and owner != customer:
            directory.merge(owner, customer)
        if directory.owners.get(id) != customer:
            directory.link(id, customer)


def rounds(events: Iterable[Event]) -> list[list[Event]]:
    """Split events, keeping order, so that no two of one round share an id."""
    result: list[list[Event]] = []
    next_round: dict[ExternalId, int] = {}
    for event in events:
        ids = ids_of(event)
        turn = max((next_round.get(id, 0) for id in ids), default=0)
        next_round.update(dict.fromkeys(ids, turn + 1))
        if turn == len(result):
            result.append([])
        result[turn].append(event)
    return result
