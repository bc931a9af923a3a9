"""Filters that we add or replace, and the guard around those that Liquid brings."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from zoneinfo import ZoneInfo

from liquid import RenderContext
from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context

from journeys.liquid.values import Missing, bounded, whole

ARITHMETIC = {
    "abs",
    "at_least",
    "at_most",
    "ceil",
    "divided_by",
    "floor",
    "minus",
    "modulo",
    "plus",
    "round",
    "sum",
    "times",
}


def guarded(name: str, function: Callable[..., object]) -> Callable[..., object]:
    """The filter, refusing missing values and endless ranges; numbers become text as printed."""

    def take(value: object) -> object:
        if isinstance(value, Missing):
            value.fail()
        return bounded(value) if name in ARITHMETIC else whole(bounded(value))

    @wraps(function)
    def guard(left: object, *args: object, **named: object) -> object:
        return function(take(left), *[take(arg) for arg in args], **named)

    return guard


def to_json(value: object) -> str:
    """The value as JSON, for the bodies of webhooks."""
    return json.dumps(value, ensure_ascii=False)


@with_context
def date(value: object, form: str, zone: str | None = None, *, context: RenderContext) -> str:
    """A time (ISO 8601 or Unix seconds) in the `strftime` form given, in that time zone."""
    if value in {"now", "today"}:
        value = context.get(["message", "now"], token=None)
    try:
        if isinstance(value, int | float):
            moment = datetime.fromtimestamp(value, UTC)
        else:
            moment = datetime.fromisoformat(str(value))
        if zone is not None:
            moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(ZoneInfo(zone))
    except (ValueError, OverflowError, OSError, KeyError) as error:
        raise FilterArgumentError(f"date: {error}", token=None) from error
    return moment.strftime(form)
