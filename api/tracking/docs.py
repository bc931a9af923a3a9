"""What the API's description says of the tracking routes; FastAPI does not see their bodies."""

from collections.abc import Mapping
from typing import Any

from fastapi.routing import APIRoute

ERROR = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
}
SUCCESS = {
    "type": "object",
    "required": ["success"],
    "properties": {
        "success": {"const": True},
        "errors": {
            "type": "array",
            "description": "The items that were not taken; all others were.",
            "items": {
                "type": "object",
                "required": ["index", "message_id", "code", "message"],
                "properties": {
                    "index": {"type": "integer"},
                    "message_id": {"type": ["string", "null"]},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
ITEM = {"messageId": "0b9ee8c5-1", "userId": "u1", "timestamp": "2026-11-23T10:00:00Z"}
EXAMPLES: dict[str, dict[str, object]] = {
    "track": {**ITEM, "event": "Order Completed", "properties": {"total": 42.5}},
    "identify": {**ITEM, "traits": {"email": "ada@example.com", "timezone": "Europe/London"}},
    "page": {**ITEM, "name": "Pricing", "properties": {"url": "https://example.com/pricing"}},
    "screen": {**ITEM, "name": "Basket"},
    "group": {**ITEM, "groupId": "acme", "traits": {"plan": "pro"}},
    "alias": {**ITEM, "previousId": "old-id"},
}
BATCH: dict[str, object] = {
    "sentAt": "2026-11-23T10:00:01Z",
    "batch": [{"type": kind, **body} for kind, body in EXAMPLES.items()],
}
CLOUD_EVENT: dict[str, object] = {
    "specversion": "1.0",
    "id": "17",
    "source": "https://shop.example.com",
    "type": "Order Completed",
    "subject": "u1",
    "data": {"total": 42.5},
}


def described(media: str, example: dict[str, object]) -> dict[str, object]:
    """The OpenAPI text of a route's request."""
    content = {media: {"schema": {"type": "object"}, "example": example}}
    return {
        "requestBody": {"required": True, "content": content},
        "security": [{"writeKey": []}, {"writeKeyHeader": []}],
    }


def response(description: str, schema: Mapping[str, object]) -> dict[str, Any]:
    """The OpenAPI text of an answer."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: response("Taken; `errors` names the items that were not.", SUCCESS),
    400: response("The body cannot be read.", ERROR),
    401: response("No valid write key.", ERROR),
    413: response("Too large: 4 MB a body, compressed or not.", ERROR),
    503: response("The database is away: send it again after `Retry-After`.", ERROR),
}


class RawRoute(APIRoute):
    """A route in the description whose endpoint gets the bare request.

    No injection and no validation on the path that every event takes.
    """

    def get_route_handler(self) -> Any:
        """The endpoint itself."""
        return self.endpoint
