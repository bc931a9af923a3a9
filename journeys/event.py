"""An event: an immutable fact about a customer, known by its message id.

Reading one from a request is left to `api.tracking`, keeping it to `storage.events`.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal, NewType
from uuid import UUID
from zlib import crc32

EventId = NewType("EventId", UUID)
EventKind = Literal["track", "identify", "page", "screen", "group", "alias"]
SHARDS = 64

# What an event is called whose kind says it all; a track brings its own name.
NAMES: dict[EventKind, str] = {
    "identify": "Customer Identified",
    "page": "Page Viewed",
    "screen": "Screen Viewed",
    "group": "Group Joined",
    "alias": "Customer Aliased",
}


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, to whom, when it did and when we heard of it."""

    id: EventId
    received_at: datetime
    occurred_at: datetime
    kind: EventKind
    name: str
    message_id: str
    user_id: str | None
    anonymous_id: str | None
    properties: dict[str, object]
    context: dict[str, object]
    depth: int = 0


def event_id(message_id: str) -> EventId:
    """The id of the event with this message id, the same for ever: what it is deduplicated by."""
    return EventId(UUID(bytes=sha256(message_id.encode()).digest()[:16]))


def shard_of(external_id: str) -> int:
    """The shard that an external id belongs to, whatever kind of id it is."""
    return crc32(external_id.encode()) % SHARDS


def shard(user_id: str | None, anonymous_id: str | None) -> int:
    """The shard in which an event of this customer is routed."""
    return shard_of(user_id if user_id is not None else anonymous_id or "")


def linked_shard(event: Event) -> int | None:
    """The shard of the other id when an event names two and it is another one."""
    previous = event.properties.get("previous_id") if event.kind == "alias" else None
    other = previous if isinstance(previous, str) else event.anonymous_id
    if other is None:
        return None
    linked = shard_of(other)
    return linked if linked != shard(event.user_id, event.anonymous_id) else None
