"""Where lists come from: the events of a customer, the messages to one, the items of JSON."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlglot import exp

from expressions.sql.coercions import is_type
from expressions.sql.syntax import Sql, binary, call, column, false
from expressions.sql.values import Rows, Scalar, Value

CUSTOMER = "c"  # the row of the customer in question
RECEIPT = "r"  # ends the name of the events that tell of a message


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, and the rows of it that a list is made of: those of one customer, up to now.

    `named` tells the rows of that name from others. `owner` is the customer as the rows around know
    him: Postgres joins one step at a time. `group` is the table that can be summed up once for all
    customers; items of JSON cannot. `received`, of the partitions, is never before `time`.
    """

    source: Sql
    alias: str
    rows: tuple[Sql, ...]
    order: tuple[str, ...]
    owner: Sql
    named: tuple[Sql, ...] = ()
    group: str | None = None
    time: str | None = None
    received: str | None = None

    def at(self, name: str) -> Sql:
        """A column of the row."""
        return column(self.alias, name)

    def own(self) -> Sql:
        """What ties a row to the customer."""
        return binary(exp.EQ, self.at("customer"), self.owner)


@dataclass(frozen=True, slots=True)
class Found(Rows):
    """The rows of a relation, filtered and turned into something.

    `flaws` are the conditions by which a single row makes the whole list an error, `exists` says
    whether there is a list at all. `mapped` tells a list of made values, which may be missing.
    """

    relation: Relation
    item: Value
    where: tuple[Sql, ...] = ()
    flaws: tuple[Sql, ...] = ()
    exists: Sql = field(default_factory=lambda: exp.Boolean(this=True))
    window: timedelta | None = None
    mapped: bool = False

    @property
    def filters(self) -> tuple[Sql, ...]:
        """The conditions under which a row is still in the list, besides the window."""
        return self.where[1:] if self.window is not None else self.where

    def unmapped(self) -> "Found":
        """The list without asking whether what was made of its rows is missing."""
        return replace(self, flaws=self.flaws[:-1]) if self.mapped else self


def table(name: str, alias: str) -> Sql:
    """A table under a name of ours."""
    return exp.Table(
        this=exp.to_identifier(name), alias=exp.TableAlias(this=exp.to_identifier(alias))
    )


def items_of(json: Scalar, alias: str, names: tuple[str, ...]) -> Found:
    """The items of a JSON list, the keys of a JSON map, where JSON is of those types."""
    listed = call("condition_items", json.sql)
    source = exp.Table(
        this=listed,
        alias=exp.TableAlias(
            this=exp.to_identifier(alias),
            columns=[exp.to_identifier("place"), exp.to_identifier("item")],
        ),
    )
    relation = Relation(source, alias, (), ("place",), column(CUSTOMER, "id"))
    item = Scalar("json", column(alias, "item"))
    return Found(relation, item, exists=is_type(json.sql, *names) if names else false())
