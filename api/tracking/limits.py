"""How large and how deep things may be, and which values no database can keep."""

from collections.abc import Iterator
from math import isfinite

import orjson

from api.tracking.errors import BadItem

BATCH_BYTES = 4 * 1024 * 1024
BATCH_ITEMS = 50_000
EVENT_BYTES = 256 * 1024
DEPTH = 32
ID_LENGTH = 256
NAME_LENGTH = 200


def check(item: dict[str, object], *, is_suspect: bool) -> int:
    """Refuse an item that is too large or deep, or, where that is suspected, has unfit values.

    Answers with its size in bytes.
    """
    if is_suspect:
        check_values(item)
    try:
        dumped = orjson.dumps(item)
    except TypeError as error:  # its writer refuses a depth that its reader allows
        check_values(item)
        raise BadItem("unfit", f"the event cannot be kept: {error}") from error
    if len(dumped) > EVENT_BYTES:
        raise BadItem("too_large", f"the event has {len(dumped)} bytes; {EVENT_BYTES} are allowed")
    # Few brackets cannot be deep, and counting them costs less than looking.
    if not is_suspect and dumped.count(b"{") + dumped.count(b"[") > DEPTH:
        check_values(item)
    return len(dumped)


def check_values(value: object) -> None:
    """Refuse what is nested too deep, and strings and numbers that cannot be kept."""
    level: list[object] = [value]
    depth = 0
    while level:
        following: list[object] = []
        for node in level:
            if isinstance(node, dict | list):
                if depth == DEPTH:
                    raise BadItem("too_deep", f"the event is nested deeper than {DEPTH} levels")
                following.extend(children(node))
            else:
                check_scalar(node)
        level, depth = following, depth + 1


def children(node: dict[str, object] | list[object]) -> Iterator[object]:
    """The values in a node, and its keys."""
    if isinstance(node, dict):
        yield from node
        yield from node.values()
    else:
        yield from node


def check_scalar(value: object) -> None:
    """Refuse NUL characters, half characters, NaN and the infinities."""
    if isinstance(value, float) and not isfinite(value):
        raise BadItem("not_finite", "the event holds a number that is not finite")
    if isinstance(value, str):
        if "\0" in value:
            raise BadItem("nul_character", "the event holds a NUL character")
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise BadItem("lone_surrogate", "the event holds half of a surrogate pair")
