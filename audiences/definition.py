"""An audience as its author writes it: a rule, a list, or a composition of other audiences."""

import json
from itertools import accumulate
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter, model_validator

from journeys.chance import chance
from journeys.definition import Name
from journeys.model import Model

Reference = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}(/[a-z][a-z0-9-]{0,62})?$")]
"""An audience, or a part of one: `loyal`, `pilot/a`."""
References = Annotated[tuple[Reference, ...], Field(min_length=1, max_length=50)]
PARTS = "parts"  # the salt of the chance that puts a member into a part
Percent = Annotated[float, Field(gt=0, le=100)]


class AudienceBase(Model):
    """What every audience has; a `shared` one is seen by decision engines and browsers."""

    audience: Name
    description: str = ""
    shared: bool = False

    @property
    def condition(self) -> str | None:
        """The condition in CEL that says who is in, where one does."""
        return None

    @property
    def names(self) -> tuple[str, ...]:
        """Every audience that this makes: itself, and its parts."""
        return (self.audience,)

    def part_of(self, customer: UUID) -> str | None:
        """The part that a member falls into, if any: always the same one."""
        return None


class Rule(AudienceBase):
    """Everybody for whom the condition holds, from the moment it does."""

    kind: Literal["rule"] = "rule"
    when: str = Field(min_length=1)

    @property
    def condition(self) -> str | None:
        return self.when


class List(AudienceBase):
    """Those who were put on it: by a file, or over HTTP."""

    kind: Literal["list"] = "list"


class Order(Model):
    """What comes first: a value in CEL, the largest first unless `ascending`."""

    value: str = Field(min_length=1)
    ascending: bool = False


class Composition(AudienceBase):
    """A union, an intersection, or a difference (the first without the others) of audiences.

    Then, in this order: one customer for each value of `distinct_by`, `order_by`, `limit`. `parts`
    splits what is left at random, sticky for each customer; what they leave is in no part.
    """

    kind: Literal["composition"] = "composition"
    union: References | None = None
    intersection: References | None = None
    difference: References | None = None
    distinct_by: str | None = None
    order_by: Order | None = None
    limit: int | None = Field(None, ge=1)
    parts: dict[Name, Percent] = Field(default_factory=dict, max_length=20)

    @model_validator(mode="after")
    def is_one_of_three(self) -> "Composition":
        """Two operations would leave open which comes first; make an audience of one of them."""
        if len(self.operations) != 1:
            raise ValueError(
                f"a composition has one operation, and this has {len(self.operations) or 'none'}; "
                "name one of `union`, `intersection` and `difference`"
            )
        if sum(self.parts.values()) > 100:
            raise ValueError(
                f"the parts are {sum(self.parts.values()):g} % together; 100 are all there is"
            )
        return self

    @property
    def operations(self) -> dict[str, tuple[str, ...]]:
        """The operations that are named, of which there is one."""
        named = {
            "union": self.union,
            "intersection": self.intersection,
            "difference": self.difference,
        }
        return {name: of for name, of in named.items() if of}

    @property
    def of(self) -> tuple[str, ...]:
        """The audiences that it is made of."""
        return next(iter(self.operations.values()))

    @property
    def is_ranked(self) -> bool:
        """Whether who is in depends on others, so that nobody can be judged alone."""
        return self.limit is not None or self.distinct_by is not None

    @property
    def condition(self) -> str | None:
        [(operation, of)] = self.operations.items()
        inside = [f"in_audience({json.dumps(one)})" for one in of]
        if operation == "union":
            return " || ".join(inside)
        first, *others = inside
        sign = "!" if operation == "difference" else ""
        return " && ".join([first, *(sign + one for one in others)])

    @property
    def names(self) -> tuple[str, ...]:
        return (self.audience, *(f"{self.audience}/{part}" for part in self.parts))

    @property
    def shares(self) -> dict[str, tuple[float, float]]:
        """The part of chance, between 0 and 1, that falls to each part, by its full name."""
        ends = [*accumulate(percent / 100 for percent in self.parts.values())]
        return {
            name: (low, high)
            for name, low, high in zip(self.names[1:], [0.0, *ends], ends, strict=False)
        }

    def part_of(self, customer: UUID) -> str | None:
        number = chance(customer, self.audience, PARTS)
        found = (name for name, (low, high) in self.shares.items() if low <= number < high)
        return next(found, None)


Audience = Annotated[Rule | List | Composition, Field(discriminator="kind")]
AUDIENCE: TypeAdapter[Rule | List | Composition] = TypeAdapter(Audience)
AnyAudience = Rule | List | Composition
