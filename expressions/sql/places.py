"""One item out of a list: `first`, `last`, `list[0]`."""

from dataclasses import dataclass, replace

from expressions.sql.coercions import single, truth_of
from expressions.sql.groups import array_at
from expressions.sql.query import Query, where_sound
from expressions.sql.relations import Found
from expressions.sql.syntax import (
    Sql,
    call,
    whole,
)
from expressions.sql.truth import Leaf, Truth, as_boolean
from expressions.sql.values import (
    Items,
    Nothing,
    Record,
    Refused,
    Scalar,
    Value,
    each,
    if_known,
)


@dataclass(frozen=True, slots=True)
class Places:
    """The choice of items, in one query."""

    query: Query

    def place(self, value: Value, position: int, *, last: bool = False) -> Value:
        """The item at a position, counted from one end; an error where there is none."""

        def of(value: Value) -> Value:
            if isinstance(value, Items):
                index = len(value.items) - 1 - position if last else position
                there = 0 <= index < len(value.items)
                # One item that is an error makes the whole list one.
                return if_known(value, value.items[index]) if there else Nothing()
            if isinstance(value, Found) and value.relation.group is None:
                raise Refused(
                    "the order of items of an attribute's list is not kept in SQL after a loop",
                    "ask for the item of the attribute itself, like customer.tags[0]",
                )
            if isinstance(value, Found):
                return self.picked(value, value.item, position, last=last)
            if isinstance(value, Scalar) and value.kind == "json":
                asked = -1 if last else position
                return Scalar("json", call("condition_item", value.sql, whole(asked)))
            return Nothing()

        return each(value, of)

    def picked(self, found: Found, value: Value, position: int, *, last: bool) -> Value:
        if isinstance(value, Record):
            return Picked(self, found, value, position, last)
        if isinstance(value, Nothing):
            return value
        if isinstance(value, Truth):
            return Leaf(self._pick(found, as_boolean(value), position, last=last))
        scalar = single(value)
        if scalar is None:
            raise Refused("an item that may be of several kinds cannot be picked in SQL")
        sql = self._pick(found, scalar.sql, position, last=last)
        return replace(scalar, sql=sql, constant=None, json=None)

    def _pick(self, found: Found, sql: Sql, position: int, *, last: bool) -> Sql:
        relation = found.relation
        if position == 0 and relation.time is not None and sql == relation.at(relation.time):
            picked = call("max" if last else "min", sql)
        else:
            order = [relation.at(name) for name in relation.order]
            picked = array_at(sql, order, position + 1, descending=last)
        return where_sound(self.query.sound(found), self.query.aggregate(found, picked))


@dataclass(frozen=True, slots=True)
class Picked(Record):
    """One event or message out of a list: its fields are picked one by one."""

    places: Places
    found: Found
    record: Record
    position: int
    last: bool

    def select(self, name: str) -> Value:
        """A field of it."""
        value = self.record.select(name)
        return self.places.picked(self.found, value, self.position, last=self.last)

    def has(self, name: str) -> Truth:
        """Whether it has that field; unknown where there is no such item."""
        has = self.places.picked(self.found, self.record.has(name), self.position, last=self.last)
        return truth_of(has)
