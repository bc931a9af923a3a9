"""What is rendered without walking python-liquid's tree reads as python-liquid writes it."""

import random
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from liquid.exceptions import LiquidError

from bench.news import TEMPLATES
from journeys.liquid.dialect import Content, parse
from journeys.liquid.direct import direct
from journeys.templates import Template

COMMON = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
KEYS = ["name", "n", "x", "yes", "none", "items", "deep", "at", "size", "first", "nope"]
PATHS = [
    "customer.{}", "customer.{}", "customer.{}", "entry.{}", "customer.deep.{}",
    "entry.items[0].{}", "customer.{}.name", "customer.items.{}", "customer[entry.name]",
    "customer.items[1]", "customer['{}']", "i", "i.{}", "i.{}", "a", "a.{}", "b", "{}", "now.x",
    "nope.{}", "entry", "forloop.index", "forloop.last", "forloop.parentloop.index", "forloop",
    "a.size", "[entry.name].n",
]  # fmt: skip
LITERALS = [
    "'a'", "'<b>'", "'é & è'", "''", "' '", "0", "1", "2", "-3", "1.0", "2.5", "true", "false",
    "nil", "empty", "blank", "(1..3)", "(1..100000)", "9007199254740993",
    "'2026-11-24T10:00:00Z'",
]  # fmt: skip
FILTERS = [
    "upcase", "downcase", "append: {}", "prepend: {}", "plus: {}", "times: {}", "divided_by: {}",
    "round: {}", "escape", "strip_html", "newline_to_br", "size", "first", "last", "join: {}",
    "map: {}", "json", "date: '%d.%m.%Y'", "date: {}", "date: '%H:%M', 'Europe/Paris'",
    "default: {}", "default: {}", "default: {}", "default", "default: {}, allow_false: true",
    "default: {}, {}", "replace: {}, {}", "truncate: {}", "split: {}", "slice: {}, {}", "sort",
    "where: {}, {}", "url_encode", "concat: {}", "abs", "capitalize", "upcase: {}", "uniq",
    "compact", "nope",
]  # fmt: skip
COMPARISONS = ["==", "!=", "<", "<=", ">", ">=", "<>", "contains"]
TEXTS = ["x", "\r\n", "Hello ", "<p>\n", "\n", " ", "é", "€ ", "\n\n", "'", "%", "{", "\U0001f600"]
VALUES: list[Any] = [
    None, True, False, 0, 1, 2, 3, 20.0, 2.5, -0.0, 1e300, 10**30, 9007199254740993, "", " ", "a",
    "<b>", "Ann & \"Co\" 'x'", "é", "€\U0001f600", "2026-11-24T10:00:00Z", "12", "name", [], {},
    [1, "a", None, True], [{"name": "<A>", "n": 3.0}, {"name": "B", "n": None}], ["x"] * 101,
    {"name": "q", "n": 1, "first": "f"}, {"size": 7}, [[1, 2], [3]], "\ud800", "y" * 300,
]  # fmt: skip


