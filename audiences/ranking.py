"""The attributes by which members are ranked and told apart."""

import re

from expressions import ExpressionError

PATH = re.compile(r"customer(?:\.[A-Za-z_][A-Za-z0-9_]*)+")


def is_path(text: str) -> bool:
    """Whether it is an attribute and nothing else."""
    return PATH.fullmatch(text.strip()) is not None


def path_of(text: str | None) -> list[str] | None:
    """The keys that lead to an attribute such as `customer.household`; raises ExpressionError."""
    if text is None:
        return None
    if not is_path(text):
        raise ExpressionError(
            text, 1, 1, "this is no attribute of the customer", "write it like customer.household"
        )
    return text.strip().split(".")[1:]
