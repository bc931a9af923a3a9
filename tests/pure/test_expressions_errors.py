"""What the author of a wrong expression is told."""

import pytest

from expressions import ALL, ExpressionError, condition


def refused(source: str, roots: frozenset[str] = ALL) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        condition(source, roots=roots)
    return caught.value


@pytest.mark.parametrize(
    ("source", "column", "message", "hint"),
    [
        ("event.total = 3", 13, "`=` is not an operator", "write `==`"),
        ("event.total > 3 & true", 17, "`&` is not an operator", "write `&&`"),
        ("event.total > 3 and true", 17, "`and` is not an operator", "write `&&`"),
        ("not customer.x", 5, "`not` is not an operator", "write `!`"),
        ("event.total == None", 16, "there is no `None`", "write `null`"),
        ("event.total >", 14, "the expression ends too early", "a value or a closing bracket"),
        ("event.x == 'a", 12, "the text that starts here has no closing quote", None),
        ("foo(1)", 4, "there is no function `foo`", "there are: days, events, first, hours"),
        ('event("x").size() > 1', 6, "there is no function `event`", "did you mean `events`?"),
        ('events("a").sum() > 3', 16, "`sum` is not called like this", "write sum("),
        ("events(3)", 7, "`events` does not take (int)", "write events("),
        ("evnt.x == 1", 5, "there is no `evnt`", "did you mean `event`?"),
        ("customer.plan == pro", 18, "there is no `pro`", 'text stands in quotes: "pro"'),
        ("events(event.name).size() > 1", 13, "the name of the event must be written out", "write"),
        ("customer.n + 1 > 3", 12, "`+` never works here", "like 1.0"),
        ("customer.n % 2 == 0", 12, "`%` never works here", "int("),
        ("customer", 1, "this is a map<string, dyn>, not a yes or a no", "compare it"),
        ("", 1, "the expression is empty", None),
        ("+".join(["1.0"] * 50) + " > 1.0", 1, "nested too deeply", None),
        ("true || " * 2000 + "true", 1, "characters; 10000 are the limit", None),
    ],
)
def test_error_names_place_cause_and_remedy(
    source: str, column: int, message: str, hint: str | None
) -> None:
    error = refused(source)

    assert (error.line, error.column) == (1, column)
    assert message in error.message
    assert hint is None or hint in str(error.hint)


def test_caret_stands_under_the_place() -> None:
    error = refused("event.total > 5 &&\n  entry.x = 3")

    assert error.line == 2
    assert str(error) == "2:11: `=` is not an operator\n  entry.x = 3\n          ^\nwrite `==`"


def test_variable_of_another_place_is_refused_with_those_of_this_one() -> None:
    error = refused("event.total > 3", frozenset({"customer", "now"}))

    assert error.message == "`event` is not available here"
    assert error.hint == "available here: customer, now"


def complaint(source: str) -> str:
    try:
        condition(source)
    except ExpressionError as error:
        return error.message
    return ""


def test_deep_nesting_can_be_read() -> None:
    body, complaints = "true", set()
    for depth in range(20):
        body = f"customer.l.all(v{depth}, {body})"
        complaints.add(complaint(body))

    assert complaints == {""}
