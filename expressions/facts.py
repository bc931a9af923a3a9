"""What an expression may see of a customer, and what comes of judging it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from typing import Any, TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Wanted: TypeAlias = "dict[str, Wanted] | None"

# The events of a customer that tell of a message, naming it by its id as `message_id`.
OPENED, CLICKED = "Message Opened", "Message Clicked"


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event of the customer's history."""

    name: str
    occurred_at: datetime
    properties: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class PastMessage:
    """A message to the customer, as the ledger has it, and when it was first opened and clicked."""

    journey: str
    step: str
    channel: str
    topic: str | None
    state: str
    at: datetime
    opened_at: datetime | None = None
    clicked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that an expression may see: plain JSON values, and the history by event name.

    What is None was not read: an expression that asks for it is unknown. Histories are in order of
    time. `unsubscriptions` are pairs of a channel and a topic, either may be `*`. `memo` keeps what
    was worked out of them: many conditions ask for the same.
    """

    now: datetime
    customer: Mapping[str, Json] = field(default_factory=dict)
    event: Mapping[str, Json] | None = None
    entry: Mapping[str, Json] | None = None
    steps: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    history: Mapping[str, Sequence[PastEvent]] = field(default_factory=dict)
    audiences: Collection[str] | None = None
    messages: Sequence[PastMessage] | None = None
    unsubscriptions: Collection[tuple[str, str]] | None = None
    memo: dict[object, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    def root(self, name: str) -> Mapping[str, Json] | None:
        """The mapping behind a variable; None when there is no such event."""
        found: Mapping[str, Json] | None = getattr(self, name)
        return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds (None: unknown, for the reason given) and what it looked at."""

    holds: bool | None
    operands: dict[str, Json]
    reason: str | None = None


def doubles(value: Json) -> Json:
    """The value with every number a double, as CEL sees JSON."""
    kind = type(value)
    if kind is str or kind is float or kind is bool or value is None:
        return value
    if isinstance(value, int):
        try:
            return float(value)
        except OverflowError:
            return inf if value > 0 else -inf
    if isinstance(value, Mapping):
        return {key: doubles(item) for key, item in value.items()}
    if isinstance(value, str | float):
        return value
    return [doubles(item) for item in value]


def project(value: Json, wanted: Wanted) -> Json:
    """As `doubles`, of the wanted parts only: what is not read is not copied."""
    if wanted is None or not isinstance(value, Mapping):
        return doubles(value)
    return {key: project(value[key], part) for key, part in wanted.items() if key in value}
