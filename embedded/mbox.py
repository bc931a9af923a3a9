"""The mailbox's file: mboxrd, which any mail program opens, read back without the server."""

import re
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

FROM = b"From parcours Thu Jan  1 00:00:00 1970\n"
QUOTE = re.compile(rb"^(>*From )", re.MULTILINE)
UNQUOTE = re.compile(rb"^>(>*From )", re.MULTILINE)
OURS = b"x-parcours-message:"
USUAL = b"message-id:"


def entry(recipients: list[bytes], data: bytes) -> bytes:
    """One mail as it stands in the file, the envelope's recipients on top."""
    mail = data.replace(b"\r\n", b"\n")
    if b"From " in mail:
        mail = QUOTE.sub(rb">\1", mail)
    delivered = b"".join(b"Delivered-To: %s\n" % recipient for recipient in recipients)
    return b"%s%s%s\n" % (FROM, delivered, mail)


def message_id(data: bytes) -> str:
    """The mail's X-Parcours-Message, or else its Message-ID, or else nothing."""
    head = data.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    found = {OURS: b"", USUAL: b""}
    for line in head.split(b"\n"):
        for name in found:
            if line[: len(name)].lower() == name:
                found[name] = line[len(name) :].strip()
    return (found[OURS] or found[USUAL]).decode("utf-8", "replace")


def read_mailbox(path: Path) -> Iterator[EmailMessage]:
    """Every mail in the file, in the order of arrival."""
    for mail in mails(path):
        yield message_from_bytes(UNQUOTE.sub(rb"\1", mail), policy=policy.default)


def message_ids(path: Path) -> Counter[str]:
    """How often each message was delivered, by `message_id`, without parsing the mails."""
    return Counter(message_id(mail) for mail in mails(path))


def mails(path: Path) -> Iterator[bytes]:
    """The raw mails, one at a time however large the file is."""
    if not path.exists():
        return
    lines: list[bytes] = []
    with path.open("rb") as file:
        for line in file:
            if line == FROM:
                if lines:
                    yield b"".join(lines[:-1])
                lines = []
            else:
                lines.append(line)
    if lines:
        yield b"".join(lines[:-1])
