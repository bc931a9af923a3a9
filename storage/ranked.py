"""Finds the first of those a query finds, by a value that each has."""

from collections.abc import Sequence

from storage.evaluation import Query


def first(
    found: Query,
    distinct_by: Sequence[str] | None,
    order_by: Query,
    *,
    ascending: bool,
    limit: int | None,
) -> Query:
    """The first of those found, by a value, and one only for each value of an attribute.

    The attribute is a path of keys. Who has no such value comes last, and shares it with nobody.
    `order_by` finds `id` and `value`; its parameters are numbered on from those of `found`.
    """
    parameters = [*found.parameters, *order_by.parameters]
    distinct, most = (f"${len(parameters) + n}" for n in range(1, 3))
    way = "ASC" if ascending else "DESC"
    text = f"""
        WITH inside AS ({found.text}), ordered AS (
            SELECT c.id, c.attributes #> {distinct}::text[] AS value,
                   row_number() OVER (ORDER BY o.value {way} NULLS LAST, c.id) AS place
            FROM inside i JOIN customers c ON c.id = i.id
            LEFT JOIN ({order_by.text}) o ON o.id = i.id
        ), single AS (
            SELECT id, place FROM (
                SELECT id, place, {distinct}::text[] IS NULL OR value IS NULL
                    OR row_number() OVER (PARTITION BY value ORDER BY place) = 1 AS is_first
                FROM ordered
            ) x WHERE is_first
        )
        SELECT id FROM single ORDER BY place LIMIT {most}::bigint
    """  # noqa: S608
    told_apart = None if distinct_by is None else list(distinct_by)
    return Query(text, [*parameters, told_apart, limit])


def by_attribute(path: Sequence[str] | None, number: int) -> Query:
    """Everybody with the attribute at that path of keys as JSON; `number` is its parameter."""
    text = f"SELECT id, attributes #> ${number}::text[] AS value FROM customers"  # noqa: S608
    return Query(text, [None if path is None else list(path)])
