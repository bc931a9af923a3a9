"""What we add to CEL: one table, a row a function.

A row holds everything about its function: how it is called and how it is evaluated over the facts
of one customer. How it is said in SQL stands in `sql.functions`, a row a function as well.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cel_expr_python import cel

from expressions.lists import first, largest, last, smallest, total
from expressions.present import (
    PRESENT,
    Present,
    instant,
    is_in_audience,
    is_subscribed,
    past_events,
    past_messages,
)
from expressions.scalars import days, hours, lower

__all__ = ["FUNCTIONS", "PRESENT", "Function", "Present", "Signature", "instant"]


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function, and its evaluator."""

    id: str
    parameters: tuple[cel.Type, ...]
    returns: cel.Type
    evaluate: Callable[..., object]


@dataclass(frozen=True, slots=True)
class Function:
    """A row: name, how it is written, its signatures; `shown` puts its value among the operands.

    One that reads facts is given their `names` first, written out: what each is the name of.
    """

    name: str
    usage: str
    signatures: tuple[Signature, ...]
    shown: bool = False
    names: tuple[str, ...] = ()


T = cel.Type
MAPS = T.List(T.Map(T.STRING, T.DYN))
ANY = T.List(T.DYN)

FUNCTIONS: tuple[Function, ...] = (
    Function(
        "events",
        'events("Order Completed") or events("Order Completed", days(30))',
        shown=True,
        names=("event",),
        signatures=(
            Signature("events_name", (T.STRING,), MAPS, past_events),
            Signature("events_name_within", (T.STRING, T.DURATION), MAPS, past_events),
        ),
    ),
    Function(
        "messages",
        'messages(), messages("cart") or messages("cart", days(30))',
        shown=True,
        names=("journey",),
        signatures=(
            Signature("messages_all", (), MAPS, past_messages),
            Signature("messages_journey", (T.STRING,), MAPS, past_messages),
            Signature("messages_journey_within", (T.STRING, T.DURATION), MAPS, past_messages),
        ),
    ),
    Function(
        "in_audience",
        'in_audience("vip")',
        shown=True,
        names=("audience",),
        signatures=(Signature("in_audience_name", (T.STRING,), T.BOOL, is_in_audience),),
    ),
    Function(
        "subscribed",
        'subscribed("email") or subscribed("email", "offers")',
        shown=True,
        names=("channel", "topic"),
        signatures=(
            Signature("subscribed_channel", (T.STRING,), T.BOOL, is_subscribed),
            Signature("subscribed_topic", (T.STRING, T.STRING), T.BOOL, is_subscribed),
        ),
    ),
    Function(
        "sum",
        'sum(events("Order Completed").map(e, e.total))',
        shown=True,
        signatures=(Signature("sum_list", (ANY,), T.DOUBLE, total),),
    ),
    Function(
        "min",
        'min(events("Order Completed").map(e, e.total))',
        shown=True,
        signatures=(Signature("min_list", (ANY,), T.DYN, smallest),),
    ),
    Function(
        "max",
        'max(events("Order Completed").map(e, e.occurred_at))',
        shown=True,
        signatures=(Signature("max_list", (ANY,), T.DYN, largest),),
    ),
    Function(
        "first",
        'first(events("Order Completed")).total',
        signatures=(Signature("first_list", (ANY,), T.DYN, first),),
    ),
    Function(
        "last",
        'last(events("Order Completed")).total',
        signatures=(Signature("last_list", (ANY,), T.DYN, last),),
    ),
    Function(
        "days",
        "days(30)",
        signatures=(
            Signature("days_int", (T.INT,), T.DURATION, days),
            Signature("days_double", (T.DOUBLE,), T.DURATION, days),
        ),
    ),
    Function(
        "hours",
        "hours(12)",
        signatures=(
            Signature("hours_int", (T.INT,), T.DURATION, hours),
            Signature("hours_double", (T.DOUBLE,), T.DURATION, hours),
        ),
    ),
    Function(
        "lower",
        "lower(customer.plan)",
        signatures=(Signature("lower_string", (T.STRING,), T.STRING, lower),),
    ),
)
