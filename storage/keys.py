"""Write and admin keys: random secrets of which only the hash is kept."""

import asyncio
import hmac
import secrets
import time
from datetime import datetime
from hashlib import sha256
from typing import Literal

import asyncpg

from storage.pool import Db

KeyKind = Literal["write", "admin"]

FRESH = 5.0  # a removed key is refused after this many seconds
PATIENCE = 0.5  # an unknown key makes us look again, at most this often


def new_secret(kind: KeyKind) -> str:
    """A key to hand out once; 192 random bits, so a plain hash of it tells nothing."""
    return f"{kind}_{secrets.token_urlsafe(24)}"


def digest(secret: str) -> bytes:
    """What is kept of a key."""
    return sha256(secret.encode(errors="surrogatepass")).digest()


async def add(connection: Db, kind: KeyKind, name: str, secret: str, now: datetime) -> None:
    """Let `secret` in from now on; adding it again changes nothing."""
    await connection.execute(
        """
        INSERT INTO keys (hash, kind, name, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (hash) DO NOTHING
        """,
        digest(secret), kind, name, now,
    )  # fmt: skip


async def remove(connection: Db, kind: KeyKind, name: str) -> None:
    """Refuse from now on every key that has this name."""
    await connection.execute("DELETE FROM keys WHERE kind = $1 AND name = $2", kind, name)


async def hashes(connection: Db) -> list[tuple[KeyKind, bytes]]:
    """The kind and hash of every key; an installation has a handful."""
    rows = await connection.fetch("SELECT kind, hash FROM keys")
    return [(row["kind"], row["hash"]) for row in rows]


class Keys:
    """Says whether a key is good, from a copy of the table that is seconds old at most."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._known: list[tuple[KeyKind, bytes]] = []
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def accepts(self, kind: KeyKind, secret: str) -> bool:
        """Whether `secret` is a key of this kind."""
        hashed = digest(secret)
        await self._refresh(FRESH)
        if self._has(kind, hashed):
            return True
        await self._refresh(PATIENCE)
        return self._has(kind, hashed)

    def _has(self, kind: KeyKind, hashed: bytes) -> bool:
        # No early end: how long it takes must not tell which key came close.
        matches = [hmac.compare_digest(hashed, known) and kind == of for of, known in self._known]
        return any(matches)

    async def _refresh(self, age: float) -> None:
        if time.monotonic() - self._read_at <= age:
            return
        async with self._reading:
            if time.monotonic() - self._read_at <= age:
                return
            async with self._pool.acquire() as connection:
                self._known = await hashes(connection)
            self._read_at = time.monotonic()
