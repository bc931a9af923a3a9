"""Rule 1 of audiences: of two imports at once, one killed half-way, every row counts once."""

from pathlib import Path

import pytest

from bench.import_kills import Victim, killed
from bench.import_site import site

ROWS = 60_000


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["api", "cli"])
async def test_every_row_counts_once_whatever_is_killed(
    database_url: str, tmp_path: Path, victim: Victim
) -> None:
    async with site(database_url, tmp_path, "both") as one:
        counted = await killed(one, "both", ROWS, victim)

    assert counted.holds, counted
