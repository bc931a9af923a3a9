"""The clock of an installation: real time, or an accelerated copy of it for demos and tests."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """Maps real instants to the installation's: `anchor + (real - origin) * scale`."""

    origin: datetime | None = None
    anchor: datetime | None = None
    scale: float = 1.0

    def at(self, real: datetime) -> datetime:
        """The installation's instant at the real instant `real`."""
        if self.origin is None or self.anchor is None:
            return real
        return self.anchor + (real - self.origin) * self.scale

    def now(self) -> datetime:
        """The installation's present instant, aware and in UTC."""
        return self.at(datetime.now(UTC))
