"""Instances that a run begins: a page of them, alike but for their customers."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from journeys.effects import Inside
from journeys.plan import Plan
from storage.columns import shared

Newcomer = tuple[Inside, Mapping[str, Any] | None]
"""An instance, and what its entry was decided by."""


async def register(
    connection: asyncpg.Connection,
    plan: Plan,
    run: UUID,
    newcomers: Sequence[Newcomer],
    *,
    paged: bool,
) -> list[Inside]:
    """Write down who enters `plan` together; who is in (the others lost to an open instance).

    Within a transaction. Who holds the customers' rows and has looked finds nobody else inside: a
    row that must give way, which is dearer for all of them, is provided for when there is one.
    """
    if not newcomers:
        return []
    try:
        async with connection.transaction():
            await _register(connection, plan, run, newcomers, paged)
    except asyncpg.UniqueViolationError:
        new = await _register(connection, plan, run, newcomers, paged, "ON CONFLICT DO NOTHING")
        return [one for one, _ in newcomers if one.id in new]
    return [one for one, _ in newcomers]


async def _register(
    connection: asyncpg.Connection,
    plan: Plan,
    run: UUID,
    newcomers: Sequence[Newcomer],
    paged: bool,
    otherwise: str = "",
) -> set[UUID]:
    first = newcomers[0][0]
    entries: dict[int, tuple[int, Mapping[str, Any]]] = {}
    which, which_each = shared([
        entries.setdefault(id(one.entry), (len(entries), one.entry))[0] for one, _ in newcomers
    ])
    key, key_each = shared([one.key for one, _ in newcomers])
    rows = await connection.fetch(
        f"""
        INSERT INTO instances (id, journey, version, customer, key, workflow_id, entry_event, entry,
                               entered_at, position, goal_until, why, run, paged, started)
        SELECT n.id, $1, $2, n.customer, coalesce(n.key, $3), n.workflow_id, n.entry_event,
               $4::jsonb -> coalesce(n.entry, $5::int), $6, $7, $8,
               nullif($9::jsonb -> (number - 1)::int, 'null'), $10, $11, $11
        FROM unnest($12::uuid[], $13::uuid[], $14::text[], $15::uuid[], $16::text[], $17::int[])
            WITH ORDINALITY AS n (id, customer, workflow_id, entry_event, key, entry, number)
        {otherwise}
        RETURNING id
        """,  # noqa: S608
        plan.name,
        plan.version,
        key,
        [entry for _, entry in entries.values()],
        which,
        first.entered_at,
        plan.first,
        first.goal_until,
        [why for _, why in newcomers],
        run,
        paged,
        [one.id for one, _ in newcomers],
        [one.customer for one, _ in newcomers],
        [one.workflow_id for one, _ in newcomers],
        [one.entry_event for one, _ in newcomers],
        key_each,
        which_each,
    )
    return {row["id"] for row in rows}
