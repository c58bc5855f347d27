"""A letter becomes the bytes of a mail, and the same letter always the same bytes.

Whoever repeats a letter after a crash repeats its Message-ID and its date, so that the reader's
mail program can tell that it came twice. No text can begin a header or a line of its own there.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html import escape

from msgspec import Struct

ADDRESS_CHARS_MAX = 254
SUBJECT_CHARS_MAX = 200
WORDS_CHARS_MAX = 20_000

_ID = re.compile(r"[a-z0-9-]{1,64}")
_HOST = re.compile(r"(?i)[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_ADDRESS = re.compile(r"[!#-'*+\-/-9=?A-Z^-~.]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
# Also the line ends that only Unicode knows: some programs break a header there.
_NOT_ON_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Letter(Struct, frozen=True):
    """What one person is to read. `id` is its idempotency key, `words` are plain paragraphs."""

    id: str
    to: str
    subject: str
    words: str
    written_ms: int


def check_address(address: str) -> None:
    """Raises ValueError for what no mail may be sent to; repeats nothing of it."""
    if len(address) > ADDRESS_CHARS_MAX or not _ADDRESS.fullmatch(address):
        raise ValueError("expected an address like somebody@example.org, in plain letters")
    try:
        Address(addr_spec=address)
    except (ValueError, HeaderParseError, IndexError):
        raise ValueError("expected an address like somebody@example.org") from None


def message_id(letter: Letter, host: str) -> str:
    """The id that every mail program on the way sees, the same at each try."""
    return f"<{letter.id}@{host}>"


def as_mail(letter: Letter, sender: str, sender_name: str, host: str) -> EmailMessage:
    """The mail of a letter. Raises ValueError for an address, an id or a size that cannot be."""
    check_address(letter.to)
    check_address(sender)
    if not _ID.fullmatch(letter.id) or not _HOST.fullmatch(host):
        raise ValueError("expected an id of small letters and digits, and the name of a host")
    if len(letter.words) > WORDS_CHARS_MAX:
        raise ValueError(f"a letter has at most {WORDS_CHARS_MAX} characters")
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(display_name=on_a_line(sender_name), addr_spec=sender)
    mail["To"] = letter.to
    mail["Subject"] = on_a_line(letter.subject)[:SUBJECT_CHARS_MAX]
    mail["Date"] = datetime.fromtimestamp(letter.written_ms // 1000, UTC)
    mail["Message-ID"] = message_id(letter, host)
    # RFC 3834: nobody's holiday answers a machine.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.words)
    mail.add_alternative(_as_page(letter.words), subtype="html")
    # A boundary drawn anew would make the second try another mail.
    mail.set_boundary(f"=_{letter.id}")
    return mail


def on_a_line(text: str) -> str:
    """The text without anything that ends a line, hidden in an encoded word or not.

    Python's header classes decode such a word and write the line break in it as it is.
    """
    return _NOT_ON_A_LINE.sub(" ", text).replace("=?", "= ?").strip()


def _as_page(words: str) -> str:
    paragraphs = (
        f"<p>{escape(one).replace(chr(10), '<br>')}</p>" for one in words.strip().split("\n\n")
    )
    return "<!doctype html><meta charset=utf-8>" + "".join(paragraphs)
