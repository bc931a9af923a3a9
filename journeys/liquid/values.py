"""Values as templates see them: missing ones, whole numbers, ranges that end."""

from typing import Never, NoReturn

from liquid import Token
from liquid.exceptions import LoopIterationLimitError, UndefinedError
from liquid.undefined import Undefined

MOST_BYTES = 1_000_000
MOST_ITERATIONS = 10_000


class MissingPath(UndefinedError):
    """A variable without a value was needed; `path` is its name."""

    def __init__(self, path: str, token: Token | None) -> None:
        super().__init__(f"{path} is missing", token=token)
        self.path = path


class Missing(Undefined):
    """What a missing or null variable evaluates to: false, without parts, and not printable."""

    __slots__ = ()
    force_liquid_default = True

    def fail(self, *_: object) -> NoReturn:
        """Raises MissingPath."""
        raise MissingPath(self.name, self.token)

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        self.fail()

    def __len__(self) -> int:
        self.fail()

    def __iter__(self) -> Never:
        self.fail()

    __eq__ = Undefined.__eq__
    __hash__ = Undefined.__hash__


def whole(value: object) -> object:
    """The value as it is printed: 20 for 20.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def bounded(value: object) -> object:
    """The value, unless it is a range that is too long to walk."""
    if isinstance(value, range) and value.stop - value.start > MOST_ITERATIONS:
        raise LoopIterationLimitError(f"more than {MOST_ITERATIONS} items", token=None)
    return value
