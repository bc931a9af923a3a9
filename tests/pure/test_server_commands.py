"""The commands that talk to a server: what they ask, and what they say when it does not answer."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from cli import control, diff, publish, runs
from cli.audience import publishing
from cli.audience.files import load as load_audiences
from cli.client import Server
from cli.commands import COMMANDS
from cli.errors import CommandError
from cli.files import load
from journeys.finding import Finding

WIN_BACK = Path(__file__).parents[2] / "examples" / "win-back.yaml"
Answer = Callable[[httpx.Request], httpx.Response]


def serving(answer: Answer) -> Server:
    """A server that answers like this."""
    transport = httpx.MockTransport(answer)
    return Server(httpx.Client(transport=transport, base_url="http://server"))


def refused(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


@pytest.mark.parametrize(("answer", "said"), [
    (refused, "nothing answers at http://server; start Parcours with `parcours up`"),
    (lambda _: httpx.Response(401, json={"detail": "no"}), "does not know this admin key"),
    (lambda _: httpx.Response(404, json={"detail": "no journey 'x'"}), "no journey 'x'"),
    (lambda _: httpx.Response(503, json={"title": "Postgres is away", "detail": "try again soon"}),
     "cannot serve at the moment (Postgres is away); try again soon"),
    (lambda _: httpx.Response(200, text="<html>"), "is no Parcours"),
])  # fmt: skip
def test_what_goes_wrong_is_said_with_what_to_do(answer: Answer, said: str) -> None:
    with pytest.raises(CommandError) as error:
        serving(answer).get("journeys")

    assert said in str(error.value)


def test_publish_sends_definition_and_templates() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(201, json={"journey": "win-back", "version": 3, "is_new": True})

    (answered,) = publish.publish(serving(answer), [load(WIN_BACK)])

    assert (sent[0].method, sent[0].url.path) == ("PUT", "/v1/journeys/win-back")
    assert set(json.loads(sent[0].content)) == {"definition", "templates"}
    assert publish.said(answered) == "win-back@3 published"


def test_what_a_server_finds_in_an_audience_is_said_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text('audience: a\nkind: rule\nwhen: in_audience("loyall")\n')
    finding = Finding(file="a", line=1, column=1, field="when", code="unknown_audience",
                      message="there is no audience 'loyall'", hint="there are: loyal")  # fmt: skip
    body = {"detail": finding.message, "findings": [finding.model_dump(mode="json")]}
    [loaded] = load_audiences([path])

    with pytest.raises(CommandError) as error:
        publishing.put(serving(lambda _: httpx.Response(400, json=body)), loaded)

    assert f"{path}:3: there is no audience 'loyall' (there are: loyal)" in str(error.value)
    assert loaded.findings
    assert publishing.without_strangers(loaded.findings) == ()


def test_what_is_no_id_of_a_run_is_not_asked_for() -> None:
    with pytest.raises(CommandError, match="'nonsense' is no id of a run"):
        runs.command("pause", "nonsense", "http://server", "key")


def test_nothing_is_published_while_a_file_is_broken(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("journey: broken\n")

    with pytest.raises(CommandError, match="nothing was published"):
        publish.check([load(WIN_BACK), load(tmp_path / "broken.yaml")])


def test_a_name_cannot_leave_its_place_in_the_path() -> None:
    paths: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(200, json={})

    serving(answer).get("customers", "a/../b?c", "why")

    assert paths == [b"/v1/customers/a%2F..%2Fb%3Fc/why"]


def test_a_file_is_compared_with_what_is_published(capsys: pytest.CaptureFixture[str]) -> None:
    loaded = load(WIN_BACK)
    templates = {name: one.model_dump(mode="json") for name, one in loaded.templates.items()}
    answer = {"definition": loaded.definition, "templates": templates}
    server = serving(lambda _: httpx.Response(200, json=answer))

    diff.compare(diff.published(str(WIN_BACK)), str(WIN_BACK), "text", server.journey)

    assert capsys.readouterr().out == "no difference\n"


def test_journeys_are_listed_in_columns() -> None:
    row = {"journey": "cart", "state": "open", "version": 2, "entered": 1200, "inside": 7,
           "published_at": "2026-11-20T10:02:00Z"}  # fmt: skip

    assert list(control.lines([row])) == [
        "  journey  state  version  published         entered  inside",
        "  cart     open         2  2026-11-20 10:02    1,200       7",
    ]
    assert "parcours publish FILE" in next(control.lines([]))


def test_every_verb_is_a_command() -> None:
    assert {"publish", "list", "pause", "resume", "close", "open", "stop", "why"} <= {*COMMANDS}
