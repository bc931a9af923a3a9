"""The kinds of steps. A new one is a file here and a row in this union."""

from typing import Annotated

from pydantic import Field

from journeys.steps.branch import Branch
from journeys.steps.call import Call
from journeys.steps.emit import Emit
from journeys.steps.end import End
from journeys.steps.send import Send
from journeys.steps.split import Split
from journeys.steps.update import Update
from journeys.steps.wait import Wait
from journeys.steps.wait_for import WaitFor

Step = Annotated[
    Wait | WaitFor | Branch | Split | Send | Update | Call | Emit | End,
    Field(discriminator="kind"),
]
