"""Which attributes of customers may be seen by whoever has a browser key."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, Field

from api.state import Parts
from journeys.model import Model
from storage import sharing

router = APIRouter(tags=["sharing"])


def fit(name: str) -> str:
    """A name that an attribute can have."""
    if "\0" in name:
        raise ValueError("a NUL character cannot be in a name")
    return name


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(fit)]


class SharedAttributes(Model):
    """The names of the attributes that are shared; none at first."""

    names: tuple[Name, ...] = Field(max_length=100, examples=[["plan", "country"]])


@router.get("/v1/shared-attributes", summary="Which attributes are shared")
async def get(parts: Parts) -> SharedAttributes:
    """The attributes that OFREP answers with, as flags `customer.<attribute>`."""
    return SharedAttributes(names=tuple(await sharing.attributes(parts.pool)))


@router.put("/v1/shared-attributes", summary="Share attributes")
async def put(wanted: SharedAttributes, parts: Parts) -> SharedAttributes:
    """Share these attributes and no others: everybody with a browser key may read them."""
    names = tuple(sorted(set(wanted.names)))
    await sharing.share_attributes(parts.pool, names)
    return SharedAttributes(names=names)
