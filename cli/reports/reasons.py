"""Decisions with the values that made them, in words."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cli.reports.phrases import STATES, moment, reason
from journeys.why import ByRun, Fate, Refused, Visited

Reasons = Mapping[str, Any]

MERGED = {"merged_from": "was merged with customer", "merged_into": "was merged into customer"}


def values(why: Reasons) -> str:
    """`event.total = 12.5, customer.tier is missing`"""
    seen = why.get("values") or {}
    return ", ".join(
        f"{name} is missing" if value is None else f"{name} = {shown(value)}"
        for name, value in seen.items()
    )


def shown(value: object) -> str:
    """A value on one line; a collection was kept as its count."""
    if isinstance(value, Mapping) and set(value) == {"count"}:
        return f"{value['count']} of them"
    return json.dumps(value, ensure_ascii=False)


def judged(why: Reasons) -> str:
    """`event.total > 20.0 was false: event.total = 12.5`"""
    condition = " ".join(str(why["condition"]).split())
    holds = why.get("holds")
    if holds is None:
        said = str(why.get("reason") or values(why))
        return f"{condition} is unknown: {said}" if said else f"{condition} is unknown"
    seen = values(why)
    return f"{condition} was {str(holds).lower()}" + (f": {seen}" if seen else "")


def because(why: Reasons | None) -> str:
    """The condition by which something happened; empty where there was none."""
    return judged(why) if why and "condition" in why else ""


def of_membership(why: Reasons) -> str:
    """Why somebody joined an audience or left it, as far as it was written down."""
    if "import" in why:
        file = why.get("file") or "a file"
        how = {"remove": "removed by ", "replace": "the list was replaced by "}
        return f"{how.get(why.get('mode', ''), '')}{file} (import {why['import']})"
    if why.get("by") == "hand":
        return f"by hand, with the key '{why['key']}'" if "key" in why else "by hand"
    if "found" in why:
        return f"was so when {why['found']} was published"
    for word, said in MERGED.items():
        if word in why:
            return f"{said} {why[word]}"
    return "the audience was deleted" if "deleted" in why else because(why)


def of_refusal(one: Refused) -> str:
    """Why an event did not do what it could have done."""
    why = one.why or {}
    name = f"{one.name}: " if one.name else ""
    name = f"{of_run(one.run)}: " if one.run is not None else name
    step = f"at {why['step']}, " if "step" in why else ""
    if one.reason in {"condition", "exit_condition", "wait_condition"} and "condition" in why:
        event = name if one.reason != "condition" or one.run is not None else ""
        return f"{event}{step}{judged(why)}"
    if one.reason == "key_unknown":
        return f"{name}the key {why.get('key')} could not be worked out: {why.get('reason')}"
    if one.reason == "late" and isinstance(why.get("occurred_at"), str):
        at = moment(datetime.fromisoformat(why["occurred_at"]))
        return f"{name}{reason('late')}: it occurred at {at}"
    return name + reason(one.reason)


def of_run(run: ByRun) -> str:
    """The run that entered somebody, or looked and did not."""
    how = {
        "schedule": "due at",
        "date": "by date at",
        "event": "by a business event at",
        "request": "that was asked for at",
    }[run.cause]
    over = f" over {run.audience}" if run.audience else ""
    return f"by run {run.id}{over}, {how} {moment(run.scheduled_for)} UTC"


def moved(visit: Visited) -> str:
    """Why a step was left by its exit."""
    why = visit.why or {}
    if "tried" in why:
        return "; ".join(tried(why["tried"]))
    if "timeout" in why:
        return f"nothing came until {moment(datetime.fromisoformat(str(why['timeout'])))}"
    if "event" in why:
        met = because(why)
        return f"{why['event']} came" + (f": {met}" if met else "")
    if "zone" in why and "reason" not in why:
        return f"in the time zone {why['zone']}"
    if "reason" in why:
        detail = f" ({why['detail']})" if why.get("detail") else ""
        return f"{reason(str(why['reason']))}{detail}"
    return ""


def tried(branches: list[Reasons]) -> Iterator[str]:
    """Every condition of a branch that was tried, in order."""
    for one in branches:
        yield f"{one.get('branch')}: {judged(one)}"


def of_message(one: Fate) -> str:
    """A message and what became of it."""
    said = f"{one.channel} of {one.step}: {STATES.get(one.state, one.state)}"
    if one.reason is not None:
        said += f", {reason(one.reason)}"
    if one.detail and one.detail != reason(one.reason):
        said += f" ({one.detail})"
    return said
