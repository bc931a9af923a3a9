"""Writes conditions at random: everything that an audience may ask, sound and unsound."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

Write = Callable[[], str]
NUMBERS = ("0.0", "1.0", "2.0", "2.5", "0.3", "-1.0", "100.0", "1e300", "9007199254740992.0")
WHOLE = ("0", "1", "2", "3", "-1", "9007199254740993")
TEXTS = ('"a"', '"b"', '""', '"A"', '"é"', '"n"', "'; DROP TABLE'", '"12"')
SPANS = ("days(3)", "hours(36)", "days(7)", "days(0)", "days(-1)", 'duration("72h")', "days(30)")
TIMES = ('timestamp("2026-11-20T12:00:00Z")', "now", "now - days(3)", "now + hours(1)")
KEYS = ("n", "s", "b", "l", "m", "t", "x", "nope")
FIELDS = ("journey", "step", "channel", "topic", "state", "at", "opened", "clicked")
PARTLY = ("contains", "startsWith", "endsWith")
QUANTORS = ("exists", "all", "exists", "all", "exists_one")
PLACES = ("0", "1", "2", "-1", "1.0", '"n"', '"a"')
LISTS = ('events("A")', 'events("B", days(7))')
PARTS = ("getHours", "getDayOfWeek", "getMonth", "getDate", "getFullYear", "getDayOfYear",
         "getMilliseconds")  # fmt: skip
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


@dataclass
class Grammar:
    """One condition in the making; `loops` are the variables of the loops around, by kind."""

    chance: random.Random
    loops: tuple[tuple[str, str], ...] = ()

    def pick(self, *choices: str) -> str:
        return self.chance.choice(choices)

    def one_of(
        self, depth: int, leaves: list[Callable[[], str]], nested: list[Callable[[], str]]
    ) -> str:
        choices = leaves if depth <= 0 else [*leaves, *nested, *nested]
        return self.chance.choice(choices)()

    # Conditions ----------------------------------------------------------------------

    def condition(self, depth: int) -> str:
        d = depth - 1
        return self.one_of(
            depth,
            [
                lambda: f"{self.json(0)} {self.pick(*COMPARISONS)} {self.literal()}",
                lambda: f"has({self.path()})" if self.pick("y", "n") == "y" else self.json(0),
                lambda: self.pick(
                    "true",
                    'in_audience("v")',
                    'in_audience("w")',
                    'subscribed("email")',
                    'subscribed("sms", "news")',
                    'subscribed("email", "offers")',
                ),
            ],
            [
                lambda: f"({self.condition(d)} && {self.condition(d)})",
                lambda: f"({self.condition(d)} || {self.condition(d)})",
                lambda: f"!({self.condition(d)})",
                lambda: f"({self.condition(d)} ? {self.condition(d)} : {self.condition(d)})",
                lambda: f"{self.number(d)} {self.pick(*COMPARISONS)} {self.number(d)}",
                lambda: f"{self.whole(d)} {self.pick(*COMPARISONS)} {self.whole(d)}",
                lambda: f"{self.whole(d)} {self.pick(*COMPARISONS)} {self.json(d)}",
                lambda: f"{self.text(d)} {self.pick(*COMPARISONS)} {self.text(d)}",
                lambda: f"{self.time(d)} {self.pick(*COMPARISONS)} {self.time(d)}",
                lambda: f"{self.json(d)} {self.pick(*COMPARISONS)} {self.json(d)}",
                lambda: f"{self.json(d)} {self.pick(*COMPARISONS)} {self.time(d)}",
                lambda: f"{self.span(d)} {self.pick(*COMPARISONS)} {self.pick(*SPANS)}",
                lambda: f"{self.json(d)} in [{self.literal()}, {self.literal()}, {self.json(d)}]",
                lambda: f"{self.json(d)} in {self.json(d)}",
                lambda: f"{self.json(d)} in {self.numbers(d)}",
                lambda: f"{self.literal()} in [{self.literal()}]",
                lambda: f"{self.text(d)}.{self.pick(*PARTLY)}({self.text(d)})",
                lambda: f"({self.condition(d)}) == ({self.condition(d)})",
                lambda: f"({self.condition(d)}) == {self.json(d)}",
                lambda: self.macro(d),
                lambda: self.macro(d),
                lambda: self.macro(d),
                lambda: (
                    f"[{self.json(d)}, 2.0].{self.pick('exists', 'all')}(w, w == {self.json(d)})"
                ),
                lambda: f"{self.json(0)} == {self.pick('[1, 2, 3]', '[]', '{}', '[1.0, 2.0]')}",
                lambda: f"[{self.json(d)}, 1.0] == [{self.json(d)}, {self.json(0)}]",
            ],
        )

    def macro(self, depth: int) -> str:
        kind, listed = self.rows(depth)
        name = f"v{len(self.loops)}"
        body = Grammar(self.chance, (*self.loops, (name, kind))).condition(depth)
        return (
            f"{listed}.{self.pick('exists', 'all', 'exists', 'all', 'exists_one')}({name}, {body})"
        )

    # Lists ---------------------------------------------------------------------------

    def rows(self, depth: int) -> tuple[str, str]:
        """A list of events, messages or JSON, and of which."""
        kind = self.pick("event", "event", "event", "message", "json")
        if kind == "json":
            return kind, self.json(0)
        named = self.pick('events("A")', 'events("B")') if kind == "event" else 'messages("j")'
        if self.pick("y", "n") == "y":
            named = f"{named[:-1]}, {self.pick(*SPANS)})"
        elif kind == "message" and self.pick("y", "n") == "y":
            named = "messages()"
        if depth > 0 and self.pick("y", "n", "n") == "y":
            name = f"v{len(self.loops)}"
            body = Grammar(self.chance, (*self.loops, (name, kind))).condition(depth - 1)
            named = f"{named}.filter({name}, {body})"
        return kind, named

    def numbers(self, depth: int) -> str:
        kind, listed = self.rows(depth)
        name = f"v{len(self.loops)}"
        inner = Grammar(self.chance, (*self.loops, (name, kind)))
        item = inner.number(depth - 1) if self.pick("y", "n") == "y" else inner.json(0)
        if self.pick("y", "n", "n") == "y":
            return f"{listed}.map({name}, {inner.condition(depth - 1)}, {item})"
        mapped = f"{listed}.map({name}, {item})"
        if self.pick("y", "n", "n", "n") == "y":
            return f"{mapped}.filter(w, w {self.pick(*COMPARISONS)} {self.literal()})"
        return mapped

    def times(self, depth: int) -> str:
        kind, listed = self.rows(depth)
        name = f"v{len(self.loops)}"
        return f"{listed}.map({name}, {Grammar(self.chance, (*self.loops, (name, kind))).time(0)})"

    # Values --------------------------------------------------------------------------

    def literal(self) -> str:
        return self.pick(*NUMBERS, *WHOLE, *TEXTS, "null", "true", "false")

    def path(self) -> str:
        root = self.pick(
            "customer", *(name for name, _ in self.loops), *(name for name, _ in self.loops)
        )
        kind = dict(self.loops).get(root, "json")
        if kind == "message":
            return f"{root}.{self.pick(*FIELDS)}"
        if kind == "event" and self.pick("y", "n", "n", "n") == "y":
            return f"{root}.occurred_at"
        path = f"{root}.{self.pick(*KEYS)}"
        return f"{path}.{self.pick(*KEYS)}" if self.pick("y", "n", "n", "n") == "y" else path

    def json(self, depth: int) -> str:
        d = depth - 1
        return self.one_of(
            depth,
            [self.path, self.path, self.path],
            [
                lambda: f"{self.path()}[{self.pick(*PLACES)}]",
                lambda: f"customer.m[{self.json(0)}]",
                lambda: f"customer.l[{self.json(0)}]",
                lambda: f"({self.condition(d)} ? {self.json(d)} : {self.json(d)})",
                lambda: f"({self.json(d)} + {self.json(d)})",
                lambda: self.item(d),
                lambda: f"{self.pick('min', 'max', 'first', 'last')}({self.numbers(d)})",
            ],
        )

    def item(self, depth: int) -> str:
        kind, listed = self.rows(depth)
        key = self.pick(*FIELDS) if kind == "message" else self.pick(*KEYS, "occurred_at")
        place = self.pick("first(@)", "last(@)", "@[0]", "@[1]").replace("@", listed)
        return f"{place}.{key}"

    def number(self, depth: int) -> str:
        d = depth - 1
        return self.one_of(
            depth,
            [lambda: self.pick(*NUMBERS), lambda: self.json(0)],
            [
                lambda: f"({self.number(d)} {self.pick('+', '-', '*', '/')} {self.number(d)})",
                lambda: f"(-{self.json(d)})",
                lambda: f"sum({self.numbers(d)})",
                lambda: f"sum([{self.number(d)}, {self.number(d)}])",
                lambda: f"{self.pick('min', 'max')}({self.numbers(d)})",
                lambda: f"{self.pick('min', 'max')}([{self.json(0)}, {self.pick(*NUMBERS)}])",
                lambda: f"double({self.whole(d)})",
                lambda: f"({self.condition(d)} ? {self.number(d)} : {self.number(d)})",
            ],
        )

    def whole(self, depth: int) -> str:
        d = depth - 1
        return self.one_of(
            depth,
            [lambda: self.pick(*WHOLE), lambda: f"size({self.rows(0)[1]})"],
            [
                lambda: f"{self.rows(d)[1]}.size()",
                lambda: f"size({self.json(d)})",
                lambda: f"size({self.text(d)})",
                lambda: f"size({self.numbers(d)})",
                lambda: f"int({self.json(d)})",
                lambda: f"int({self.number(d)})",
                lambda: f"({self.whole(d)} {self.pick('+', '-', '*', '/', '%')} {self.whole(d)})",
                lambda: f"{self.time(d)}.{self.pick(*PARTS)}()",
                lambda: f'{self.time(d)}.getHours("Europe/Berlin")',
                lambda: f"({self.condition(d)} ? {self.whole(d)} : {self.whole(d)})",
            ],
        )

    def text(self, depth: int) -> str:
        d = depth - 1
        return self.one_of(
            depth,
            [lambda: self.pick(*TEXTS), lambda: self.json(0)],
            [
                lambda: f"lower({self.text(d)})",
                lambda: f"({self.text(d)} + {self.text(d)})",
                lambda: f"string({self.whole(d)})",
            ],
        )

    def span(self, depth: int) -> str:
        return f"({self.time(depth)} - {self.time(depth)})"

    def time(self, depth: int) -> str:
        d = depth - 1
        timed = [f"{name}.{'occurred_at' if kind == 'event' else 'at'}"
                 for name, kind in self.loops if kind != "json"]  # fmt: skip
        return self.one_of(
            depth,
            [lambda: self.pick(*TIMES, *timed, *timed, *timed), lambda: "timestamp(customer.t)"],
            [
                lambda: f"({self.time(d)} {self.pick('+', '-')} {self.pick(*SPANS)})",
                lambda: f"{self.pick('min', 'max', 'first', 'last')}({self.times(d)})",
                lambda: f"timestamp({self.json(d)})",
                lambda: f"{self.pick('first', 'last')}({self.pick(*LISTS)}).occurred_at",
            ],
        )


def written(seed: int, depth: int) -> str:
    """The condition of that number."""
    return Grammar(random.Random(seed)).condition(depth)


# A number each: far more of them fit into the time than of what is drawn part by part.
conditions = st.builds(written, st.integers(0, 2**32), st.integers(1, 3))
