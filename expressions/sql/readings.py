"""Our functions that read facts: events, messages, audiences, subscriptions; a row a function.

Each is given the query, its arguments, and the customer as the rows around know him.
"""

from collections.abc import Callable
from datetime import timedelta

from sqlglot import exp

from expressions.sql.query import Query
from expressions.sql.relations import CUSTOMER, Found, table
from expressions.sql.rows import later_than, past_events, past_messages
from expressions.sql.statement import Constant
from expressions.sql.syntax import Sql, among, binary, both, column, negated, whole
from expressions.sql.truth import Leaf, Truth
from expressions.sql.values import Nothing, Refused, Scalar, Value

Reading = Callable[[Query, list[Value], Sql], Value]


def _events(query: Query, values: list[Value], owner: Sql) -> Value:
    found = past_events(_name(values[0]), query.alias(), owner, query.bounds)
    return _within(query, found, values)


def _messages(query: Query, values: list[Value], owner: Sql) -> Value:
    journey = _name(values[0]) if values else None
    return _within(query, past_messages(journey, query.alias(), owner, query.bounds), values)


def _within(query: Query, found: Found, values: list[Value]) -> Value:
    """Those of the last days, where it says so."""
    if len(values) < 2:
        return found
    window = values[1]
    if isinstance(window, Nothing):
        return window
    constant = window.constant if isinstance(window, Scalar) else None
    if not isinstance(constant, timedelta):
        raise Refused("how far back it goes must be written out in SQL", "write days(30)")
    return later_than(found, constant, query.bounds)


def _in_audience(query: Query, values: list[Value], owner: Sql) -> Truth:
    named = query.bounds.given(Constant(_name(values[0])), "text")
    conditions = both(
        binary(exp.EQ, column("a", "audience"), named),
        binary(exp.EQ, column("a", "customer"), column(CUSTOMER, "id")),
    )
    rows = exp.select(whole(1)).from_(table("audience_members", "a")).where(conditions)
    return Leaf(exp.Exists(this=rows), sure=True)


def _subscribed(query: Query, values: list[Value], owner: Sql) -> Truth:
    """No row against it; without a topic, none against the channel as a whole."""
    conditions = [binary(exp.EQ, column("u", "customer"), column(CUSTOMER, "id"))]
    asked = [*map(_name, values), "*"]
    for field, name in zip(("channel", "topic"), asked, strict=False):
        choices = [query.bounds.given(Constant(one), "text") for one in (name, "*")]
        conditions.append(among(column("u", field), choices))
    rows = exp.select(whole(1)).from_(table("unsubscriptions", "u")).where(both(*conditions))
    return Leaf(negated(exp.Exists(this=rows)), sure=True)


def _name(value: Value) -> str:
    """A name that is written out, as `checks` has seen to."""
    return str(value.constant) if isinstance(value, Scalar) else ""


READINGS: dict[str, Reading] = {
    "events": _events,
    "messages": _messages,
    "in_audience": _in_audience,
    "subscribed": _subscribed,
}
