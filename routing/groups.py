"""A page of customers enters a journey: the router's rules, for many at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from expressions import Facts, Needs, condition, value
from journeys.effects import Gate, Inside, Refusal
from journeys.entering import Admission, admission, goal_until
from journeys.entry import Entry
from journeys.identity import CustomerId
from journeys.plan import Plan
from journeys.running import entry_name
from journeys.verdicts import ENTRY_SEEN
from routing.registry import insides
from routing.round import Round
from storage import instances, newcomers, progress, reach, trail
from storage.facts import facts_of
from storage.ids import derived
from storage.instances import Instance
from storage.newcomers import Newcomer
from storage.pool import Db
from storage.runs import Run
from storage.trail import Refused

Entries = Mapping[CustomerId, Mapping[str, Any]]
"""The customers who are meant, and what `entry` holds for each."""

NOBODY: frozenset[tuple[str, str | None]] = frozenset()  # a run moves nobody


@dataclass(slots=True)
class Page:
    """What becomes of a page."""

    newcomers: list[Newcomer] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    refusals: int = 0


async def enter_page(
    round: Round, run: Run, plan: Plan, page: Sequence[CustomerId], entries: Entries, now: datetime
) -> list[Inside] | None:
    """Register those of `page` who enter and advance the run past it, both or neither.

    `page` is what the run came to, in order; only who is among `entries` is meant. The answer are
    the instances to start; None if somebody else has taken this page.
    """
    async with round.pool.acquire() as connection, connection.transaction():
        if not await progress.claim(connection, run):
            return None
        people = await reach.present(connection, [one for one in page if one in entries])
        rows = await instances.around(connection, people, [], [plan.name], now)
        met = group(rows)
        insiders = {one.id: one for one in await insides(round.registry, connection, rows)}
        facts = await known(connection, people, entries, plan.journey.entry, now)
        gate, decided = Gate(plan), Page()
        for customer in people:
            mine = met.get(customer, ())
            # Merged with another that this run came to before, it is in already.
            if any(row.run == run.id for row in mine):
                continue
            around = [insiders[row.id] for row in mine]
            said = admission(now, gate, around, NOBODY, facts[customer])
            decide(round, run, plan, customer, entries[customer], now, said, decided)
        new = await newcomers.register(
            connection, plan, run.id, decided.newcomers, paged=plan.way.is_broadcast
        )
        if decided.refused:
            await trail.refuse(connection, decided.refused)
        await progress.advance(connection, run, page[-1], len(page), len(new), decided.refusals)
    return new


def decide(
    round: Round,
    run: Run,
    plan: Plan,
    customer: CustomerId,
    entry: Mapping[str, Any],
    now: datetime,
    said: Admission | Refusal,
    page: Page,
) -> None:
    """Let one customer enter, or write down why not; both by ids that are always the same.

    Where the run is over everybody, its condition is what says who is meant: whom it does not hold
    for is counted and not written down.
    """
    event = derived(run.id, entry_name(customer))
    if isinstance(said, Refusal):
        page.refusals += 1
        if run.audience is not None or said.reason != "condition":
            told = (said.journey, customer, said.reason, said.why)
            page.refused.append(Refused(now, event, *told, run=run.id))
        return
    one = Inside(
        derived(event, plan.name), plan, customer, said.key, event, entry, now,
        round.workflow_id(plan.name, customer, said.key), goal_until=goal_until(plan, now),
    )  # fmt: skip
    page.newcomers.append((one, said.why or None))


async def known(
    db: Db, people: Sequence[CustomerId], entries: Entries, entry: Entry, now: datetime
) -> Mapping[CustomerId, Facts]:
    """What the rules of an entry look at, of each of these customers."""
    if entry.when is None and entry.key is None:
        return dict.fromkeys(people, Facts(now=now))
    facts = await facts_of(db, people, needs_of(entry), now)
    return {one: replace(facts[one], event=entries[one]) for one in people}


def needs_of(entry: Entry) -> Needs:
    """What the rules of an entry have to know."""
    needs = [condition(entry.when, roots=ENTRY_SEEN).needs] if entry.when else []
    needs += [value(entry.key, roots=ENTRY_SEEN).needs] if entry.key else []
    return Needs.of(*needs)


def group(rows: Iterable[Instance]) -> dict[CustomerId, list[Instance]]:
    """Instances by customer."""
    found: dict[CustomerId, list[Instance]] = {}
    for row in rows:
        found.setdefault(row.customer, []).append(row)
    return found
