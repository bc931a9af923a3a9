"""How a file is imported: into which columns its rows fall, and what they do to the list."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from journeys.errors import JourneyError
from journeys.model import Model
from journeys.steps.send import ADDRESSES

Mode = Literal["add", "remove", "replace"]
ValueType = Literal["text", "number", "boolean"]
NAME_LENGTH = 200
COLUMNS = 200
Header = Annotated[str, Field(max_length=NAME_LENGTH, pattern=r"^[^\x00]*$")]
Attribute = Annotated[str, Field(max_length=NAME_LENGTH, pattern=r"^[^\x00]+$")]

ID_KINDS = ("user_id", "anonymous_id")
LOOKED_UP = ("email", "phone")  # attributes by which customers are found without looking at all
ALWAYS_TEXT = {name for name in ADDRESSES.values() if name is not None}


class BadHeader(JourneyError):
    """The columns of the file and the options do not fit each other."""


class Options(Model):
    """How to import a file. `file` names its content: the same again is the same import.

    `id` says by what a row names its customer: `user_id`, `anonymous_id`, or an attribute that
    only one customer has. `map` gives columns other names than their own, or null to leave them
    out; every other column is the attribute of its name. Customers who are not there are made
    where `create` is set, which needs a `user_id` or `anonymous_id`.
    """

    file: Attribute = Field(examples=["sha256:9f86d081…"])
    id: Attribute = "user_id"
    map: dict[Header, Attribute | None] = Field(
        default_factory=dict, max_length=COLUMNS, examples=[{"Customer No": "user_id"}]
    )
    types: dict[Attribute, ValueType] = Field(
        default_factory=dict, max_length=COLUMNS, examples=[{"zip": "text"}]
    )
    create: bool = False
    mode: Mode = "add"

    @model_validator(mode="after")
    def can_create(self) -> "Options":
        """Nobody could find a customer again who has no id; nobody is made only to be removed."""
        if self.create and self.id not in ID_KINDS:
            raise ValueError(
                f"customers named by {self.id!r} can only be matched: create needs `id` to be "
                "user_id or anonymous_id"
            )
        if self.create and self.mode == "remove":
            raise ValueError("nobody is created to be removed: leave `create` out")
        return self


@dataclass(frozen=True, slots=True)
class Column:
    """A column that counts."""

    place: int
    header: str
    attribute: str
    type: ValueType | None


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a file names the customer, and which are attributes."""

    width: int
    id: Column
    attributes: tuple[Column, ...]


def type_of(options: Options, attribute: str) -> ValueType | None:
    """The type that a column's values must have; None where each says by itself."""
    return options.types.get(attribute, "text" if attribute in ALWAYS_TEXT else None)


def columns(header: Iterable[str], options: Options) -> Columns:
    """What the columns of a file are; BadHeader where that does not come out."""
    names = [name.strip() for name in header]
    if len(names) > COLUMNS:
        raise BadHeader(f"the header has {len(names)} columns; {COLUMNS} are allowed")
    if unfit := [name for name in names if not is_fit(name)]:
        raise BadHeader(
            f"column {unfit[0][:40]!a} has no usable name: save the file as UTF-8, with a "
            f"first line of names, each of at most {NAME_LENGTH} characters"
        )
    if lost := sorted(set(options.map) - set(names)):
        raise BadHeader(f"the header has no column {lost[0]!r}; it has {listed(names)}")
    found = [
        Column(place, name, attribute, type_of(options, attribute))
        for place, name in enumerate(names)
        if (attribute := options.map.get(name, name))
    ]
    for one in found:
        same = [other.header for other in found if other.attribute == one.attribute]
        if len(same) > 1:
            raise BadHeader(f"columns {listed(same)} are all {one.attribute!r}; leave others out")
        if one.attribute in ID_KINDS and one.attribute != options.id:
            raise BadHeader(
                f"column {one.header!r} is a {one.attribute}, but customers are named by "
                f"{options.id!r}: leave the column out, or name them by it"
            )
    named = [one for one in found if one.attribute == options.id]
    if not named:
        raise BadHeader(
            f"no column is the {options.id!r} that names the customer; the header has "
            f"{listed(names)}: say which one it is"
        )
    attributes = [one for one in found if one.attribute != options.id]
    return Columns(
        width=len(names),
        id=named[0],
        attributes=() if options.mode == "remove" else tuple(attributes),
    )


def is_fit(name: str) -> bool:
    """Whether an attribute can have this name."""
    has_halves = any("\ud800" <= char <= "\udfff" for char in name)
    return len(name) <= NAME_LENGTH and "\0" not in name and not has_halves


def listed(names: list[str]) -> str:
    """Names as one says them, the first twenty."""
    more = ", …" if len(names) > 20 else ""
    return ", ".join(repr(name) for name in names[:20]) + more
