"""Who may use everything but the tracking routes: an admin key, as Bearer or as user of Basic.

What is marked shared may be read with a browser key as well.
"""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBasic, HTTPBearer

from api.errors import Problem
from api.tracking.auth import basic_user
from storage.keys import KeyKind, Keys

LENGTH = 512

bearer = HTTPBearer(auto_error=False, description="an admin key")
basic = HTTPBasic(auto_error=False, description="an admin key as the user, no password")


def offered(request: Request) -> str | None:
    """The key that a request names."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() or None
    return basic_user(rest) or None if scheme.lower() == "basic" else None


async def admin(
    request: Request, _bearer: object = Depends(bearer), _basic: object = Depends(basic)
) -> None:
    """Refuse a request without a good admin key."""
    keys: Keys = request.app.state.keys
    key = offered(request)
    if key is None or len(key) > LENGTH or not await keys.accepts("admin", key):
        raise Problem(
            401,
            "Unauthorized",
            "no valid admin key: send PARCOURS_ADMIN_KEY as `Authorization: Bearer …`",
            {"WWW-Authenticate": 'Bearer realm="parcours"'},
        )


async def reader(
    request: Request, _bearer: object = Depends(bearer), _basic: object = Depends(basic)
) -> KeyKind:
    """The kind of the key of somebody who may read what is shared: `browser` or `admin`."""
    keys: Keys = request.app.state.keys
    key = request.headers.get("x-api-key") or offered(request)
    kind = await keys.kind_of(key) if key is not None and len(key) <= LENGTH else None
    if kind in {"browser", "admin"}:
        return kind
    raise Problem(
        401,
        "Unauthorized",
        "no valid browser key or admin key: send one as `Authorization: Bearer …` or `X-API-Key`",
    )


Admin = Annotated[None, Depends(admin)]
