"""Encryption and passwords: STARTTLS, TLS from the first byte, and no password in plain text."""

import ssl
from datetime import timedelta

import pytest
import trustme

from channels.base import TemporaryFailure
from channels.smtp import Smtp
from channels.smtp_greeting import Timeouts
from channels.smtp_url import SmtpUrl
from tests.live.faulty_smtp import FaultySmtp, faulty_smtp
from tests.outgoing import Commits, outgoing

SHORT = Timeouts(*[timedelta(seconds=1)] * 3)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_password_is_sent_once_encrypted(
    certificate: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    async with faulty_smtp(FaultySmtp(tls=certificate, password="s3cret")) as server:
        provider = Smtp(
            SmtpUrl("127.0.0.1", server.port, "shop", "s3cret"), tls=trusting, timeouts=SHORT
        )
        await provider.send(outgoing(), Commits())
        await provider.close()

    assert len(server.mails) == 1
    assert [c.split()[0] for c in server.commands[:4]] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


async def test_wrong_password_holds_mail_back(
    certificate: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    async with faulty_smtp(FaultySmtp(tls=certificate, password="s3cret")) as server:
        provider = Smtp(
            SmtpUrl("127.0.0.1", server.port, "shop", "other"), tls=trusting, timeouts=SHORT
        )
        with pytest.raises(TemporaryFailure, match=r"535 5\.7\.8 wrong password"):
            await provider.send(outgoing(), Commits())


async def test_password_is_never_sent_in_plain_text() -> None:
    async with faulty_smtp(FaultySmtp(password="s3cret")) as server:
        provider = Smtp(SmtpUrl("127.0.0.1", server.port, "shop", "s3cret"), timeouts=SHORT)
        with pytest.raises(TemporaryFailure, match="does not offer STARTTLS"):
            await provider.send(outgoing(), Commits())

    assert not any(command.startswith("AUTH") for command in server.commands)


async def test_password_is_never_sent_to_an_unknown_certificate(
    certificate: ssl.SSLContext,
) -> None:
    async with faulty_smtp(FaultySmtp(tls=certificate, password="s3cret")) as server:
        provider = Smtp(SmtpUrl("127.0.0.1", server.port, "shop", "s3cret"), timeouts=SHORT)
        with pytest.raises(TemporaryFailure, match="TLS failed"):
            await provider.send(outgoing(), Commits())


async def test_without_a_password_an_unknown_certificate_still_encrypts(
    certificate: ssl.SSLContext,
) -> None:
    async with faulty_smtp(FaultySmtp(tls=certificate)) as server:
        provider = Smtp(SmtpUrl("127.0.0.1", server.port), timeouts=SHORT)
        await provider.send(outgoing(), Commits())
        await provider.close()

    assert "STARTTLS" in server.commands
    assert len(server.mails) == 1
