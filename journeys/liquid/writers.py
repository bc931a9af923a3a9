"""The nodes of a part as functions that write their text; they raise Unsure where data are odd."""

from collections.abc import Callable, Iterable
from sys import getsizeof

from liquid import Markup, escape
from liquid.builtin.tags.for_tag import ForLoop
from liquid.stringify import to_liquid_string

from journeys.liquid.comparisons import Unsure
from journeys.liquid.evaluators import Evaluator, Names, Test
from journeys.liquid.values import MOST_BYTES, bounded, whole

MOST_ASSIGNED = 100  # in a part
MOST_ITEMS = 100  # of a loop, which may stand in one other
ASSIGNABLE = (str, int, float, list, dict, type(None))
Writer = Callable[[Names], str]
Items = Callable[[Names], list[object]]


def whole_part(write: Writer, *, is_assigning: bool) -> Writer:
    """A part that is not too long; what it assigns is its own, and takes room as well."""
    most = MOST_BYTES // 2 if is_assigning else MOST_BYTES

    def written(names: Names) -> str:
        text = write({**names} if is_assigning else names)
        if 4 * len(text) > most and len(text.encode()) > most:
            raise Unsure
        return text

    return written


def joined(pieces: list[str | Writer]) -> Writer:
    """Pieces in a row."""
    fixed = [piece if isinstance(piece, str) else "" for piece in pieces]
    places = [(at, piece) for at, piece in enumerate(pieces) if not isinstance(piece, str)]
    if not places:
        constant = "".join(fixed)
        return lambda names: constant

    def write(names: Names) -> str:
        size, out = 0, fixed.copy()
        for at, piece in places:
            out[at] = text = piece(names)
            size += len(text)
            if size > MOST_BYTES:
                raise Unsure
        return "".join(out)

    return write


def together(texts: Iterable[str]) -> str:
    """Texts in a row, as long as they are not too long."""
    size, out = 0, []
    for text in texts:
        size += len(text)
        if size > MOST_BYTES:
            raise Unsure
        out.append(text)
    return "".join(out)


def printed(given: Evaluator, *, is_html: bool) -> Writer:
    """A value, by far the most often a text."""

    def write(names: Names) -> str:
        value = given(names)
        if value is None:
            raise Unsure
        if type(value) is str:
            text = in_html(value) if is_html else value
        else:
            text = to_liquid_string(whole(bounded(value)), is_html)
        if not text.isascii():
            text.encode()  # python-liquid refuses what UTF-8 has no place for
        return text

    return write


def in_html(text: str) -> str:
    """The text escaped; most needs no more than a look."""
    if "&" in text or "<" in text or ">" in text or "'" in text or '"' in text:
        return escape(text)
    return text


def unseen(write: Writer) -> Writer:
    """Nothing, after what it assigns."""

    def nothing(names: Names) -> str:
        write(names)
        return ""

    return nothing


def chosen(arms: list[tuple[Test, Writer]], otherwise: Writer) -> Writer:
    """`if`: the first whose condition holds."""

    def write(names: Names) -> str:
        for holds, block in arms:
            if holds(names):
                return block(names)
        return otherwise(names)

    return write


def matched(arms: list[tuple[list[Test] | None, Writer]]) -> Writer:
    """`case`: each as often as it matches; `else` (None) where none before has matched."""

    def texts(names: Names) -> Iterable[str]:
        is_matched = False
        for tests, block in arms:
            times = int(not is_matched) if tests is None else sum(test(names) for test in tests)
            is_matched = is_matched or (tests is not None and times > 0)
            for _ in range(times):
                yield block(names)

    return lambda names: together(texts(names))


def assigned(name: str, given: Evaluator) -> Writer:
    """A value is kept under a name; of big ones python-liquid knows how many are too many."""

    def write(names: Names) -> str:
        value = given(names)
        if not isinstance(value, ASSIGNABLE) or getsizeof(value) * 2 * MOST_ASSIGNED > MOST_BYTES:
            raise Unsure
        names[name] = value
        return ""

    return write


def captured(block: Writer, *, is_html: bool) -> Evaluator:
    """What a block writes, as a value."""

    def value(names: Names) -> str:
        text = block(names)
        if "\r" in text:  # python-liquid makes other ends of lines of it
            raise Unsure
        return Markup(text) if is_html else text

    return value


def listed(given: Evaluator, most: int | None, *, is_reversed: bool) -> Items:
    """What a loop goes through."""

    def items(names: Names) -> list[object]:
        found = given(names)
        if not isinstance(found, list):
            raise Unsure
        found = found[:most]
        if len(found) > MOST_ITEMS:
            raise Unsure
        return found[::-1] if is_reversed else found

    return items


def repeated(
    name: str, title: str, items: Items, parent: Evaluator, block: Writer, otherwise: Writer
) -> Writer:
    """`for`: a block for each item, which goes by a name."""

    def texts(names: Names, found: list[object]) -> Iterable[str]:
        loop = ForLoop(title, iter(found), len(found), parent(names))
        inside: Names = {**names, "forloop": loop}
        for item in loop:
            inside[name] = item
            yield block(inside)

    def write(names: Names) -> str:
        found = items(names)
        return together(texts(names, found)) if found else otherwise(names)

    return write
