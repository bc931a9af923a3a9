"""Reads rows: whom each is about and what it says of them, or what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import NamedTuple

import orjson

from audiences.imports.flaws import ID_LENGTH, Flaw
from audiences.imports.options import (
    ID_KINDS,
    Columns,
    Options,
    ValueType,
    columns,
    is_fit,
    type_of,
)
from audiences.imports.table import Record, delimiter_of, records, split_lines
from audiences.imports.values import Unfit, Value, check, value_in


class Row(NamedTuple):
    """One row that can be taken; a value that the file leaves empty is not among `values`."""

    line: int
    id: str
    values: Mapping[str, Value]


@dataclass(slots=True)
class Rows:
    """The rows of a file or of a piece of one."""

    good: list[Row] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)

    def add(self, one: Row | Flaw) -> None:
        """Count one more row."""
        if isinstance(one, Flaw):
            self.flaws.append(one)
        else:
            self.good.append(one)


def read_csv(raw: bytes, options: Options, first: int = 2) -> Rows:
    """The rows of CSV with its header; `first` is the line that the first row has in the file.

    Raises BadHeader.
    """
    text, is_suspect = decoded(raw)
    lines = split_lines(text)
    delimiter = delimiter_of(lines[0]) if lines else ","
    found = records(lines, delimiter)
    header = next(found, None)
    plan = columns(header.values if header else [], options)
    offset = first - 1 - len(header.lines if header else [])
    rows = Rows()
    for record in found:
        if record.is_blank:
            continue
        one = of_record(record, record.line + offset, plan, is_suspect)
        rows.add(one)
    return rows


def of_record(record: Record, line: int, plan: Columns, is_suspect: bool) -> Row | Flaw:
    """The row that a record of a CSV file is."""
    if record.flaw is not None:
        return Flaw(line, None, record.flaw)
    if len(record.values) != plan.width:
        return Flaw(line, None, "width")
    column = plan.id
    try:
        id = id_in(record.values[column.place], is_suspect)
        values: dict[str, Value] = {}
        for column in plan.attributes:
            text = record.values[column.place].strip()
            if text:
                values[column.attribute] = value_in(text, column.type, is_suspect)
    except Unfit as unfit:
        return Flaw(line, column.header, unfit.kind)
    return Row(line, id, values)


def read_ndjson(raw: bytes, options: Options, first: int = 1) -> Rows:
    """The rows of JSON objects, one a line; `first` is the number of the first line."""
    rows = Rows()
    for number, line in enumerate(raw.split(b"\n"), first):
        if line.strip():
            rows.add(of_line(line, number, options))
    return rows


def of_line(raw: bytes, line: int, options: Options) -> Row | Flaw:
    """The row that a line of JSON is."""
    try:
        item = orjson.loads(raw)
    except orjson.JSONDecodeError:
        item = None
    if not isinstance(item, dict):
        return Flaw(line, None, "not_json")
    name, values = options.id, dict[str, Value]()
    try:
        for name, given in item.items():
            attribute = options.map.get(name, name)
            if not is_fit(name):
                name = ascii(name)[:40]
                raise Unfit("bad_name")
            if attribute in ID_KINDS and attribute != options.id:
                raise Unfit("other_id")
            if attribute and given not in (None, ""):
                type = "text" if attribute == options.id else type_of(options, attribute)
                values[attribute] = plain(given, type)
        name = options.id
        id = id_in(str(values.pop(options.id, "")), is_suspect=True)
    except Unfit as unfit:
        return Flaw(line, name, unfit.kind)
    return Row(line, id, {} if options.mode == "remove" else values)


def plain(given: object, type: ValueType | None) -> Value:
    """A value of JSON as an attribute keeps it; text stays text unless another type is wanted."""
    if isinstance(given, str):
        return value_in(given, type or "text", is_suspect=True)
    if not isinstance(given, int | float) or not isfinite(given):
        raise Unfit("not_plain")
    if type == "text":
        return orjson.dumps(given).decode()
    if type is not None and isinstance(given, bool) != (type == "boolean"):
        raise Unfit("not_boolean" if type == "boolean" else "not_number")
    return given


def id_in(text: str, is_suspect: bool) -> str:
    """What a row names its customer by."""
    id = text.strip()
    if not id:
        raise Unfit("no_id")
    if len(id) > ID_LENGTH:
        raise Unfit("id_too_long")
    if is_suspect:
        check(id)
    return id


def decoded(raw: bytes) -> tuple[str, bool]:
    """The text, and whether values may hide in it that have to be looked for."""
    try:
        return raw.decode("utf-8-sig"), b"\0" in raw
    except UnicodeDecodeError:
        return raw.decode("utf-8-sig", "surrogateescape"), True
