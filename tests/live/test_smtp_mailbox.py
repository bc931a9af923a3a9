"""The provider against the local mailbox and against an independent server, aiosmtpd."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd import smtp as reference

from channels.smtp import Smtp
from channels.smtp_url import SmtpUrl
from embedded.mailbox import Mailbox
from embedded.mbox import message_ids, read_mailbox
from tests.live.faulty_smtp import FaultySmtp, faulty_smtp
from tests.outgoing import Commits, outgoing

DOTS = ".\n..\n.start\nFrom here\n>From there\n\nend."


@pytest.fixture
async def mailbox(tmp_path: Path) -> AsyncIterator[Mailbox]:
    opened = Mailbox(tmp_path / "mail.mbox")
    await opened.start()
    yield opened
    await opened.stop()


async def test_mail_arrives_as_it_was_written(mailbox: Mailbox, tmp_path: Path) -> None:
    message = outgoing(parts={"subject": "Grüße", "text": DOTS, "html": "<b>ü</b>"})
    provider = Smtp(SmtpUrl("127.0.0.1", mailbox.port))

    accepted = await provider.send(message, Commits())
    await provider.close()

    (mail,) = read_mailbox(tmp_path / "mail.mbox")
    text, html = (part.get_content() for part in mail.iter_parts())
    assert accepted.detail == "250 2.0.0 kept"
    assert mail["Subject"] == "Grüße"
    assert mail["Delivered-To"] == "ann@example.com"
    assert text == DOTS + "\n"
    assert html == "<b>ü</b>\n"


async def test_every_mail_is_counted_once_over_reused_connections(
    mailbox: Mailbox, tmp_path: Path
) -> None:
    provider = Smtp(SmtpUrl("127.0.0.1", mailbox.port), size=5)
    messages = [outgoing() for _ in range(200)]

    await asyncio.gather(*(provider.send(message, Commits()) for message in messages))
    await provider.close()

    assert mailbox.count == 200
    assert message_ids(tmp_path / "mail.mbox") == {str(message.id): 1 for message in messages}
    assert mailbox.message_ids == message_ids(tmp_path / "mail.mbox")


async def test_mailbox_takes_a_mail_in_any_pieces(mailbox: Mailbox) -> None:
    dialogue = (
        b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"
        b"X-Parcours-Message: 7\r\n\r\nhi\r\n.\r\nQUIT\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", mailbox.port)
    for byte in dialogue:
        writer.write(bytes([byte]))
        await writer.drain()
    answers = await reader.read()
    writer.close()

    assert answers.endswith(b"354 go on\r\n250 2.0.0 kept\r\n221 2.0.0 bye\r\n")
    assert mailbox.message_ids == {"7": 1}


async def test_mailbox_as_a_process_keeps_what_it_answered_through_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "mail.mbox"
    async with faulty_smtp() as free:
        port = free.port
    command = [sys.executable, "-m", "embedded.mailbox", "--port", str(port), "--path", str(path)]
    process = await asyncio.create_subprocess_exec(*command)
    try:
        await until_open(port)
        provider = Smtp(SmtpUrl("127.0.0.1", port))
        message = outgoing()
        await provider.send(message, Commits())
    finally:
        process.kill()
        await process.wait()
    await provider.close()

    again = Mailbox(path)
    await again.start()
    await again.stop()

    assert again.message_ids == {str(message.id): 1}


async def until_open(port: int) -> None:
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise TimeoutError("the mailbox did not start")


class Keeper:
    """What aiosmtpd calls with a finished mail."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.bodies.append(envelope.content)
        return "250 2.0.0 queued as REF1"


async def test_independent_server_understands_us() -> None:
    keeper = Keeper()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: reference.SMTP(keeper, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0
    )
    provider = Smtp(SmtpUrl("127.0.0.1", listening.sockets[0].getsockname()[1]))

    answers = [
        await provider.send(outgoing(parts={"text": DOTS}), Commits()),
        await provider.send(outgoing("jürgen@example.com"), Commits()),
    ]
    await provider.close()
    listening.close()
    await asyncio.sleep(0.02)

    assert [answer.provider_id for answer in answers] == ["REF1", "REF1"]
    assert keeper.bodies[0].endswith(DOTS.replace("\n", "\r\n").encode() + b"\r\n")


@pytest.mark.parametrize("offered", [("PIPELINING",), ("8BITMIME",)])
async def test_envelope_leaves_in_one_write_only_where_offered(offered: tuple[str, ...]) -> None:
    async with faulty_smtp(FaultySmtp(extensions=offered)) as server:
        provider = Smtp(SmtpUrl("127.0.0.1", server.port))
        await provider.send(outgoing(), Commits())
        await provider.close()

    assert server.was_pipelined is ("PIPELINING" in offered)
    assert len(server.mails) == 1
