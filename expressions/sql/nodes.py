"""The nodes that a syntax tree of ours has besides those of `sqlglot`, and how they are written."""

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres


class Given(exp.Expression):
    """A value that is handed over beside the text: `this` is its place in the list of values."""


class Default(exp.Expression):
    """A column of a joined group, or `value` for a customer who has no row there.

    With `counts` it is never negative.
    """

    arg_types = {"this": True, "value": True, "counts": False}  # noqa: RUF012 - as sqlglot has it


class Arrow(exp.Expression, exp.Binary):
    """`->`: what a JSON object holds under a key."""


class TextAt(exp.Expression, exp.Binary):
    """`#>>`: what a JSON value holds at a path, as text."""


class Containing(exp.Expression, exp.Binary):
    """`@>`: whether a JSON value contains another one."""


class Dialect(Postgres):
    """Postgres, with the operators for JSON exactly as they are named here."""

    class Generator(Postgres.Generator):  # type: ignore[valid-type, misc]  # set by a metaclass
        """Writes the nodes of this module."""

        TRANSFORMS = {  # noqa: RUF012 - as sqlglot has it
            **Postgres.Generator.TRANSFORMS,
            Arrow: lambda self, node: self.binary(node, "->"),
            Containing: lambda self, node: self.binary(node, "@>"),
            TextAt: lambda self, node: self.binary(node, "#>>"),
        }
