"""A worker that is killed with -9 again and again enters nobody twice and leaves nobody out."""

import asyncio
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.client import Client

from bench.servers import Process, servers
from settings import Settings
from storage import journeys
from storage.pool import pool
from tests.live.groups import begun, join, people, scheduled
from tests.live.system import System

COUNT = 2500
KILLS = 4


@pytest.mark.slow
async def test_killed_workers_enter_everybody_once(tmp_path: Path) -> None:
    async with servers(tmp_path) as up, pool(up.postgres.url) as db:
        everybody = await people(db, COUNT)
        await join(db, "loyal", *everybody)
        definition = scheduled("group")
        await journeys.publish(db, "group", "x", definition, {}, datetime.now(UTC))
        settings = Settings.model_validate({
            "database_url": up.postgres.url,
            "temporal_address": up.temporal.address,
        })
        live = System(db, settings, up.mailbox)
        environment = {
            "PARCOURS_DATABASE_URL": up.postgres.url,
            "PARCOURS_TEMPORAL_ADDRESS": up.temporal.address,
        }
        worker = Process(["worker"], environment, tmp_path / "worker.log")
        client = await Client.connect(up.temporal.address)
        await worker.start()
        try:
            await begun(live, "group")
            for kill in range(KILLS):
                share = COUNT * (kill + random.random()) / (KILLS + 0.5)
                await live.until(
                    "SELECT count(*) >= $1 FROM instances WHERE started",
                    share,
                    within=120,
                )
                await asyncio.sleep(random.uniform(0, 1.5))
                await worker.kill()
                await worker.start()
            await live.until("SELECT bool_and(state = 'done') FROM runs", within=180)
            await live.until("SELECT bool_and(started) FROM instances", within=60)
        finally:
            await worker.stop()
        rows = await db.fetch("SELECT customer, workflow_id FROM instances")
        [run] = await db.fetch("SELECT * FROM runs")

        assert sorted(row["customer"] for row in rows) == sorted(everybody)
        assert (run["reached"], run["entered"], run["refused"]) == (COUNT, COUNT, 0)
        await eventually(client, COUNT)
        ids = {one.id async for one in client.list_workflows("WorkflowType = 'Journey'")}
        assert ids == {row["workflow_id"] for row in rows}


async def eventually(client: Client, count: int) -> None:
    """Visibility lags behind."""
    async with asyncio.timeout(30):
        while (await client.count_workflows("WorkflowType = 'Journey'")).count < count:
            await asyncio.sleep(0.2)
