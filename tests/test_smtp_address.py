"""An address of a mail server is understood or refused, and tells no password."""

from __future__ import annotations

import pytest

from dropengine.smtp_address import parse


def test_each_way_has_its_usual_port() -> None:
    for address, expected in (
        ("smtp://mail.example.org", ("none", 25)),
        ("smtp+starttls://mail.example.org", ("starttls", 587)),
        ("smtps://mail.example.org", ("tls", 465)),
        ("smtps://mail.example.org:2465", ("tls", 2465)),
    ):
        parsed = parse(address)
        assert (parsed.protection, parsed.port) == expected


def test_a_password_is_decoded_and_never_shown() -> None:
    parsed = parse("smtps://ana%40example.org:p%2Fw%3A1@mail.example.org")
    assert (parsed.user, parsed.password) == ("ana@example.org", "p/w:1")
    assert "p/w" not in f"{parsed!r} {parsed}"


@pytest.mark.parametrize(
    "address",
    [
        *("", "mail.example.org", "http://s3cret@mail", "smtp://", "smtp://s3cret:x@mail:99999"),
        *("smtp://s3cret:0@mail:0", "smtps://s3cret@mail", "smtps://a:s3cret@mail/x?y"),
        "smtp://ana:s3cret@mail.example.org",
    ],
)
def test_what_cannot_be_is_refused_without_being_repeated(address: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - each has a sentence of its own
        parse(address)
    assert "s3cret" not in str(refused.value)
