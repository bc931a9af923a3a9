"""What became of everybody who entered a journey, counted."""

from dataclasses import dataclass
from datetime import datetime

from storage.pool import Db


@dataclass(frozen=True, slots=True)
class Totals:
    """Who entered a journey, and how many of them met its goal."""

    entered: int
    customers: int
    inside: int
    first: datetime | None
    last: datetime | None
    goals: int
    median: float | None


@dataclass(frozen=True, slots=True)
class Place:
    """How many instances stand at a step, or (with an outcome) were ended there."""

    step: str
    outcome: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Exit:
    """How often a step was left by an exit."""

    step: str
    exit: str
    count: int


@dataclass(frozen=True, slots=True)
class Refusals:
    """How often something did not happen for one reason, and what decided it."""

    reason: str
    decided_by: str
    step: str | None
    events: int
    customers: int


async def standings(connection: Db) -> dict[str, tuple[int, int]]:
    """How many entered each journey, and how many of them are inside."""
    rows = await connection.fetch(
        """
        SELECT j.name,
               (SELECT count(*) FROM instances i WHERE i.journey = j.name) AS entered,
               (SELECT count(*) FROM instances i WHERE i.journey = j.name AND i.ended_at IS NULL)
                   AS inside
        FROM journeys j
        """
    )
    return {row["name"]: (row["entered"], row["inside"]) for row in rows}


async def totals(connection: Db, journey: str) -> Totals:
    """Who entered a journey; half of those who met its goal did so within `median` seconds."""
    row = await connection.fetchrow(
        """
        SELECT count(*) AS entered, count(DISTINCT customer) AS customers,
               count(*) FILTER (WHERE ended_at IS NULL) AS inside,
               min(entered_at) AS first, max(entered_at) AS last, count(goal_at) AS goals,
               percentile_cont(0.5) WITHIN GROUP (
                   ORDER BY extract(epoch FROM goal_at - entered_at)::float8) AS median
        FROM instances WHERE journey = $1
        """,
        journey,
    )
    if row is None:
        raise LookupError("a count has no row")
    return Totals(**row)


async def outcomes(connection: Db, journey: str) -> dict[str, int]:
    """How many instances ended in which way."""
    rows = await connection.fetch(
        """
        SELECT outcome, count(*) AS count FROM instances
        WHERE journey = $1 AND ended_at IS NOT NULL GROUP BY outcome ORDER BY 2 DESC, 1
        """,
        journey,
    )
    return {row["outcome"]: row["count"] for row in rows}


async def versions(connection: Db, journey: str) -> dict[int, int]:
    """How many entered which version."""
    rows = await connection.fetch(
        """
        SELECT version, count(*) AS count FROM instances
        WHERE journey = $1 GROUP BY version ORDER BY version
        """,
        journey,
    )
    return {row["version"]: row["count"] for row in rows}


async def places(connection: Db, journey: str) -> list[Place]:
    """Where instances stand now, and where those stood that did not walk to the end."""
    rows = await connection.fetch(
        """
        SELECT position AS step, outcome, count(*) AS count FROM instances
        WHERE journey = $1 AND position IS NOT NULL
          AND (ended_at IS NULL OR outcome <> 'completed')
        GROUP BY position, outcome ORDER BY position, outcome
        """,
        journey,
    )
    return [Place(**row) for row in rows]


async def exits(connection: Db, journey: str) -> list[Exit]:
    """How often each step was left by each of its exits."""
    rows = await connection.fetch(
        """
        SELECT t.step, t.exit, count(*) AS count
        FROM instances i
        JOIN trail t ON t.entered_at = i.entered_at AND t.instance = i.id
        WHERE i.journey = $1 AND t.exit IS NOT NULL
        GROUP BY t.step, t.exit ORDER BY t.step, t.exit
        """,
        journey,
    )
    return [Exit(**row) for row in rows]


async def refusals(connection: Db, journey: str) -> list[Refusals]:
    """What did not happen, by reason and by the condition or key that decided it."""
    rows = await connection.fetch(
        """
        SELECT reason, why ->> 'step' AS step,
               CASE WHEN reason IN ('condition', 'exit_condition', 'wait_condition', 'key_unknown')
                    THEN coalesce(why ->> 'condition', why ->> 'key', '') ELSE '' END AS decided_by,
               count(*) AS events, count(DISTINCT customer) AS customers
        FROM refusals WHERE journey = $1
        GROUP BY 1, 2, 3 ORDER BY events DESC, reason, decided_by, step
        """,
        journey,
    )
    return [Refusals(**row) for row in rows]
