"""Everything that is wrong with an audience, all at once."""

from collections.abc import Iterator

from audiences.catalog import SEEN, Catalog, named
from audiences.definition import AnyAudience, Composition, Rule
from audiences.document import Document
from audiences.ranking import is_path, path_of
from expressions import ExpressionError, condition
from expressions.horizon import is_derivable
from expressions.sql import compile
from expressions.sql.ranks import compile_value
from journeys.finding import Finding, Severity, ordered
from journeys.source_map import Path, SourceMap

HOURLY = (
    "it is judged again every hour; compare `now` with a time, or use a window like days(30), "
    "to have it within a minute"
)


def check_document(document: Document, catalog: Catalog, *, partial: bool = False) -> list[Finding]:
    """What is wrong with a file, beside the audiences of the catalog; `partial` are not all."""
    found = list(document.findings)
    if document.audience is not None:
        found += check(document.audience, document.map, document.file, catalog, partial=partial)
    return ordered(found)


def check(
    audience: AnyAudience, places: SourceMap, file: str, catalog: Catalog, *, partial: bool
) -> Iterator[Finding]:
    """What is wrong with an audience whose shape is right."""
    broken = list(expressions(audience, places, file))
    yield from broken
    if not any(one.severity == "error" for one in broken):
        yield from neighbours(audience, places, file, catalog, partial=partial)


def expressions(audience: AnyAudience, places: SourceMap, file: str) -> Iterator[Finding]:
    """Whether what it says compiles, for one customer and for all of them."""
    if isinstance(audience, Rule):
        path: Path = ("when",)
        try:
            compiled = condition(audience.when, roots=SEEN)
            compile(audience.when)
        except ExpressionError as error:
            yield broken(path, error, places, file)
        else:
            if not is_derivable(compiled):
                yield finding(
                    path, places, file, "hourly", "time changes this in a way not foreseen",
                    HOURLY, "warning",
                )  # fmt: skip
    if isinstance(audience, Composition):
        yield from ranks(audience, places, file)


def ranks(audience: Composition, places: SourceMap, file: str) -> Iterator[Finding]:
    """Whether members can be told apart and put in order as it says."""
    try:
        path_of(audience.distinct_by)
    except ExpressionError as error:
        yield broken(("distinct_by",), error, places, file)
    try:
        if audience.order_by is not None and not is_path(audience.order_by.value):
            compile_value(audience.order_by.value)
    except ExpressionError as error:
        yield broken(("order_by", "value"), error, places, file)


def neighbours(
    audience: AnyAudience, places: SourceMap, file: str, catalog: Catalog, *, partial: bool
) -> Iterator[Finding]:
    """Whether it fits the audiences that there are."""
    path: Path = ("when",)
    if isinstance(audience, Composition):
        path = (next(iter(audience.operations)),)
    there = {name for one in catalog.audiences.values() for name in one.names}
    for name in sorted(named(audience) - there - set(audience.names)):
        known = ", ".join(sorted(catalog.audiences)) or "none is published yet"
        yield finding(
            path, places, file, "unknown_audience",
            f"{name!r} is in none of these files" if partial else f"there is no audience {name!r}",
            "it has to be published before this one" if partial else f"there are: {known}",
            "warning" if partial else "error",
        )  # fmt: skip
    if (way := catalog.cycle(audience)) is not None:
        yield finding(
            path, places, file, "cycle", f"this goes in a circle: {' → '.join(way)}",
            "an audience cannot be made of itself; take one of them out",
        )  # fmt: skip


def broken(path: Path, error: ExpressionError, places: SourceMap, file: str) -> Finding:
    """The finding about an expression."""
    place = places.within(path, error.line, error.column)
    return Finding(
        file=file,
        line=place.line,
        column=place.column,
        field=".".join(map(str, path)),
        code="expression",
        message=error.message,
        hint=error.hint or "correct the expression",
        excerpt=error.caret,
    )


def finding(
    path: Path,
    places: SourceMap,
    file: str,
    code: str,
    message: str,
    hint: str,
    severity: Severity = "error",
) -> Finding:
    """A finding about a field."""
    place = places.place(path)
    return Finding(
        file=file,
        line=place.line,
        column=place.column,
        field=".".join(map(str, path)),
        severity=severity,
        code=code,
        message=message,
        hint=hint,
    )
