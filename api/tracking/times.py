"""When an event occurred, by the clock of the installation."""

from datetime import UTC, datetime

from api.tracking.errors import BadItem


def parse_instant(value: object, field: str) -> datetime | None:
    """The instant in an ISO 8601 text, in UTC; one without an offset is in UTC already."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            instant = datetime.fromisoformat(value)
            if instant.tzinfo is None:
                return instant.replace(tzinfo=UTC)
            return instant.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise BadItem("bad_timestamp", f"{field} {value[:40]!r} is not an ISO 8601 timestamp")
    raise BadItem("bad_timestamp", f"{field} is no text; write an ISO 8601 timestamp")


def occurrence(received: datetime, sent: datetime | None, stamped: datetime | None) -> datetime:
    """When it occurred: as long before the receipt as it was stamped before it was sent.

    So a wrong clock of the sender does no harm. Never later than the receipt.
    """
    if stamped is None:
        return received
    if sent is None:
        return min(stamped, received)
    try:
        return min(received - (sent - stamped), received)
    except OverflowError as error:
        raise BadItem("bad_timestamp", "sentAt and timestamp are ages apart") from error
