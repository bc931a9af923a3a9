"""The loop that walks a journey: enter, run, leave, follow the edge."""

from journeys.plan import Plan
from journeys.runtime import Walker


async def walk(plan: Plan, walker: Walker, start: str | None) -> None:
    """Walk `plan` from the step `start` to its end."""
    current = start
    while current is not None:
        walker.enter(current)
        exit = await plan.step(current).run(walker)
        current = plan.target(current, exit)
        await walker.leave(exit, current)
