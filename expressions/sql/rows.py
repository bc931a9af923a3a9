"""One event of the history, one message of the ledger, and the lists of them."""

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlglot import exp

from expressions.facts import CLICKED, OPENED
from expressions.sql.nodes import Arrow
from expressions.sql.relations import RECEIPT, Found, Relation, table
from expressions.sql.statement import Bounds, Constant, Now
from expressions.sql.syntax import Sql, binary, both, call, column, is_known, word
from expressions.sql.truth import Fixed, Leaf, Truth
from expressions.sql.values import Nothing, Record, Scalar, Value


@dataclass(frozen=True, slots=True)
class PastEventRow(Record):
    """One event of the history."""

    relation: Relation
    bounds: Bounds

    def select(self, name: str) -> Value:
        """When it occurred, or a property."""
        if name == "occurred_at":
            return Scalar("time", self.relation.at("occurred_at"))
        key = self.bounds.given(Constant(name), "text")
        return Scalar("json", binary(Arrow, self.relation.at("properties"), key))

    def has(self, name: str) -> Truth:
        """Whether it has that property."""
        value = self.select(name)
        if isinstance(value, Scalar) and value.kind == "json":
            return Leaf(is_known(value.sql), sure=True)
        return Fixed(True)


@dataclass(frozen=True, slots=True)
class MessageRow(Record):
    """One message of the ledger."""

    relation: Relation
    bounds: Bounds

    def select(self, name: str) -> Value:
        """A field of a message."""
        match name:
            case "journey" | "step" | "channel" | "state":
                return Scalar("text", self.relation.at(name))
            case "topic":
                topic = call("to_jsonb", self.relation.at("topic"))
                missing = exp.cast(word("null"), exp.DataType.build("jsonb"))
                return Scalar("json", exp.Coalesce(this=topic, expressions=[missing]))
            case "at":
                return Scalar("time", self.relation.at("at"))
            case "opened":
                return self._had(OPENED)
            case "clicked":
                return self._had(CLICKED)
        return Nothing()

    def has(self, name: str) -> Truth:
        """Whether messages have such a field."""
        return Fixed(not isinstance(self.select(name), Nothing))

    def _had(self, name: str) -> Truth:
        """Whether the customer did that with it."""
        receipt = f"{self.relation.alias}{RECEIPT}"
        named = call("jsonb_extract_path_text", column(receipt, "properties"), word("message_id"))
        id = exp.cast(self.relation.at("id"), exp.DataType.build("text"))
        found = both(
            binary(exp.EQ, column(receipt, "customer"), self.relation.at("customer")),
            binary(exp.EQ, column(receipt, "name"), self.bounds.given(Constant(name), "text")),
            binary(exp.LTE, column(receipt, "occurred_at"), self.bounds.given(Now(), "time")),
            binary(exp.EQ, named, id),
        )
        rows = exp.select(exp.Literal.number(1)).from_(table("events", receipt)).where(found)
        return Leaf(exp.Exists(this=rows), sure=True)


def past_events(name: str, alias: str, owner: Sql, bounds: Bounds) -> Found:
    """The events of that name."""
    relation = Relation(
        source=table("events", alias),
        alias=alias,
        rows=(binary(exp.LTE, column(alias, "occurred_at"), bounds.given(Now(), "time")),),
        named=(binary(exp.EQ, column(alias, "name"), bounds.given(Constant(name), "text")),),
        order=("occurred_at", "received_at", "id"),
        owner=owner,
        group="events",
        time="occurred_at",
        received="received_at",
    )
    return Found(relation, PastEventRow(relation, bounds))


def past_messages(journey: str | None, alias: str, owner: Sql, bounds: Bounds) -> Found:
    """The messages, of one journey or of all."""
    named: tuple[Sql, ...] = ()
    if journey is not None:
        given = bounds.given(Constant(journey), "text")
        named = (binary(exp.EQ, column(alias, "journey"), given),)
    relation = Relation(
        source=table("messages", alias),
        alias=alias,
        rows=(binary(exp.LTE, column(alias, "at"), bounds.given(Now(), "time")),),
        named=named,
        order=("at", "id"),
        owner=owner,
        group="messages",
        time="at",
    )
    return Found(relation, MessageRow(relation, bounds))


def later_than(found: Found, window: timedelta, bounds: Bounds) -> Found:
    """Those of the last days."""
    time = found.relation.time or ""
    after = binary(exp.GT, found.relation.at(time), bounds.given(Now(window), "time"))
    return replace(found, where=(*found.where, after), window=window)
