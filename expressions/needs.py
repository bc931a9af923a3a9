"""What an expression reads: the variables, the parts of them, the history."""

from dataclasses import dataclass, field

from expressions.facts import Wanted

ROOTS = frozenset({"customer", "event", "entry", "steps", "now"})
EVERYTHING = "*"

Segments = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be fetched before judging: `*` stands for all steps, attributes or journeys.

    `audiences` are those whose membership is asked for, `messages` the journeys whose messages
    are; `subscriptions` says whether it is asked what the customer does not want.
    """

    roots: frozenset[str]
    events: frozenset[str]
    steps: frozenset[str]
    customer: frozenset[str]
    audiences: frozenset[str] = frozenset()
    messages: frozenset[str] = frozenset()
    subscriptions: bool = False

    @classmethod
    def of(cls, *needs: "Needs") -> "Needs":
        """All that several expressions need together."""
        return cls(
            roots=frozenset().union(*(one.roots for one in needs)),
            events=frozenset().union(*(one.events for one in needs)),
            steps=frozenset().union(*(one.steps for one in needs)),
            customer=frozenset().union(*(one.customer for one in needs)),
            audiences=frozenset().union(*(one.audiences for one in needs)),
            messages=frozenset().union(*(one.messages for one in needs)),
            subscriptions=any(one.subscriptions for one in needs),
        )


@dataclass(frozen=True, slots=True)
class Path:
    """A selection such as `customer.plan`, or `has(customer.plan)` when only asked for."""

    root: str
    segments: Segments
    is_asked_for: bool = False


@dataclass(slots=True)
class Reading:
    """What a walk over the tree finds, in the order of the text."""

    paths: dict[Path, None] = field(default_factory=dict)
    calls: dict[int, str] = field(default_factory=dict)
    events: set[str] = field(default_factory=set)
    audiences: set[str] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)
    subscriptions: bool = False
    reads_facts: bool = False
    past: Wanted = field(default_factory=dict)

    def needs(self) -> Needs:
        """The needs of the expression that was read."""
        return Needs(
            roots=frozenset(path.root for path in self.paths),
            events=frozenset(self.events),
            steps=self._first("steps"),
            customer=self._first("customer"),
            audiences=frozenset(self.audiences),
            messages=frozenset(self.messages),
            subscriptions=self.subscriptions,
        )

    def _first(self, root: str) -> frozenset[str]:
        found = (path.segments for path in self.paths if path.root == root)
        return frozenset(segments[0] if segments else EVERYTHING for segments in found)

    def wanted(self) -> dict[str, Wanted]:
        """The parts of each variable that are read, as a tree of keys; None is all below."""
        tree: Wanted = {}
        for path in self.paths:
            tree = with_path(tree, (path.root, *path.segments))
        return tree or {}


def with_path(tree: Wanted, segments: Segments) -> Wanted:
    """The tree with one more path in it."""
    if tree is None or not segments:
        return None
    head, rest = segments[0], segments[1:]
    return tree | {head: with_path(tree.get(head, {}), rest)}
