"""A real shop's events: replayed into a running system they do what the simulation says."""

import pytest

from bench.real import run
from tests.shop import YEAR, with_year

LINES = 400


@pytest.mark.slow
@with_year
async def test_the_same_customers_enter_first_on_the_same_events() -> None:
    figures = await run(YEAR, LINES)

    assert figures["events"] == LINES
    assert figures["entered_first_alike"] > 0
