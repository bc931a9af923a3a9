"""A send delivers one message over one channel."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from journeys.calls import Call
from journeys.runtime import Runtime
from journeys.steps.base import StepBase

Channel = Literal["email", "sms", "push", "whatsapp", "webhook"]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]

# The attribute of the customer that holds the address; a webhook needs none.
ADDRESSES: Mapping[Channel, str | None] = {
    "email": "email",
    "sms": "phone",
    "whatsapp": "phone",
    "push": "device_token",
    "webhook": None,
}

SENT, NOT_SENT = "sent", "not_sent"


class Send(StepBase):
    """One message: `sent` when a provider took it, `not_sent` with a reason when it did not."""

    at_once: ClassVar[bool] = True

    kind: Literal["send"] = "send"
    channel: Channel
    template: Slug
    topic: Slug | None = None

    @property
    def exits(self) -> tuple[str, ...]:
        return (SENT, NOT_SENT)

    async def run(self, runtime: Runtime) -> str:
        return str((await runtime.ask(Call.DELIVER)).exit)
