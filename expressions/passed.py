"""What goes to and fro between CEL and our functions, given free again.

cel-expr-python 0.1.3 copies what a Python function is given and what it returns, and never drops
its own references: each call would leave its arguments and its list of events behind for ever
(measured: 2 to 480 KB an evaluation). `LEAKS` says whether this runtime still does.
"""

import ctypes
import sys
import threading
from collections.abc import Callable
from typing import Any

from cel_expr_python import cel

release = ctypes.pythonapi.Py_DecRef
release.argtypes = [ctypes.py_object]
release.restype = None
borrow = ctypes.pythonapi.Py_IncRef
borrow.argtypes = [ctypes.py_object]
borrow.restype = None


class Passed(threading.local):
    """What has gone to and fro during the evaluations of this thread, the innermost last."""

    def __init__(self) -> None:
        self.values: list[object] = []


class Raised:
    """Stands for a result where a function has raised."""

    def __init__(self, error: Exception) -> None:
        self.error = error


PASSED = Passed()


def kept(evaluate: Callable[..., object], arity: int) -> Callable[..., object]:
    """The function with its arguments and results remembered, so that they can be given free.

    It is called by way of ctypes, because only that shows the very tuple which CEL has made.
    """

    def guarded(*arguments: object) -> object:
        try:
            return evaluate(*arguments)
        except Exception as error:  # a ctypes function cannot raise; `noted` does
            return Raised(error)

    def noted(result: object, _: object, arguments: tuple[object, ...]) -> object:
        if arguments:
            PASSED.values.append(arguments)
        if isinstance(result, Raised):
            raise result.error
        PASSED.values.append(result)
        return result

    native: Any = ctypes.PYFUNCTYPE(ctypes.py_object, *[ctypes.py_object] * arity)(guarded)
    native.errcheck = noted
    return native  # type: ignore[no-any-return]


def give_free(since: int) -> None:
    """Drop what CEL holds of the values from that number on: it works with copies."""
    values = PASSED.values
    while len(values) > since:
        value = values.pop()
        if LEAKS:
            for _ in range(nones(value) if isinstance(value, tuple) else 0):
                borrow(None)
            release(value)


def nones(value: object) -> int:
    """How many nulls are in the arguments: CEL puts None into lists and maps without counting it.

    Freed with what held them, they would take None itself away, and with it the process.
    """
    if value is None:
        return 1
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return 0
    return sum(map(nones, value))


def leaks() -> bool:
    """Whether this runtime keeps references to what a function was given and has returned."""
    kinds = cel.Type.List(cel.Type.INT)
    probe = cel.Overload("probe", kinds, [cel.Type.INT], False, kept(lambda _: [1], 1))
    environment = cel.NewEnv(functions=[cel.FunctionDecl("probe", [probe])])
    environment.compile("probe(1).size() == 1").eval(data={})
    counts = [sys.getrefcount(PASSED.values.pop()) for _ in ("result", "arguments")]
    return min(counts) > 1  # the one for asking


LEAKS = leaks()
