"""Boxes, labels and arrows with their places, and how the places of a row keep their distance."""

from collections.abc import Iterable
from dataclasses import dataclass, field

GAP = 28.0


@dataclass(eq=False, slots=True)
class Place:
    """A box, a label, or where an arrow passes: centre `x`, top `y`."""

    width: float
    height: float = 0.0
    row: int = 0
    x: float = 0.0
    y: float = 0.0
    is_box: bool = False


@dataclass(eq=False, slots=True)
class Arrow:
    """From one box to another; `way` is every place it runs through, its ends included."""

    source: str
    target: str
    label_width: float
    label_height: float
    is_back: bool = False
    label: Place = field(default_factory=lambda: Place(0.0))
    way: list[Place] = field(default_factory=list)


def settle(row: list[Place], wanted: list[float]) -> None:
    """The positions nearest to `wanted` that keep the row's order and its gaps (least squares)."""
    offsets, reach = [], 0.0
    for before, place in zip([None, *row], row, strict=False):
        if before is not None:
            reach += (before.width + place.width) / 2 + GAP
        offsets.append(reach)
    blocks: list[tuple[float, int]] = []  # of places that touch: their mean, their count
    for want, offset in zip(wanted, offsets, strict=True):
        value, count = want - offset, 1
        while blocks and blocks[-1][0] > value:
            other, more = blocks.pop()
            value = (value * count + other * more) / (count + more)
            count += more
        blocks.append((value, count))
    values = [value for value, count in blocks for _ in range(count)]
    for place, value, offset in zip(row, values, offsets, strict=True):
        place.x = value + offset


def mean(values: Iterable[float], otherwise: float) -> float:
    """The mean, if there is any value."""
    found = list(values)
    return sum(found) / len(found) if found else otherwise
