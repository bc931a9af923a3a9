"""Erases a customer from Postgres and from Temporal; doing it again changes nothing."""

from datetime import datetime
from uuid import UUID

from pydantic import Field
from temporalio.service import RPCError, RPCStatusCode

from api.people import unknown
from api.state import State
from journeys.event import shard_of
from journeys.identity import ExternalId
from journeys.model import Model
from storage import customers, erasure, external_ids
from storage.customers import Customer

REASON = "the customer was erased"


class Erased(Model):
    """What was erased; nothing when it had been done before."""

    customer: UUID | None
    erased_at: datetime
    workflows: int = Field(description="workflows whose histories were deleted", examples=[3])
    is_repeat: bool = False


async def erase(parts: State, row: Customer) -> Erased:
    """Erase everything that is known of a customer.

    Temporal comes first: were it away once the rows are gone, nobody would know what to delete.
    """
    now = parts.clock.now()
    done = set(await erasure.workflows(parts.pool, row.id))
    await delete_workflows(parts, done)
    async with parts.pool.acquire() as connection, connection.transaction():
        ids = await external_ids.of_customer(connection, row.id)
        await external_ids.lock(connection, {shard_of(id.value) for id in ids})
        await customers.locked(connection, [row.id])
        await erasure.say_goodbye(connection, row.id, now)
        await erasure.bury(connection, row.id, parts.secret, now)
        late = set(await erasure.workflows(connection, row.id)) - done
        await erasure.erase(connection, row.id)
    await delete_workflows(parts, late)
    return Erased(customer=row.id, erased_at=now, workflows=len(done | late))


async def erased_before(parts: State, named: str) -> Erased:
    """The answer for somebody who is not there any more, or 404 for one who never was."""
    ids = [ExternalId("user_id", named), ExternalId("anonymous_id", named)]
    _, buried = await external_ids.directory(parts.pool, ids, parts.secret)
    if not buried:
        raise unknown(named)
    return Erased(customer=None, erased_at=max(buried.values()), workflows=0, is_repeat=True)


async def delete_workflows(parts: State, ids: set[str]) -> None:
    """End and delete workflows; those that Temporal has forgotten are gone already."""
    for id in sorted(ids):
        await parts.engine.terminate(id, REASON)
        try:
            await parts.engine.delete(id)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
