"""A real shop's events: replayed into a running system they do what the simulation says."""

from pathlib import Path

import pytest

from bench.real import run

FILE = Path(__file__).parents[3] / "shared" / "data" / "online-retail.jsonl.gz"
LINES = 400


@pytest.mark.slow
@pytest.mark.skipif(not FILE.exists(), reason="the project carries no copy of the real data")
async def test_the_same_customers_enter_first_on_the_same_events() -> None:
    figures = await run(FILE, LINES)

    assert figures["events"] == LINES
    assert figures["entered_first_alike"] > 0
