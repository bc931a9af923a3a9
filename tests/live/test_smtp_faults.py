"""What the SMTP provider makes of servers that refuse, vanish, dawdle or talk nonsense (rule 5)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from channels.base import (
    Accepted,
    ChannelError,
    OutcomeUnknown,
    PermanentFailure,
    TemporaryFailure,
    Withdrawn,
)
from channels.smtp import Smtp
from channels.smtp_greeting import Timeouts
from channels.smtp_url import SmtpUrl
from tests.live.faulty_smtp import EXTENSIONS, FaultySmtp, faulty_smtp
from tests.outgoing import Commits, Fetched, outgoing, source

SHORT = Timeouts(*[timedelta(seconds=0.4)] * 3)


@asynccontextmanager
async def smtp(server: FaultySmtp, size: int = 1) -> AsyncIterator[Smtp]:
    provider = Smtp(SmtpUrl("127.0.0.1", server.port), size=size, timeouts=SHORT)
    yield provider
    await provider.close()


async def outcome(provider: Smtp, tag: str, commits: Commits) -> ChannelError | Accepted:
    try:
        return await provider.send(outgoing(f"ann+{tag}@example.com"), commits)
    except ChannelError as error:
        return error


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("tag", "kind", "words", "committed"),
    [
        ("4xx", TemporaryFailure, "450 4.2.0 mailbox busy", 0),
        ("5xx", PermanentFailure, "550 5.1.1 no such user", 0),
        ("relay", PermanentFailure, "550 5.7.1 relaying denied", 0),
        ("421", TemporaryFailure, "421 4.3.2 going down", 0),
        ("drop-at-data", TemporaryFailure, "the body was not sent", 0),
        ("4xxdata", TemporaryFailure, "451 4.3.0 queue is full", 1),
        ("5xxdata", PermanentFailure, "554 5.7.1 looks like 5.7.1 spam", 1),
        ("421data", TemporaryFailure, "421 4.3.2 going down", 1),
        ("drop-after-data", OutcomeUnknown, "no answer to the body", 1),
        ("silent", OutcomeUnknown, "no reply within 0.4 s", 1),
        ("garbage", OutcomeUnknown, "not an SMTP reply: what?", 1),
        ("ok", Accepted, "250 2.0.0 Ok: queued as ABC123", 1),
    ],
)
async def test_each_fault_has_its_outcome_and_the_next_mail_goes_through(
    tag: str, kind: type, words: str, committed: int, pipelining: bool
) -> None:
    offered = EXTENSIONS if pipelining else EXTENSIONS[1:]
    async with faulty_smtp(FaultySmtp(extensions=offered)) as server, smtp(server) as provider:
        commits = Commits()
        first = await outcome(provider, tag, commits)
        after = await provider.send(outgoing("bob@example.com"), Commits())

    assert type(first) is kind
    assert words in first.detail
    assert commits.count == committed
    assert after.provider_id == "ABC123"
    assert [to for to, _ in server.mails][-1] == "bob@example.com"


async def test_only_a_bad_address_is_suppressed() -> None:
    async with faulty_smtp() as server, smtp(server) as provider:
        unknown_user = await outcome(provider, "5xx", Commits())
        policy = await outcome(provider, "relay", Commits())

    assert isinstance(unknown_user, PermanentFailure)
    assert unknown_user.suppress
    assert isinstance(policy, PermanentFailure)
    assert not policy.suppress


async def test_refused_recipient_leaves_the_connection_usable_after_a_reset() -> None:
    async with faulty_smtp() as server, smtp(server) as provider:
        await outcome(provider, "5xx", Commits())
        await provider.send(outgoing(), Commits())

    assert server.connections == 1
    assert "RSET" in server.commands


async def test_server_that_awaits_a_body_for_a_refused_mail_gets_none() -> None:
    async with faulty_smtp(FaultySmtp(takes_data_anyway=True)) as server, smtp(server) as provider:
        refused = await outcome(provider, "5xx", Commits())
        await asyncio.sleep(0.05)

    assert isinstance(refused, PermanentFailure)
    assert server.mails == []
    assert server.dropped_bodies == 1


async def test_refused_commit_drops_the_connection_without_the_final_dot() -> None:
    async with faulty_smtp() as server, smtp(server) as provider:
        with pytest.raises(Withdrawn):
            await provider.send(outgoing(), Commits(answer=False))
        await asyncio.sleep(0.05)

        assert server.dropped_bodies == 1
        assert server.mails == []


async def test_cancelled_before_the_commit_nothing_is_sent() -> None:
    async with faulty_smtp() as server, smtp(server) as provider:
        reached = asyncio.Event()

        async def stuck() -> bool:
            reached.set()
            await asyncio.sleep(60)
            return True

        sending = asyncio.create_task(provider.send(outgoing(), stuck))
        await reached.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await asyncio.sleep(0.05)
        after = await provider.send(outgoing(), Commits())

        assert after.provider_id == "ABC123"
        assert server.dropped_bodies == 1
        assert len(server.mails) == 1


async def test_failing_commit_sends_nothing() -> None:
    async def fails() -> bool:
        raise RuntimeError("the database is away")

    async with faulty_smtp() as server, smtp(server) as provider:
        with pytest.raises(RuntimeError):
            await provider.send(outgoing(), fails)
        await asyncio.sleep(0.05)

        assert server.dropped_bodies == 1


async def test_server_that_leaves_during_the_commit_certainly_got_nothing() -> None:
    async def slow_commit() -> bool:
        await asyncio.sleep(0.1)
        return True

    async with faulty_smtp() as server, smtp(server) as provider:
        with pytest.raises(TemporaryFailure, match="the body was not sent"):
            await provider.send(outgoing("ann+eager@example.com"), slow_commit)

        assert server.mails == []


@pytest.mark.parametrize("words", [b"", b"421 4.4.2 idle too long\r\n"])
@pytest.mark.parametrize("noticed", [True, False])
async def test_connection_closed_while_idle_is_replaced_without_a_word(
    words: bytes, noticed: bool
) -> None:
    async with faulty_smtp() as server, smtp(server) as provider:
        await provider.send(outgoing(), Commits())
        server.hang_up(words)
        if noticed:
            await asyncio.sleep(0.05)
        commits = Commits()
        again = await provider.send(outgoing(), commits)

    assert again.provider_id == "ABC123"
    assert commits.count == 1
    assert server.connections == 2


async def test_idle_connection_is_closed_after_its_time() -> None:
    async with faulty_smtp() as server:
        provider = Smtp(SmtpUrl("127.0.0.1", server.port), idle=timedelta(seconds=0.1))
        await provider.send(outgoing(), Commits())
        await asyncio.sleep(0.25)

        assert server.commands[-1] == "QUIT"
        assert not server.open
        await provider.close()


async def test_dead_server_is_a_temporary_failure() -> None:
    async with faulty_smtp() as server:
        pass
    async with smtp(server) as provider:
        with pytest.raises(TemporaryFailure, match="no connection"):
            await provider.send(outgoing(), Commits())


@pytest.mark.parametrize("greeting", ["554 5.3.2 not today", "hello", "220-" + "x" * 9000])
async def test_refused_greeting_is_temporary_whatever_its_code(greeting: str) -> None:
    async with faulty_smtp(FaultySmtp(greeting=greeting)) as server, smtp(server) as provider:
        with pytest.raises(TemporaryFailure, match="SMTP server"):
            await provider.send(outgoing(), Commits())


async def test_slow_mail_does_not_hold_up_the_others() -> None:
    async with faulty_smtp(FaultySmtp(delay=0.3)) as server, smtp(server, size=2) as provider:
        slow = asyncio.create_task(provider.send(outgoing("ann+slow@example.com"), Commits()))
        await asyncio.sleep(0.05)
        for _ in range(5):
            await provider.send(outgoing(), Commits())

        assert not slow.done()
        assert (await slow).provider_id == "ABC123"


async def test_no_more_connections_than_allowed() -> None:
    async with faulty_smtp() as server, smtp(server, size=3) as provider:
        await asyncio.gather(*(provider.send(outgoing(), Commits()) for _ in range(50)))

    assert server.connections == 3
    assert len(server.mails) == 50


async def test_too_large_mail_is_refused_before_anything_is_said() -> None:
    async with faulty_smtp() as server, smtp(server) as provider:
        with pytest.raises(PermanentFailure, match="more than the server's 100000"):
            await provider.send(outgoing(parts={"text": "a\n" * 60000}), Commits())

    assert not any(command.startswith("MAIL") for command in server.commands)


async def test_address_beyond_ascii_needs_smtputf8() -> None:
    async with faulty_smtp() as server, smtp(server) as provider:
        await provider.send(outgoing("jürgen@example.com"), Commits())
    async with (
        faulty_smtp(FaultySmtp(extensions=("PIPELINING",))) as plain,
        smtp(plain) as provider,
    ):
        with pytest.raises(PermanentFailure, match="SMTPUTF8"):
            await provider.send(outgoing("jürgen@example.com"), Commits())

    assert any(c.endswith("BODY=8BITMIME SMTPUTF8") for c in server.commands)


@pytest.mark.parametrize("address", ["a@b\r\nRCPT TO:<c@d>", "a@b> c", "a b@c", "a", "", "a@b\n"])
async def test_address_that_is_a_command_is_refused(address: str) -> None:
    async with faulty_smtp() as server, smtp(server) as provider:
        with pytest.raises(PermanentFailure, match="recipient is not an email address"):
            await provider.send(outgoing(address), Commits())

    assert server.connections == 0


async def test_mails_that_are_fetched_come_to_what_they_would_alone() -> None:
    """Each with others behind it; a refused commit costs the connection, and nobody else's mail."""
    tags = ["ok", "4xx", "5xx", "5xxdata", "drop-at-data", "drop-after-data", "421", "garbage"] * 3
    async with faulty_smtp() as server, smtp(server, size=2) as provider:
        commits = [Commits(answer=number % 5 != 4) for number in range(len(tags))]
        parcels = [
            Fetched(outgoing(f"ann+{tag}@example.com"), commit)
            for tag, commit in zip(tags, commits, strict=True)
        ]
        provider.pull(source(parcels))
        async with asyncio.timeout(20):
            came_to = await asyncio.gather(*(one.came_to for one in parcels))

    kinds = {
        "ok": Accepted, "4xx": TemporaryFailure, "5xx": PermanentFailure,
        "5xxdata": PermanentFailure, "drop-at-data": TemporaryFailure,
        "drop-after-data": OutcomeUnknown, "421": TemporaryFailure, "garbage": OutcomeUnknown,
    }  # fmt: skip
    for tag, commit, one in zip(tags, commits, came_to, strict=True):
        assert commit.count <= 1
        is_withdrawn = commit.count == 1 and not commit.answer
        assert isinstance(one, Withdrawn if is_withdrawn else kinds[tag]), (tag, one)
    assert len(server.mails) == sum(isinstance(one, Accepted) for one in came_to)


async def test_a_mail_given_up_while_its_connection_opens_is_never_committed() -> None:
    async with faulty_smtp(FaultySmtp(patience=0.3)) as server, smtp(server) as provider:
        commits = Commits()
        sending = asyncio.create_task(provider.send(outgoing(), commits))
        await asyncio.sleep(0.1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await asyncio.sleep(0.4)

        assert server.connections == 1
        assert commits.count == 0
        assert server.mails == []
