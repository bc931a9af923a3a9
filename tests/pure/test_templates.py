"""Templates: what is found before publishing, and what a rendered message never contains."""

from typing import Any

import pytest

from journeys.templates import (
    MissingVariable,
    Renderer,
    TemplateError,
    TemplateProblem,
    check_template,
    variables,
)

DATA: dict[str, Any] = {
    "customer": {
        "first_name": "Ann <b>",
        "nothing": None,
        "plan": "pro",
        "points": 3,
        "tags": [],
        "zone": "Europe/Berlin",
    },
    "entry": {
        "total": 20.0,
        "half": 20.5,
        "at": "2026-11-24T10:00:00Z",
        "items": [{"name": "A", "price": 3.0}, {"name": "B & C", "price": 2.5}],
    },
    "steps": {"call": {"status": 200}},
    "message": {"unsubscribe_url": "https://x/?a=1&b=2", "now": "2026-11-24T00:00:00Z"},
}


def rendered(source: str, part: str = "text") -> str:
    return Renderer().render({part: source}, DATA)[part]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ customer.first_name }}", "Ann <b>"),
        ("{{ customer.nope | default: 'there' }}", "there"),
        ("{{ customer.nope.deeper | default: 'there' }}", "there"),
        ("{{ customer.nothing | default: 'there' }}", "there"),
        ("{% assign n = customer.nope %}{{ n | default: 'there' }}", "there"),
        ("{{ customer[entry.items] | default: 'there' }}", "there"),
        ("{% if customer.nope %}a{% else %}b{% endif %}", "b"),
        ("{% if customer.nope == 'x' %}a{% else %}b{% endif %}", "b"),
        ("{% if customer.nope > 3 %}a{% else %}b{% endif %}", "b"),
        ("{% if customer.nothing == nil %}a{% endif %}", "a"),
        ("{% unless customer.nope %}a{% endunless %}", "a"),
        ("{% case customer.nope %}{% when 'x' %}a{% else %}b{% endcase %}", "b"),
        ("{{ entry.total }} {{ entry.half }}", "20 20.5"),
        ("{{ entry.total | append: ' EUR' }}", "20 EUR"),
        ("{{ entry.total | divided_by: 3 | round: 2 }}", "6.67"),
        ("{{ customer.points }} {{ steps.call.status }}", "3 200"),
        ("{% for i in entry.items %}{{ i.name }}={{ i.price }};{% endfor %}", "A=3;B & C=2.5;"),
        ("{{ entry.at | date: '%H:%M' }}", "10:00"),
        ("{{ entry.at | date: '%H:%M', customer.zone }}", "11:00"),
        ("{{ 'now' | date: '%Y' }}", "2026"),
        ('{"name": {{ customer.first_name | json }}}', '{"name": "Ann <b>"}'),
        ("{% liquid\n  echo entry.total\n%}", "20"),
    ],
)
def test_rendered_text(source: str, expected: str) -> None:
    assert rendered(source) == expected


@pytest.mark.parametrize(
    ("source", "path", "line"),
    [
        ("{{ customer.nope }}", "customer.nope", 1),
        ("a\n\n{{ customer.nothing }}", "customer.nothing", 3),
        ("{{ customer.nope.deeper }}", "customer.nope.deeper", 1),
        ("{{ customer.nope | upcase }}", "customer.nope", 1),
        ("{{ customer.nope | plus: 1 }}", "customer.nope", 1),
        ("{{ 1 | plus: customer.nope }}", "customer.nope", 1),
        ("{{ customer.nope | date: '%Y' }}", "customer.nope", 1),
        ("{{ customer.nope | size }}", "customer.nope", 1),
        ("{{ customer.nope | default: customer.nothing }}", "customer.nothing", 1),
        ("{% assign n = customer.nope %}\n{{ n }}", "customer.nope", 1),
        ("{% for i in entry.nope %}x{% endfor %}", "entry.nope", 1),
        ("{% for i in entry.items %}{{ i.nope }}{% endfor %}", "i.nope", 1),
        ("{{ entry.items[5].name }}", "entry.items[5].name", 1),
        ("{{ customer.tags.first }}", "customer.tags.first", 1),
        ("{% liquid\n  echo customer.nothing\n%}", "customer.nothing", 2),
    ],
)
@pytest.mark.parametrize("part", ["text", "html"])
def test_missing_variable_stops_the_message(source: str, path: str, line: int, part: str) -> None:
    with pytest.raises(MissingVariable) as caught:
        rendered(source, part)

    assert (caught.value.path, caught.value.part, caught.value.line) == (path, part, line)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ customer.first_name }}", "Ann &lt;b&gt;"),
        ("{{ customer.first_name | append: '<br>' }}", "Ann &lt;b&gt;<br>"),
        ("{{ customer.nope | default: '<i>' }}", "<i>"),
        ("<a href='{{ message.unsubscribe_url }}'>", "<a href='https://x/?a=1&amp;b=2'>"),
        ("{{ entry.total }}", "20"),
    ],
)
def test_data_in_html_is_escaped(source: str, expected: str) -> None:
    assert rendered(source, "html") == expected


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\u2028", "\x85", "\x0b"])
def test_subject_is_one_line(ending: str) -> None:
    data = {"customer": {"first_name": f"Ann{ending}Bcc: all@example.com"}}

    parts = Renderer().render({"subject": "Hi {{ customer.first_name }}\n"}, data)

    assert parts == {"subject": "Hi Ann Bcc: all@example.com"}


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..1000000000) %}x{% endfor %}",
        "{% for i in (1..1000000000) reversed %}x{% endfor %}",
        "{% assign r = (1..1000000000) %}{% for i in r reversed %}{% endfor %}",
        "{% for i in (1..9000) %}{% for j in (1..9000) %}x{% endfor %}{% endfor %}",
        "{{ (1..100000000000000000000000) | join: '' }}",
        "{% assign a = 'x' %}{% for i in (1..9000) %}{% assign a = a | append: a %}{% endfor %}",
    ],
)
def test_nothing_runs_without_a_bound(source: str) -> None:
    with pytest.raises(TemplateError):
        rendered(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ customer.points | divided_by: 0 }}",
        "{{ 'junk' | date: '%Y' }}",
        "{{ entry.at | date: '%Y', 'No/Where' }}",
        "{% if customer.plan > 3 %}a{% endif %}",
    ],
)
def test_data_that_do_not_fit_stop_the_message(source: str) -> None:
    with pytest.raises(TemplateError, match="text, line 1: "):
        rendered(source)


