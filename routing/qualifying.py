"""Judges customers whose audiences may have changed: who is in, who is out, and what follows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from audiences.catalog import Catalog
from audiences.definition import AnyAudience
from expressions import Condition, Facts
from expressions.horizon import next_change
from journeys.identity import CustomerId
from journeys.verdicts import explained
from storage import audience_queue, customers, members
from storage.audience_queue import Touched
from storage.facts import facts_of
from storage.members import Change
from storage.pool import Db

PUT_OFF = timedelta(seconds=1)  # while the members of an audience are being found


class Question(NamedTuple):
    """A customer, and the audiences to be judged anew for them."""

    touched: Touched
    names: Sequence[str]


async def qualify(
    db: Db, catalog: Catalog, touched: Iterable[Touched], now: datetime
) -> list[Change]:
    """Judge these customers again, within the caller's transaction; what has changed.

    Their rows are held: of two judgements of one customer the later sees what the earlier saw.
    """
    asked = list(touched)
    people = await customers.locked(db, {CustomerId(one.customer) for one in asked})
    questions = {
        one.customer: Question(one, ordered(catalog, one.audiences))
        for one in asked
        if one.customer in people
    }
    await put_off(db, catalog, questions.values(), now)
    changes = await judged(db, catalog, questions, now)
    written = await members.change(db, changes)
    told = [one for one in changes if (one.audience, one.customer) in written]
    await ask_dependents(db, catalog, told)
    return told


def ordered(catalog: Catalog, names: Iterable[str]) -> list[str]:
    """Those that are judged customer by customer, each after what it is made of."""
    return sorted(
        (name for name in names if name in catalog.conditions and name in catalog.ready),
        key=catalog.order.__getitem__,
    )


async def judged(
    db: Db, catalog: Catalog, questions: Mapping[UUID, Question], now: datetime
) -> list[Change]:
    """Who joins and who leaves; also writes down when time will change that."""
    names = {name for one in questions.values() for name in one.names}
    if not names:
        return []
    facts = await facts_of(db, list(questions), catalog.needs(names), now)
    inside = await members.inside(db, list(questions), names_of(catalog, names))
    changes: list[Change] = []
    checks: dict[UUID, datetime] = {}
    for id, (touched, wanted) in questions.items():
        for name in wanted if id in facts else ():
            condition, known = catalog.conditions[name], facts[id]
            changes += moves(
                catalog.audiences[name], condition, known, CustomerId(id), inside[id], touched.event
            )
            if name in catalog.timely and (at := next_change(condition, known)) is not None:
                checks[id] = min(at, checks.get(id, at))
    if checks:
        await audience_queue.check_again(db, checks)
    return changes


def names_of(catalog: Catalog, names: Iterable[str]) -> list[str]:
    """These audiences and their parts."""
    return [part for name in names for part in catalog.audiences[name].names]


def moves(
    audience: AnyAudience,
    condition: Condition,
    facts: Facts,
    customer: CustomerId,
    inside: Collection[str],
    event: UUID | None,
) -> Iterable[Change]:
    """What the customer joins and leaves of an audience and its parts, and by which values."""
    holds = condition.holds(facts)
    belongs = {audience.audience, audience.part_of(customer)} if holds else set()
    moved = [name for name in audience.names if (name in belongs) != (name in inside)]
    if not moved:
        return
    why = explained(audience.condition, condition.judge(facts))
    if event is not None:
        why["event"] = str(event)
    for name in moved:
        yield Change(name, customer, name in belongs, facts.now, why)


async def put_off(db: Db, catalog: Catalog, questions: Iterable[Question], now: datetime) -> None:
    """Leave the questions about audiences whose members are being found for later."""
    later = [
        Touched(one.touched.customer, waiting, one.touched.event, now + PUT_OFF)
        for one in questions
        if (waiting := catalog.unready(one.touched.audiences))
    ]
    if later:
        await audience_queue.put(db, later)


async def ask_dependents(db: Db, catalog: Catalog, changes: Iterable[Change]) -> None:
    """Have the audiences judged that look at those which changed."""
    names: dict[UUID, set[str]] = {}
    for one in changes:
        names.setdefault(one.customer, set()).update(catalog.dependents([one.audience]))
    asked = [Touched(customer, found) for customer, found in names.items() if found]
    if asked:
        await audience_queue.put(db, asked)
