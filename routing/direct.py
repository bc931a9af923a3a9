"""Starts an instance for a caller who waits for the answer: the router's rules, one customer."""

from journeys.effects import Effects, Gate, Inside, Refusal
from journeys.entering import approach
from journeys.event import Event
from journeys.identity import CustomerId
from routing.known import known
from routing.orders import newcomer
from routing.registry import insides
from routing.round import Round
from storage import customers, inbox, instances, trail
from storage.trail import Refused


async def enter(
    round: Round, gate: Gate, event: Event, customer: CustomerId, key: str | None = None
) -> Inside | Refusal:
    """Let `customer` enter by `event`, or say why not; the same event enters once.

    `key` replaces what the journey's key expression would give.

    Raises:
        RPCError: Temporal is away; the instance is registered and will be started.
    """
    decided = await decide(round, gate, event, customer, key)
    if isinstance(decided, Inside) and decided.ended_at is None:
        await round.start(decided)
        await inbox.routed(round.pool, [], [decided.id])
    return decided


async def decide(
    round: Round, gate: Gate, event: Event, customer: CustomerId, key: str | None
) -> Inside | Refusal:
    """The instance that the event enters or has entered, registered; or the reason."""
    async with round.pool.acquire() as connection, connection.transaction():
        people = await customers.locked(connection, [customer], [(event, customer)])
        rows = await instances.around(
            connection, [customer], [event.id], [gate.plan.name], event.occurred_at
        )
        met = await insides(round.registry, connection, rows)
        for inside in met:
            if inside.entry_event == event.id:
                return inside
        facts = await known(
            connection, event, customer, people[customer].attributes, [], [gate.plan]
        )
        effects = Effects()
        approach(event, customer, gate, met, set(), facts.facts(event)(None), effects, key)
        if effects.refusals:
            refusal = effects.refusals[0]
            await trail.refuse(
                connection,
                [
                    Refused(
                        event.occurred_at,
                        event.id,
                        refusal.journey,
                        customer,
                        refusal.reason,
                        refusal.why,
                    )
                ],
            )
            return refusal
        enters = effects.enters[0]
        round.name(enters.inside)
        await instances.register(connection, [newcomer(enters)])
        return enters.inside
