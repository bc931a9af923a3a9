"""What an attribute equals, said as what the attributes contain.

Postgres tries that on the sample that it keeps of them, so it knows how many customers to expect,
and an index of one's own over the attributes (GIN) can serve it.
"""

import json

from sqlglot import exp

from expressions.sql.nodes import Arrow, Containing
from expressions.sql.relations import CUSTOMER
from expressions.sql.statement import Bounds, Constant
from expressions.sql.syntax import Sql, binary, column, either

MOST = 8  # alternatives; Postgres looks more of them up in a hash table


def contained(condition: Sql, bounds: Bounds) -> Sql:
    """The condition, changed wherever a NULL in place of a no makes no difference."""
    if isinstance(condition, exp.Paren):
        return exp.Paren(this=contained(condition.this, bounds))
    if isinstance(condition, exp.And | exp.Or):
        left, right = (contained(side, bounds) for side in (condition.this, condition.expression))
        return type(condition)(this=left, expression=right)
    if isinstance(condition, exp.EQ):
        return _containing(condition.this, [condition.expression], bounds) or condition
    if isinstance(condition, exp.In) and len(condition.expressions) <= MOST:
        return _containing(condition.this, condition.expressions, bounds) or condition
    return condition


def _containing(value: Sql, alternatives: list[Sql], bounds: Bounds) -> Sql | None:
    """Whether the attributes contain one of these under that key, if all that is asked is this."""
    path = value.unnest()
    if not isinstance(path, Arrow) or path.this != column(CUSTOMER, "attributes"):
        return None
    key = bounds.value(path.expression)
    written = [_written(one, bounds) for one in alternatives]
    if not isinstance(key, str) or None in written:
        return None
    maps = (Constant(f"{{{json.dumps(key)}: {one}}}") for one in written)
    return either(*(binary(Containing, path.this, bounds.given(one, "json")) for one in maps))


def _written(node: Sql, bounds: Bounds) -> str | None:
    """A constant as JSON, if it is a single value: lists contain parts of theirs."""
    if not isinstance(node, exp.Cast) or not node.is_type(exp.DataType.Type.JSONB):
        return None
    text = node.this.this if isinstance(node.this, exp.Literal) else bounds.value(node.this)
    return text if isinstance(text, str) and text[0] not in "[{" else None
