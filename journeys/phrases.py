"""Steps and rules of a journey in a few words each, for outlines and pictures."""

from datetime import timedelta
from typing import assert_never

from journeys.definition import ExitRule, Goal
from journeys.entry import After, Entry
from journeys.model import format_duration
from journeys.schedule import CUSTOMER, Schedule
from journeys.steps import Step
from journeys.steps.branch import OTHERWISE, Branch
from journeys.steps.call import Call
from journeys.steps.emit import Emit
from journeys.steps.end import End
from journeys.steps.moments import DateWait, NextTime, Window
from journeys.steps.send import Send
from journeys.steps.split import Split
from journeys.steps.update import Update
from journeys.steps.wait import Wait
from journeys.steps.wait_for import TIMED_OUT, WaitFor
from journeys.timing import MIDNIGHT


def of_step(step: Step) -> str:
    """What the step does."""
    match step:
        case Wait():
            return f"wait {of_wait(step)}"
        case WaitFor():
            return f"wait up to {format_duration(step.timeout)}"
        case Branch() | Split() | End():
            return step.kind
        case Send() | Update() | Call() | Emit():
            return _of_effect(step)
    assert_never(step)


def _of_effect(step: Send | Update | Call | Emit) -> str:
    match step:
        case Send():
            topic = f", topic {step.topic}" if step.topic else ""
            return f"send {step.channel} {step.template}{topic}"
        case Update():
            return f"set {', '.join(step.set)}"
        case Call():
            return f"call {step.method} {step.url}"
        case Emit():
            return f"emit {step.event}"
    assert_never(step)


def of_wait(step: Wait) -> str:
    """Until when a wait lasts."""
    if step.duration is not None:
        return format_duration(step.duration)
    if step.until is not None:
        return f"until {step.until.isoformat()}"
    if step.date is not None:
        return _of_date(step.date)
    if step.next is not None:
        return _of_next(step.next)
    return _of_window(step.window) if step.window is not None else ""


def _of_date(date: DateWait) -> str:
    offset = ""
    if date.before is not None:
        offset = f"{format_duration(date.before)} before "
    if date.after is not None:
        offset = f"{format_duration(date.after)} after "
    at = f" at {date.at:%H:%M}" if date.at is not None else ""
    return f"until {offset}{date.expression}{at}"


def _of_next(next: NextTime) -> str:
    days = f" on {', '.join(next.weekdays)}" if next.weekdays else ""
    return f"until {next.time:%H:%M}{days}"


def _of_window(window: Window) -> str:
    days = f" on {', '.join(window.weekdays)}" if window.weekdays else ""
    if window.opens == window.closes == MIDNIGHT:
        return f"for a time{days}"
    return f"for a time between {window.opens:%H:%M} and {window.closes:%H:%M}{days}"


def of_exit(step: Step, exit: str) -> str:
    """What makes a step take one of its exits, empty where its name says it all."""
    if isinstance(step, Branch) and exit != OTHERWISE:
        return " ".join(step.branches[exit].split())
    if isinstance(step, Split):
        return f"{step.paths[exit]:g} %"
    if isinstance(step, WaitFor) and exit != TIMED_OUT:
        awaited = step.events[exit]
        of = f" of {awaited.of}" if awaited.of else ""
        since = " since the entry" if awaited.since == "entry" else ""
        return f"{awaited.event}{of}{since}{_when(awaited.when)}"
    return ""


def of_entry(entry: Entry) -> str:
    """Who enters, and whether again."""
    who = _who(entry)
    if who is None:
        return "through the API"
    key = f", one for each {entry.key}" if entry.key else ""
    again = (
        f"again {format_duration(entry.reentry.after)} after the last entry"
        if isinstance(entry.reentry, After)
        else {"never": "once only", "after_exit": "again after leaving"}[entry.reentry]
    )
    return f"{who}{_when(entry.when)}{key}; {again}"


def _who(entry: Entry) -> str | None:
    """By what one enters; None where nothing does."""
    if entry.on is not None:
        return f"{entry.on} {entry.audience}"
    if entry.schedule is not None:
        return f"{entry.audience} {_of_schedule(entry.schedule)}"
    of = f" of {entry.audience}" if entry.audience else ""
    if entry.date is not None:
        offset = "on"
        if entry.offset:
            side = "before" if entry.offset < timedelta(0) else "after"
            offset = f"{format_duration(abs(entry.offset))} {side}"
        every = f" every {entry.every}" if entry.every else ""
        zone = _of_zone(entry.zone or "UTC")
        return f"everybody{of} {offset} {entry.date}{every} at {entry.at:%H:%M} {zone}"
    if entry.business_event is not None:
        return f"everybody{of} by the business event {entry.business_event}"
    return entry.event


def _of_schedule(schedule: Schedule) -> str:
    """When a schedule takes place, and how."""
    if schedule.at is not None:
        when = f"at {schedule.at:%Y-%m-%d %H:%M}"
    else:
        when = f"by cron {schedule.cron}" if schedule.cron else f"by {schedule.rrule}"
    said = [f"{when} {_of_zone(schedule.zone)}"]
    said += [f"from {schedule.starts}"] if schedule.starts else []
    said += [f"until {schedule.until}"] if schedule.until else []
    said += ["only who is new"] if schedule.only else []
    said += [f"at most {schedule.rate}"] if schedule.rate else []
    return ", ".join(said)


def _of_zone(zone: str) -> str:
    return "where each customer lives" if zone == CUSTOMER else zone


def of_rule(rule: ExitRule | Goal) -> str:
    """The event of an exit rule or goal, and within which time it counts."""
    within = f", within {format_duration(rule.within)}" if isinstance(rule, Goal) else ""
    return f"{rule.event}{_when(rule.when)}{within}"


def _when(condition: str | None) -> str:
    return f" when {' '.join(condition.split())}" if condition else ""
