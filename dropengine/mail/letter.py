"""A letter becomes the bytes of a mail, and the same letter always the same bytes.

Whoever repeats a letter after a crash repeats its Message-ID and its date, so that the reader's
mail program can tell that it came twice. No text can begin a header or a line of its own there.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum
from html import escape
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from dropengine import config, mail_address
from dropengine.config import Settings
from dropengine.people.passkeys import by_name

SUBJECT_CHARS_MAX = 200
WORDS_CHARS_MAX = 20_000
OUR_NAME = "Drop Engine"

_ID = re.compile(r"[a-z0-9-]{1,64}")
_HOST = re.compile(r"(?i)[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_LINK = re.compile(r"https?://[!#-%(-;=?-\[\]_a-z~]{1,500}")
# Also the line ends that only Unicode knows: some programs break a header there.
_NOT_ON_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Kind(StrEnum):
    """What a letter is about."""

    SIGN_IN = "sign_in"
    # Of what is a person's in a drop.
    TEN_BEFORE = "ten_before"
    OFFER = "offer"
    HOLD_ENDS = "hold_ends"
    SOLD = "sold"
    REFUND = "refund"
    MESSAGE = "message"
    CARRIED = "carried"
    HAND_ENDS = "hand_ends"
    # Of what he asked to be told of.
    REMINDER = "reminder"
    OPENED = "opened"
    NEW_DROP = "new_drop"
    # Of makers' accounts.
    CONFIRM = "confirm"
    CHANGED = "changed"
    INVITE = "invite"
    BACK = "back"
    ALARM = "alarm"
    HAND_LIST = "hand_list"


class Letter(Struct, frozen=True, kw_only=True):
    """What one person is to read. `id` is its idempotency key, `kind` a `Kind`; `words` are plain
    paragraphs, and one that is an address of the shop becomes a link.

    `whose`: by whom it is found and forgotten, like `person:ID` or `account:ID`, or ''. `drop`: of
    which it tells, or '', and `about` which thing of it, whose end ends it. `from_ms`: not before;
    0: at once. `until_ms`: from then on it says nothing any more and is not sent; 0: it
    always does. `urgent`: it goes before others. `sender`: the name that the reader sees.
    `unsubscribe`: where one click ends letters of this kind, or ''. Times are ms since 1970.
    """

    id: str
    kind: str
    to: str
    subject: str
    words: str
    written_ms: int
    whose: str = ""
    drop: str = ""
    about: str = ""
    from_ms: int = 0
    until_ms: int = 0
    urgent: bool = False
    sender: str = ""
    language: str = "en"
    unsubscribe: str = ""


class Sender(Struct, frozen=True):
    """Whom letters come from. `origins`: the shop's own addresses, which links lead to."""

    address: str
    origins: tuple[str, ...]


def sender_of(settings: Settings) -> Sender:
    """Whom this shop's letters come from."""
    origin = config.public_url(settings)
    host = urlsplit(origin).hostname or ""
    here = host if _HOST.fullmatch(host) else "localhost"
    # Where a shop is on this machine alone, links that make passkeys lead to it by name.
    return Sender(settings.mail_from or f"shop@{here}", (origin, by_name(origin)))


def letter_id(kind: Kind, *of: object) -> str:
    """The id of the one letter of this kind about these things."""
    words = "\n".join(map(str, of)).encode()
    return f"{kind.replace('_', '-')}-{hashlib.sha256(words).hexdigest()[:32]}"


def check(letter: Letter) -> None:
    """Raises ValueError for a letter that no mail can be made of; repeats nothing of it."""
    mail_address.check(letter.to)
    if not _ID.fullmatch(letter.id):
        raise ValueError("expected an id of small letters, digits and -")
    if len(letter.words) > WORDS_CHARS_MAX:
        raise ValueError(f"a letter has at most {WORDS_CHARS_MAX} characters")
    if not _LANGUAGE.fullmatch(letter.language):
        raise ValueError("expected a language like en or de-AT")
    # A line end hides in an encoded word too (see `on_a_line`).
    hides = "=?" in letter.unsubscribe
    if letter.unsubscribe and (hides or not _LINK.fullmatch(letter.unsubscribe)):
        raise ValueError("expected an address that begins with https://")


def message_id(letter: Letter, sender: Sender) -> str:
    """The id that every mail program on the way sees, the same at each try."""
    return f"<{letter.id}@{mail_address.host_of(sender.address)}>"


def as_mail(letter: Letter, sender: Sender) -> EmailMessage:
    """The mail of a letter. Raises ValueError as `check` does."""
    check(letter)
    mail_address.check(sender.address)
    mail = EmailMessage(policy=_POLICY)
    name = on_a_line(letter.sender)[:SUBJECT_CHARS_MAX] or OUR_NAME
    mail["From"] = Address(display_name=name, addr_spec=sender.address)
    mail["To"] = letter.to
    mail["Subject"] = on_a_line(letter.subject)[:SUBJECT_CHARS_MAX]
    mail["Date"] = datetime.fromtimestamp(letter.written_ms // 1000, UTC)
    mail["Message-ID"] = message_id(letter, sender)
    # RFC 3834: nobody's holiday answers a machine.
    mail["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe:
        # RFC 8058: a mail program may end them by itself, with a POST.
        mail["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(letter.words)
    mail.add_alternative(_as_page(letter, sender), subtype="html")
    # A boundary drawn anew would make the second try another mail.
    mail.set_boundary(f"=_{letter.id}")
    return mail


def on_a_line(text: str) -> str:
    """The text without anything that ends a line, hidden in an encoded word or not.

    Python's header classes decode such a word and write the line break in it as it is.
    """
    return _NOT_ON_A_LINE.sub(" ", text).replace("=?", "= ?").strip()


def _as_page(letter: Letter, sender: Sender) -> str:
    paragraphs = (_paragraph(one, sender) for one in letter.words.strip().split("\n\n"))
    head = f'<!doctype html><html lang="{letter.language}"><meta charset=utf-8>'
    title = f"<title>{escape(on_a_line(letter.subject))}</title>"
    return f"{head}{title}<body>{''.join(paragraphs)}</body></html>"


def _paragraph(text: str, sender: Sender) -> str:
    words = escape(text).replace("\n", "<br>")
    ours = any(text.startswith(f"{origin}/") for origin in sender.origins)
    if ours and _LINK.fullmatch(text):
        return f'<p><a href="{words}">{words}</a></p>'
    return f"<p>{words}</p>"


class _Whole(UnstructuredHeader, BaseHeader):
    """A header that is checked already and may not be folded: Python would encode one that is
    longer than a line, and no program reads an address or an id then."""

    def fold(self, *, policy: Any) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_headers = HeaderRegistry()
for _name in ("List-Unsubscribe", "Message-ID"):
    _headers.map_to_type(_name, _Whole)
# 7 bit: not every server on the way takes more.
_POLICY = SMTP.clone(header_factory=_headers, cte_type="7bit")
