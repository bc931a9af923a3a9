"""Fixtures of the live tier: one Temporal for the session, a database and a mailbox per test."""

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from embedded import program
from embedded.temporal import FOR_TESTS, PUNCTUAL, TemporalServer, port_near, stop
from tests.live.system import System, system

# Low enough for a test to see an instance continue as new.
EARLY = {"limit.historyCount.suggestContinueAsNew": "60"}


@pytest.fixture(scope="session")
async def temporal(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a Temporal that keeps nothing."""
    server = TemporalServer(
        program.find(), None, port_near(0), dynamic=PUNCTUAL | FOR_TESTS | EARLY
    )
    process = server.start(tmp_path_factory.mktemp("temporal") / "log")
    try:
        await server.wait_ready()
        yield server.address
    finally:
        stop(process)


async def end_all(address: str) -> None:
    """End what still runs: its database is about to go."""
    client = await Client.connect(address)
    async for one in client.list_workflows("ExecutionStatus = 'Running'"):
        with suppress(RPCError):  # it has ended by itself meanwhile
            await client.get_workflow_handle(one.id, run_id=one.run_id).terminate("it is over")


@pytest.fixture
async def live(database_url: str, temporal: str) -> AsyncIterator[System]:
    """A system of this test's own, without a worker."""
    async with system(database_url, temporal) as made:
        yield made
    await end_all(temporal)
