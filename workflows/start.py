"""What an instance's workflow is started with, and carries over when it continues as new."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from clock import Clock
from journeys.calls import Nudge, Passed
from journeys.model import Model

WORKFLOW = "Journey"
TASK_QUEUE = "parcours"
CALL_QUEUE = "parcours-call"
EVENT_SIGNAL = "event"
RESUME_SIGNAL = "resume"


def channel_queue(channel: str) -> str:
    """The task queue of a channel's long path."""
    return f"{TASK_QUEUE}-{channel}"


class Progress(Model):
    """How far a walk has come when its workflow continues as new."""

    step: str
    visit: int
    passed: tuple[Passed, ...] = ()
    nudges: tuple[Nudge, ...] = ()
    seen: tuple[str, ...] = ()


class Start(Model):
    """The input of an instance: ids, an instant, and the name of its plan."""

    names_a_plan: ClassVar[bool] = True

    plan: str
    instance: UUID
    customer: UUID
    entered_at: datetime
    clock: Clock | None = None
    progress: Progress | None = None
