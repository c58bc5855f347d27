"""A letter is the same mail at each try, and no text of it makes a header."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest

from dropengine import mail_address
from dropengine.config import Settings
from dropengine.mail.letter import (
    WORDS_CHARS_MAX,
    Kind,
    Letter,
    Sender,
    as_mail,
    letter_id,
    sender_of,
)

SHOP = Sender("shop@example.org", ("https://pins.example.org",))
[HERE] = SHOP.origins

HOSTILE = (
    "a\r\nBcc: thief@example.net",
    "a\nBcc: thief@example.net",
    "a\rBcc: thief@example.net",
    "a\r\n\r\nBcc: a body of its own",
    "a\x00Bcc: thief@example.net",
    "a\x0bBcc: x",
    "a\x85Bcc: x",
    "a\u2028Bcc: x",
    "a\u2029Bcc: x",
    "=?utf-8?q?a=0D=0ABcc:_thief@example.net?=",
    "a" * 5_000 + "\r\nBcc: x",
    "\r\n.\r\nMAIL FROM:<thief@example.net>",
)
HEADERS = {
    *("from", "to", "subject", "date", "message-id", "auto-submitted"),
    *("mime-version", "content-type"),
}


def letter(**changed: object) -> Letter:
    fields: dict[str, object] = {
        "id": "m1",
        "kind": Kind.SIGN_IN,
        "to": "ana@example.org",
        "subject": "Sales are paused",
        "words": "Look at the panel.\n\nIt says why.",
        "written_ms": 1_700_000_000_000,
    }
    return Letter(**{**fields, **changed})  # type: ignore[arg-type]


def written(one: Letter) -> bytes:
    return as_mail(one, SHOP).as_bytes()


def test_the_second_try_is_the_same_mail() -> None:
    assert written(letter()) == written(letter())
    assert b"Message-ID: <m1@example.org>" in written(letter())


def test_a_mail_says_when_it_was_written_and_that_a_machine_wrote_it() -> None:
    mail = message_from_bytes(written(letter()), policy=default)
    assert {name.lower() for name in mail} == HEADERS
    assert mail["Date"] == "Tue, 14 Nov 2023 22:13:20 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_makes_a_header(text: str) -> None:
    sent = written(letter(subject=text, words=text, sender=text[-60:]))
    mail = message_from_bytes(sent, policy=default)
    assert {name.lower() for name in mail} == HEADERS
    assert mail["To"] == "ana@example.org"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", ["id", "language", "unsubscribe"])
def test_no_id_language_or_address_makes_a_header(field: str, text: str) -> None:
    for tried in (text, f"en{text}", f"{HERE}/mail/off/a{text}"):
        with pytest.raises(ValueError, match=r"expected an? "):
            written(letter(**{field: tried}))


@pytest.mark.parametrize("text", [*HOSTILE, "", "\nana", "a@b@c", "a b@example.org", "<a@b.org>"])
def test_no_text_makes_a_second_reader(text: str) -> None:
    for address in (text, f"ana@example.org{text}" if text else "@", f"{text}, ana@example.org"):
        with pytest.raises(ValueError, match="expected an address"):
            mail_address.check(address)
        with pytest.raises(ValueError, match="expected an address"):
            written(letter(to=address))


def test_what_people_write_stands_as_text_in_the_page() -> None:
    page = message_from_bytes(written(letter(words="<script>x</script>")), policy=default)
    html = page.get_body(("html",))
    assert html is not None
    assert "&lt;script&gt;" in html.get_content()


def test_a_letter_has_an_end() -> None:
    with pytest.raises(ValueError, match="at most"):
        written(letter(words="a" * (WORDS_CHARS_MAX + 1)))


def test_an_address_of_the_shop_becomes_a_link_and_no_other() -> None:
    ours, theirs = f"{HERE}/you/links/abc", "https://thief.example.net/you"
    page = html_of(letter(words=f"Open:\n\n{ours}\n\n{theirs}\n\nsee {ours}"))
    assert page.count("<a ") == 1
    assert f'<a href="{ours}">{ours}</a>' in page


def test_a_shop_on_this_machine_alone_is_linked_by_either_name() -> None:
    sender = sender_of(Settings(port=8000))
    for origin in ("http://127.0.0.1:8000", "http://localhost:8000"):
        sent = as_mail(letter(words=f"{origin}/studio/links/abc"), sender).as_bytes()
        assert f'<a href=3D"{origin}/studio'.encode() in sent or b'<a href="' in sent


def test_a_link_cannot_leave_its_quotes() -> None:
    for rest in ('"onclick="x', "'x", "<b>", " x", "x\u2028x"):
        assert "<a " not in html_of(letter(words=f"{HERE}/{rest}"))


def html_of(one: Letter) -> str:
    mail = message_from_bytes(written(one), policy=default)
    html = mail.get_body(("html",))
    assert html is not None
    return str(html.get_content())


def test_one_click_ends_them_however_long_its_address() -> None:
    address = f"{HERE}/mail/off/{'a' * 200}"
    sent = written(letter(unsubscribe=address))
    assert f"\r\nList-Unsubscribe: <{address}>\r\n".encode() in sent
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in sent
    assert b"List-Unsubscribe" not in written(letter())
    for hostile in (f"{address}>\r\nBcc: x", f"{address}> <b", "javascript:x", "https://é"):
        with pytest.raises(ValueError, match="begins with https"):
            written(letter(unsubscribe=hostile))


def test_the_longest_id_is_told_whole() -> None:
    one = letter(id="m" * 64)
    assert f"\r\nMessage-ID: <{'m' * 64}@example.org>\r\n".encode() in written(one)
    with pytest.raises(ValueError, match="expected an id"):
        written(letter(id="m1>\r\nBcc: x"))


def test_every_byte_is_ascii_and_every_line_short() -> None:
    sent = written(letter(subject="Grüße 🎉" * 30, words="ü" * 5_000, sender="Ümläut " * 9))
    assert sent.isascii()
    assert max(map(len, sent.splitlines())) <= 998


def test_an_id_is_made_of_what_the_letter_is_about() -> None:
    one = letter_id(Kind.SIGN_IN, "drop", 7, "ana")
    assert one == letter_id(Kind.SIGN_IN, "drop", 7, "ana")
    assert one not in {letter_id(Kind.SIGN_IN, "drop", 71, "na"), letter_id(Kind.SIGN_IN, "drop")}
    assert b"Message-ID" in written(letter(id=one))


def test_a_shop_without_an_address_of_its_own_writes_from_where_it_is() -> None:
    assert sender_of(Settings(public_url="https://pins.example")).address == "shop@pins.example"
    assert sender_of(Settings(host="::1")).address == "shop@localhost"
    named = Settings(smtp_url="smtp://localhost", mail_from="post@pins.example")
    assert sender_of(named).address == "post@pins.example"
