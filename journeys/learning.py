"""What an event teaches about its customer: the traits of an identify, and what the client says."""

from collections.abc import Iterator, Mapping
from typing import Any

from journeys.event import Event

SAID_BY_CLIENT = (("time_zone", "timezone"), ("locale", "locale"))


def attributes_of(event: Event) -> dict[str, Any]:
    """The attributes to set; what the traits say wins over what the client's context says."""
    said = dict(said_by_client(event.context))
    return said | event.properties if event.kind == "identify" else said


def said_by_client(context: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Time zone, locale and the token that push messages go to."""
    for attribute, name in SAID_BY_CLIENT:
        if isinstance(value := context.get(name), str) and value:
            yield attribute, value
    device = context.get("device")
    token = device.get("token") if isinstance(device, dict) else None
    if isinstance(token, str) and token:
        yield "device_token", token