@pytest.mark.parametrize(
    ("source", "one", "other"),
    [
        ("{% if customer.v contains customer.w %}a{% endif %}", {}, []),
        ("{{ customer.v | compact: customer.w }}", [{}], "k"),
    ],
)
def test_values_that_nothing_was_made_for_stop_the_message_and_stay_out_of_the_words(
    source: str, one: object, other: object
) -> None:
    data = {"customer": {"v": one, "w": other}}
    with pytest.raises(TemplateError, match=r"text, line 1: \w+Error in a value"):
        Renderer().render({"text": source}, data)


@pytest.mark.parametrize(
    ("source", "line", "message", "hint"),
    [
        ("a\n{{ customer.first_name }", 2, "expected '}}', found end of file", None),
        ("{% if customer.x %}", 1, "expected tag endif, found end of expression", None),
        ("{% foo %}", 1, "unexpected tag 'foo'", None),
        ("a\nb {{ custmer.x }}", 2, "there is no 'custmer'", "did you mean 'customer'?"),
        ("{{ foo }}", 1, "there is no 'foo'", "available: customer, entry, message, steps"),
        (
            "{{ message.unsub_url }}",
            1,
            "message has no 'unsub_url'",
            "did you mean 'unsubscribe_url'?",
        ),
        ("\n\n{{ customer.x | upcas }}", 3, "there is no filter 'upcas'", "did you mean 'upcase'?"),
        (
            "{% include 'x' %}",
            1,
            "unexpected tag 'include'",
            "'include' is not available: every part stands by itself",
        ),
    ],
)
def test_problem_names_line_and_remedy(
    source: str, line: int, message: str, hint: str | None
) -> None:
    assert check_template({"text": source}) == [TemplateProblem("text", line, message, hint)]


def test_all_unknown_names_are_found_at_once() -> None:
    problems = check_template({"text": "{{ a.b }}\n{{ c | nope }}", "html": "{{ d }}"})

    assert [(problem.part, problem.line) for problem in problems] == [
        ("text", 1),
        ("text", 2),
        ("text", 2),
        ("html", 1),
    ]


def test_parts_are_those_of_the_channel() -> None:
    assert check_template({"subject": "a", "html": "b"}, "email") == []
    assert [p.message for p in check_template({"subject": "a"}, "email")] == [
        "email needs text or html"
    ]
    assert [p.message for p in check_template({"text": "a", "html": "b"}, "push")] == [
        "push has no part 'html'",
        "push needs the part 'title'",
    ]


def test_variables_are_the_paths_read_from_outside() -> None:
    parts = {
        "subject": "{{ customer.first_name | default: 'there' }}",
        "html": "{% for i in entry.items %}{{ i.name }}{{ forloop.index }}{% endfor %}"
        "{% assign z = customer['last name'] %}{{ z }}{{ entry.items[0].name }}"
        "{% if steps.call.status == 200 %}{{ message.unsubscribe_url }}{% endif %}",
    }

    assert variables(parts) == {
        "customer.first_name",
        "customer.last name",
        "entry.items",
        "steps.call.status",
        "message.unsubscribe_url",
    }
