"""Numbers, times and reasons as people read them."""

from datetime import datetime, timedelta

from journeys.model import format_duration

REASONS = {
    "condition": "the entry condition did not hold",
    "key_unknown": "the key could not be worked out",
    "was_inside": "the event woke or ended an instance of the same customer and key",
    "inside": "the customer was inside already",
    "reentry_never": "the journey is entered only once",
    "reentry_too_soon": "the last entry was too recent",
    "exit_condition": "an exit rule's condition did not hold",
    "wait_condition": "a wait's condition did not hold",
    "late": "the event came too late to wake anything",
    "closed": "the journey is closed",
    "paused": "the journey is paused",
    "no_address": "the customer has no address on that channel",
    "missing_variable": "the template needs a value that the customer does not have",
    "template_error": "the template could not be rendered",
}
STATES = {"accepted": "sent", "skipped": "not sent"}


def many(count: int) -> str:
    """14,744"""
    return f"{count:,}"


def share(count: int, whole: int) -> str:
    """`65 %`; never 0 or 100 unless it is exact."""
    if whole == 0:
        return "-"
    percent = 100 * count / whole
    if 0 < percent < 1:
        return "< 1 %"
    if 99 < percent < 100:
        return "> 99 %"
    return f"{percent:.0f} %"


def lasting(seconds: float) -> str:
    """The two largest units of a length of time: `21d4h`."""
    whole = timedelta(seconds=round(seconds))
    unit = next((one for one in (86_400, 3_600, 60) if seconds >= one), 1)
    finer = {86_400: 3_600, 3_600: 60, 60: 1, 1: 1}[unit]
    return format_duration(whole - whole % timedelta(seconds=finer))


def moment(instant: datetime | None) -> str:
    """2011-12-09 12:50"""
    return "-" if instant is None else f"{instant:%Y-%m-%d %H:%M}"


def reason(word: str | None) -> str:
    """A reason as a sentence's end; one without a sentence stands as it is."""
    return REASONS.get(word or "", word or "")
