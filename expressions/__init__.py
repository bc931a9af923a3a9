"""Conditions and values written in CEL: checked once, judged over the facts of one customer.

Pure: the facts are handed in, the clock included. An evaluation that errs is unknown, never an
exception of the engine.
"""

from expressions.condition import Condition, Value, condition, value
from expressions.errors import ExpressionError, UnknownValue
from expressions.facts import Facts, PastEvent, PastMessage, Verdict
from expressions.functions import FUNCTIONS
from expressions.horizon import is_derivable, next_change
from expressions.needs import EVERYTHING, Needs
from expressions.program import ALL

__all__ = [
    "ALL",
    "EVERYTHING",
    "FUNCTIONS",
    "Condition",
    "ExpressionError",
    "Facts",
    "Needs",
    "PastEvent",
    "PastMessage",
    "UnknownValue",
    "Value",
    "Verdict",
    "condition",
    "is_derivable",
    "next_change",
    "value",
]
