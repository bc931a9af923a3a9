"""Who may post events: a write key, wherever the different clients put it."""

import base64
from urllib.parse import parse_qsl

from starlette.requests import Request

from api.tracking.errors import Refusal
from storage.keys import Keys

KEY_LENGTH = 512


def offered(request: Request) -> list[str]:
    """The keys that a request names in its headers or its query, unchecked."""
    found = [request.headers.get("x-write-key")]
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        found.append(rest.strip())
    elif scheme.lower() == "basic":
        found.append(basic_user(rest))
    query = request.scope["query_string"]
    if query:
        found += [value for name, value in parse_qsl(query.decode("latin-1")) if name == "writeKey"]
    return [key for key in found if key]


def basic_user(encoded: str) -> str:
    """The user of Basic authentication; our key stands there, with no password."""
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:  # not base64, or not text
        return ""
    return decoded.partition(":")[0]


async def has_write_key(keys: Keys, request: Request) -> bool:
    """Whether the request names a good key outside its body."""
    return any([await accepts(keys, key) for key in offered(request)])


async def accepts(keys: Keys, key: str) -> bool:
    """Whether a key is good; Jitsu's server clients write `id:secret`, the secret is ours."""
    if len(key) > KEY_LENGTH:
        return False
    if await keys.accepts("write", key):
        return True
    return ":" in key and await keys.accepts("write", key.partition(":")[2])


async def require(keys: Keys, has_key: bool, body: object) -> None:
    """Refuse a request that has no good key in its headers, and none in its body either."""
    if has_key:
        return
    key = body.get("writeKey") if isinstance(body, dict) else None
    if isinstance(key, str) and await accepts(keys, key):
        return
    said = "no valid write key: send it as the user of Basic authentication, or as X-Write-Key"
    raise Refusal(401, "unauthorized", said)
