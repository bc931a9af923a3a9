"""The content of messages and calls: there, well-formed, and reading only what can be known."""

from collections.abc import Iterator, Mapping
from pathlib import PurePath

from liquid.exceptions import LiquidError

from journeys.checks.outputs import misread
from journeys.checks.subject import Subject
from journeys.finding import Finding
from journeys.liquid.checks import PARTS
from journeys.source_map import Path, Place
from journeys.steps.call import Call
from journeys.steps.send import Send
from journeys.templates import check_template, variables

FOLDER, SUFFIX = "templates", ".liquid"


def template_file(journey_file: str, template: str, part: str) -> str:
    """Where a part of a template lies: `templates/<template>.<part>.liquid` beside the journey."""
    return str(PurePath(journey_file).parent / FOLDER / f"{template}.{part}{SUFFIX}")


def check_content(subject: Subject) -> Iterator[Finding]:
    """Everything about templates, topics and the texts of calls."""
    used: dict[str, Send] = {}
    for path, step in subject.steps():
        if isinstance(step, Send):
            yield from _send(subject, path, step, used.get(step.template))
            used.setdefault(step.template, step)
        if isinstance(step, Call):
            yield from _call(subject, path, step)


def _send(subject: Subject, path: Path, step: Send, other: Send | None) -> Iterator[Finding]:
    if step.channel == "email" and step.topic is None and subject.journey.class_ == "marketing":
        yield subject.finding(
            path,
            "no_topic",
            "a marketing email without a topic: nobody can unsubscribe from just it",
            "add a topic, like 'topic: offers'",
            severity="warning",
        )
    template = subject.templates.get(step.template)
    if template is None:
        needed, choice = PARTS[step.channel]
        files = " and ".join(
            template_file("", step.template, part) for part in (*needed, *choice[:1])
        )
        yield subject.finding(
            (*path, "template"),
            "no_template",
            f"there is no template {step.template!r}",
            f"write {files} beside this file",
        )
    elif other is not None and other.channel != step.channel:
        yield subject.finding(
            (*path, "template"),
            "two_channels",
            f"template {step.template!r} is already sent by {other.channel} in step {other.id!r}",
            f"give {step.channel} a template of its own",
        )
    else:
        yield from _template(subject, path, step, template.parts)


def _template(
    subject: Subject, path: Path, step: Send, parts: Mapping[str, str]
) -> Iterator[Finding]:
    for problem in check_template(parts, step.channel):
        finding = subject.finding(
            (*path, "template"),
            "template",
            f"template {step.template!r}, {problem.part}: {problem.message}",
            problem.hint or "correct the template",
            place=Place(problem.line, 1),
        )
        file = template_file(subject.file, step.template, problem.part)
        yield finding.model_copy(update={"file": file, "column": None})
    for part, text in parts.items():
        for code, message, hint in misread(_read(part, text), step.id, subject.graph):
            finding = subject.finding((*path, "template"), code, message, hint, place=Place(1, 1))
            file = template_file(subject.file, step.template, part)
            yield finding.model_copy(update={"file": file, "column": None})


def _call(subject: Subject, path: Path, step: Call) -> Iterator[Finding]:
    if not step.url.lstrip().startswith(("http://", "https://", "{{", "{%")):
        yield subject.finding(
            (*path, "url"),
            "no_url",
            f"{step.url!r} is no address to call",
            "begin it with https://",
        )
    for field, text in step.parts().items():
        head, _, rest = field.partition(".")
        where = (*path, head, rest) if rest else (*path, head)
        for problem in check_template({field: text}):
            yield subject.finding(
                where,
                "template",
                problem.message,
                problem.hint or "correct the text",
                place=subject.map.within(where, problem.line, 1),
            )
        for code, message, hint in misread(_read(field, text), step.id, subject.graph):
            yield subject.finding(where, code, message, hint)


def _read(part: str, text: str) -> list[str]:
    """The answers of steps that a well-formed part reads."""
    try:
        return [path for path in variables({part: text}) if path.split(".")[0] == "steps"]
    except LiquidError:
        return []
