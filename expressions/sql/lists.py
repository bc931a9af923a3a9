"""What is asked of lists whatever is in them: how many, and whether one is among them."""

from dataclasses import dataclass, replace

from expressions.sql.coercions import is_type
from expressions.sql.equality import equal
from expressions.sql.query import Query, where_sound
from expressions.sql.relations import Found, items_of
from expressions.sql.syntax import (
    both,
    call,
    cast,
    either,
    whole,
)
from expressions.sql.truth import Fixed, Split, Truth, when
from expressions.sql.values import (
    Entries,
    Items,
    Nothing,
    Record,
    Refused,
    Scalar,
    Value,
    each,
    judged,
    known,
)

COUNTS = (0, 2**53)


@dataclass(frozen=True, slots=True)
class Lists:
    """The operations on lists, in one query."""

    query: Query

    def size(self, value: Value) -> Value:
        """How long a list or a text is."""

        def of(value: Value) -> Value:
            if isinstance(value, Found):
                count = self.query.count(value)
                return Scalar("int", where_sound(self.query.sound(value), count), bounds=COUNTS)
            if isinstance(value, Items | Entries):
                parts = value.items if isinstance(value, Items) else value.entries
                sized = Scalar("int", cast(whole(len(parts)), "int"), bounds=(len(parts),) * 2)
                return replace(sized, sql=where_sound(known(value), sized.sql))
            if isinstance(value, Scalar) and value.kind == "text":
                return Scalar("int", cast(call("char_length", value.sql), "int"), bounds=COUNTS)
            if isinstance(value, Scalar) and value.kind == "json":
                return Scalar("int", call("condition_size", value.sql), bounds=COUNTS)
            if isinstance(value, Record):
                raise Refused("the number of an event's properties is not known in SQL")
            return Nothing()

        return each(value, of)

    def contains(self, needle: Value, value: Found) -> Truth:
        """`in` a list of tables or of JSON."""
        same = equal(needle, value.item)
        sound = self.query.sound(value)
        yes = both(sound, self.query.any(value, same.true()))
        no = both(sound, known(needle), self.query.every(value, same.false()))
        return Split(yes, no)

    def in_json(self, needle: Value, value: Value) -> Truth:
        """`in` a list of JSON, or among the keys of a map of JSON."""
        if not isinstance(value, Scalar) or value.kind != "json":
            return Fixed(None)
        found = items_of(value, self.query.alias(), ("array",))
        keyed = items_of(value, self.query.alias(), ("object",))
        is_key = judged(needle, lambda one: self._key_in(one, keyed))
        is_item = self.contains(needle, found)
        yes = [both(found.exists, is_item.true()), both(keyed.exists, is_key.true())]
        no = [both(found.exists, is_item.false()), both(keyed.exists, is_key.false())]
        return Split(either(*yes), either(*no))

    def _key_in(self, needle: Value, keyed: Found) -> Truth:
        """Texts, numbers and truths are looked for among keys; all else is an error."""
        if isinstance(needle, Scalar) and needle.kind == "json":
            fits = is_type(needle.sql, "string", "number", "boolean")
            return when(fits, self.contains(needle, keyed))
        fits_kind = isinstance(needle, Truth) or (
            isinstance(needle, Scalar) and needle.kind in {"text", "number", "int"}
        )
        return self.contains(needle, keyed) if fits_kind else Fixed(None)
