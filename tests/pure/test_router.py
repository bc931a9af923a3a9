"""When something goes wrong the router waits for Postgres, and parks what is at fault."""

from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import asyncpg
import pytest

from clock import Clock
from routing.round import Round
from routing.router import Router
from storage import inbox
from storage.inbox import Claimed, News


class Unsendable(asyncpg.InterfaceError, ValueError):
    """As asyncpg refuses a value."""


async def routed(error: Exception, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Route two events, of which the first raises; those that were parked."""
    parked: list[int] = []

    async def refresh(*_: object) -> None:
        pass

    async def park(_: object, seq: int, *__: object) -> None:
        parked.append(seq)

    async def route(_: object, claimed: Any) -> None:
        if any(one.seq == 1 for one in claimed):
            raise error

    monkeypatch.setattr(inbox, "park", park)
    monkeypatch.setattr(Router, "_route", route)
    fresh = SimpleNamespace(refresh=refresh)
    round = SimpleNamespace(registry=fresh, catalogs=fresh, pool=None, clock=Clock())
    claimed = [SimpleNamespace(seq=seq, event=SimpleNamespace(id=uuid4())) for seq in (1, 2)]
    await Router("", cast(Round, round)).route(cast(list[Claimed], claimed), News(0, 0))
    return parked


@pytest.mark.parametrize(
    "error", [KeyError("x"), asyncpg.DataError("bad"), Unsendable("bad")], ids=repr
)
async def test_the_event_that_is_at_fault_is_parked_alone(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await routed(error, monkeypatch) == [1]


@pytest.mark.parametrize(
    "error",
    [
        OSError("gone"),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.AdminShutdownError("stopping"),
        asyncpg.InternalClientError("cannot switch to state 12"),
        asyncpg.InterfaceError("connection is closed"),
    ],
    ids=repr,
)
async def test_no_event_is_at_fault_while_postgres_is_away(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(type(error)):
        await routed(error, monkeypatch)
