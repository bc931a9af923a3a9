"""What can be wrong with a row of an imported file, and what to do about it.

The value itself is never part of it: who imports has the file, and nobody else has to keep it.
"""

from typing import Literal, NamedTuple

RECORD_LENGTH = 64 * 1024  # characters of a row, and the lines it may go over
RECORD_LINES = 100
VALUE_LENGTH = 10_000
ID_LENGTH = 256

FlawKind = Literal[
    "quote", "too_long", "width", "not_json", "not_text", "unfit", "value_too_long", "not_plain",
    "not_number", "not_boolean", "no_id", "id_too_long", "other_id", "unknown", "ambiguous",
    "erased", "bad_name",
]  # fmt: skip

SAID: dict[FlawKind, tuple[str, str]] = {
    "quote": (
        "a quote opens or closes in the wrong place",
        'put the whole value into quotes, and write a quote within it as ""',
    ),
    "too_long": (
        f"the row is longer than {RECORD_LENGTH:,} characters or {RECORD_LINES} lines",
        "look for a quote that is never closed, else shorten the row",
    ),
    "width": (
        "the row has another number of values than the header",
        "look for a delimiter within a value, and put that value into quotes",
    ),
    "not_json": ("the line is no JSON object", "write one JSON object a line"),
    "not_text": ("the value is not UTF-8 text", "save the file as UTF-8"),
    "unfit": ("the value holds a NUL character", "take the character out"),
    "value_too_long": (
        f"the value is longer than {VALUE_LENGTH:,} characters",
        "shorten it, or leave its column out",
    ),
    "not_plain": (
        "the value is neither text nor a finite number nor true or false",
        "write it as one of them",
    ),
    "not_number": ("the value is no number", "write it like 1234.5, without blanks or commas"),
    "not_boolean": ("the value is neither true nor false", "write true or false"),
    "no_id": ("the row does not say whom it is about", "fill this column in"),
    "id_too_long": (f"the id is longer than {ID_LENGTH} characters", "look for a wrong column"),
    "other_id": (
        "the row names the customer by an id of another kind as well",
        "leave it out, or name customers by it",
    ),
    "bad_name": (
        "no attribute can have this name",
        "write a name of at most 200 characters, without NUL",
    ),
    "unknown": ("there is no such customer", "correct it, or let customers be created"),
    "ambiguous": (
        "several customers have this value",
        "name this customer by its user id in a file of its own",
    ),
    "erased": (
        "this customer was erased, and an import brings nobody back",
        "take the row out of the file",
    ),
}


class Flaw(NamedTuple):
    """A row that is not taken: its line in the file, the column (or none), what is wrong."""

    line: int
    column: str | None
    kind: FlawKind
