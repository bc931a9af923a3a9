"""What routes work with, opened once a process by the application's lifespan."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.tracking.ingest import Ingest
from clock import Clock
from routing.registry import Registry
from routing.round import Round
from storage.pool import Pool
from workflows.client import Engine


@dataclass(frozen=True, slots=True)
class State:
    """The clients of the API."""

    pool: Pool
    clock: Clock
    secret: bytes
    engine: Engine
    registry: Registry
    round: Round
    ingest: Ingest


def state(request: Request) -> State:
    """The state of the application that answers."""
    app = request.app.state
    return State(app.pool, app.clock, app.secret, app.engine, app.registry, app.round, app.ingest)


Parts = Annotated[State, Depends(state)]
