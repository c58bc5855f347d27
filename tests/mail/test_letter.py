"""A letter is the same mail at each try, and no text of it makes a header."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest

from dropengine.mail.letter import WORDS_CHARS_MAX, Letter, as_mail, check_address

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
        "to": "ana@example.org",
        "subject": "Sales are paused",
        "words": "Look at the panel.\n\nIt says why.",
        "written_ms": 1_700_000_000_000,
    }
    return Letter(**{**fields, **changed})  # type: ignore[arg-type]


def written(one: Letter, name: str = "Pins & Co") -> bytes:
    return as_mail(one, "shop@example.org", name, "shop.example.org").as_bytes()


def test_the_second_try_is_the_same_mail() -> None:
    assert written(letter()) == written(letter())
    assert b"Message-ID: <m1@shop.example.org>" in written(letter())


def test_a_mail_says_when_it_was_written_and_that_a_machine_wrote_it() -> None:
    mail = message_from_bytes(written(letter()), policy=default)
    assert {name.lower() for name in mail} == HEADERS
    assert mail["Date"] == "Tue, 14 Nov 2023 22:13:20 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_makes_a_header(text: str) -> None:
    sent = written(letter(subject=text, words=text), name=text[-60:])
    mail = message_from_bytes(sent, policy=default)
    assert {name.lower() for name in mail} == HEADERS
    assert mail["To"] == "ana@example.org"


@pytest.mark.parametrize("text", [*HOSTILE, "", "\nana", "a@b@c", "a b@example.org", "<a@b.org>"])
def test_no_text_makes_a_second_reader(text: str) -> None:
    for address in (text, f"ana@example.org{text}" if text else "@", f"{text}, ana@example.org"):
        with pytest.raises(ValueError, match="expected an address"):
            check_address(address)
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
