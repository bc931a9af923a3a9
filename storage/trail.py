"""What happened to instances, visit by visit, and what did not happen and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from journeys.identity import CustomerId
from storage.pool import Db


@dataclass(slots=True)
class Visit:
    """A visit of a step as it is written down; `exit` is None while it lasts.

    `position` is where the instance stands afterwards, `outcome` is set when this ends it, and
    `wait_until` when it listens for events from now on.
    """

    instance: UUID
    entered_at: datetime
    visit: int
    step: str
    at: datetime
    left_at: datetime | None = None
    exit: str | None = None
    result: Mapping[str, Any] | None = None
    why: Mapping[str, Any] | None = None
    position: str | None = None
    outcome: str | None = None
    wait_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What is already written of one visit."""

    step: str
    exit: str | None
    result: Mapping[str, Any] | None


# The instance of the row `g` has not been erased: nothing is told of whom nobody knows any more.
KNOWN = "(SELECT true FROM instances n WHERE n.id = g.instance)"
# Writes the visits of $1 and moves their instances on; `written` are those that were first.
WRITE = f"""
    given AS (
        SELECT * FROM jsonb_to_recordset($1) AS g (
            instance uuid, entered_at timestamptz, visit int, step text, at timestamptz,
            left_at timestamptz, exit text, result jsonb, why jsonb, position text,
            outcome text, wait_until timestamptz)
    ), written AS (
        INSERT INTO trail AS t
            (entered_at, instance, visit, step, at, left_at, exit, result, why)
        SELECT entered_at, instance, visit, step, at, left_at, exit, result, why FROM given g
        WHERE {KNOWN}
        ORDER BY entered_at, instance, visit
        ON CONFLICT (entered_at, instance, visit) DO UPDATE SET
            left_at = excluded.left_at, exit = excluded.exit,
            result = coalesce(excluded.result, t.result), why = coalesce(excluded.why, t.why)
        WHERE t.exit IS NULL AND t.step = excluded.step AND excluded.exit IS NOT NULL
        RETURNING instance, visit
    ), moved AS (
        UPDATE instances i SET
            visit = g.visit, position = g.position, started = true, held = false,
            wait_visit = CASE WHEN g.wait_until IS NOT NULL THEN g.visit END,
            wait_since = g.at, wait_until = g.wait_until,
            ended_at = CASE WHEN g.outcome IS NOT NULL THEN g.left_at END,
            outcome = g.outcome
        FROM (
            SELECT DISTINCT ON (instance) * FROM (
                -- In the list, where it is one look into a table of hashes for each row.
                SELECT *, (instance, visit) IN (SELECT instance, visit FROM written) AS is_first
                FROM given
            ) n WHERE is_first ORDER BY instance, visit DESC
        ) g
        -- By its key, and not by an index of what is open, which is read whole: so written that
        -- no such index can be meant, however few Postgres believes are open.
        WHERE i.id = g.instance AND i.id = ANY (ARRAY(SELECT instance FROM written))
          AND coalesce(i.ended_at, 'infinity') = 'infinity'
    )
"""  # noqa: S608


async def write(connection: Db, visits: Sequence[Visit]) -> set[tuple[UUID, int]]:
    """Write visits down and move their instances on; which of them were written first by this."""
    rows = await connection.fetch(
        f"WITH {WRITE} SELECT instance, visit FROM written",  # noqa: S608
        list(visits),
    )
    return {(row["instance"], row["visit"]) for row in rows}


async def stored(connection: Db, entered_at: datetime, instance: UUID, visit: int) -> Stored | None:
    """What is written of one visit, if anything."""
    row = await connection.fetchrow(
        """
        SELECT step, exit, result FROM trail
        WHERE entered_at = $1 AND instance = $2 AND visit = $3
        """,
        entered_at,
        instance,
        visit,
    )
    return Stored(**row) if row else None


async def outputs(connection: Db, entered_at: datetime, instance: UUID) -> dict[str, Any]:
    """What the steps of an instance gave, by step id; of several visits the last."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (step) step, result FROM trail
        WHERE entered_at = $1 AND instance = $2 AND result IS NOT NULL
        ORDER BY step, visit DESC
        """,
        entered_at,
        instance,
    )
    return {row["step"]: row["result"] for row in rows}


async def of_instance(connection: Db, entered_at: datetime, instance: UUID) -> list[Visit]:
    """Every visit of an instance in order."""
    rows = await connection.fetch(
        """
        SELECT instance, entered_at, visit, step, at, left_at, exit, result, why FROM trail
        WHERE entered_at = $1 AND instance = $2 ORDER BY visit
        """,
        entered_at,
        instance,
    )
    return [Visit(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that could have moved something and did not."""

    at: datetime
    event: UUID
    journey: str
    customer: CustomerId
    reason: str
    why: Mapping[str, Any] | None
    run: UUID | None = None


async def refuse(connection: Db, refusals: Sequence[Refused]) -> None:
    """Write down what did not happen; of one event and journey the first reason stays."""
    await connection.execute(
        """
        INSERT INTO refusals (at, event, journey, customer, reason, why, run)
        SELECT * FROM jsonb_to_recordset($1) AS r (
            at timestamptz, event uuid, journey text, customer uuid, reason text, why jsonb,
            run uuid)
        ON CONFLICT DO NOTHING
        """,
        list(refusals),
    )


async def refusals_of(
    connection: Db, customer: UUID, journey: str | None, limit: int = 200
) -> list[Refused]:
    """What did not happen to a customer, the latest first."""
    rows = await connection.fetch(
        """
        SELECT at, event, journey, customer, reason, why, run FROM refusals
        WHERE customer = $1 AND ($2::text IS NULL OR journey = $2)
        ORDER BY at DESC LIMIT $3
        """,
        customer,
        journey,
        limit,
    )
    return [Refused(**row) for row in rows]
