"""What SQL cannot say as CEL means it is refused at its place; all else is one statement."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from expressions import ExpressionError
from expressions.sql import compile

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def refused(source: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        compile(source)
    return caught.value


@pytest.mark.parametrize(
    ("source", "column", "message"),
    [
        ("event.total > 1.0", 6, "`event` is not available here"),
        ("customer.x.matches('a')", 19, "regular expressions are another language in SQL"),
        ("true && customer.x == 3u", 23, "SQL has no uint"),
        ("customer.x == b'a'", 15, "SQL has no bytes"),
        ("type(customer.x) == int", 5, "`type` is not possible in SQL"),
        ("string(customer.x) == '1'", 7, "`string` is written differently by SQL"),
        ("double(customer.x) == 1.0", 7, "a number cannot be read from a text in SQL"),
        ("bool(customer.x)", 5, "`bool` is not possible in SQL"),
        ("now + days(customer.n) > now", 11, "a length of time must be written out in SQL"),
        ("duration(customer.d) > days(1)", 9, "a length of time must be written out in SQL"),
        ('events("A", days(customer.n)).size() > 1', 17, "a length of time must be written out"),
        ("timestamp(int(customer.n)) < now", 10, "a time from a number of seconds is not possible"),
        ('(now - last(events("A")).occurred_at).getHours() > 3', 47, "of a length of time"),
        ('timestamp(customer.t).getHours("+01:00") > 1', 31, "a time zone must be written out"),
        (
            "timestamp(customer.t).getHours(customer.zone) > 1",
            31,
            "a time zone must be written out",
        ),
        ('events("A")[int(customer.n)].x == 1', 12, "the place in a list"),
        ('events("A")[0] == customer.m', 16, "whole events, messages and lists"),
        ('size(events("A")[0]) == 1', 5, "the number of an event's properties is not known"),
        ('events("A").map(e, e.x) == [1]', 25, "cannot be compared with a list or a map"),
        ("customer.l.filter(x, x > 1)[0] == 1", 28, "the order of items of an attribute's list"),
        ("[customer.a, 1].filter(x, x == 1).size() == 1", 23, "cannot be filtered in SQL"),
        ("{'a': customer.n}.a == 1", 18, "a map that is written out cannot be looked into"),
        ("[customer.n / 3.0] == customer.l", 20, "with computed numbers in it"),
        ("[now] == customer.l", 7, "with times in it"),
        ("customer.l + [1.0] == customer.l", 12, "lists cannot be put together in SQL"),
        ("min([customer.n, now]) == 1.0", 4, "takes numbers only, or times only"),
        ("customer.x == '\\x00'", 15, "cannot hold the character"),
        ("timestamp(customer.t) + duration('3000000h') > now", 23, "more than 292 years"),
        (" == ".join(["customer.b"] * 1 + ["(customer.a == customer.b)"] * 9), None, "intricate"),
    ],
)
def test_what_sql_cannot_say_is_refused_at_its_place(
    source: str, column: int | None, message: str
) -> None:
    error = refused(source)

    assert message in error.message
    assert column is None or (error.line, error.column) == (1, column)


def test_refusal_in_a_later_line_names_it() -> None:
    error = refused('customer.x == 1 &&\n  customer.y.matches("a")')

    assert (error.line, error.column) == (2, 21)
    assert error.caret.endswith("                    ^")


def test_every_value_of_the_expression_is_handed_over() -> None:
    statement = compile(
        'customer.plan in ["free"] && events("Bought", days(3)).exists(e, e.price > 2.75)'
    )

    words = ("plan", "free", "Bought", "price", "2.75")
    assert [word for word in words if word in statement.text] == []
    assert set(statement.arguments(NOW)) == {
        '{"plan": "free"}', "Bought", "price", 2.75, NOW, NOW - timedelta(days=3),
    }  # fmt: skip


def test_attributes_are_compared_so_that_postgres_knows_how_many_to_expect() -> None:
    statement = compile('customer.plan == "pro" && customer.n in [1.5, 2.0] && customer.vip')

    assert statement.text.count("c.attributes @>") == 4
    assert set(statement.arguments(NOW)) == {
        '{"plan": "pro"}', '{"n": 1.5}', '{"n": 2.0}', '{"vip": true}',
    }  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        'customer.plan != "pro"',
        '!(customer.plan == "pro")',
        'customer.plan.tier == "pro"',
        "customer.tags == ['a']",
        "customer.n in [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]",
        'events("A").exists(e, e.plan == customer.plan)',
    ],
)
def test_what_containing_cannot_say_is_compared(source: str) -> None:
    assert "@>" not in compile(source).text


def test_a_property_is_taken_out_of_its_event_once() -> None:
    statement = compile('sum(events("A").map(e, e.n)) > 1.0 && max(events("A").map(e, e.n)) < 9.0')

    assert statement.text.count("r.properties") == 1


def test_nobody_is_told_by_no_more_than_none() -> None:
    assert " <= " in compile('events("A", days(3)).size() == 0 && events("A").size() > 1').text


def test_parts_that_read_only_the_time_are_values() -> None:
    statement = compile('now.getHours("Europe/Berlin") >= 9 && customer.x == 1')

    assert statement.arguments(NOW)[0] is True
    assert statement.arguments(NOW.replace(hour=3))[0] is False
    assert "getHours" not in statement.text


def test_customers_without_events_are_left_out_where_they_cannot_be_meant() -> None:
    assert "LEFT JOIN" not in compile('events("A").size() >= 2').text
    assert "LEFT JOIN" not in compile('size(events("A")) * 5 > size(events("B"))').text
    assert "LEFT JOIN" in compile('events("A").size() < 2').text


def test_one_subquery_serves_all_that_is_asked_of_events() -> None:
    statement = compile(
        'events("A", days(30)).size() > 1 && sum(events("A", days(30)).map(e, e.n)) > 1.0 '
        '&& events("B", days(30)).exists(e, e.n > 5.0)'
    )

    assert statement.text.count("FROM events") == 1
    assert "received_at >" in statement.text


def test_customers_in_question_are_handed_over() -> None:
    statement = compile('events("A").size() >= 2', among=True, counts=True)

    assert statement.text.startswith("SELECT COUNT(*) FROM customers")
    assert [UUID(int=1)] in statement.arguments(NOW, [UUID(int=1)])
