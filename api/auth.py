"""Who may use everything but the tracking routes: an admin key, as Bearer or as user of Basic."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBasic, HTTPBearer

from api.errors import Problem
from api.tracking.auth import basic_user
from storage.keys import Keys

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


Admin = Annotated[None, Depends(admin)]
