"""Reads one item as Segment's, RudderStack's and Jitsu's clients write it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import uuid4

from api.tracking.errors import BadItem
from api.tracking.limits import ID_LENGTH, NAME_LENGTH, check
from api.tracking.times import occurrence, parse_instant
from journeys.event import NAMES, Event, EventKind, event_id

Item = dict[str, object]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the items of one request share."""

    received_at: datetime
    sent_at: datetime | None
    context: Item
    is_suspect: bool


def read_item(item: object, kind: str | None, envelope: Envelope) -> Event:
    """The event in one item; `kind` is its route's, else the item says it itself."""
    if not isinstance(item, dict):
        raise BadItem("not_an_object", "the item is not a JSON object")
    kind = item.get("type") if kind is None else kind
    if not isinstance(kind, str) or kind not in READERS:
        said = repr(kind[:40]) if isinstance(kind, str) else "of the item"
        raise BadItem("unknown_type", f"type {said} is none of {', '.join(READERS)}")
    context = part(item, "context")
    if envelope.context:
        context = {**envelope.context, **context}
        item = {**item, "context": context}
    check(item, is_suspect=envelope.is_suspect)
    message_id = identifier(item, "messageId") or str(uuid4())
    user_id, anonymous_id = customer_of(item, kind)
    name, properties = READERS[kind](item, context)
    if kind == "identify" and "traits" in context:
        context = {key: value for key, value in context.items() if key != "traits"}
    return Event(
        id=event_id(message_id),
        received_at=envelope.received_at,
        occurred_at=occurred_at(item, envelope),
        kind=cast("EventKind", kind),
        name=name,
        message_id=message_id,
        user_id=user_id,
        anonymous_id=anonymous_id,
        properties=properties,
        context=context,
    )


def customer_of(item: Item, kind: str) -> tuple[str | None, str | None]:
    """The user id and the anonymous id."""
    user_id, anonymous_id = identifier(item, "userId"), identifier(item, "anonymousId")
    if kind == "alias":
        if user_id is None:
            raise BadItem("no_customer", "an alias needs a userId")
        # It joins two ids; a third, which browsers add, is linked by the next event anyway.
        return user_id, None
    if user_id is None and anonymous_id is None:
        raise BadItem("no_customer", "the event has neither userId nor anonymousId")
    return user_id, anonymous_id


def occurred_at(item: Item, envelope: Envelope) -> datetime:
    """When the item occurred, with the sender's clock corrected."""
    stamped = parse_instant(item.get("originalTimestamp"), "originalTimestamp")
    if stamped is None:
        stamped = parse_instant(item.get("timestamp"), "timestamp")
    sent = parse_instant(item.get("sentAt"), "sentAt") or envelope.sent_at
    return occurrence(envelope.received_at, sent, stamped)


def identifier(item: Item, field: str) -> str | None:
    """An id, whole numbers as text; null and the empty text are none."""
    value = item.get(field)
    if value is None or value == "":
        return None
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str):
        raise BadItem("bad_id", f"{field} is neither text nor a whole number")
    if len(value) > ID_LENGTH:
        raise BadItem("bad_id", f"{field} has {len(value)} characters; {ID_LENGTH} are allowed")
    return value


def part(item: Item, field: str) -> Item:
    """An object inside the item, empty when it is missing or null."""
    value = item.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadItem("not_an_object", f"{field} is not a JSON object")
    return value


def event_name(value: object, field: str) -> str:
    """A name that somebody gave to what happened."""
    if not isinstance(value, str) or not value.strip():
        raise BadItem("no_name", f"{field} is missing or not a text")
    if len(value) > NAME_LENGTH:
        raise BadItem("bad_name", f"{field} has {len(value)} characters; {NAME_LENGTH} are allowed")
    return value


def read_track(item: Item, _context: Item) -> tuple[str, Item]:
    """`track`: its own name and properties."""
    return event_name(item.get("event"), "event"), part(item, "properties")


def read_identify(item: Item, context: Item) -> tuple[str, Item]:
    """`identify`: the traits; some clients have them in the context only."""
    traits = part(item, "traits")
    if context.get("traits") is not None:
        traits = {**part(context, "traits"), **traits}
    return NAMES["identify"], traits


def read_page(item: Item, _context: Item) -> tuple[str, Item]:
    """`page`: its properties, with the name and the category of the page."""
    return NAMES["page"], seen(item)


def read_screen(item: Item, _context: Item) -> tuple[str, Item]:
    """`screen`: as a page."""
    return NAMES["screen"], seen(item)


def seen(item: Item) -> Item:
    """The properties of what was looked at."""
    named = {field: item[field] for field in ("name", "category") if item.get(field) is not None}
    return {**part(item, "properties"), **named}


def read_group(item: Item, _context: Item) -> tuple[str, Item]:
    """`group`: the traits of the group, and its id."""
    group_id = identifier(item, "groupId")
    if group_id is None:
        raise BadItem("no_group", "a group event needs a groupId")
    return NAMES["group"], {**part(item, "traits"), "group_id": group_id}


def read_alias(item: Item, _context: Item) -> tuple[str, Item]:
    """`alias`: the id that is given up."""
    previous = identifier(item, "previousId")
    if previous is None:
        raise BadItem("no_previous", "an alias needs a previousId")
    return NAMES["alias"], {"previous_id": previous}


READERS: dict[str, Callable[[Item, Item], tuple[str, Item]]] = {
    "track": read_track,
    "identify": read_identify,
    "page": read_page,
    "screen": read_screen,
    "group": read_group,
    "alias": read_alias,
}
