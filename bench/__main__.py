"""`python -m bench`: how fast it is here, each figure beside its floor of the same run."""

import argparse
import tempfile
from pathlib import Path

import uvloop

from bench import ingest
from bench.figures import show
from bench.floor import floor
from bench.servers import servers
from bench.whole import whole

RESULTS = Path(__file__).parent / "results"


async def run(count: int, at_once: int, seconds: float) -> dict[str, float]:
    """Every measurement, one after the other."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="parcours-bench-") as folder:
        async with servers(Path(folder)) as up:
            figures |= await floor(up, count, at_once)
        Path(folder, "whole").mkdir()
        async with servers(Path(folder, "whole")) as up:
            figures |= await whole(up, count, at_once)
    figures["ratio"] = figures["whole_per_s"] / figures["floor_per_s"]
    if seconds:
        figures |= await ingest.run(seconds)
    return figures


def main() -> None:
    """Measure, print a table, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="journeys a measurement")
    parser.add_argument("--at-once", type=int, default=50, help="journeys in flight")
    parser.add_argument("--seconds", type=float, default=10.0, help="of ingest; 0 leaves it out")
    parser.add_argument("--out", type=Path, default=RESULTS / "latest.json")
    options = parser.parse_args()
    figures = uvloop.run(run(options.count, options.at_once, options.seconds))
    show(figures, options.out)


if __name__ == "__main__":
    main()
