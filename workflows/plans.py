"""The plans in use: one copy a process, there before the workflow code that needs it runs."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from weakref import WeakValueDictionary

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from journeys.errors import PlanMissing
from journeys.plan import Plan

Fetch = Callable[[str], Awaitable[Plan | None]]

KEPT = 512  # plans that nothing holds at the moment; a workflow holds its own


class Plans:
    """Plans by reference: those in use, and the ones used last."""

    def __init__(self) -> None:
        self._all: WeakValueDictionary[str, Plan] = WeakValueDictionary()
        self._recent: OrderedDict[str, Plan] = OrderedDict()

    def keep(self, plan: Plan) -> None:
        """Have `plan` at hand from now on."""
        self._all[plan.ref] = plan
        self._touch(plan)

    def get(self, ref: str) -> Plan:
        """The plan named `ref`.

        Raises:
            PlanMissing: nobody has fetched it.
        """
        plan = self._all.get(ref)
        if plan is None:
            raise PlanMissing(f"plan {ref} is not at hand")
        self._touch(plan)
        return plan

    async def ensure(self, ref: str, fetch: Fetch) -> Plan:
        """The plan named `ref`, fetched if it is not at hand."""
        plan = self._all.get(ref) or await fetch(ref)
        if plan is None:
            raise PlanMissing(f"plan {ref} is not in the database")
        self.keep(plan)
        return plan

    def _touch(self, plan: Plan) -> None:
        self._recent[plan.ref] = plan
        self._recent.move_to_end(plan.ref)
        if len(self._recent) > KEPT:
            self._recent.popitem(last=False)


PLANS = Plans()
MARK = "parcours-plan"


class PlanCodec(PayloadCodec):
    """Fetches the plan that a payload names before the workflow sees it; changes no byte."""

    def __init__(self, fetch: Fetch, plans: Plans = PLANS) -> None:
        self._fetch = fetch
        self._plans = plans

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads as they are."""
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads as they are, once their plans are at hand."""
        for payload in payloads:
            if (ref := payload.metadata.get(MARK)) is not None:
                await self._plans.ensure(ref.decode(), self._fetch)
        return list(payloads)
