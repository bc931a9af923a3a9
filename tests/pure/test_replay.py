"""Replaying a file: batches, pace, patience, and what is said about bad events."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from cli.errors import CommandError
from cli.event_file import BadLine, EventFile, opened
from cli.replay import BATCH_BYTES, Replay, due_by
from cli.sender import Sender
from cli.shop import make_shop
from journeys.event import Event

START = datetime(2026, 1, 1, tzinfo=UTC)


class Server:
    """Takes batches; answers from a list first, then 200."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.batches: list[list[dict[str, Any]]] = []
        self.time = 0.0
        self.posted_at: list[float] = []
        self.key = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            if answer.status_code != 200:
                return answer
        else:
            answer = httpx.Response(200, json={"success": True})
        self.key = base64.b64decode(request.headers["Authorization"].split()[1]).decode()
        self.batches.append(orjson.loads(request.content)["batch"])
        self.posted_at.append(self.time)
        return answer

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def sender(self) -> Sender:
        client = httpx.Client(base_url="http://server", transport=httpx.MockTransport(self))
        return Sender(client, "secret", sleep=self.sleep)

    def replay(self, path: Path, **given: Any) -> Replay:
        return Replay(EventFile(path), self.sender(), clock=lambda: self.time, **given)


def written(folder: Path, count: int, **extra: Any) -> Path:
    """A file of that many events, a second apart."""
    path = folder / "events.jsonl"
    path.write_bytes(
        b"\n".join(
            orjson.dumps({
                "type": "track",
                "event": "E",
                "userId": "u",
                "messageId": f"m{n}",
                "timestamp": (START + timedelta(seconds=n)).isoformat(),
                **extra,
            })
            for n in range(count)
        )
    )
    return path


def test_batches_have_at_most_500_events_and_keep_their_order(tmp_path: Path) -> None:
    server = Server()

    replay = server.replay(written(tmp_path, 1100, sentAt="2020-01-01T00:00:00Z"))
    replay.run()

    assert [len(batch) for batch in server.batches] == [500, 500, 100]
    sent = [item["messageId"] for batch in server.batches for item in batch]
    assert sent == [f"m{n}" for n in range(1100)]
    assert server.key == "secret:"
    assert not any("sentAt" in item for batch in server.batches for item in batch)
    assert replay.accepted == 1100


def test_batches_are_bounded_in_bytes_too(tmp_path: Path) -> None:
    server = Server()

    server.replay(written(tmp_path, 9, properties={"note": "x" * 97_000})).run()

    assert [len(batch) for batch in server.batches] == [4, 4, 1]
    assert all(len(orjson.dumps(batch)) < BATCH_BYTES for batch in server.batches)


def test_faults_are_tried_again_as_the_server_asks(tmp_path: Path) -> None:
    server = Server(
        httpx.Response(503, headers={"Retry-After": "7"}),
        httpx.ConnectError("refused"),
        httpx.Response(429),
    )

    replay = server.replay(written(tmp_path, 3))
    replay.run()

    assert (replay.accepted, replay.sender.retries) == (3, 3)
    assert server.time == 7 + 1 + 2


def test_bad_items_are_named_by_their_line(tmp_path: Path) -> None:
    error = {"index": 1, "message_id": "m1", "code": "no_name", "message": "it has no name"}
    server = Server(httpx.Response(200, json={"success": True, "errors": [error]}))
    path = written(tmp_path, 3)
    path.write_bytes(path.read_bytes() + b"\nnonsense\n")

    replay = server.replay(path)
    replay.run()

    assert replay.accepted == 2
    assert replay.bad[0].startswith(f"{path}:4: ")
    assert replay.bad[1] == f"{path}:2: no_name: it has no name"


def test_refused_request_says_where_to_go_on(tmp_path: Path) -> None:
    server = Server(httpx.Response(200), httpx.Response(401, json={"message": "wrong key"}))
    server.answers[0] = httpx.Response(200, json={"success": True})

    with pytest.raises(CommandError, match="401: wrong key; go on later with --from-line 501"):
        server.replay(written(tmp_path, 600)).run()


def test_replay_goes_on_from_a_line(tmp_path: Path) -> None:
    server = Server()

    server.replay(written(tmp_path, 10), from_line=8).run()

    assert [item["messageId"] for item in server.batches[0]] == ["m7", "m8", "m9"]


def test_batch_that_is_too_large_is_halved(tmp_path: Path) -> None:
    server = Server(httpx.Response(413, json={"message": "too large"}))

    server.replay(written(tmp_path, 5)).run()

    assert [len(batch) for batch in server.batches] == [2, 3]


def test_pace_spreads_events_over_time(tmp_path: Path) -> None:
    server = Server()

    server.replay(written(tmp_path, 100), due=due_by(50, None)).run()

    assert server.time == pytest.approx(1.8)
    assert [len(batch) for batch in server.batches] == [10] * 10


def test_speed_keeps_the_files_own_rhythm(tmp_path: Path) -> None:
    server = Server()

    server.replay(written(tmp_path, 121), due=due_by(None, 60)).run()

    assert server.time == pytest.approx(2.0)


def test_shift_moves_the_last_event_to_the_instant(tmp_path: Path) -> None:
    target = datetime(2030, 5, 1, tzinfo=UTC)
    file = opened(written(tmp_path, 4), to=target)

    events = [one for one in file.events() if isinstance(one, Event)]
    sent = [found[1]["timestamp"] for found in file.items() if not isinstance(found, BadLine)]

    assert events[-1].occurred_at == target
    assert events[0].occurred_at == target - timedelta(seconds=3)
    assert [datetime.fromisoformat(one) for one in sent] == [one.occurred_at for one in events]


def test_shop_is_the_same_for_the_same_seed_and_in_time_order() -> None:
    first, second = (list(make_shop(40, 30, 7, START)) for _ in range(2))

    assert first == second
    stamps = [one["timestamp"] for one in first]
    assert stamps == sorted(stamps)
    names = {one.get("event", one["type"]) for one in first}
    assert names >= {
        "identify",
        "Product Viewed",
        "Checkout Started",
        "Order Completed",
        "Order Shipped",
    }
    assert len({one["messageId"] for one in first}) == len(first)
