"""Logging, set up once per process: an event name and key-values, in one line, no personal data."""

import logging
import re
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LIKE_AN_ADDRESS = re.compile(r"[^\s@<>\"'=:,;()\[\]{}]+@[^\s@<>\"',;()\[\]{}]+|\+\d{7,15}\b")
QUIET = ("pogo_core",)  # it warns of every migration that it applies
OURS = ("api", "activities", "channels", "cli", "embedded", "routing", "storage", "worker")


def conceal(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The last net: what looks like an email address or a phone number is blotted out."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = LIKE_AN_ADDRESS.sub("<address>", value)
        elif isinstance(value, BaseException):
            event[key] = LIKE_AN_ADDRESS.sub("<address>", repr(value))
    return event


def configure(log_format: Literal["console", "json"] = "console", **bound: str) -> None:
    """Send our logs and those of libraries to standard error; `bound` is in every line of ours."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # As text and before the net: a traceback quotes the values that its exceptions carry.
        structlog.processors.format_exc_info,
        conceal,
    ]
    last: Processor = structlog.processors.JSONRenderer()
    if log_format == "console":
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**bound)
    listen(shared, last)


def listen(shared: list[Processor], last: Processor) -> None:
    """One handler for the standard library's loggers: ours from `info`, others from `warning`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, conceal, last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.INFO)
