"""Made-up journeys and events, for walking the same way in two runtimes.

Waits last whole hours and each event has a minute of its own, so none comes near a deadline.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from journeys.event import Event, event_id

START = datetime(2026, 3, 27, 12, tzinfo=UTC)  # clocks change in Europe two days later
USERS = ("ada", "bob")
TRAITS: dict[str, dict[str, Any]] = {
    "ada": {"email": "ada@x.example", "level": 1, "time_zone": "Europe/Berlin"},
    "bob": {"level": 5, "renewal": "2026-03-29"},
}

hours = st.integers(1, 40).map(lambda count: f"{count}h")
awaited = st.fixed_dictionaries(
    {"event": st.sampled_from(["A", "B", "Start"])},
    optional={"when": st.just("event.n > 5"), "since": st.sampled_from(["step", "entry"])},
)
KINDS: dict[str, tuple[tuple[str, ...], st.SearchStrategy[dict[str, Any]]]] = {
    "wait": (
        ("waited",),
        st.one_of(
            st.fixed_dictionaries({"duration": hours}),
            st.just({"next": {"time": "02:30"}}),
            st.just({"window": {"from": "22:00", "to": "06:00", "weekdays": ["sat", "sun"]}}),
        ),
    ),
    "wait_date": (
        ("waited", "no_date"),
        st.just({"date": {"attribute": "renewal", "before": "1d", "at": "09:00"}}),
    ),
    "wait_for": (
        ("one", "two", "timed_out"),
        st.fixed_dictionaries({
            "events": st.fixed_dictionaries({"one": awaited, "two": awaited}),
            "timeout": hours,
        }),
    ),
    "branch": (
        ("high", "asked", "otherwise"),
        st.just({"branches": {"high": "customer.level > 2", "asked": "entry.n > 5"}}),
    ),
    "split": (("a", "b"), st.just({"paths": {"a": 30, "b": 70}})),
    "send": (("sent", "not_sent"), st.just({"channel": "email", "template": "hello"})),
    "update": (("updated", "failed"), st.just({"set": {"level": "entry.n"}})),
    "emit": (("emitted", "failed"), st.just({"event": "Emitted", "properties": {"n": "entry.n"}})),
}


@st.composite
def journeys(draw: st.DrawFn) -> dict[str, Any]:
    """The definition of a journey without a name; every edge leads onward."""
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5))
    steps = []
    for number, kind in enumerate(kinds):
        exits, fields = KINDS[kind]
        onward = st.sampled_from([*(f"s{one}" for one in range(number + 1, len(kinds))), "end"])
        then = {exit: draw(onward) for exit in exits}
        steps.append({
            "id": f"s{number}",
            "kind": "wait" if kind == "wait_date" else kind,
            "then": then,
            **draw(fields),
        })
    return {
        "entry": {
            "event": "Start",
            "reentry": draw(st.sampled_from(["never", "after_exit", {"after": "1d"}])),
        },
        "exits": draw(st.sampled_from([[], [{"event": "Bought", "when": "event.n > entry.n"}]])),
        "goal": {"event": "B", "within": "2d"},
        "steps": steps,
    }


@st.composite
def happenings(draw: st.DrawFn) -> list[tuple[str, str, timedelta, int]]:
    """Events as (name, customer, time after the start, a number), each with its own minute."""
    found = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["Start", "A", "B", "Bought"]),
                st.sampled_from(USERS),
                st.integers(0, 90),
                st.integers(0, 10),
            ),
            min_size=1,
            max_size=6,
        )
    )
    return [
        ("Start", draw(st.sampled_from(USERS)), timedelta(minutes=1), draw(st.integers(0, 10))),
        *(
            (name, user, timedelta(hours=hour, minutes=minute), number)
            for minute, (name, user, hour, number) in enumerate(
                sorted(found, key=lambda one: one[2]), 2
            )
        ),
    ]


def made(name: str, user: str, after: timedelta, **properties: Any) -> Event:
    """The event of one happening; a kind of its own tells what somebody is like."""
    message_id = f"{name}/{user}/{after}"
    return Event(
        id=event_id(message_id),
        received_at=START + after,
        occurred_at=START + after,
        kind="identify" if name == "Customer Identified" else "track",
        name=name,
        message_id=message_id,
        user_id=user,
        anonymous_id=None,
        properties=properties,
        context={},
    )
