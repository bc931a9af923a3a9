"""The envelope of one mail: what we say before its body, and what the server's answers mean."""

from collections.abc import Sequence

from channels.base import ChannelError, Outgoing, PermanentFailure, TemporaryFailure
from channels.mail_headers import from_header
from channels.smtp_link import Link
from channels.smtp_reply import Reply

SENDERS_FAULT = frozenset({"5.1.7", "5.1.8"})
CLOSING = 421
GO_ON = 354


class StaleError(Exception):
    """The connection turned out to be dead before anything was committed."""


def commands(link: Link, message: Outgoing, data: bytes) -> list[str]:
    """One command a line, after a RSET where the last envelope was left open.

    Raises:
        PermanentFailure: the server cannot take such a mail.
    """
    offered = link.extensions
    sender = from_header(message.sender)[1]
    parameters = ""
    if "SIZE" in offered:
        limit = offered["SIZE"].strip()
        if limit.isdecimal() and 0 < int(limit) < len(data):
            raise PermanentFailure(f"{len(data)} bytes are more than the server's {limit}")
        parameters += f" SIZE={len(data)}"
    if "8BITMIME" in offered and not data.isascii():
        parameters += " BODY=8BITMIME"
    if not sender.isascii() or not message.address.isascii():
        if "SMTPUTF8" not in offered:
            raise PermanentFailure("the server takes no addresses beyond ASCII (SMTPUTF8)")
        parameters += " SMTPUTF8"
    envelope = [f"MAIL FROM:<{sender}>{parameters}", f"RCPT TO:<{message.address}>", "DATA"]
    return ["RSET", *envelope] if link.is_dirty else envelope


def is_open(link: Link, said: Sequence[str], replies: Sequence[Reply]) -> None:
    """Return only if the server awaits the body.

    Raises:
        StaleError: the connection is gone, and was not made for this mail.
        ChannelError: it does not take the mail.
    """
    for command, reply in zip(said, replies, strict=False):
        if not reply.is_positive:
            if replies[-1].code == GO_ON:
                link.abort("a body is awaited for a mail that was refused")
            if link.is_reused and reply.code == CLOSING:
                raise StaleError
            raise refusal(link, reply, is_about_recipient=command.startswith("RCPT"))
    if len(replies) < len(said):
        if link.is_reused:
            raise StaleError
        raise TemporaryFailure(f"{link.loss}; the body was not sent")
    if replies[-1].code != GO_ON:
        link.abort("unexpected reply to DATA")
        raise TemporaryFailure(f"unexpected reply to DATA: {replies[-1]}")


def refusal(link: Link, reply: Reply, *, is_about_recipient: bool) -> ChannelError:
    """The server's no as what it means for the message."""
    if reply.code == CLOSING:
        link.abort(f"closed by the server: {reply}")
    if reply.code < 500:
        return TemporaryFailure(str(reply))
    code = reply.enhanced or ""
    is_bad_address = is_about_recipient and code.startswith("5.1.")
    return PermanentFailure(str(reply), suppress=is_bad_address and code not in SENDERS_FAULT)


def lines(said: Sequence[str]) -> bytes:
    """Commands as they are written."""
    return ("\r\n".join(said) + "\r\n").encode()
