"""Rule 4: processes killed with -9 at random instants lose nothing, and send nothing twice."""

import pytest

from bench.kills import measured

RECOVERED = 15.0  # seconds after a kill of the worker in which work goes on


@pytest.mark.slow
@pytest.mark.parametrize("guarantee", ["at_most_once", "at_least_once"])
@pytest.mark.parametrize("victims", [["worker"], ["worker", "api", "temporal"]], ids="-".join)
async def test_every_mail_arrives_whatever_is_killed(guarantee: str, victims: list[str]) -> None:
    [outcome] = await measured([guarantee], runs=1, count=250, kills=3, victims=victims)

    assert outcome.holds, outcome
    assert outcome.recovery < RECOVERED
