"""What a simulation assumes that other systems answer: the content of an `--assume` file."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from expressions import Facts, condition
from journeys.model import Model

SEEN = frozenset({"customer", "entry", "steps", "now"})


class Assumption(Model):
    """One answer, and when it is given; without `when`, always."""

    when: str | None = None
    status: Annotated[int, Field(ge=100, le=599)] = 200
    body: Any = None

    @property
    def is_final(self) -> bool:
        """Whether the answer is kept; after one that is tried again and again there is none."""
        return self.status < 500 and self.status not in {408, 425, 429}

    @property
    def output(self) -> dict[str, Any]:
        """The answer as later steps see it."""
        return {"status": self.status, "body": self.body}


Rules = Assumption | tuple[Assumption, ...]
ASSUMPTIONS: TypeAdapter[dict[str, Rules]] = TypeAdapter(dict[str, Rules])


class Assumptions:
    """Answers by step, named `step` or, where journeys share step ids, `journey.step`."""

    def __init__(self, rules: Mapping[str, Rules] | None = None) -> None:
        self._rules = {
            name: (rule,) if isinstance(rule, Assumption) else rule
            for name, rule in (rules or {}).items()
        }
        for rule in (one for some in self._rules.values() for one in some if one.when):
            condition(str(rule.when), roots=SEEN)  # raises here what is wrong with it

    @classmethod
    def of(cls, data: object) -> "Assumptions":
        """From plain data; raises pydantic's ValidationError or an ExpressionError."""
        return cls(ASSUMPTIONS.validate_python(data or {}))

    @property
    def steps(self) -> frozenset[str]:
        """The steps that are named."""
        return frozenset(self._rules)

    def answer(self, journey: str, step: str, facts: Facts) -> Assumption | None:
        """The first rule for the step that applies."""
        rules = self._rules.get(f"{journey}.{step}") or self._rules.get(step, ())
        for rule in rules:
            if rule.when is None or condition(rule.when, roots=SEEN).holds(facts):
                return rule
        return None
