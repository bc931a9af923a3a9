"""Journeys and their published versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson

from journeys.definition import Journey
from journeys.plan import Plan, plan_ref
from journeys.templates import Template
from storage.pool import Db

JourneyState = Literal["open", "closed", "paused", "stopped"]
Verb = Literal["pause", "resume", "close", "open", "stop"]


@dataclass(frozen=True, slots=True)
class JourneyRow:
    """A journey as it stands: its newest version and who may do what."""

    name: str
    version: int
    hash: str
    closed_at: datetime | None
    paused_at: datetime | None
    stopped_at: datetime | None
    published_at: datetime
    changed: int
    enters_since: datetime

    @property
    def state(self) -> JourneyState:
        """One word for a list."""
        if self.paused_at is not None:
            return "paused"
        if self.closed_at is None:
            return "open"
        return "stopped" if self.stopped_at is not None else "closed"


LISTED = """
    SELECT j.name, j.version, v.hash, j.closed_at, j.paused_at, j.stopped_at, v.published_at,
           j.changed, coalesce(j.enters_since, v.published_at) AS enters_since
    FROM journeys j JOIN journey_versions v ON v.journey = j.name AND v.version = j.version
"""


async def publish(
    connection: Db,
    name: str,
    digest: str,
    definition: Mapping[str, Any],
    templates: Mapping[str, Any],
    now: datetime,
) -> tuple[int, bool]:
    """The version that holds this definition, and whether it is new; publishing opens the journey.

    The definition is kept as text within its `jsonb`, which would forget the order of its keys: the
    branches of a step are tried in the order they are written.
    """
    rows = await connection.fetch(
        """
        WITH same AS (
            SELECT j.version FROM journeys j
            JOIN journey_versions v ON v.journey = j.name AND v.version = j.version
            WHERE j.name = $1 AND v.hash = $2
        ), next AS (
            INSERT INTO journeys (name, version, created_at, enters_since) SELECT $1, 1, $5, $5
            WHERE NOT EXISTS (SELECT FROM same)
            ON CONFLICT (name) DO UPDATE
                SET version = journeys.version + 1, changed = nextval('journey_changes'),
                    enters_since = $5
            RETURNING version
        ), stored AS (
            INSERT INTO journey_versions
                (journey, version, hash, definition, templates, published_at)
            SELECT $1, version, $2, $3, $4, $5 FROM next
        )
        SELECT version, true AS is_new FROM next UNION ALL SELECT version, false FROM same
        """,
        name,
        digest,
        orjson.dumps(definition).decode(),
        templates,
        now,
    )
    return rows[0]["version"], rows[0]["is_new"]


async def change(
    connection: Db,
    name: str,
    now: datetime,
    verb: Verb,
) -> JourneyRow | None:
    """Set or lift what holds a journey back; None if there is no such journey.

    `stop` closes it and ends whoever entered before `now`; `open` takes entries again.
    """
    await connection.execute(
        """
        UPDATE journeys SET changed = nextval('journey_changes'),
            paused_at = CASE $3 WHEN 'pause' THEN coalesce(paused_at, $2)
                                WHEN 'resume' THEN NULL WHEN 'stop' THEN NULL ELSE paused_at END,
            closed_at = CASE WHEN $3 IN ('close', 'stop') THEN coalesce(closed_at, $2)
                             WHEN $3 = 'open' THEN NULL ELSE closed_at END,
            enters_since = CASE WHEN $3 IN ('resume', 'open') THEN $2 ELSE enters_since END,
            stopped_at = CASE $3 WHEN 'stop' THEN $2 ELSE stopped_at END
        WHERE name = $1
        """,
        name,
        now,
        verb,
    )
    return await get(connection, name)


async def get(connection: Db, name: str) -> JourneyRow | None:
    """One journey."""
    row = await connection.fetchrow(LISTED + "WHERE j.name = $1", name)
    return JourneyRow(**row) if row else None


async def listed(connection: Db) -> list[JourneyRow]:
    """Every journey by name."""
    return [JourneyRow(**row) for row in await connection.fetch(LISTED + "ORDER BY j.name")]


async def changed(connection: Db) -> int:
    """A number that grows whenever a journey is published, paused, closed or stopped."""
    return int(await connection.fetchval("SELECT coalesce(max(changed), 0) FROM journeys"))


async def versions(connection: Db, name: str) -> list[tuple[int, str, datetime]]:
    """Version, hash and time of every version, the newest first."""
    rows = await connection.fetch(
        """
        SELECT version, hash, published_at FROM journey_versions
        WHERE journey = $1 ORDER BY version DESC
        """,
        name,
    )
    return [(row["version"], row["hash"], row["published_at"]) for row in rows]


async def definitions(connection: Db) -> list[Journey]:
    """Every version of every journey: somebody may be inside each of them."""
    rows = await connection.fetch("SELECT definition FROM journey_versions")
    return [Journey.model_validate_json(row["definition"]) for row in rows]


async def plan(connection: Db, name: str, version: int) -> Plan | None:
    """One published version, ready to be walked."""
    row = await connection.fetchrow(
        """
        SELECT hash, definition, templates FROM journey_versions
        WHERE journey = $1 AND version = $2
        """,
        name,
        version,
    )
    if row is None:
        return None
    return Plan(
        ref=plan_ref(name, version, row["hash"]),
        version=version,
        journey=Journey.model_validate_json(row["definition"]),
        templates={key: Template.model_validate(one) for key, one in row["templates"].items()},
    )
