"""Rule 8: neither a history nor a log holds an address, a name or any value of a customer's."""

import base64
import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import structlog
from temporalio.client import WorkflowHandle

import telemetry
from tests.live.faulty_smtp import Dialogue, FaultySmtp, faulty_smtp
from tests.live.system import event, system, working

SECRETS = {
    "email": "gwendolyn@private.example",
    "first_name": "Gwendolyn",
    "phone": "+4915112345678",
    "street": "Rosenweg 17",
    "income": 48713.5,
}
WORDS = [
    "gwendolyn",
    "private.example",
    "4915112345678",
    "rosenweg",
    "48713",
    "ring-for-eloise",
    "eloise",
    "order-secret-99",
    "sesame",
]
TEMPLATE = {
    "name": "hello",
    "channel": "email",
    "parts": {"subject": "{{ customer.first_name }}", "text": "{{ customer.street }} sesame"},
}
JOURNEY: dict[str, Any] = {
    "journey": "private",
    "entry": {"event": "Begun", "when": "event.gift == 'ring-for-eloise'", "key": "event.order"},
    "exits": [{"event": "Bought", "when": "event.order == entry.order"}],
    "steps": [
        {"id": "settle", "kind": "wait", "duration": "1s"},
        {"id": "rich", "kind": "branch", "branches": {"yes": "customer.income > 40000.0"}},
        {"id": "mark", "kind": "update", "set": {"nickname": "customer.first_name"}},
        {"id": "say", "kind": "emit", "event": "Said", "properties": {"who": "customer.email"}},
        {
            "id": "ask",
            "kind": "call",
            "url": "http://127.0.0.1:1/{{ customer.email }}",
            "body": "{{ customer.street }}",
            "retries": 1,
        },
        {"id": "hi", "kind": "send", "channel": "email", "template": "hello"},
        {"id": "text", "kind": "send", "channel": "sms", "template": "missing"},
        {
            "id": "listen",
            "kind": "wait_for",
            "timeout": "30d",
            "events": {"came": {"event": "Came", "when": "event.note == customer.street"}},
        },
        {"id": "rest", "kind": "wait", "duration": "30d"},
    ],
}
MISSING = {"name": "missing", "channel": "sms", "parts": {"text": "{{ customer.no_such }}"}}


class Chatty(FaultySmtp):
    """A server that names the recipient in a temporary no, then in a permanent one."""

    answers = ["450 4.2.0 <{}> Gwendolyn is away"] * 2

    async def serve(self, reader: Any, writer: Any) -> None:
        server = self
        pending = list(self.answers)
        self.answers = pending

        class Naming(Dialogue):
            async def on_rcpt(self, line: str) -> None:
                await super().on_rcpt(line)

            async def say(self, text: str) -> None:
                if text.startswith("250 2.1.5") and server.answers:
                    self.is_refused = True
                    text = server.answers.pop().format(self.recipient)
                await super().say(text)

        try:
            await Naming(self, reader, writer).run()
        finally:
            writer.close()


@pytest.fixture
def logs() -> Iterator[None]:
    """Logging as in production, undone at the end."""
    root = logging.getLogger()
    before = root.handlers, root.level
    telemetry.configure()
    yield
    root.handlers, root.level = before[0], before[1]
    structlog.reset_defaults()


async def history_of(workflow: WorkflowHandle[Any, Any]) -> str:
    """Everything in a history, what is encoded in payloads too."""
    text = (await workflow.fetch_history()).to_json()
    found = [text]

    def look(node: Any) -> None:
        if isinstance(node, dict):
            for value in node.values():
                look(value)
        elif isinstance(node, list):
            for value in node:
                look(value)
        elif isinstance(node, str):
            with suppress(ValueError):
                found.append(base64.b64decode(node, validate=True).decode())

    look(json.loads(text))
    return "\n".join(found).lower()


async def test_history_and_logs_hold_nothing_about_the_customer(
    database_url: str, temporal: str, logs: None, capfd: pytest.CaptureFixture[str]
) -> None:
    async with (
        faulty_smtp(Chatty()) as server,
        system(
            database_url,
            temporal,
            smtp_url=f"smtp://127.0.0.1:{server.port}",
            sms_url="http://127.0.0.1:1/",
            sms_secret="whsec_c2VjcmV0",
            allow_private_calls=True,
        ) as live,
        working(live.settings),
    ):
        await live.publish(JOURNEY, {"hello": TEMPLATE, "missing": MISSING})
        await live.identify("gwendolyn@private.example", **SECRETS)
        await live.send(
            "Begun", "gwendolyn@private.example", gift="ring-for-eloise", order="order-secret-99"
        )
        await live.until("SELECT wait_visit FROM instances", within=20)
        workflow = await live.workflow("private")
        came = event("Came", "gwendolyn@private.example", note="Rosenweg 17")
        await live.store(came)
        await live.until("SELECT position = 'rest' FROM instances")
        await workflow.signal("event", {"id": str(came.id)})
        await live.send("Bought", "gwendolyn@private.example", order="order-secret-99")
        await workflow.result()
        history = await history_of(workflow)
        exits = await live.exits("private")
        said = await live.pool.fetchval("SELECT detail FROM messages WHERE channel = 'sms'")
        is_refused = len(server.mails)
    out, err = capfd.readouterr()
    logged = (out + err).lower()

    assert exits == [
        ("settle", "waited"),
        ("rich", "yes"),
        ("mark", "updated"),
        ("say", "emitted"),
        ("ask", "failed"),
        ("hi", "sent"),
        ("text", "not_sent"),
        ("listen", "came"),
    ]
    assert said == "text, line 1: customer.no_such is missing"
    assert is_refused == 1
    assert "private/" in history
    assert [word for word in WORDS if word in history] == []
    assert [word for word in WORDS if word in logged] == []
