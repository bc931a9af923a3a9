"""The worker of the streaming measurement: routes and judges until it is ended.

python -m bench.judge URL
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta

import uvloop

from clock import Clock
from routing.catalogs import Catalogs
from routing.qualifier import Qualifier
from routing.registry import Registry
from routing.round import Round
from routing.router import Router
from storage.members import Change
from storage.notify import Bell
from storage.pool import Db
from storage.pool import pool as open_pool
from worker import spare_collector


async def tell(db: Db, changes: Sequence[Change]) -> bool:
    """No journey listens."""
    return False


async def run(url: str) -> None:
    """As in a worker, with no journeys: nobody speaks to the engine."""
    async with open_pool(url, 20) as pool:
        catalogs, clock = Catalogs(), Clock()
        round = Round(pool, Registry(), None, clock, b"bench", timedelta(days=1), catalogs)  # type: ignore[arg-type]  # without journeys there is nothing to start
        bell = Bell(pool)
        await asyncio.gather(
            Router(url, round).run(), Qualifier(pool, catalogs, clock, tell, bell.ring).run()
        )


if __name__ == "__main__":
    spare_collector()
    uvloop.run(run(sys.argv[1]))
