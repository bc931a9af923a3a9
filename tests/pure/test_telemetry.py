"""Logs: one line an event, readable by machines, without addresses."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

import telemetry


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_line_has_event_values_and_what_was_bound(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure("json", process="worker-1")

    structlog.get_logger("worker").info("message.sent", instance="abc")

    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "message.sent"
    assert (line["instance"], line["process"], line["level"]) == ("abc", "worker-1", "info")


def test_addresses_in_errors_of_libraries_are_blotted_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    telemetry.configure("json")

    try:
        raise ValueError("550 <ann@example.com> unknown, call +4915112345678")
    except ValueError:
        logging.getLogger("aiosmtplib").exception("to %s", "ann@example.com")

    written = capsys.readouterr().err
    assert "ValueError" in written
    assert "ann@example.com" not in written
    assert "4915112345678" not in written


def test_libraries_are_silent_below_warning(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure("console")

    logging.getLogger("httpx").info("GET https://example.com")

    assert capsys.readouterr().err == ""
