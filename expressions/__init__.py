"""Conditions and values written in CEL: checked once, judged over the facts of one customer.

Pure: the facts are handed in, the clock included. An evaluation that errs is unknown, never an
exception of the engine.
"""

from expressions.condition import Condition, Value, condition, value
from expressions.errors import ExpressionError, UnknownValue
from expressions.facts import Facts, PastEvent, Verdict
from expressions.functions import FUNCTIONS
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
    "UnknownValue",
    "Value",
    "Verdict",
    "condition",
    "value",
]
