"""Why a customer is where it is: for each journey what happened, what did not, and by which values.

The models only; putting them together from what is stored is for the API, wording for its readers.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from journeys.model import Model

Reasons = Mapping[str, Any]
NotEntered = Literal[
    "refused",
    "never_seen",
    "not_asked",
    "before_published",
    "undecided",
    "no_run",
    "not_reached",
]


class Visited(Model):
    """One visit of a step: by which exit it was left, and why."""

    visit: int
    step: str
    at: datetime
    left_at: datetime | None = None
    exit: str | None = Field(None, examples=["timed_out"])
    result: Reasons | None = None
    why: Reasons | None = Field(None, examples=[{"timeout": "2026-11-24T10:02:00Z"}])


class Fate(Model):
    """One message, and what became of it."""

    id: UUID
    step: str
    visit: int
    channel: str = Field(examples=["email"])
    state: str = Field(examples=["skipped"])
    reason: str | None = Field(None, examples=["no_address"])
    detail: str | None = Field(None, examples=["the customer has no email"])
    provider: str | None = None
    at: datetime
    settled_at: datetime | None = None


class Stands(Model):
    """Where an instance is now, and what it waits for."""

    step: str
    kind: str | None = Field(None, examples=["wait_for"])
    waits_for: tuple[str, ...] = Field((), examples=[["clicked: Message Clicked of reminder"]])
    until: datetime | None = None
    is_held: bool = Field(False, description="the journey is paused: it goes on when that ends")


class Aim(Model):
    """The journey's goal, and when this instance met it."""

    event: str
    until: datetime | None = None
    met_at: datetime | None = None


class ByRun(Model):
    """The run that entered a customer with a group, or looked at it and did not."""

    id: UUID
    cause: str = Field(examples=["schedule"])
    audience: str | None = Field(None, description="None: everybody", examples=["loyal"])
    scheduled_for: datetime


class Passage(Model):
    """One instance: how it entered, what it did, where it stands or how it ended."""

    id: UUID
    version: int
    key: str | None = None
    entered_at: datetime
    entry_event: str | None = Field(None, examples=["Checkout Started"])
    run: ByRun | None = Field(None, description="what entered it where no event did")
    state: str = Field(description="`inside`, or how it ended", examples=["exited"])
    ended_at: datetime | None = None
    why: Reasons | None = Field(None, description="the condition it entered by, or was ended by")
    stands: Stands | None = None
    goal: Aim | None = None
    visits: tuple[Visited, ...] = ()
    messages: tuple[Fate, ...] = ()


class Refused(Model):
    """An event that could have entered the journey, or moved an instance of it, and did not."""

    at: datetime
    event: UUID
    name: str | None = Field(None, examples=["Checkout Started"])
    run: ByRun | None = None
    reason: str = Field(examples=["condition"])
    why: Reasons | None = Field(
        None,
        examples=[
            {"condition": "event.total > 20.0", "holds": False, "values": {"event.total": 12.5}},
        ],
    )


class WhyJourney(Model):
    """One journey as this customer met it."""

    journey: str = Field(examples=["abandoned-cart"])
    state: str = Field(examples=["open"])
    entry: str = Field("", description="who enters, in words", examples=["joining loyal"])
    entry_event: str | None = Field(None, description="None: no event of the customer enters")
    entered: bool
    not_entered: NotEntered | None = Field(None, description="why not, where it was not entered")
    last_seen: datetime | None = Field(None, description="the customer's last entry event")
    passages: tuple[Passage, ...] = Field((), description="the latest first")
    refusals: tuple[Refused, ...] = Field((), description="the latest first")


class Why(Model):
    """Everything that decided what one customer got and did not get."""

    customer: UUID
    user_id: str | None = None
    journeys: tuple[WhyJourney, ...] = ()
