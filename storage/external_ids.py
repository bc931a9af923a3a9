"""External ids: which customers they lead to, which were erased, and the locks on new ones."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from journeys.identity import CustomerId, Directory, ExternalId, IdKind
from storage.pool import Db

LOCKS = 0x7069  # the first key of advisory locks on the creation of ids, by shard


async def directory(
    connection: Db, ids: Iterable[ExternalId], secret: bytes
) -> tuple[Directory, dict[ExternalId, datetime]]:
    """Who owns `ids`, which of the owners have a user id, and which ids were erased, and when."""
    wanted = list(ids)
    rows = await connection.fetch(
        """
        SELECT w.kind, w.value, x.customer, t.erased_at, CASE w.kind
            WHEN 'user_id' THEN true
            ELSE EXISTS (
                SELECT FROM external_ids u WHERE u.customer = x.customer AND u.kind = 'user_id')
        END AS known
        FROM unnest($1::text[], $2::text[]) AS w (kind, value)
        LEFT JOIN external_ids x USING (kind, value)
        LEFT JOIN tombstones t
            ON t.hash = sha256($3 || convert_to(w.kind || ':' || w.value, 'UTF8'))
        """,
        [id.kind for id in wanted],
        [id.value for id in wanted],
        secret,
    )
    owned = [row for row in rows if row["customer"] is not None]
    found = Directory(
        owners={ExternalId(row["kind"], row["value"]): row["customer"] for row in owned},
        known={row["customer"] for row in owned if row["known"]},
    )
    erased = {
        ExternalId(row["kind"], row["value"]): row["erased_at"]
        for row in rows
        if row["erased_at"] is not None
    }
    return found, erased


async def owners(
    connection: Db, kind: IdKind, values: Sequence[str], secret: bytes
) -> tuple[dict[str, CustomerId], set[str]]:
    """Who owns ids of one kind, and which of those that nobody owns were erased."""
    rows = await connection.fetch(
        """
        SELECT w.value, x.customer, x.customer IS NULL AND EXISTS (
            SELECT FROM tombstones t
            WHERE t.hash = sha256($3 || convert_to($1 || ':' || w.value, 'UTF8'))
        ) AS is_erased
        FROM unnest($2::text[]) AS w (value)
        LEFT JOIN external_ids x ON x.kind = $1 AND x.value = w.value
        """,
        kind,
        values,
        secret,
    )
    found = {row["value"]: row["customer"] for row in rows if row["customer"] is not None}
    return found, {row["value"] for row in rows if row["is_erased"]}


async def named(connection: Db, names: Sequence[str]) -> dict[str, CustomerId]:
    """The customers that names lead to: a user id, else an anonymous id, else our own id."""
    rows = await connection.fetch(
        """
        WITH RECURSIVE wanted AS (
            SELECT * FROM unnest($1::text[], $2::uuid[]) AS w (name, id)
        ), chain AS (
            SELECT w.name, c.id, c.merged_into FROM wanted w JOIN customers c ON c.id = w.id
            UNION ALL
            SELECT p.name, c.id, c.merged_into FROM chain p JOIN customers c ON c.id = p.merged_into
        )
        SELECT DISTINCT ON (name) name, customer FROM (
            SELECT w.name, x.kind, x.customer
            FROM wanted w JOIN external_ids x
            ON x.value = w.name AND x.kind IN ('user_id', 'anonymous_id')
            UNION ALL SELECT name, '', id FROM chain WHERE merged_into IS NULL
        ) found ORDER BY name, kind DESC
        """,
        names,
        [uuid_in(name) for name in names],
    )
    return {row["name"]: CustomerId(row["customer"]) for row in rows}


async def lock(connection: Db, shards: Iterable[int]) -> None:
    """Let nobody else create or link ids of these shards until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock($1, shard) FROM unnest($2::int[]) AS shard",
        LOCKS,
        sorted(shards),
    )


async def link(connection: Db, links: Mapping[ExternalId, CustomerId], now: datetime) -> None:
    """Let external ids lead to customers from now on."""
    ordered = sorted(links.items(), key=lambda pair: (pair[0].kind, pair[0].value))
    await connection.execute(
        """
        INSERT INTO external_ids (kind, value, customer, linked_at)
        SELECT kind, value, customer, $4
        FROM unnest($1::text[], $2::text[], $3::uuid[]) AS n (kind, value, customer)
        ON CONFLICT (kind, value) DO UPDATE SET customer = excluded.customer, linked_at = $4
        """,
        [id.kind for id, _ in ordered],
        [id.value for id, _ in ordered],
        [customer for _, customer in ordered],
        now,
    )


async def of_customer(connection: Db, customer: UUID) -> list[ExternalId]:
    """Every external id of a customer."""
    rows = await connection.fetch(
        "SELECT kind, value FROM external_ids WHERE customer = $1 ORDER BY kind DESC, value",
        customer,
    )
    return [ExternalId(row["kind"], row["value"]) for row in rows]


async def of_customers(connection: Db, customers: Sequence[UUID]) -> dict[UUID, list[ExternalId]]:
    """Every external id of each of these customers, user ids first."""
    found: dict[UUID, list[ExternalId]] = {id: [] for id in customers}
    rows = await connection.fetch(
        """
        SELECT kind, value, customer FROM external_ids
        WHERE customer = ANY ($1::uuid[]) ORDER BY kind DESC, value
        """,
        list(customers),
    )
    for row in rows:
        found[row["customer"]].append(ExternalId(row["kind"], row["value"]))
    return found


def uuid_in(text: str) -> UUID | None:
    """The id of ours that a text may be."""
    try:
        return UUID(text)
    except ValueError:
        return None
