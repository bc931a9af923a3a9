"""What a simulation asks of the audiences it is given; `audiences.simulated` answers."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from expressions import Facts


class Known(Collection[str]):
    """The audiences that a customer is in; of those that are not known nobody can tell."""

    __slots__ = ("_inside", "_known", "_unsure")

    def __init__(
        self, inside: Collection[str], known: Collection[str], unsure: Collection[str] = ()
    ) -> None:
        self._inside, self._known, self._unsure = inside, known, unsure

    def __contains__(self, name: object) -> bool:
        if name not in self._known or name in self._unsure:
            raise LookupError(f"whether the customer is in audience {name!r} is not known here")
        return name in self._inside

    def __iter__(self) -> Iterator[str]:
        return iter(self._inside)

    def __len__(self) -> int:
        return len(self._inside)


class Moved(NamedTuple):
    """An audience, or a part of one, that a customer joins or leaves."""

    audience: str
    joined: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of a customer: `turns_at` is when time alone may change that, at the earliest.

    Of the audiences that were judged, `unsure` are those of which it cannot be told, `sure` the
    others.
    """

    moves: list[Moved]
    turns_at: datetime | None = None
    unsure: frozenset[str] = frozenset()
    sure: frozenset[str] = frozenset()


class Groups(Protocol):
    """The audiences of a simulation, judged by the rules of production."""

    @property
    def given(self) -> frozenset[str]:
        """All of them, and their parts."""

    @property
    def known(self) -> frozenset[str]:
        """Of which it is known who is in, parts among them."""

    @property
    def shaky(self) -> frozenset[str]:
        """Those that look, at some remove, at audiences of which nothing is known."""

    @property
    def events(self) -> frozenset[str]:
        """The events whose history their rules read."""

    @property
    def timely(self) -> frozenset[str]:
        """Those that time changes at instants that can be foreseen."""

    @property
    def hourly(self) -> tuple[str, ...]:
        """Those that are found anew every hour, each after what it is made of."""

    @property
    def rankings(self) -> frozenset[str]:
        """Those of them where who is in depends on the others."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What cannot be known of them, in sentences."""

    def lists_of(self, user_ids: Iterable[str]) -> set[str]:
        """The lists that somebody with these user ids is on, from the beginning."""

    def touched_by(self, event: str, attributes: Iterable[str]) -> frozenset[str]:
        """The audiences that may change for a customer of whom this is news."""

    def judge(
        self,
        facts: Facts,
        customer: UUID,
        inside: Collection[str],
        unsure: Collection[str],
        names: Collection[str] | None,
    ) -> Judged:
        """Judge these audiences, or all, and those that look at what changes."""

    def dependents(self, names: Iterable[str]) -> frozenset[str]:
        """The audiences that look at who is in these."""

    def made_of(self, name: str) -> frozenset[str]:
        """The audiences of which a composition is made: who is in none of them is not in it."""

    def ranked(self, name: str, people: Mapping[UUID, Facts]) -> Mapping[UUID, Collection[str]]:
        """Who is in a ranked composition, and in which part of it."""
