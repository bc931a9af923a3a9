"""Audiences and their published versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import orjson

from audiences.definition import AUDIENCE, AnyAudience
from storage.joinings import ENDED
from storage.pool import Db


@dataclass(frozen=True, slots=True)
class AudienceRow:
    """An audience as it stands; `ready_at` is None until its members were first found."""

    name: str
    version: int
    hash: str
    kind: str
    shared: bool
    changed: int
    ready_at: datetime | None
    evaluated_at: datetime | None
    swept_version: int | None
    published_at: datetime
    definition: AnyAudience


LISTED = """
    SELECT a.name, a.version, v.hash, a.kind, a.shared, a.changed, a.ready_at, a.evaluated_at,
           a.swept_version, v.published_at, v.definition
    FROM audiences a JOIN audience_versions v ON v.audience = a.name AND v.version = a.version
    WHERE a.deleted_at IS NULL
"""


async def publish(
    connection: Db, audience: AnyAudience, digest: str, now: datetime
) -> tuple[int, bool]:
    """The version that holds this definition, and whether it is new.

    A new version's members are found anew, except those of a list, which stay.
    """
    rows = await connection.fetch(
        """
        WITH same AS (
            SELECT a.version FROM audiences a
            JOIN audience_versions v ON v.audience = a.name AND v.version = a.version
            WHERE a.name = $1 AND v.hash = $2 AND a.deleted_at IS NULL
        ), next AS (
            INSERT INTO audiences (name, version, kind, shared, created_at, ready_at)
            SELECT $1, 1, $4, $5, $6::timestamptz, CASE WHEN $4 = 'list' THEN $6::timestamptz END
            WHERE NOT EXISTS (SELECT FROM same)
            ON CONFLICT (name) DO UPDATE
                SET version = audiences.version + 1, changed = nextval('audience_news'),
                    kind = excluded.kind, shared = excluded.shared, deleted_at = NULL,
                    ready_at = excluded.ready_at
            RETURNING version
        ), stored AS (
            INSERT INTO audience_versions (audience, version, hash, definition, published_at)
            SELECT $1, version, $2, $3, $6 FROM next
        )
        SELECT version, true AS is_new FROM next UNION ALL SELECT version, false FROM same
        """,
        audience.audience,
        digest,
        orjson.dumps(audience.model_dump(mode="json", exclude_none=True)).decode(),
        audience.kind,
        audience.shared,
        now,
    )
    return rows[0]["version"], rows[0]["is_new"]


async def get(connection: Db, name: str) -> AudienceRow | None:
    """One audience."""
    row = await connection.fetchrow(LISTED + "AND a.name = $1", name)
    return audience_row(row) if row else None


async def listed(connection: Db) -> list[AudienceRow]:
    """Every audience by name."""
    return [audience_row(row) for row in await connection.fetch(LISTED + "ORDER BY a.name")]


async def changed(connection: Db) -> int:
    """A number that grows whenever an audience is published, gets ready or is deleted."""
    return int(await connection.fetchval("SELECT coalesce(max(changed), 0) FROM audiences"))


async def versions(connection: Db, name: str) -> list[tuple[int, str, datetime]]:
    """Version, hash and time of every version, the newest first."""
    rows = await connection.fetch(
        """
        SELECT version, hash, published_at FROM audience_versions
        WHERE audience = $1 ORDER BY version DESC
        """,
        name,
    )
    return [(row["version"], row["hash"], row["published_at"]) for row in rows]


async def mark_ready(connection: Db, name: str, version: int, now: datetime) -> None:
    """The members of this version were found."""
    await connection.execute(
        """
        UPDATE audiences SET ready_at = coalesce(ready_at, $3), evaluated_at = $3,
            changed = CASE WHEN ready_at IS NULL THEN nextval('audience_news') ELSE changed END
        WHERE name = $1 AND version = $2
        """,
        name,
        version,
        now,
    )


async def mark_swept(connection: Db, name: str, version: int) -> None:
    """It is known of every customer when time will change whether they are in."""
    await connection.execute(
        "UPDATE audiences SET swept_version = $2 WHERE name = $1 AND version = $2", name, version
    )


async def delete(connection: Db, names: Sequence[str], now: datetime) -> None:
    """There is no such audience any more (the first of `names`, the others are its parts)."""
    await connection.execute(
        f"""
        WITH gone AS (
            UPDATE audiences SET deleted_at = $2, ready_at = NULL, swept_version = NULL,
                changed = nextval('audience_news')
            WHERE name = ($1::text[])[1]
        ), outside AS (
            DELETE FROM audience_members WHERE audience = ANY ($1::text[])
            RETURNING *
        ), {ENDED.format("outside")}
        INSERT INTO audience_changes (at, audience, customer, joined, why)
        SELECT $2, audience, customer, false, '{{"deleted": true}}' FROM outside
        """,  # noqa: S608
        list(names),
        now,
    )


def audience_row(row: asyncpg.Record) -> AudienceRow:
    """A row of LISTED as a model."""
    given = {name: row[name] for name in AudienceRow.__slots__ if name != "definition"}
    return AudienceRow(**given, definition=AUDIENCE.validate_json(row["definition"]))
