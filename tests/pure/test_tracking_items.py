"""What an item of the tracking protocol becomes."""

from datetime import UTC, datetime, timedelta

import pytest

from api.tracking.errors import BadItem
from api.tracking.segment import Envelope, Item, read_item
from api.tracking.times import occurrence
from journeys.event import SHARDS, Event, event_id, linked_shard, shard, shard_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ENVELOPE = Envelope(NOW, None, {}, is_suspect=True)


def read(kind: str, **fields: object) -> Event:
    item: Item = {"type": kind, "messageId": "m1", "userId": "u1", **fields}
    return read_item(item, None, ENVELOPE)


def code_of(kind: str, **fields: object) -> str:
    with pytest.raises(BadItem) as caught:
        read(kind, **fields)
    return caught.value.code


def test_a_track_brings_its_name_and_properties() -> None:
    event = read("track", event="Order Completed", properties={"total": 5})

    assert (event.name, event.properties) == ("Order Completed", {"total": 5})
    assert event.id == event_id("m1")


def test_an_identify_takes_traits_from_the_context_too() -> None:
    context = {"traits": {"email": "a@b.c", "plan": "old"}, "locale": "de"}

    event = read("identify", traits={"plan": "new"}, context=context)

    assert event.name == "Customer Identified"
    assert event.properties == {"email": "a@b.c", "plan": "new"}
    assert event.context == {"locale": "de"}


@pytest.mark.parametrize(
    ("kind", "fields", "name", "properties"),
    [
        ("page", {"name": "Home", "category": None}, "Page Viewed", {"name": "Home"}),
        ("screen", {"properties": {"a": 1}, "name": "S"}, "Screen Viewed", {"a": 1, "name": "S"}),
        ("group", {"groupId": 7, "traits": {"p": 1}}, "Group Joined", {"p": 1, "group_id": "7"}),
        ("alias", {"previousId": "old"}, "Customer Aliased", {"previous_id": "old"}),
    ],
)
def test_the_other_kinds_have_names_of_ours(
    kind: str, fields: Item, name: str, properties: Item
) -> None:
    event = read(kind, **fields)

    assert (event.name, event.properties) == (name, properties)


@pytest.mark.parametrize(("given", "kept"), [(12, "12"), (12.0, "12"), ("a b", "a b"), (-3, "-3")])
def test_ids_that_are_whole_numbers_become_text(given: object, kept: str) -> None:
    assert read("track", event="E", userId=given).user_id == kept


def test_null_and_empty_ids_are_none() -> None:
    event = read("track", event="E", userId="", anonymousId="a1")

    assert (event.user_id, event.anonymous_id) == (None, "a1")
    assert code_of("track", event="E", userId=None, anonymousId=None) == "no_customer"


def test_a_missing_message_id_is_made() -> None:
    first, second = (read("track", event="E", messageId=None) for _ in range(2))

    assert first.id != second.id


def test_an_alias_names_two_ids_only() -> None:
    event = read("alias", previousId="old", anonymousId="a1")

    assert event.anonymous_id is None
    assert code_of("alias", previousId="old", userId=None, anonymousId="a") == "no_customer"


def deep(levels: int) -> Item:
    value: Item = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"event": None}, "no_name"),
        ({"event": 5}, "no_name"),
        ({"event": "x" * 201}, "bad_name"),
        ({"userId": "x" * 257}, "bad_id"),
        ({"userId": True}, "bad_id"),
        ({"userId": 1.5}, "bad_id"),
        ({"messageId": "x" * 257}, "bad_id"),
        ({"properties": [1]}, "not_an_object"),
        ({"context": "x"}, "not_an_object"),
        ({"timestamp": "yesterday"}, "bad_timestamp"),
        ({"timestamp": 1700000000}, "bad_timestamp"),
        ({"timestamp": [[]]}, "bad_timestamp"),
        ({"properties": {"a": "x\0"}}, "nul_character"),
        ({"properties": {"x\0": 1}}, "nul_character"),
        ({"properties": {"a": [float("inf")]}}, "not_finite"),
        ({"properties": {"a": "\ud800"}}, "lone_surrogate"),
        ({"properties": deep(33)}, "too_deep"),
        ({"properties": deep(300)}, "too_deep"),
        ({"properties": {"a": "x" * 256 * 1024}}, "too_large"),
        ({"type": "unheard"}, "unknown_type"),
        ({"type": [[]]}, "unknown_type"),
    ],
)
def test_a_bad_item_is_named(fields: Item, code: str) -> None:
    assert code_of("track", **{"event": "E", **fields}) == code


def test_a_deep_item_is_found_without_suspicion() -> None:
    item: Item = {"userId": "u", "event": "E", "properties": deep(300)}

    with pytest.raises(BadItem, match="nested deeper"):
        read_item(item, "track", Envelope(NOW, None, {}, is_suspect=False))


def test_an_item_may_be_as_deep_as_the_limit_says() -> None:
    assert read("track", event="E", properties=deep(30)).properties == deep(30)


@pytest.mark.parametrize(
    ("sent", "stamped", "expected"),
    [
        (None, None, NOW),
        (None, NOW - timedelta(days=3), NOW - timedelta(days=3)),
        (None, NOW + timedelta(days=3), NOW),
        # A sender whose clock is a year behind, and one that is a year ahead.
        (NOW - timedelta(days=365), NOW - timedelta(days=365, hours=1), NOW - timedelta(hours=1)),
        (NOW + timedelta(days=365), NOW + timedelta(days=364), NOW - timedelta(days=1)),
        (NOW, NOW + timedelta(hours=1), NOW),
    ],
)
def test_an_event_occurred_as_long_ago_as_its_sender_says(
    sent: datetime | None, stamped: datetime | None, expected: datetime
) -> None:
    assert occurrence(NOW, sent, stamped) == expected


def test_the_original_timestamp_goes_before_the_timestamp() -> None:
    event = read(
        "track",
        event="E",
        originalTimestamp="2026-11-23T10:00:00.123456789Z",
        timestamp="2026-11-23T11:00:00+00:00",
        sentAt="2026-11-23T10:30:00Z",
    )

    assert event.occurred_at.replace(microsecond=0) == datetime(2026, 11, 23, 11, 30, tzinfo=UTC)


def test_times_out_of_reach_are_a_bad_timestamp() -> None:
    assert code_of("track", event="E", timestamp="0001-01-01T00:00:00+14:00") == "bad_timestamp"
    early, late = "0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z"
    assert code_of("track", event="E", timestamp=early, sentAt=late) == "bad_timestamp"


def test_linked_shards_are_those_of_the_second_id() -> None:
    known = read("track", event="E", userId="u1")
    both = read("track", event="E", userId="u1", anonymousId="a1")
    alias = read("alias", userId="u1", previousId="old")

    assert 0 <= shard("u1", None) < SHARDS
    assert shard("u1", "a1") == shard("u1", None) == shard_of("u1")
    assert linked_shard(known) is None
    assert linked_shard(both) == shard_of("a1")
    assert linked_shard(alias) == shard_of("old")
    assert linked_shard(read("track", event="E", userId=None, anonymousId="a1")) is None
    assert linked_shard(read("track", event="E", userId="x", anonymousId="x")) is None
