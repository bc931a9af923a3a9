"""Places boxes in layers from top to bottom, so that arrows cross little and run over nothing.

Every arrow gets a label box in a row of its own between two rows of boxes, and a narrow place in
each row that it passes; so nothing can overlap.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise, product

from cli.reports.places import GAP, Arrow, Place, mean, settle

LANE = 14.0
SWEEPS, SETTLINGS, STRAIGHTENINGS = 12, 60, 12


@dataclass(slots=True)
class Layout:
    """The boxes by name, and the arrows, with places once `arrange` has run."""

    boxes: dict[str, Place]
    arrows: list[Arrow]
    rows: list[list[Place]] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0

    def arrange(self) -> "Layout":
        """Give everything its place."""
        turn_back(self.boxes, self.arrows)
        self._layers()
        self._lay_ways()
        neighbours = self._neighbours()
        self._order(neighbours)
        self._spread(neighbours)
        self._measure()
        return self

    def _layers(self) -> None:
        """Every box below all boxes that lead to it: boxes in even rows, labels in odd ones."""
        edges = [(a.target, a.source) if a.is_back else (a.source, a.target) for a in self.arrows]
        for _ in self.boxes:
            for above, below in edges:
                least = self.boxes[above].row + 2
                self.boxes[below].row = max(self.boxes[below].row, least)

    def _lay_ways(self) -> None:
        last = max(box.row for box in self.boxes.values())
        self.rows = [[] for _ in range(last + 1)]
        for box in self.boxes.values():
            box.is_box = True
            self.rows[box.row].append(box)
        for arrow in self.arrows:
            ends = [self.boxes[arrow.source], self.boxes[arrow.target]]
            top, bottom = sorted(ends, key=lambda end: end.row)
            way = [Place(LANE, row=row) for row in range(top.row + 1, bottom.row)]
            arrow.label = way[-1 if arrow.is_back else 0]
            arrow.label.width, arrow.label.height = arrow.label_width, arrow.label_height
            for place in way:
                self.rows[place.row].append(place)
            arrow.way = [top, *way, bottom]

    def _neighbours(self) -> dict[Place, tuple[list[Place], list[Place]]]:
        """What each place is joined to, above and below."""
        found: dict[Place, tuple[list[Place], list[Place]]] = defaultdict(lambda: ([], []))
        for arrow in self.arrows:
            for above, below in pairwise(arrow.way):
                found[above][1].append(below)
                found[below][0].append(above)
        return found

    def _order(self, neighbours: dict[Place, tuple[list[Place], list[Place]]]) -> None:
        """Reorder rows by where their neighbours stand; the order that crosses least stays."""
        best, fewest = [list(row) for row in self.rows], self._crossings()
        for sweep in range(SWEEPS):
            downwards = sweep % 2 == 0
            for row in self.rows if downwards else reversed(self.rows):
                ranks = {place: rank for each in self.rows for rank, place in enumerate(each)}
                row.sort(
                    key=lambda place: mean(
                        (ranks[one] for one in neighbours[place][0 if downwards else 1]),
                        ranks[place],
                    )
                )
            if (crossings := self._crossings()) < fewest:
                best, fewest = [list(row) for row in self.rows], crossings
        self.rows = best

    def _crossings(self) -> int:
        ranks = {place: rank for row in self.rows for rank, place in enumerate(row)}
        steps = [pair for arrow in self.arrows for pair in pairwise(arrow.way)]
        by_row: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for above, below in steps:
            by_row[above.row].append((ranks[above], ranks[below]))
        return sum(
            a[0] < b[0] and a[1] > b[1]
            for pairs in by_row.values()
            for a, b in product(pairs, pairs)
        )

    def _spread(self, neighbours: dict[Place, tuple[list[Place], list[Place]]]) -> None:
        """Move places sideways towards their neighbours, keeping order and distance.

        Then the places of each long arrow towards one line, so that it runs straight.
        """
        for row in self.rows:
            settle(row, [0.0] * len(row))
        pulls = {place: [*sides[0], *sides[1]] for place, sides in neighbours.items()}
        lanes = [
            [one for one in arrow.way[1:-1] if one is not arrow.label] for arrow in self.arrows
        ]
        self._settle(pulls, SETTLINGS)
        self._settle({place: lane for lane in lanes for place in lane}, STRAIGHTENINGS)

    def _settle(self, pulls: dict[Place, list[Place]], turns: int) -> None:
        for turn in range(turns):
            for row in self.rows if turn % 2 == 0 else reversed(self.rows):
                settle(
                    row, [mean((one.x for one in pulls.get(place, ())), place.x) for place in row]
                )

    def _measure(self) -> None:
        left = min(place.x - place.width / 2 for row in self.rows for place in row)
        y = 0.0
        for number, row in enumerate(self.rows):
            height = max(place.height for place in row)
            for place in row:
                place.x -= left
                place.y = y + (height - place.height) / 2
            y += height + (GAP if number < len(self.rows) - 1 else 0.0)
        self.height = y
        self.width = max(place.x + place.width / 2 for row in self.rows for place in row)


def turn_back(boxes: Iterable[str], arrows: list[Arrow]) -> None:
    """Mark the arrows that close a circle."""
    leaving: dict[str, list[Arrow]] = defaultdict(list)
    for arrow in arrows:
        leaving[arrow.source].append(arrow)
    done: set[str] = set()
    for start in boxes:
        path, under_way = [(start, iter(leaving[start]))], {start}
        while path and start not in done:
            name, rest = path[-1]
            for arrow in rest:
                if arrow.target in under_way:
                    arrow.is_back = True
                elif arrow.target not in done:
                    path.append((arrow.target, iter(leaving[arrow.target])))
                    under_way.add(arrow.target)
                    break
            else:
                path.pop()
                under_way.discard(name)
                done.add(name)
