"""Waits that can never be met, and rules of the whole journey that contradict each other."""

from collections.abc import Iterator
from datetime import timedelta

from journeys.checks.subject import Subject
from journeys.definition import ExitRule
from journeys.fields import nearest
from journeys.finding import Finding
from journeys.source_map import Path
from journeys.steps.send import Send
from journeys.steps.wait import Wait
from journeys.steps.wait_for import Awaited, WaitFor


def check_waits(subject: Subject) -> Iterator[Finding]:
    """Everything about waits and awaited events."""
    for path, step in subject.steps():
        if isinstance(step, Wait) and step.duration == timedelta(0):
            yield subject.finding(
                (*path, "duration"),
                "empty_wait",
                "this waits for no time at all",
                "write how long, like 45m or 7d, or remove the step",
            )
        if isinstance(step, WaitFor):
            yield from _wait_for(subject, path, step)
    yield from _rules(subject)


def _wait_for(subject: Subject, path: Path, step: WaitFor) -> Iterator[Finding]:
    looks_back = any(one.of or one.since == "entry" for one in step.events.values())
    if step.timeout == timedelta(0) and not looks_back:
        yield subject.finding(
            (*path, "timeout"),
            "empty_wait",
            "with a timeout of 0s no event can ever come in time",
            "write how long to wait, like 1d",
        )
    taken: dict[tuple[str, str | None], str] = {}
    for exit, awaited in step.events.items():
        where = (*path, "events", exit)
        yield from _of(subject, where, step, awaited)
        yield from _shadow(subject, where, awaited, taken)
        if awaited.when is None:
            taken.setdefault((awaited.event, awaited.of), exit)


def _of(subject: Subject, path: Path, step: WaitFor, awaited: Awaited) -> Iterator[Finding]:
    if (of := awaited.of) is None:
        return
    where, sends = (
        (*path, "of"),
        [id for id, one in subject.graph.steps.items() if isinstance(one, Send)],
    )
    found = subject.graph.steps.get(of)
    if found is None:
        hint = nearest(of, sends) if sends else "add the send that it speaks of"
        yield subject.finding(where, "unknown_step", f"there is no step {of!r}", hint)
    elif found.kind == "unread":
        return
    elif not isinstance(found, Send):
        hint = nearest(of, sends) if sends else "name the step that sends the message"
        yield subject.finding(
            where, "of_no_send", f"{of!r} is a {found.kind}, which sends nothing", hint
        )
    elif not subject.graph.runs_before(of, step.id):
        yield subject.finding(
            where,
            "of_not_before",
            f"{of!r} cannot have sent anything before this wait",
            "name a send on a way that leads here",
        )


def _shadow(
    subject: Subject, path: Path, awaited: Awaited, taken: dict[tuple[str, str | None], str]
) -> Iterator[Finding]:
    earlier = taken.get((awaited.event, awaited.of)) or taken.get((awaited.event, None))
    if earlier is not None:
        yield subject.finding(
            path,
            "never_met",
            f"{earlier!r} takes every {awaited.event!r} before this can",
            "write the one with a condition first",
            at_key=True,
        )
    elif any(_ends_all(rule, awaited.event) for rule in subject.journey.exits):
        yield subject.finding(
            path,
            "never_met",
            f"every {awaited.event!r} ends the journey before this can take it",
            "give the exit rule a condition, or remove one of the two",
            at_key=True,
        )


def _ends_all(rule: ExitRule, event: str) -> bool:
    return rule.event == event and rule.when is None


def _rules(subject: Subject) -> Iterator[Finding]:
    journey = subject.journey
    for index, rule in enumerate(journey.exits):
        path = ("exits", index)
        if any(_ends_all(earlier, rule.event) for earlier in journey.exits[:index]):
            yield subject.finding(
                path,
                "never_met",
                f"an exit rule above ends the journey on every {rule.event!r}",
                "remove this rule, or give the one above a condition",
            )
        elif _ends_all(rule, journey.entry.event_name or ""):
            yield subject.finding(
                path,
                "exit_on_entry",
                f"the next {rule.event!r} ends what a {rule.event!r} began",
                "that may be meant; otherwise add a condition such as "
                "when: event.order_id == entry.order_id",
                severity="warning",
            )
    if journey.goal is not None and journey.goal.within == timedelta(0):
        yield subject.finding(
            ("goal", "within"),
            "empty_wait",
            "within 0s no goal can be met",
            "write how long after the entry it counts, like 14d",
        )
