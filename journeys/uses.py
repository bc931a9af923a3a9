"""What a journey uses of the world around it."""

from expressions import condition, value
from journeys.plan import Plan
from journeys.verdicts import needs_of


def audiences_of(plan: Plan) -> frozenset[str]:
    """The audiences that a journey names: whose members enter, and whom its conditions ask for."""
    found = set(needs_of(plan).audiences)
    for step in plan.journey.steps:
        for one in step.sources():
            compiler = condition if one.gives == "condition" else value
            found |= compiler(one.text, roots=one.roots).needs.audiences
    return frozenset(name.partition("/")[0] for name in found)
