"""How values become payloads, the same in client, worker and replayer."""

from dataclasses import replace
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
    PayloadConverter,
)
from temporalio.exceptions import FailureError

from workflows.plans import MARK, Fetch, PlanCodec


class MarkingConverter(PydanticJSONPlainPayloadConverter):
    """JSON by pydantic; a payload that names a plan says so in its metadata."""

    def to_payload(self, value: Any) -> Payload | None:
        """The payload of `value`."""
        payload = super().to_payload(value)
        if payload is not None and getattr(value, "names_a_plan", False):
            payload.metadata[MARK] = value.plan.encode()
        return payload


class JourneyConverter(CompositePayloadConverter):
    """The default encodings with JSON by pydantic."""

    def __init__(self) -> None:
        super().__init__(
            *(
                MarkingConverter() if isinstance(one, JSONPlainPayloadConverter) else one
                for one in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )


class DiscreetFailures(DefaultFailureConverter):
    """Failures by their type: what an exception says may quote a customer's data.

    What we raise as a failure of Temporal's is written to be read in a history.
    """

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """The failure that stands for `exception`, and so on for its causes."""
        super().to_failure(exception, payload_converter, failure)
        if not isinstance(exception, FailureError):
            failure.message = type(exception).__name__


CLIENT_CONVERTER = DataConverter(
    payload_converter_class=JourneyConverter, failure_converter_class=DiscreetFailures
)


def worker_converter(fetch: Fetch) -> DataConverter:
    """The converter of workers and replayers, which need the plans themselves."""
    return replace(CLIENT_CONVERTER, payload_codec=PlanCodec(fetch))