class Author:
    """Writes parts by chance."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def one(self, choices: list[Any]) -> Any:
        return self._chance.choice(choices)

    def rarely(self) -> bool:
        return self._chance.random() < 0.2

    def path(self) -> str:
        return str(self.one(PATHS)).format(self.one(KEYS))

    def primitive(self) -> str:
        return str(self.one(LITERALS)) if self._chance.random() < 0.4 else self.path()

    def filtered(self) -> str:
        text = self.primitive() if self.rarely() else self.path()
        for _ in range(self.one([0, 0, 1, 1, 2])):
            text += " | " + self.one(FILTERS).format(self.primitive(), self.primitive())
        return text

    def condition(self) -> str:
        text = self.path()
        if self._chance.random() < 0.7:
            compares = self.one(COMPARISONS)
            text = f"{self.primitive()} {compares} {self.primitive()}"
        if self.rarely():
            text += f" {self.one(['and', 'or'])} {self.condition()}"
        return text

    def part(self, depth: int = 0) -> str:
        return "".join(self.node(depth) for _ in range(self.one([1, 1, 2, 3])))

    def node(self, depth: int) -> str:
        nodes = [self.text, self.text, self.printing, self.printing, self.assignment, self.other]
        if depth < 3:
            nodes += [self.choice, self.choice, self.loop]
        return str(self.one(nodes)(depth))

    def text(self, _: int) -> str:
        return str(self.one(TEXTS))

    def printing(self, _: int) -> str:
        return f"{{{{ {self.filtered()} }}}}"

    def assignment(self, _: int) -> str:
        return f"{{% assign {self.one(['a', 'b', 'i', 'customer'])} = {self.filtered()} %}}"

    def other(self, depth: int) -> str:
        return str(
            self.one([
                "{% comment %}no{% endcomment %}",
                f"{{% liquid\n  echo {self.filtered()}\n  assign a = {self.filtered()}\n%}}",
                f"{{% echo {self.filtered()} %}}",
                f"{{% capture b %}}{self.part(3)}{{% endcapture %}}",
                self.cases(),
                "{% break %}" if depth else "",
            ])
        )  # fmt: skip

    def cases(self) -> str:
        text = f"{{% case {self.path()} %}}"
        for _ in range(self.one([1, 2])):
            text += f"{{% when {self.primitive()}, {self.primitive()} %}}{self.part(3)}"
            if self.rarely():
                text += f"{{% else %}}{self.part(3)}"
        return text + "{% endcase %}"

    def choice(self, depth: int) -> str:
        tag = self.one(["if", "if", "unless"])
        text = f"{{% {tag} {self.condition()} %}}{self.part(depth + 1)}"
        if self.rarely():
            text += f"{{% elsif {self.condition()} %}}{self.part(depth + 1)}"
        if self.rarely():
            text += f"{{% else %}}{self.part(depth + 1)}"
        return f"{text}{{% end{tag} %}}"

    def loop(self, depth: int) -> str:
        over = self.one([
            "customer.items",
            "entry.items",
            "entry.items",
            "(1..2)",
            "i",
            self.path(),
        ])
        asks = self.one(["", "", " limit: 1", " reversed", " limit: 0", " offset: 1", " limit: i"])
        text = f"{{% for {self.one(['i', 'i', 'i', 'forloop'])} in {over}{asks} %}}"
        text += self.part(depth + 1)
        if self.rarely():
            text += f"{{% else %}}{self.part(depth + 1)}"
        return text + "{% endfor %}"

    def names(self, depth: int = 0) -> dict[str, Any]:
        found = {key: self.one(VALUES) for key in KEYS if not self.rarely()}
        if depth < 1 and not self.rarely():
            found["deep"] = self.names(depth + 1)
        return found

    def data(self) -> dict[str, Any]:
        data = {
            "customer": self.names(),
            "entry": self.names() | {"items": [self.names(1), self.names(1)]},
            "message": {"now": "2026-11-24T00:00:00Z"},
        }
        if self.rarely():
            data |= {self.one(["customer", "entry", "name", "a"]): self.one(VALUES)}
        return data


def outcome(render: Any, data: dict[str, Any]) -> tuple[Any, ...]:
    """The text, or the error as those see it who handle it."""
    try:
        text = render(data)
    except LiquidError as error:
        at = error.token and error.token.start_index
        return type(error), str(error.message), at, getattr(error, "path", None)
    except Exception as error:
        return type(error), str(error)
    assert type(text) is str
    return ("text", text)


def parsed(source: str, is_html: bool) -> Content:
    try:
        return parse(source, is_html)
    except LiquidError:
        assume(False)
        raise


@settings(COMMON, max_examples=2_000)
@given(written=st.integers(0, 2**32), lived=st.integers(0, 2**32), is_html=st.booleans())
def test_any_part_reads_as_python_liquid_writes_it(written: int, lived: int, is_html: bool) -> None:
    content, data = parsed(Author(written).part(), is_html), Author(lived).data()
    before = repr(data)

    found, expected = outcome(content.rendered, data), outcome(content.walked, data)

    event(f"{'direct' if direct(content) else 'walked'}: {'text' if len(found) == 2 else 'error'}")
    assert found == expected
    assert repr(data) == before


@settings(COMMON, max_examples=1_000)
@given(seed=st.integers(0, 2**32), is_html=st.booleans())
def test_what_is_printed_alone_reads_as_python_liquid_writes_it(seed: int, is_html: bool) -> None:
    author = Author(seed)
    content = parsed(author.printing(0) + author.choice(3), is_html)
    data = author.data()

    assert outcome(content.rendered, data) == outcome(content.walked, data)


@pytest.mark.parametrize("is_html", [False, True])
@pytest.mark.parametrize("compares", COMPARISONS)
@pytest.mark.parametrize("right", ["entry.right", *LITERALS])
def test_any_two_values_compare_as_in_python_liquid(
    right: str, compares: str, is_html: bool
) -> None:
    content = parse(f"{{% if entry.left {compares} {right} %}}x{{% endif %}}", is_html)

    for left, other in product(VALUES, VALUES if right == "entry.right" else [None]):
        data = {"entry": {"left": left, "right": other}}
        assert outcome(content.rendered, data) == outcome(content.walked, data), data


HERE: dict[str, Any] = {
    "customer": {"name": "<A>", "n": 3.0, "worth": 600.5, "plan": "pro", "items": [{"n": 1}] * 3},
    "entry": {"big": "é" * 200_000, "many": ["x" * 200] * 100, "long": ["x"] * 101},
}


@pytest.mark.parametrize("is_html", [False, True])
@pytest.mark.parametrize(
    "source",
    [
        *Template.model_validate(TEMPLATES["news"]).parts.values(),
        "{{ customer.name | upcase | append: '<br>' }} {{ customer.n }}",
        "{{ customer.none.deeper | default: 'there' }}{{ customer.items.size }}",
        "{% unless customer.plan == 'pro' and customer.n <= 3 %}a{% elsif true %}b{% endunless %}",
        "{% for i in customer.items limit: 2 %}{{ forloop.index }}{{ i.n }}{% else %}-{% endfor %}",
        "{% assign a = customer.n | times: 2 %}{% if a > 5 %}{{ a }}{% endif %}",
        "{% capture b %}{{ customer.name }}{% endcapture %}{{ b }}{{ b }}",
        "{% case customer.plan %}{% when 'a', 'pro' %}p{% else %}q{% endcase %}",
        "{% liquid\n  echo customer.n\n%}{% comment %}no{% endcomment %}",
        "{{ customer.size | default: 'none' }}{{ customer.items.first.n }}",
        "{% if now %}n{% endif %}{% if customer.now or today == nil %}t{% endif %}",
    ],
)
def test_what_mails_are_made_of_is_rendered_directly(source: str, is_html: bool) -> None:
    content = parse(source, is_html)
    customer = {"country": "FR", "household": "H", "email": "a@example.com"} | HERE["customer"]
    data = HERE | {"customer": customer}

    write = direct(content)

    assert write is not None
    assert write(data) == content.walked(data)


@pytest.mark.parametrize("is_html", [False, True])
@pytest.mark.parametrize(
    ("source", "is_too_long"),
    [
        ("{{ entry.big }}{{ entry.big }}", False),
        ("{{ entry.big }}" * 3, True),
        ("{{ entry.nope | default: entry.big }}" * 3 + "{{ customer.nope }}", True),
        ("{{ customer.nope }}" + "{{ entry.big }}" * 3, True),
        ("{% for i in entry.many %}{{ i }}{% endfor %}", False),
        ("{% for j in entry.many %}{% for i in entry.many %}{{ i }}{% endfor %}{% endfor %}", True),
        ("{% for j in entry.long %}{% for i in entry.many %}{% endfor %}{% endfor %}", True),
        ("{% for i in entry.long %}{{ i }}{% endfor %}", False),
        ("{% capture b %}{{ entry.big }}{{ entry.big }}{{ entry.big }}{% endcapture %}", True),
        ("{% assign a = entry.big %}" * 101, False),
        ("{% assign a = entry.big %}{% assign b = a | append: a | append: a %}{{ b }}", True),
        ("{% assign a = (1..100000) %}{% if a == 1 %}x{% endif %}", True),
        ("{% assign customer = 1 %}{{ customer }}", False),
        ("{% capture b %}a\r\nb\r{% endcapture %}{{ b }}", False),
    ],
)
def test_limits_are_those_of_python_liquid(source: str, is_too_long: bool, is_html: bool) -> None:
    content = parse(source, is_html)

    found = outcome(content.rendered, HERE)

    assert found == outcome(content.walked, HERE)
    assert (found[0] != "text") is is_too_long
