"""Customers of every sort, made at random: wrong types, gaps, ties, edges of windows."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from expressions import Facts, PastEvent, PastMessage

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NAMES = ("A", "B")
KEYS = ("n", "s", "b", "l", "m", "t", "x")
CHANNELS, TOPICS, JOURNEYS, AUDIENCES = ("email", "sms"), ("offers", "news"), ("j", "k"), ("v", "w")

NUMBERS: list[Any] = [
    0, 1, 2, 3, -1, 0.5, 2.5, 0.1, 0.2, 1e300, -1e300, 1e-300, 2**53 + 1, 2**63, 100,
]  # fmt: skip
TEXTS: list[Any] = [
    "", "a", "b", "ab", "A", "ä", "ÄÖ", "İ", "ΟΣ", "12", " 7 ", "true", "n", "é", "😀", "'; DROP",
]  # fmt: skip
TIMES: list[Any] = [
    "2026-11-20T12:00:00Z", "2026-11-24T12:00:00Z", "2026-11-24T13:30:00.5+01:30",
    "2026-1-1t0:0:0z", "2024-02-29T00:00:00Z", "2025-02-29T00:00:00Z", "2026-11-31T00:00:00Z",
    "2026-11-24", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-11-24T11:59:60Z",
    "1999-12-31T23:59:59.123456-0800", "2026-11-24T12:00:00",
]  # fmt: skip
ITEMS: list[Any] = [
    [], [1, 2, 3], [1, "a", None], ["a", "b"], [{"n": 1}, {"n": 3}], [2.5, 2.5], [[1]],
    [True, False], [{"n": 2}, 3],
]  # fmt: skip
MAPS: list[Any] = [
    {},
    {"n": 1},
    {"n": "a", "s": "b"},
    {"a": 1, "b": None},
    {"m": {"n": 2}},
    {"1": 1},
]
PROPER = {
    "n": NUMBERS, "s": TEXTS, "b": [True, False], "l": ITEMS, "m": MAPS, "t": TIMES,
    "x": [None, 1, "a", True, 2.5, [1], {"n": 1}, "2026-11-20T12:00:00Z"],
}  # fmt: skip
EVERYTHING = [value for values in PROPER.values() for value in values]


def a_map(chance: random.Random) -> dict[str, Any]:
    """A map with the usual keys: most values are of the type that they should be of."""
    found = {}
    for key in KEYS:
        draw = chance.random()
        if draw < 0.1:
            continue
        choices = [None] if draw < 0.15 else EVERYTHING if draw < 0.25 else PROPER[key]
        found[key] = chance.choice(choices)
    return found


def a_time(chance: random.Random) -> datetime:
    """A time at an edge, twice the same now and then, a little in the future now and then."""
    if chance.random() < 0.5:
        edges = [0, 1, 3, 3, 7, 30, -1]
        wobble = chance.choice([-1, 0, 0, 0, 1]) * timedelta(microseconds=1)
        return NOW - timedelta(days=chance.choice(edges)) + wobble
    return NOW - timedelta(seconds=chance.randrange(-86_400, 40 * 86_400))


def facts(chance: random.Random) -> Facts:
    """What is known of one of them."""
    history = {
        name: sorted(
            (PastEvent(name, a_time(chance), a_map(chance)) for _ in range(chance.randrange(4))),
            key=lambda event: event.occurred_at,
        )
        for name in NAMES
    }
    messages = [
        PastMessage(
            journey=chance.choice(JOURNEYS),
            step=chance.choice("ab"),
            channel=chance.choice(CHANNELS),
            topic=chance.choice([None, *TOPICS]),
            state=chance.choice(["accepted", "skipped"]),
            at=a_time(chance),
            opened_at=chance.choice([None, a_time(chance)]),
        )
        for _ in range(chance.randrange(3))
    ]
    return Facts(
        now=NOW,
        customer=a_map(chance),
        history=history,
        audiences=chance.choice([(), ("v",)]),
        messages=sorted(messages, key=lambda message: message.at),
        unsubscriptions=chance.choice([(), (("email", "*"),)]),
    )
