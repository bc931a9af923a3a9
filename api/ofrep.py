"""The OpenFeature Remote Evaluation Protocol (OFREP 0.2): what is asked, and the shape of answers.

A flag is a shared audience, true for those who are in it, or `customer.<attribute>`, an attribute
that is marked shared; no audience has a dot in its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from starlette.requests import Request
from starlette.responses import Response

from storage.sharing import Shared

BODY = 64 * 1024
KEY_LENGTH = 512
ATTRIBUTE = "customer."

Code = Literal["PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "FLAG_NOT_FOUND"]
Flag = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CannotEvaluate(Exception):
    """An evaluation that cannot be answered; `detail` says what to do about it."""

    code: Code
    detail: str


async def targeting_key(request: Request) -> str:
    """Who the flags are asked for."""
    context = parsed(await body(request)).get("context")
    if context is None:
        raise CannotEvaluate("TARGETING_KEY_MISSING", "the body has no `context.targetingKey`")
    if not isinstance(context, dict):
        raise CannotEvaluate("INVALID_CONTEXT", "`context` is not an object")
    key = context.get("targetingKey")
    if key is None or key == "":
        said = "`context.targetingKey` is missing: send a user id, or `anonymous_id:…`"
        raise CannotEvaluate("TARGETING_KEY_MISSING", said)
    if not isinstance(key, str):
        raise CannotEvaluate("INVALID_CONTEXT", f"`context.targetingKey` is not a string: {key!r}")
    if len(key) > KEY_LENGTH or "\0" in key:
        said = f"`context.targetingKey` is over {KEY_LENGTH} characters long or has a NUL in it"
        raise CannotEvaluate("INVALID_CONTEXT", said)
    return key


async def body(request: Request) -> bytes:
    """The bytes of a request, up to a limit."""
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > BODY:
            raise CannotEvaluate("PARSE_ERROR", f"the body is larger than {BODY} bytes")
    return content


def parsed(content: bytes) -> dict[str, Any]:
    """The JSON object of a body."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise CannotEvaluate("PARSE_ERROR", f"not JSON: {error.msg} at {place}") from error
    if not isinstance(value, dict):
        raise CannotEvaluate("PARSE_ERROR", "the body is not a JSON object")
    return value


def flags(shared: Shared) -> list[Flag]:
    """Every flag, evaluated."""
    audiences = [membership(name, inside) for name, inside in sorted(shared.audiences.items())]
    return audiences + [attribute(name, shared) for name in sorted(shared.attribute_names)]


def flag(key: str, shared: Shared) -> Flag:
    """One flag, evaluated."""
    if key in shared.audiences:
        return membership(key, shared.audiences[key])
    name = key.removeprefix(ATTRIBUTE)
    if name != key and name in shared.attribute_names:
        return attribute(name, shared)
    raise CannotEvaluate(
        "FLAG_NOT_FOUND",
        f"{key!r} is neither an audience with `shared: true` nor a shared attribute `customer.…`",
    )


def membership(name: str, inside: bool) -> Flag:
    """A shared audience. Who is not in, or not known at all, gets the same answer."""
    reason = "TARGETING_MATCH" if inside else "DEFAULT"
    return {
        "key": name,
        "value": inside,
        "reason": reason,
        "variant": "inside" if inside else "outside",
    }


def attribute(name: str, shared: Shared) -> Flag:
    """A shared attribute; without a value the caller's default is meant."""
    key, value = ATTRIBUTE + name, shared.attributes.get(name)
    if value is None:
        return {"key": key, "reason": "DEFAULT", "variant": "unset"}
    return {"key": key, "value": value, "reason": "TARGETING_MATCH", "variant": "set"}


def refused(error: CannotEvaluate, key: str | None = None) -> Response:
    """An error as a provider reads it: of one flag if `key` is given, else of all."""
    content = {"errorCode": error.code, "errorDetails": error.detail}
    if key is not None:
        content["key"] = key
    status = 404 if error.code == "FLAG_NOT_FOUND" else 400
    return Response(orjson.dumps(content), status, media_type="application/json")
