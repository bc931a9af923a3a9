"""What decision engines read: the audiences a customer is in, and what is marked shared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from storage.pool import Db

# The customer that $1 names: `user_id:…` or `anonymous_id:…`; else the user id, else the anonymous
# id, else our own id, of which $2 and $3 are told. Merged customers lead to who they are now.
FOUND = """
    chain AS (
        SELECT id, merged_into FROM customers WHERE id = $3::uuid
        UNION ALL SELECT c.id, c.merged_into FROM chain JOIN customers c ON c.id = chain.merged_into
    ), found AS (
        SELECT id FROM (
            SELECT customer AS id, kind FROM external_ids
            WHERE value = $1 AND kind = ANY ($2::text[])
            UNION ALL SELECT id, '' FROM chain WHERE merged_into IS NULL
        ) ids ORDER BY kind DESC LIMIT 1
    )
"""
# Every audience that is shared, and the parts of each.
SHARED = """
    shared AS (
        SELECT a.name AS audience FROM audiences a WHERE a.shared AND a.deleted_at IS NULL
        UNION ALL
        SELECT a.name || '/' || part FROM audiences a
        JOIN audience_versions v ON v.audience = a.name AND v.version = a.version
        CROSS JOIN LATERAL jsonb_object_keys(
            coalesce((v.definition #>> '{}')::jsonb -> 'parts', '{}')) AS part
        WHERE a.shared AND a.deleted_at IS NULL AND a.kind = 'composition'
    )
"""


@dataclass(frozen=True, slots=True)
class Inside:
    """An audience that a customer is in."""

    audience: str
    joined_at: datetime
    why: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Shared:
    """What may be seen of a customer: for each shared audience whether it is in, and attributes.

    An attribute that is shared and that the customer does not have is not among the `attributes`.
    """

    audiences: Mapping[str, bool]
    attributes: Mapping[str, Any]
    attribute_names: Sequence[str]


def named(name: str) -> tuple[str, list[str], UUID | None]:
    """What a caller's name for a customer may mean: a value, of which kinds, and our own id."""
    kind, colon, value = name.partition(":")
    if colon and kind in {"user_id", "anonymous_id"}:
        return value, [kind], None
    try:
        ours = UUID(name)
    except ValueError:
        ours = None
    return name, ["user_id", "anonymous_id"], ours


async def audiences_of(
    connection: Db, name: str, *, only_shared: bool
) -> tuple[UUID, list[Inside]] | None:
    """Who `name` is and the audiences they are in, by name; None if there is no such customer."""
    rows = await connection.fetch(
        f"""
        WITH RECURSIVE {FOUND}, {SHARED}
        SELECT f.id, m.audience, m.joined_at, m.why FROM found f
        LEFT JOIN audience_members m ON m.customer = f.id
            AND (NOT $4 OR m.audience IN (SELECT audience FROM shared))
        ORDER BY m.audience
        """,  # noqa: S608
        *named(name),
        only_shared,
    )
    if not rows:
        return None
    inside = [
        Inside(row["audience"], row["joined_at"], row["why"])
        for row in rows
        if row["audience"] is not None
    ]
    return rows[0]["id"], inside


async def inside_now(connection: Db, customer: UUID) -> tuple[list[Inside], int]:
    """The shared audiences that a customer is in, and the first transaction that may be missing."""
    rows = await connection.fetch(
        f"""
        WITH {SHARED}
        SELECT h.horizon, m.audience, m.joined_at FROM (
            SELECT pg_snapshot_xmin(pg_current_snapshot()) AS horizon
        ) h LEFT JOIN audience_members m ON m.customer = $1
            AND m.audience IN (SELECT audience FROM shared)
        ORDER BY m.audience
        """,  # noqa: S608
        customer,
    )
    inside = [
        Inside(row["audience"], row["joined_at"], None)
        for row in rows
        if row["audience"] is not None
    ]
    return inside, rows[0]["horizon"]


async def shared_of(connection: Db, name: str) -> Shared:
    """What is shared, as it stands for `name`; nobody we know is in no audience."""
    rows = await connection.fetch(
        f"""
        WITH RECURSIVE {FOUND}, {SHARED}, names AS (
            SELECT shared_attributes AS names FROM installation
        )
        SELECT
            coalesce((SELECT names FROM names), '{{}}') AS attribute_names,
            (SELECT jsonb_object_agg(a.key, a.value)
             FROM customers c JOIN found f USING (id) CROSS JOIN jsonb_each(c.attributes) a
             WHERE a.key = ANY ((SELECT names FROM names)::text[])) AS attributes,
            (SELECT jsonb_object_agg(s.audience, EXISTS (
                SELECT FROM audience_members m JOIN found f ON m.customer = f.id
                WHERE m.audience = s.audience)) FROM shared s) AS audiences
        """,  # noqa: S608
        *named(name),
    )
    row = rows[0]
    return Shared(row["audiences"] or {}, row["attributes"] or {}, row["attribute_names"])


async def attributes(connection: Db) -> list[str]:
    """The names of the attributes that are shared."""
    return list(await connection.fetchval("SELECT shared_attributes FROM installation") or [])


async def share_attributes(connection: Db, names: Sequence[str]) -> None:
    """Share the attributes of these names from now on, and no others."""
    await connection.execute("UPDATE installation SET shared_attributes = $1", list(names))
