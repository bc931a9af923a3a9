"""The year of a real shop, which lies beside the project: it carries no copy of it.

Where it is not there, the tests that hold something against it have nothing to hold it against;
the same code is tested on generated customers everywhere.
"""

from pathlib import Path

import pytest

YEAR = Path(__file__).parents[2] / "shared" / "data" / "online-retail.jsonl.gz"
with_year = pytest.mark.skipif(not YEAR.exists(), reason=f"{YEAR} is not there")
