"""Reads all items of a request and keeps the good ones apart from the bad ones, which it names."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from api.tracking.errors import BadItem, Refusal
from api.tracking.limits import BATCH_BYTES, BATCH_ITEMS
from journeys.event import Event

SLICE = 50  # items read before others get their turn


@dataclass(frozen=True, slots=True)
class Finding:
    """A bad item: where it stands, and what is wrong."""

    index: int
    message_id: str | None
    code: str
    message: str


@dataclass(slots=True)
class Reading:
    """What came of a request's items; `places` says where each event stood."""

    events: list[Event] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


async def read_all(items: Sequence[object], reader: Callable[[object], Event]) -> Reading:
    """Every item by `reader`, in order."""
    reading = Reading()
    for index, item in enumerate(items):
        if index % SLICE == SLICE - 1:
            await asyncio.sleep(0)
        try:
            event = reader(item)
        except BadItem as error:
            found = Finding(index, message_id_of(item), error.code, error.message)
            reading.findings.append(found)
        else:
            reading.events.append(event)
            reading.places.append(index)
    return reading


def check_count(items: Sequence[object], shared: int = 0) -> None:
    """Refuse too many items, or a shared part that would multiply beyond the limit."""
    if len(items) > BATCH_ITEMS:
        said = f"a batch may have {BATCH_ITEMS} items, this one has {len(items)}"
        raise Refusal(413, "too_many", said)
    if shared * len(items) > BATCH_BYTES:
        said = "the batch's context is too large to be copied to each of its items"
        raise Refusal(413, "too_large", said)


def message_id_of(item: object) -> str | None:
    """The name by which the sender knows a bad item."""
    value = item.get("messageId", item.get("id")) if isinstance(item, dict) else None
    if not isinstance(value, str):
        return None
    return value[:256].encode(errors="replace").decode()
