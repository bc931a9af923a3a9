"""What is wrong with a journey: one finding says where, what, and what to do."""

from typing import Literal

from journeys.model import Model

Severity = Literal["error", "warning"]


class Finding(Model):
    """One thing that is wrong, or looks wrong, in a journey file.

    `excerpt` is the expression in question, with a caret under the place.
    """

    file: str
    line: int
    column: int | None = None
    step: str | None = None
    field: str | None = None
    severity: Severity = "error"
    code: str
    message: str
    hint: str
    excerpt: str | None = None

    def __str__(self) -> str:
        step = f"step {self.step!r}: " if self.step else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}: {step}{self.message}{hint}"


def ordered(findings: list[Finding]) -> list[Finding]:
    """By place, the journey's own file before its templates; each one once."""
    unique = {
        (one.file, one.line, one.step, one.field, one.code, one.message): one for one in findings
    }
    return sorted(
        unique.values(),
        key=lambda one: (
            one.file.endswith(".liquid"),
            one.file,
            one.line,
            one.column or 0,
            one.code,
            one.message,
        ),
    )
