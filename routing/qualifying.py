"""Judges customers whose audiences may have changed: who is in, who is out, and what follows."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from audiences.catalog import Catalog, Judgement, Rule
from expressions import Facts
from journeys.identity import CustomerId
from journeys.verdicts import explained
from storage import audience_queue, customers, members
from storage.audience_queue import Touched
from storage.customers import Customer
from storage.facts import facts_of
from storage.members import Change
from storage.pool import Db

PUT_OFF = timedelta(seconds=1)  # while the members of an audience are being found


class Question(NamedTuple):
    """A customer, and the audiences to be judged anew for them."""

    touched: Touched
    judgement: Judgement


async def qualify(
    db: Db,
    catalog: Catalog,
    touched: Iterable[Touched],
    now: datetime,
    people: Mapping[CustomerId, Customer] | None = None,
) -> list[Change]:
    """Judge these customers again, within the caller's transaction; what has changed.

    Their rows are held, by the caller if they are given as `people`: of two judgements of one
    customer the later sees what the earlier saw.
    """
    asked = list(touched)
    if people is None:
        people = await customers.locked(db, {CustomerId(one.customer) for one in asked})
    living: dict[UUID, Mapping[str, Any]] = {
        person.id: person.attributes
        for person in people.values()
        if not person.is_merged and person.erased_at is None
    }
    questions = {
        one.customer: Question(one, catalog.judgement(one.audiences))
        for one in asked
        if one.customer in living
    }
    await put_off(db, catalog, questions.values(), now)
    changes = await judged(db, catalog, questions, living, now)
    if not changes:
        return []
    written = await members.change(db, changes)
    told = [one for one in changes if (one.audience, one.customer) in written]
    await ask_dependents(db, catalog, told)
    return told


async def judged(
    db: Db,
    catalog: Catalog,
    questions: Mapping[UUID, Question],
    attributes: Mapping[UUID, Mapping[str, Any]],
    now: datetime,
) -> list[Change]:
    """Who joins and who leaves; also writes down when time will change that."""
    rules = {
        rule.audience.audience: rule for one in questions.values() for rule in one.judgement.rules
    }
    if not rules:
        return []
    facts = await knowledge(db, questions.values(), attributes, now)
    names = [name for rule in rules.values() for name in rule.names]
    inside = await members.inside(db, list(questions), names)
    changes: list[Change] = []
    checks: dict[UUID, datetime] = {}
    for id, (touched, judgement) in questions.items():
        known, within = facts[id], inside[id]
        for rule in judgement.rules:
            holds = rule.condition.holds(known)
            if rule.has_parts or holds != (rule.names[0] in within):
                changes += moves(rule, known, CustomerId(id), within, touched.event, holds=holds)
        if (at := judgement.horizon.next(known)) is not None:
            checks[id] = at
    if checks:
        await audience_queue.check_again(db, checks)
    return changes


async def knowledge(
    db: Db,
    questions: Iterable[Question],
    attributes: Mapping[UUID, Mapping[str, Any]],
    now: datetime,
) -> dict[UUID, Facts]:
    """What is known of the customers; those who are asked the same are read together."""
    alike: dict[int, list[Question]] = defaultdict(list)
    for one in questions:
        alike[id(one.judgement)].append(one)
    found: dict[UUID, Facts] = {}
    for those in alike.values():
        judgement = those[0].judgement
        since = None if judgement.reach is None else now - judgement.reach
        ids = [one.touched.customer for one in those]
        found |= await facts_of(db, ids, judgement.needs, now, since=since, attributes=attributes)
    return found


def moves(
    rule: Rule,
    facts: Facts,
    customer: CustomerId,
    inside: Collection[str],
    event: UUID | None,
    *,
    holds: bool,
) -> Iterable[Change]:
    """What the customer joins and leaves of an audience and its parts, and by which values."""
    audience = rule.audience
    belongs = {audience.audience, audience.part_of(customer)} if holds else set()
    moved = [name for name in rule.names if (name in belongs) != (name in inside)]
    if not moved:
        return
    why = explained(audience.condition, rule.condition.judge(facts))
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
