"""Imports into lists, and the chunks of them that were taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from audiences.imports.flaws import Flaw
from audiences.imports.options import Options
from storage.pool import Db


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of rows: each was created, matched or failed; members joined and left."""

    created: int = 0
    matched: int = 0
    failed: int = 0
    joined: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class ImportRow:
    """An import as it stands; `chunks` is known once all were sent."""

    id: UUID
    audience: str
    name: str | None  # what people call the file
    options: Options
    started_at: datetime
    chunks: int | None
    completed_at: datetime | None
    done: Sequence[int]
    counts: Counts


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk that was taken, known again by the digest of its rows."""

    number: int
    digest: bytes
    counts: Counts = Counts()
    flaws: Sequence[Flaw] = ()


COUNTED = "c.created, c.matched, c.failed, c.joined, c.left"


async def start(
    connection: Db,
    id: UUID,
    audience: str,
    options: Options,
    now: datetime,
    name: str | None = None,
) -> bool:
    """Begin an import; False where it is there already."""
    row = await connection.fetchrow(
        """
        INSERT INTO imports (id, audience, options, started_at, name) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING RETURNING id
        """,
        id,
        audience,
        options.model_dump(mode="json"),
        now,
        name,
    )
    return row is not None


async def get(connection: Db, audience: str, id: UUID) -> ImportRow | None:
    """One import, with what has become of its rows so far."""
    row = await connection.fetchrow(
        """
        SELECT i.*, t.* FROM imports i, LATERAL (
            SELECT coalesce(array_agg(c.number ORDER BY c.number), '{}') AS done,
                   coalesce(sum(c.created), 0)::bigint AS created,
                   coalesce(sum(c.matched), 0)::bigint AS matched,
                   coalesce(sum(c.failed), 0)::bigint AS failed,
                   coalesce(sum(c.joined), 0)::bigint AS joined,
                   coalesce(sum(c.left), 0)::bigint + i.dropped AS left
            FROM import_chunks c WHERE c.import = i.id
        ) t WHERE i.id = $2 AND i.audience = $1
        """,
        audience,
        id,
    )
    if row is None:
        return None
    given = {name: row[name] for name in ImportRow.__slots__ if name not in {"options", "counts"}}
    return ImportRow(**given, options=Options.model_validate(row["options"]), counts=counts_of(row))


async def claim(connection: Db, id: UUID, number: int, digest: bytes) -> bool:
    """Take a chunk upon us until the transaction ends; False where that cannot be.

    It was taken before, the import is closed, or its audience is gone. Whoever takes it at the
    same time is waited for.
    """
    row = await connection.fetchrow(
        """
        INSERT INTO import_chunks (import, number, digest)
        SELECT i.id, $2, $3 FROM imports i JOIN audiences a ON a.name = i.audience
        WHERE i.id = $1 AND i.chunks IS NULL AND a.deleted_at IS NULL AND a.kind = 'list'
        FOR SHARE
        ON CONFLICT DO NOTHING RETURNING number
        """,
        id,
        number,
        digest,
    )
    return row is not None


async def remember(connection: Db, id: UUID, chunk: Chunk) -> None:
    """Write down what became of a claimed chunk."""
    counts = chunk.counts
    await connection.execute(
        """
        UPDATE import_chunks SET created = $3, matched = $4, failed = $5, joined = $6, "left" = $7,
            flaws = $8
        WHERE import = $1 AND number = $2
        """,
        id,
        chunk.number,
        counts.created,
        counts.matched,
        counts.failed,
        counts.joined,
        counts.left,
        [list(flaw) for flaw in chunk.flaws],
    )


async def chunk(connection: Db, id: UUID, number: int) -> Chunk | None:
    """A chunk that was taken."""
    row = await connection.fetchrow(
        f"""
        SELECT c.number, c.digest, c.flaws, {COUNTED} FROM import_chunks c
        WHERE c.import = $1 AND c.number = $2
        """,  # noqa: S608
        id,
        number,
    )
    return chunk_of(row) if row else None


async def flawed(connection: Db, id: UUID, after: int, limit: int) -> list[Chunk]:
    """The chunks with rows that were not taken, by number."""
    rows = await connection.fetch(
        f"""
        SELECT c.number, c.digest, c.flaws, {COUNTED} FROM import_chunks c
        WHERE c.import = $1 AND c.number > $2 AND c.failed > 0 ORDER BY c.number LIMIT $3
        """,  # noqa: S608
        id,
        after,
        limit,
    )
    return [chunk_of(row) for row in rows]


async def close(connection: Db, id: UUID, chunks: int) -> bool:
    """Take no more chunks; False where another number of them was closed with."""
    row = await connection.fetchrow(
        """
        UPDATE imports SET chunks = $2 WHERE id = $1 AND (chunks IS NULL OR chunks = $2)
        RETURNING id
        """,
        id,
        chunks,
    )
    return row is not None


async def drop(connection: Db, id: UUID, count: int) -> None:
    """So many more have left, since the file does not name them."""
    await connection.execute("UPDATE imports SET dropped = dropped + $2 WHERE id = $1", id, count)


async def complete(connection: Db, id: UUID, now: datetime) -> None:
    """Nothing more is to be done for this import."""
    await connection.execute(
        """
        WITH named AS (DELETE FROM import_members WHERE import = $1)
        UPDATE imports SET completed_at = coalesce(completed_at, $2) WHERE id = $1
        """,
        id,
        now,
    )


async def forget(connection: Db, before: datetime) -> None:
    """Forget imports that were begun before an instant, completed or not."""
    await connection.execute(
        """
        WITH old AS (DELETE FROM imports WHERE started_at < $1 RETURNING id),
        pieces AS (DELETE FROM import_chunks WHERE import IN (SELECT id FROM old))
        DELETE FROM import_members WHERE import IN (SELECT id FROM old)
        """,
        before,
    )


def counts_of(row: asyncpg.Record) -> Counts:
    """The counts in a row."""
    return Counts(**{name: row[name] for name in Counts.__slots__})


def chunk_of(row: asyncpg.Record) -> Chunk:
    """A row of import_chunks as a model."""
    flaws: list[list[Any]] = row["flaws"]
    return Chunk(row["number"], row["digest"], counts_of(row), [Flaw(*one) for one in flaws])
