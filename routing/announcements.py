"""What subscribers are sent: one event for each change, in either format."""

from typing import Any

import orjson

from storage.news import News
from storage.subscriptions import Format

SOURCE = "parcours/audiences"


def id_of(news: News) -> str:
    """The event's id, the same for every subscriber and whenever it is sent again."""
    return f"audience-{news.position[1]}"


def body_of(news: News, format: Format) -> tuple[bytes, str]:
    """The event's body and its media type."""
    kind = "audience.entered" if news.joined else "audience.left"
    data = {
        "audience": news.audience,
        "customer": str(news.customer),
        "ids": [{"kind": id.kind, "value": id.value} for id in news.ids],
        "at": news.at,
    }
    if format == "standard":
        standard: dict[str, Any] = {"type": kind, "timestamp": news.at, "data": data}
        return orjson.dumps(standard), "application/json"
    event = {
        "specversion": "1.0",
        "id": id_of(news),
        "source": SOURCE,
        "type": kind,
        "subject": str(news.customer),
        "time": news.at,
        "datacontenttype": "application/json",
        "data": data,
    }
    return orjson.dumps(event), "application/cloudevents+json"
