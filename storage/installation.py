"""The one row that every process of an installation agrees on."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from clock import Clock
from storage.pool import Db


@dataclass(frozen=True, slots=True)
class Installation:
    """A database of Parcours: what its hashes are keyed with, and which clock it lives by."""

    secret: bytes
    clock: Clock

    @property
    def is_accelerated(self) -> bool:
        """Whether its time is made up, as that of a demo or a test is."""
        return self.clock.anchor is not None


async def get(connection: Db) -> Installation | None:
    """The installation, once there is one."""
    row = await connection.fetchrow(
        "SELECT secret, clock_origin, clock_anchor, clock_scale FROM installation"
    )
    if row is None:
        return None
    scale = 1.0 if row["clock_scale"] is None else row["clock_scale"]
    return Installation(row["secret"], Clock(row["clock_origin"], row["clock_anchor"], scale))


async def ensure(connection: Db, now: datetime) -> Installation:
    """The installation, made with a new secret if there is none."""
    await connection.execute(
        "INSERT INTO installation (secret, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        secrets.token_bytes(32),
        now,
    )
    made = await get(connection)
    if made is None:
        raise LookupError("the installation's row is gone")
    return made


async def set_clock(connection: Db, clock: Clock) -> None:
    """Let the installation live by another clock; only a demo or a test does, at its beginning."""
    await connection.execute(
        "UPDATE installation SET clock_origin = $1, clock_anchor = $2, clock_scale = $3",
        clock.origin,
        clock.anchor,
        clock.scale,
    )
