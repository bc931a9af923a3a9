"""The work of `parcours audience import` and `export`, against the routes themselves."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from audiences.definition import AUDIENCE
from audiences.imports.options import Options
from cli.audience import exporting, importing
from cli.audience.table_file import ROWS, TableFile
from cli.audience.upload import Upload
from cli.client import Server, ServerError
from storage import audiences
from storage.pool import Pool
from tests.http.reading_app import NOW, client_of


class Bridge(httpx.BaseTransport):
    """Brings requests from a thread into the application's loop; the first ones may be lost."""

    def __init__(self, client: httpx.AsyncClient, lost: int = 0) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()
        self.lost = lost
        self.seen: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(f"{request.method} {request.url.path.rpartition('/imports')[2]}")
        if request.method == "PUT" and self.lost:
            self.lost -= 1
            raise httpx.ReadError("the server was killed", request=request)
        asked = self._client.request(
            request.method, str(request.url), content=request.read(), headers=request.headers
        )
        answer = asyncio.run_coroutine_threadsafe(asked, self._loop).result()
        return httpx.Response(
            answer.status_code, content=answer.content, headers={"Content-Type": "application/json"}
        )


@pytest.fixture
async def client(db: Pool) -> AsyncIterator[httpx.AsyncClient]:
    newsletter = AUDIENCE.validate_python({"audience": "newsletter", "kind": "list"})
    await audiences.publish(db, newsletter, "h", NOW)
    async with client_of(db) as client:
        yield client


def upload_of(client: httpx.AsyncClient, path: Path, lost: int = 0) -> tuple[Upload, Bridge]:
    bridge = Bridge(client, lost)
    headers = dict(client.headers)
    server = Server(httpx.Client(transport=bridge, base_url="http://test", headers=headers))
    return Upload(server, "newsletter", TableFile(path)), bridge


async def run(upload: Upload, **options: Any) -> dict[str, Any]:
    def work() -> dict[str, Any]:
        begun = upload.start(
            Options(file=upload.file.name, create=True, **options).model_dump(mode="json")
        )
        return upload.run(begun, lambda rows, size: None)

    return await asyncio.to_thread(work)


async def test_a_file_goes_in_and_comes_out(client: httpx.AsyncClient, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text('user_id,city,n\nada,"Paris, 6",12.5\nbob,,true\n', "utf-8")
    upload, _ = upload_of(client, path)
    await run(upload)

    def export() -> str:
        out = io.StringIO()
        found = exporting.members(upload.server, "newsletter", None, ["city", "n"])
        exporting.write_csv(found, ["city", "n"], out)
        return out.getvalue()

    rows = list(csv.DictReader(io.StringIO(await asyncio.to_thread(export))))
    assert sorted((row["user_id"], row["city"], row["n"]) for row in rows) == [
        ("ada", "Paris, 6", "12.5"), ("bob", "", "true"),
    ]  # fmt: skip


async def test_what_was_sent_before_is_not_sent_again(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    path = tmp_path / "in.csv"
    path.write_text("user_id\n" + "".join(f"u{n}\n" for n in range(2 * ROWS + 1)), "utf-8")
    upload, bridge = upload_of(client, path, lost=1)
    pieces = list(upload.file.pieces())
    options = Options(file=upload.file.name, create=True).model_dump(mode="json")
    begun = await asyncio.to_thread(upload.start, options)
    await asyncio.to_thread(upload._send, begun["id"], pieces[1])

    answer = await run(upload)

    puts = [one.rpartition("/")[2] for one in bridge.seen if one.startswith("PUT")]
    assert sorted(puts) == ["0", "1", "1", "2"]
    assert answer["counts"]["created"] == answer["counts"]["joined"] == 2 * ROWS + 1


async def test_rows_that_were_not_taken_are_listed_with_their_values(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    path = tmp_path / "in.csv"
    good = "".join(f"u{n},1\n" for n in range(ROWS))
    path.write_text(f"user_id,n\na,many\n{good},2\nb,1,2\n", "utf-8")
    upload, _ = upload_of(client, path)
    answer = await run(upload, types={"n": "number"})
    target = tmp_path / "errors.csv"

    count = await asyncio.to_thread(importing.write_errors, upload, answer["id"], target)

    listed = csv.DictReader(io.StringIO(target.read_text("utf-8")))
    rows = [(row["line"], row["column"], row["value"], row["what is wrong"]) for row in listed]
    assert count == answer["counts"]["failed"] == 3
    assert rows == [
        ("2", "n", "many", "the value is no number"),
        (str(ROWS + 3), "user_id", "", "the row does not say whom it is about"),
        (str(ROWS + 4), "", "b,1,2", "the row has another number of values than the header"),
    ]


async def test_a_refusal_ends_the_upload_at_once(client: httpx.AsyncClient, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("user_id,n\na,1\n", "utf-8")
    upload, bridge = upload_of(client, path)

    with pytest.raises(ServerError, match="the header has no column 'm'"):
        await run(upload, map={"m": "x"})

    assert len([one for one in bridge.seen if one.startswith("PUT")]) == 1
