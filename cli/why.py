"""`parcours why`: why a customer got what it got, and did not, told in short sentences."""

import sys
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cli.client import Key, Url, server
from cli.format import Format
from cli.reports.phrases import moment
from cli.reports.reasons import because, moved, of_message, of_refusal, of_run
from journeys.why import Passage, Refused, Stands, Why, WhyJourney

Customer = Annotated[str, typer.Argument(metavar="CUSTOMER", help="A user id or anonymous id.")]
Journey = Annotated[str | None, typer.Argument(metavar="[JOURNEY]", help="Only this one.")]
Row = tuple[str, str, str]

SHOWN = 10  # refusals of one journey
COLOURS = {
    "inside": "cyan",
    "completed": "green",
    "exited": "yellow",
    "goal": "green",
    "not entered": "yellow",
    "failed": "red",
}
NOT_ENTERED = {
    "not_asked": "it is entered through the API only, and nobody asked for this customer",
    "never_seen": "no event named {event!r} of this customer was seen",
    "before_published": "the last {event!r}, at {last}, was before this journey was published",
    "undecided": "{event!r} was seen at {last}, and no decision about it is recorded (any more)",
    "no_run": "no run of it has begun yet; it is entered {entry}",
    "not_reached": "no run of it came to this customer; it is entered {entry}",
}


def command(
    customer: Customer,
    journey: Journey = None,
    url: Url = None,
    key: Key = None,
    format: Format = "text",
) -> None:
    answer = server(url, key).get("customers", customer, "why", journey=journey)
    why = Why.model_validate(answer)
    if format == "json":
        sys.stdout.write(why.model_dump_json(indent=2) + "\n")
        return
    console = Console(highlight=False, soft_wrap=True)
    for line in lines(why):
        console.print(line)


def lines(why: Why) -> Iterator[Text]:
    """The whole answer, a journey at a time, in columns: what, when, why."""
    if not why.journeys:
        yield Text("no journey is published; `parcours publish FILE` publishes one")
    width = max((len(one.journey) for one in why.journeys), default=0)
    for one in why.journeys:
        first = one.journey.ljust(width)
        for what, when, reason in of_journey(one):
            text = Text(first + "  ", style="bold")
            text.append(what.ljust(14), style=COLOURS.get(what.strip(), "default"))
            text.append(f"  {when:16}  ", style="dim")
            text.append(reason, style="default")
            text.rstrip()
            yield text
            first = " " * width


def of_journey(one: WhyJourney) -> Iterator[Row]:
    """One journey: every passage, or why there is none, and what was refused."""
    if one.not_entered is not None and one.not_entered != "refused":
        last = moment(one.last_seen)
        yield (
            "not entered",
            "",
            NOT_ENTERED[one.not_entered].format(event=one.entry_event, last=last, entry=one.entry),
        )
    for passage in one.passages:
        yield from of_passage(passage)
    yield from of_refusals(one.refusals)


def of_refusals(refusals: tuple[Refused, ...]) -> Iterator[Row]:
    """What did not happen."""
    for refusal in refusals[:SHOWN]:
        is_inside = refusal.reason in {"exit_condition", "wait_condition"}
        what = "not moved" if is_inside else "not entered"
        yield what, moment(refusal.at), of_refusal(refusal)
    if len(refusals) > SHOWN:
        yield "", "", f"… and {len(refusals) - SHOWN} more times; --format json has them all"


def of_passage(one: Passage) -> Iterator[Row]:
    """One instance from its entry to where it stands or how it ended."""
    key = f", for {one.key}" if one.key else ""
    by = f"by {one.entry_event}" if one.entry_event else "by an event that is no longer kept"
    by = of_run(one.run) if one.run is not None else by
    met = "" if one.state == "exited" else because(one.why)
    said = f"{by}{key}, version {one.version}"
    yield "entered", moment(one.entered_at), f"{said}: {met}" if met else said
    for visit in one.visits:
        if visit.exit is not None:
            reason = moved(visit)
            how = f"{visit.step} → {visit.exit}"
            yield "  step", moment(visit.left_at or visit.at), f"{how}: {reason}" if reason else how
        for message in one.messages:
            if (message.step, message.visit) == (visit.step, visit.visit):
                yield "  message", moment(message.settled_at or message.at), of_message(message)
    walked = {(visit.step, visit.visit) for visit in one.visits}
    for message in one.messages:
        if (message.step, message.visit) not in walked:
            yield "  message", moment(message.settled_at or message.at), of_message(message)
    if one.goal is not None and one.goal.met_at is not None:
        yield "  goal", moment(one.goal.met_at), f"{one.goal.event} met the goal"
    yield from of_place(one)


def of_place(one: Passage) -> Iterator[Row]:
    """How an instance ended, or where it stands and what it waits for."""
    if one.ended_at is not None:
        yield f"  {one.state}", moment(one.ended_at), ended(one)
    elif one.stands is not None:
        yield "  inside", "", standing(one.stands)


def ended(one: Passage) -> str:
    """How an instance ended, in words."""
    said = {
        "completed": "it reached the end",
        "merged": "the customer was merged, and an older instance goes on",
        "stopped": "the journey was stopped",
        "cancelled": "it was cancelled",
        "terminated": "its workflow was terminated in Temporal",
    }
    if one.state != "exited":
        return said.get(one.state, "")
    why = one.why or {}
    met = because(why)
    return f"{why.get('event', 'an event')} ended it" + (f": {met}" if met else "")


def standing(stands: Stands) -> str:
    """Where an instance stands, in words."""
    said = f"at {stands.step}"
    if stands.is_held:
        return f"{said}, held back: the journey is paused"
    if stands.waits_for:
        said += f", waits for {', or '.join(stands.waits_for)}"
    return f"{said}, until {moment(stands.until)}" if stands.until else said
