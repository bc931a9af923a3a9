"""Ranked compositions in a simulation: who comes first, as Postgres would put them in order."""

import json
from collections.abc import Mapping
from uuid import UUID

from audiences.definition import Composition
from audiences.ranking import path_of
from expressions import Facts, UnknownValue, value

SEEN = frozenset({"customer", "now"})
Rank = tuple[int, float, str]
LOWEST: Rank = (0, 0.0, "")


def first_of(one: Composition, people: Mapping[UUID, Facts]) -> list[UUID]:
    """The first of these people, one of each kind, as many as there may be."""
    chosen, seen = [], set()
    for id in in_order(one, people):
        kind = kind_of(one, people[id])
        if kind is None or kind not in seen:
            chosen.append(id)
            seen.add(kind)
    return chosen[: one.limit]


def in_order(one: Composition, people: Mapping[UUID, Facts]) -> list[UUID]:
    """Ids by what the composition is ranked by; whose value is unknown comes last."""
    order, ids = one.order_by, sorted(people)
    if order is None:
        return ids
    ranks = {id: rank_of(order.value, people[id]) for id in ids}
    known = [id for id in ids if ranks[id] is not None]
    known.sort(key=lambda id: ranks[id] or LOWEST, reverse=not order.ascending)
    return [*known, *(id for id in ids if ranks[id] is None)]


def rank_of(source: str, facts: Facts) -> Rank | None:
    """A value among all others: of several kinds in one attribute, in the order of JSON's."""
    try:
        found = value(source, roots=SEEN).of(facts)
    except UnknownValue:
        return None
    if isinstance(found, bool):
        return (3, float(found), "")
    if isinstance(found, int | float):
        return None if found != found else (2, float(found), "")
    if isinstance(found, str):
        return (1, 0.0, found)
    return LOWEST if found is None else (4, 0.0, json.dumps(found, sort_keys=True))


def kind_of(one: Composition, facts: Facts) -> str | None:
    """The value that members have in common of whom one counts; None is shared with nobody."""
    path = path_of(one.distinct_by)
    if path is None:
        return None
    found: object = facts.customer
    for key in path:
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    whole = isinstance(found, float) and found.is_integer()
    return f"{found:.0f}" if whole else json.dumps(found, sort_keys=True)
