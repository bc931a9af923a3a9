"""Joinings of the many who join at once: they are written as members only.

As long as such a member stays, the row says all that a change would. Whoever deletes it, or gives
it another time, writes the change. `audience_history` has both, for those who read.
"""

from datetime import datetime

from storage.pool import Db

# Writes the changes of the members' rows in {}, which end.
ENDED = """
    ended AS (
        INSERT INTO audience_changes (at, seq, transaction, audience, customer, joined, why)
        OVERRIDING SYSTEM VALUE
        SELECT joined_at, seq, transaction, audience, customer, true, why FROM {}
        WHERE transaction IS NOT NULL
    )
"""


async def forget(connection: Db, limit: datetime) -> None:
    """Forget those before `limit` that were written when the partition of their time was gone."""
    await connection.execute("DELETE FROM audience_changes_default WHERE at < $1", limit)
