"""Write, admin and browser keys: random secrets of which only the hash is kept."""

import asyncio
import hmac
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal
from uuid import UUID

from storage.pool import Db, Pool

KeyKind = Literal["write", "admin", "browser"]

FRESH = 5.0  # a removed key is refused after this many seconds
PATIENCE = 0.5  # an unknown key makes us look again, at most this often


@dataclass(frozen=True, slots=True)
class Key:
    """What is shown of a key that was handed out."""

    id: UUID
    kind: KeyKind
    name: str
    created_at: datetime


def new_secret(kind: KeyKind) -> str:
    """A key to hand out once; 192 random bits, so a plain hash of it tells nothing."""
    return f"{kind}_{secrets.token_urlsafe(24)}"


def digest(secret: str) -> bytes:
    """What is kept of a key."""
    return sha256(secret.encode(errors="surrogatepass")).digest()


async def add(connection: Db, kind: KeyKind, name: str, secret: str, now: datetime) -> Key:
    """Let `secret` in from now on; adding it again changes nothing."""
    rows = await connection.fetch(
        """
        INSERT INTO keys (hash, kind, name, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash
        RETURNING id, kind, name, created_at
        """,
        digest(secret), kind, name, now,
    )  # fmt: skip
    return Key(**rows[0])


async def remove(connection: Db, kind: KeyKind, name: str) -> None:
    """Refuse from now on every key that has this name."""
    await connection.execute("DELETE FROM keys WHERE kind = $1 AND name = $2", kind, name)


async def listed(connection: Db) -> list[Key]:
    """Every key, the oldest first; an installation has a handful."""
    rows = await connection.fetch(
        "SELECT id, kind, name, created_at FROM keys ORDER BY created_at, id"
    )
    return [Key(**row) for row in rows]


async def revoke(connection: Db, id: UUID) -> bool:
    """Refuse one key from now on; False if it is not there, or is the last admin key."""
    row = await connection.fetchrow(
        """
        WITH admins AS (SELECT id FROM keys WHERE kind = 'admin' ORDER BY id FOR UPDATE)
        DELETE FROM keys
        WHERE id = $1 AND (kind <> 'admin' OR (SELECT count(*) FROM admins) > 1)
        RETURNING id
        """,
        id,
    )
    return row is not None


async def name_of(connection: Db, secret: str) -> str | None:
    """What a key is called; None if it is none of ours."""
    name: str | None = await connection.fetchval(
        "SELECT name FROM keys WHERE hash = $1", digest(secret)
    )
    return name


async def hashes(connection: Db) -> list[tuple[KeyKind, bytes]]:
    """The kind and hash of every key; an installation has a handful."""
    rows = await connection.fetch("SELECT kind, hash FROM keys")
    return [(row["kind"], row["hash"]) for row in rows]


class Keys:
    """Says whether a key is good, from a copy of the table that is seconds old at most."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known: list[tuple[KeyKind, bytes]] = []
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def accepts(self, kind: KeyKind, secret: str) -> bool:
        """Whether `secret` is a key of this kind."""
        return await self.kind_of(secret) == kind

    async def kind_of(self, secret: str) -> KeyKind | None:
        """Of what kind the key `secret` is, if it is one."""
        hashed = digest(secret)
        await self._refresh(FRESH)
        found = self._kind(hashed)
        if found is None:
            await self._refresh(PATIENCE)
            found = self._kind(hashed)
        return found

    def look_again(self) -> None:
        """Read the table for the next key; other processes do within seconds."""
        self._read_at = float("-inf")

    def _kind(self, hashed: bytes) -> KeyKind | None:
        # No early end: how long it takes must not tell which key came close.
        kinds = [kind for kind, known in self._known if hmac.compare_digest(hashed, known)]
        return kinds[0] if kinds else None

    async def _refresh(self, age: float) -> None:
        if time.monotonic() - self._read_at <= age:
            return
        async with self._reading:
            if time.monotonic() - self._read_at <= age:
                return
            async with self._pool.acquire() as connection:
                self._known = await hashes(connection)
            self._read_at = time.monotonic()
