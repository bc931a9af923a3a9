"""Answers that are sent only when they differ from what the caller has."""

from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

CACHED = {"Cache-Control": "private, no-cache", "Vary": "Authorization, X-API-Key"}


def answer(request: Request, content: bytes) -> Response:
    """200 with the JSON `content` and its strong ETag, or 304 if the caller has just that."""
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {**CACHED, "ETag": tag}
    if is_known(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type="application/json")


def is_known(header: str, tag: str) -> bool:
    """Whether If-None-Match has the tag; it compares weakly, as RFC 9110 says."""
    given = {one.strip().removeprefix("W/") for one in header.split(",")}
    return "*" in given or tag in given
