"""Everything that is wrong with an audience, all at once."""

from collections.abc import Iterator

from audiences.catalog import SEEN, Catalog
from audiences.definition import AnyAudience, Composition, Rule
from audiences.document import Document
from audiences.ranking import path_of
from expressions import ExpressionError, condition
from expressions.horizon import is_derivable
from expressions.sql import compile
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
        order = audience.order_by
        written: list[tuple[Path, str | None]] = [
            (("distinct_by",), audience.distinct_by),
            (("order_by", "value"), order.value if order else None),
        ]
        for path, text in written:
            try:
                path_of(text)
            except ExpressionError as error:
                yield broken(path, error, places, file)


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


def named(audience: AnyAudience) -> frozenset[str]:
    """The audiences and parts that it names."""
    if audience.condition is None:
        return frozenset()
    return condition(audience.condition, roots=SEEN).needs.audiences


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
