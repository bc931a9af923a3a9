"""The example journeys are sound, short enough for the demo, and render for real customers."""

from datetime import timedelta
from pathlib import Path

import pytest

from cli.files import Loaded, load
from journeys.definition import Journey
from journeys.steps.base import StepBase
from journeys.steps.wait import Wait
from journeys.steps.wait_for import WaitFor
from journeys.templates import Renderer, Template

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
LOADED = [load(path) for path in EXAMPLES]
EACH = pytest.mark.parametrize("example", LOADED, ids=lambda one: one.path.name)
TEMPLATES = [template for one in LOADED for template in one.templates.values()]

ORDER = {
    "order_id": "536365", "cart_id": "cart-1", "total": 22.2, "currency": "GBP",
    "products": [{"sku": "22633", "name": "HAND WARMER <UNION> JACK", "quantity": 6.0}] * 25,
}  # fmt: skip
NAMELESS = {
    "order_id": "536366", "cart_id": "cart-2", "total": 1039.05,
    "products": [{"sku": "22633", "name": None, "quantity": 1.0, "price": 0.0}],
}  # fmt: skip
MESSAGE = {"id": "m", "now": "2026-06-01T12:00:00Z", "unsubscribe_url": "https://a.example/u"}


def at_most(step: StepBase) -> timedelta:
    """The longest that a visit of `step` can last."""
    if isinstance(step, WaitFor):
        return step.timeout
    if not isinstance(step, Wait):
        return timedelta(0)
    return step.duration if step.duration is not None else timedelta(days=1)


def longest(journey: Journey, at: str | None, been: frozenset[str] = frozenset()) -> timedelta:
    """The longest way from `at` to the end, through no step twice."""
    if at is None or at in been:
        return timedelta(0)
    step = next(step for step in journey.steps if step.id == at)
    targets = {journey.edges()[at, exit] for exit in step.exits}
    return at_most(step) + max(longest(journey, target, been | {at}) for target in targets)


def test_there_are_the_four_examples() -> None:
    assert [path.stem for path in EXAMPLES] == [
        "abandoned-cart", "order-updates", "welcome", "win-back",
    ]  # fmt: skip


@EACH
def test_an_example_has_neither_errors_nor_warnings(example: Loaded) -> None:
    assert [str(finding) for finding in example.findings] == []
    assert example.journey.journey == example.path.stem


@EACH
def test_an_example_is_over_in_35_days(example: Loaded) -> None:
    journey = example.journey

    assert longest(journey, journey.steps[0].id) <= timedelta(days=35)


@EACH
def test_an_example_comes_back_from_the_wire_as_it_was(example: Loaded) -> None:
    assert Journey.model_validate(example.definition) == example.journey


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.name)
@pytest.mark.parametrize("customer", [{"first_name": "Ada"}, {"country": "France"}], ids=str)
@pytest.mark.parametrize("entry", [ORDER, NAMELESS], ids=["named", "nameless"])
def test_an_examples_template_renders_for_whom_it_is_meant(
    template: Template, customer: dict[str, object], entry: dict[str, object]
) -> None:
    data = {"customer": customer, "entry": entry, "steps": {}, "message": MESSAGE}

    parts = Renderer().render(template.parts, data)

    assert set(parts) == {"subject", "text", "html"}
    assert all(text.strip() and "{{" not in text for text in parts.values())
    assert "<UNION>" not in parts["html"]
    assert ("Ada" in parts["text"]) is ("first_name" in customer)


@pytest.mark.parametrize(("entry", "said"), [(ORDER, "22.20 GBP"), (NAMELESS, "1039.05 GBP")])
def test_an_amount_has_its_pence(entry: dict[str, object], said: str) -> None:
    (template,) = (one for one in TEMPLATES if one.name == "order-confirmed")
    data = {"customer": {}, "entry": entry, "steps": {}, "message": MESSAGE}

    assert f"In all: {said}\n" in Renderer().render(template.parts, data)["text"]
