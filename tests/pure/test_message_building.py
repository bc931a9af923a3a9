"""A mail built by hand reads back as what went in, whatever went in."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import InvalidRouteError, PermanentFailure
from channels.mime import build, is_narrow
from channels.smtp_reply import LONGEST_LINE, MalformedReplyError, ReplyParser
from channels.smtp_url import SmtpUrl
from tests.outgoing import outgoing

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)

one_line = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]))
any_text = st.text(st.characters(codec="utf-8")) | st.text("ab.=\n\r \t", max_size=3000)
awkward = st.sampled_from([
    ".",
    "..",
    ".\n.",
    "x" * 2000,
    "é" * 999,
    "a\0b",
    "\r",
    "trailing \n \n",
])


def read(data: bytes) -> EmailMessage:
    return message_from_bytes(data, policy=policy.default)


def lines(text: str) -> str:
    """The text as every mail carries it: one kind of line end, and one at the end."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return plain if plain.endswith("\n") else plain + "\n"


def carried(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode().replace("\r\n", "\n")


@given(one_line, any_text | awkward, any_text | awkward, st.booleans())
def test_subject_and_bodies_survive(subject: str, text: str, html: str, eight_bit: bool) -> None:
    parts = {"subject": subject, "text": text, "html": html}

    data = build(outgoing(parts=parts), NOW, eight_bit)

    mail = read(data)
    assert "".join(str(mail["Subject"]).split()) == "".join(subject.split())
    assert [carried(cast(EmailMessage, part)) for part in mail.iter_parts()] == [
        lines(text),
        lines(html),
    ]
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))
    assert b"\0" not in data
    assert not data.replace(b"\r\n", b"").count(b"\n")
    assert not data.replace(b"\r\n", b"").count(b"\r")
    assert data.endswith(b"\r\n")
    assert eight_bit or data.isascii()


@given(any_text | awkward, st.sampled_from(["text", "html"]))
def test_single_part_survives(body: str, kind: str) -> None:
    mail = read(build(outgoing(parts={kind: body}), NOW, eight_bit=True))

    assert mail.get_content_type() == ("text/plain" if kind == "text" else "text/html")
    assert carried(mail) == lines(body)


def test_headers_say_who_when_and_which() -> None:
    unsubscribe = "<https://example.org/u/" + "x" * 60 + ">, <mailto:u@example.org>"
    message = outgoing(
        sender='Café "Zür" GmbH <shop@example.org>',
        headers={
            "List-Unsubscribe": unsubscribe,
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )

    mail = read(build(message, NOW, eight_bit=False))

    assert mail["From"].addresses[0].addr_spec == "shop@example.org"
    assert mail["From"].addresses[0].display_name == 'Café "Zür" GmbH'
    assert mail["To"] == "ann@example.com"
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"] == f"<{message.id}@example.org>"
    assert mail["X-Parcours-Message"] == str(message.id)
    assert mail["List-Unsubscribe"] == unsubscribe
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        ("Shop <a@b.c>", "Shop"),
        ("Shop, Inc. <a@b.c>", "Shop, Inc."),
        (r'"The \"S\" (x)" <a@b.c>', 'The "S" (x)'),
        ("<a@b.c>", ""),
        ("a@b.c", ""),
    ],
)
def test_sender_keeps_name_and_address(sender: str, name: str) -> None:
    mail = read(build(outgoing(sender=sender), NOW, eight_bit=False))

    assert mail["From"].addresses[0].addr_spec == "a@b.c"
    assert mail["From"].addresses[0].display_name == name


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"parts": {"subject": "a\r\nBcc: x@y.z", "text": "t"}}, "Subject contains a line break"),
        ({"sender": "Shop\r\nBcc: x@y.z <a@b.c>"}, "sender contains a line break"),
        ({"sender": "Shop"}, "sender is not an email address"),
        ({"headers": {"X-A": "a\nBcc: x@y.z"}}, "header 'X-A' contains a line break"),
        ({"headers": {"X-A: b\r\nBcc": "x"}}, "cannot be set"),
        ({"headers": {"from": "x@y.z"}}, "header 'from' cannot be set"),
        ({"headers": {"X-A": "x" * 999}}, "more than 998"),
        ({"parts": {"subject": "a"}}, "neither text nor html"),
    ],
)
def test_what_could_do_harm_is_refused_by_name(change: dict[str, str], named: str) -> None:
    with pytest.raises(PermanentFailure, match=named):
        build(outgoing(**change), NOW, eight_bit=True)  # type: ignore[arg-type] # one of several


def test_boundary_never_occurs_in_a_body() -> None:
    message = outgoing()
    boundary = f"--=_{message.id.hex}"
    forged = outgoing(id=message.id, parts={"text": f"{boundary}\n", "html": f"{boundary}--\n"})

    parts = list(read(build(forged, NOW, eight_bit=True)).iter_parts())

    assert [carried(cast(EmailMessage, part)) for part in parts] == [
        f"{boundary}\n",
        f"{boundary}--\n",
    ]


def test_unpaired_surrogates_do_not_stop_a_mail() -> None:
    mail = read(build(outgoing(parts={"subject": "a\ud800", "text": "b\ud800"}), NOW, True))

    assert mail["Subject"] == "a?"


@given(st.lists(st.integers(1, 30), max_size=8))
def test_replies_are_the_same_in_any_pieces(cuts: list[int]) -> None:
    parser, replies, start = ReplyParser(), [], 0
    whole = b"250-first\r\n250-2.1.0 SIZE 5\r\n250 last\r\n550 5.1.1 no\r\n354\r\n"

    for cut in [*cuts, len(whole)]:
        replies += parser.feed(whole[start : start + cut])
        start += cut

    assert [str(reply) for reply in replies] == [
        "250 first 2.1.0 SIZE 5 last",
        "550 5.1.1 no",
        "354",
    ]
    assert [reply.enhanced for reply in replies] == [None, "5.1.1", None]
    assert parser.is_between_replies


@pytest.mark.parametrize(
    "said", [b"x" * (LONGEST_LINE + 1), b"hello\r\n", b"250-a\r\n550 b\r\n", b"250-a\r\n" * 201]
)
def test_malformed_replies_are_errors(said: bytes) -> None:
    with pytest.raises(MalformedReplyError):
        ReplyParser().feed(said)


def test_smtp_url_is_read() -> None:
    assert SmtpUrl.parse("smtp://127.0.0.1:2525") == SmtpUrl("127.0.0.1", 2525)
    assert SmtpUrl.parse("smtps://me%40x:p%2Fw@mail.example.org") == SmtpUrl(
        "mail.example.org", 465, "me@x", "p/w", is_tls=True
    )


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("http://a", "neither smtp nor smtps"),
        ("smtp://", "no host"),
        ("smtp://a:b", "Port"),
        ("smtp://a@b", "go together"),
        ("smtp://a/b", "nothing may follow"),
        ("localhost:25", "neither smtp nor smtps"),
    ],
)
def test_bad_smtp_url_says_why(url: str, named: str) -> None:
    with pytest.raises(InvalidRouteError, match=named):
        SmtpUrl.parse(url)


@given(st.lists(st.sampled_from([0, 1, 500, 996, 997, 998, 999, 1000, 1996]), max_size=6))
def test_a_body_is_narrow_when_each_of_its_lines_is(lengths: list[int]) -> None:
    data = b"\r\n".join(b"x" * length for length in lengths)
    assert is_narrow(data) == all(length <= 998 for length in lengths)
