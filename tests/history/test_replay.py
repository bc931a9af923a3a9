"""Recorded histories of every kind of step replay: what is under way goes on after a deployment."""

from pathlib import Path
from typing import get_args

import orjson
import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from journeys.definition import Journey
from journeys.plan import Plan, plan_ref
from journeys.steps import Step
from journeys.templates import Template
from workflows.converter import worker_converter
from workflows.journey import JourneyWorkflow
from workflows.run import RunWorkflow
from workflows.sandbox import RESTRICTIONS

RECORDED = Path(__file__).parent / "recorded"
HISTORIES = sorted(path.name for path in RECORDED.glob("*.[0-9].json"))
RUNNERS = {
    "sandboxed": SandboxedWorkflowRunner(restrictions=RESTRICTIONS),
    "unsandboxed": UnsandboxedWorkflowRunner(),
}


def plans() -> dict[str, Plan]:
    """Every recorded plan by its reference."""
    found: dict[str, Plan] = {}
    for path in RECORDED.glob("*.plan.json"):
        kept = orjson.loads(path.read_bytes())
        ref = plan_ref(kept["journey"], kept["version"], kept["hash"])
        templates = {name: Template.model_validate(one) for name, one in kept["templates"].items()}
        journey = Journey.model_validate(kept["definition"])
        found[ref] = Plan(ref, kept["version"], journey, templates)
    return found


def replayer(runner: WorkflowRunner) -> Replayer:
    """Replays with the plans that lie beside the histories."""
    recorded = plans()

    async def fetch(ref: str) -> Plan | None:
        return recorded.get(ref)

    return Replayer(
        workflows=[JourneyWorkflow, RunWorkflow],
        data_converter=worker_converter(fetch),
        workflow_runner=runner,
    )


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("name", HISTORIES)
async def test_recorded_history_replays(name: str, runner: str) -> None:
    kept = orjson.loads((RECORDED / name).read_bytes())

    history = WorkflowHistory.from_json(kept["workflow_id"], kept["history"])

    await replayer(RUNNERS[runner]).replay_workflow(history)


async def test_history_of_another_journey_does_not_replay() -> None:
    kept = orjson.loads((RECORDED / "branch.1.json").read_bytes())
    for event in kept["history"]["events"]:
        attributes = event.get("markerRecordedEventAttributes")
        if attributes is not None:
            attributes["markerName"] = "something else"
    history = WorkflowHistory.from_json(kept["workflow_id"], kept["history"])

    with pytest.raises(Exception, match=r"[Nn]ondeterminism|TMPRL1100"):
        await replayer(RUNNERS["unsandboxed"]).replay_workflow(history)


def test_every_kind_of_step_has_a_recorded_history() -> None:
    kinds = {kind.model_fields["kind"].default for kind in get_args(get_args(Step)[0])}

    recorded = {step.kind for plan in plans().values() for step in plan.journey.steps}

    assert recorded == kinds
