"""How values become payloads, the same in client, worker and replayer."""

from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)

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


CLIENT_CONVERTER = DataConverter(payload_converter_class=JourneyConverter)


def worker_converter(fetch: Fetch) -> DataConverter:
    """The converter of workers and replayers, which need the plans themselves."""
    return DataConverter(payload_converter_class=JourneyConverter, payload_codec=PlanCodec(fetch))
