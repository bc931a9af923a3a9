"""What can be wrong with an expression.

Exception
├── ExpressionError    it does not compile, or could never be judged
└── UnknownValue       it compiles, but has no value over these facts
"""


class ExpressionError(Exception):
    """The expression is wrong as it is written; says where, and what to do when that is known."""

    def __init__(
        self, source: str, line: int, column: int, message: str, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.source = source
        self.line = line
        self.column = column
        self.message = message
        self.hint = hint

    @property
    def caret(self) -> str:
        """The line in question with a caret under the place (column 1 is the first character)."""
        lines = self.source.splitlines() or [""]
        text = lines[min(self.line, len(lines)) - 1].replace("\t", " ")
        return f"{text}\n{' ' * (self.column - 1)}^"

    def __str__(self) -> str:
        hint = f"\n{self.hint}" if self.hint else ""
        return f"{self.line}:{self.column}: {self.message}\n{self.caret}{hint}"


class UnknownValue(Exception):
    """The expression has no value over these facts."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
