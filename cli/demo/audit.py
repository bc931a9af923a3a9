"""Whether the ledger and the mailbox tell the same story, message by message."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

NAMED = 5
SENT, PERHAPS = "accepted", "unknown"


def differences(messages: Iterable[Mapping[str, Any]], mails: Mapping[str, int]) -> list[str]:
    """Every way in which they differ, as sentences; none is as it should be."""
    states = {str(one["id"]): str(one["state"]) for one in messages}
    missing = [id for id, state in states.items() if state == SENT and not mails.get(id)]
    uncalled = [id for id in mails if states.get(id) not in (SENT, PERHAPS)]
    twice = [id for id, count in mails.items() if count > 1]
    unsettled = [id for id, state in states.items() if state == "sending"]
    found = (
        (missing, "sent by the ledger, and not in the mailbox"),
        (uncalled, "in the mailbox, and not sent by the ledger"),
        (twice, "in the mailbox more than once"),
        (unsettled, "begun and without a fate"),
    )
    return [f"{len(ids)} {what}: {', '.join(ids[:NAMED])}" for ids, what in found if ids]


def totals(
    reports: Iterable[Mapping[str, Any]], messages: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Where the journeys' reports count other messages than the ledger lists."""
    listed = Counter((one["journey"], one["step"], one["state"]) for one in messages)
    counted: Counter[tuple[str, str, str]] = Counter()
    for report in reports:
        for row in report["messages"]:
            counted[report["journey"], row["step"], row["state"]] += row["count"]
    return [
        f"{journey}/{step}: the report counts {counted[journey, step, state]} {state}, "
        f"the ledger lists {listed[journey, step, state]}"
        for journey, step, state in sorted(listed.keys() | counted.keys())
        if counted[journey, step, state] != listed[journey, step, state]
    ]
