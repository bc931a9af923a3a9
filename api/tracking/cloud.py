"""Reads CloudEvents 1.0: structured, in batches, and binary (attributes in headers)."""

from collections.abc import Mapping
from datetime import datetime
from typing import cast
from urllib.parse import unquote

from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.v1.event import CloudEvent

from api.tracking.body import Body, parse
from api.tracking.errors import BadItem, Refusal
from api.tracking.limits import check
from api.tracking.segment import Item, event_name, identifier
from api.tracking.times import occurrence, parse_instant
from journeys.event import Event, event_id

PREFIX = "ce-"
STRUCTURED = "application/cloudevents"
OF_OURS = {"id", "source", "type", "specversion", "subject", "time", "anonymousid"}


def read_event(item: object, received: datetime, *, is_suspect: bool) -> Event:
    """The event in one CloudEvent: its type is the name, its subject the user."""
    if not isinstance(item, dict):
        raise BadItem("not_an_object", "the item is not a JSON object")
    check(item, is_suspect=is_suspect)
    data = item.get("data", item.get("data_base64"))
    attributes = {
        name: value
        for name, value in item.items()
        if value is not None and name not in {"data", "data_base64", "writeKey"}
    }
    time = parse_instant(attributes.get("time"), "time")
    if time is not None:
        attributes["time"] = time
    validate(attributes)
    user_id, anonymous_id = identifier(item, "subject"), identifier(item, "anonymousid")
    if user_id is None and anonymous_id is None:
        raise BadItem("no_customer", "the event has no subject: that is the user's id")
    message_id = message_id_of(item)
    rest = {name: value for name, value in attributes.items() if name not in OF_OURS}
    return Event(
        id=event_id(message_id),
        received_at=received,
        occurred_at=occurrence(received, None, time),
        kind="track",
        name=event_name(item.get("type"), "type"),
        message_id=message_id,
        user_id=user_id,
        anonymous_id=anonymous_id,
        properties=properties_of(data),
        context={"cloudevent": {"source": item["source"], **rest}},
    )


def validate(attributes: dict[str, object]) -> None:
    """Refuse what the specification does not allow."""
    try:
        CloudEvent(attributes)
    except CloudEventValidationError as error:
        causes = [str(cause) for found in error.errors.values() for cause in found]
        raise BadItem("bad_cloudevent", "; ".join(causes)) from error
    except TypeError as error:
        raise BadItem("bad_cloudevent", "an attribute has the wrong type") from error


def message_id_of(item: Item) -> str:
    """Source and id together name a CloudEvent; a source is a URI and holds no space."""
    source, id = identifier(item, "source"), identifier(item, "id")
    if source is None or id is None or any(char.isspace() for char in source):
        raise BadItem("bad_id", "source must be a URI without spaces, and id a text")
    return f"{source} {id}"


def properties_of(data: object) -> Item:
    """An object is the properties; anything else is their only one."""
    if data is None:
        return {}
    return data if isinstance(data, dict) else {"data": data}


def is_binary(headers: Mapping[str, str]) -> bool:
    """Whether the attributes are in the headers and the body is the data alone."""
    media = headers.get("content-type", "").lower()
    return "ce-specversion" in headers and not media.startswith(STRUCTURED)


def from_binary(headers: Mapping[str, str], raw: bytes) -> Body:
    """A binary CloudEvent in the form of a structured one."""
    item: Item = {
        name[len(PREFIX) :]: unquote(value)
        for name, value in headers.items()
        if name.startswith(PREFIX)
    }
    media = headers.get("content-type", "application/json")
    item["datacontenttype"] = media
    if raw:
        kind = media.partition(";")[0].strip().lower()
        if kind.endswith(("/json", "+json")):
            item["data"] = parse(raw).value
        else:
            item["data"] = text(raw)
    return Body(item, is_suspect=True)


def text(raw: bytes) -> str:
    """Data that is not JSON; it has to be text to be a property."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        said = "data that is neither JSON nor UTF-8 text cannot be kept"
        raise Refusal(415, "unknown_data", said) from error


def items_of(body: Body) -> list[object]:
    """The CloudEvents in a body: an array is a batch."""
    if isinstance(body.value, list):
        return cast("list[object]", body.value)
    if isinstance(body.value, dict):
        return [body.value]
    raise Refusal(400, "malformed_body", "the body is neither a CloudEvent nor an array of them")
