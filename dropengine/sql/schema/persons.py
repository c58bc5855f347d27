"""Fans who are known: by an address that they confirmed, on as many devices as they like.

Of an address only the person himself needs the letters; what makes him one person is a hash of its
normal form under the shop's secret. Times are ms since 1970 of the shop's clock.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text

from dropengine.sql.schema.metadata import METADATA


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _text(name: str, *, unique: bool = False) -> Column[str]:
    return Column(name, Text, nullable=False, unique=unique)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _person() -> Column[str]:
    return Column(
        "person",
        Text,
        ForeignKey("persons.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    )


PERSONS = Table(
    "persons",
    METADATA,
    _key("id"),
    Column("key", LargeBinary, nullable=False),
    _text("normal", unique=True),
    _text("address"),
    _number("created_ms"),
    Column("language", Text, nullable=False, server_default=""),
    Column("zone", Text, nullable=False, server_default=""),
    Column("mended_ms", BigInteger, nullable=False, server_default="0"),
)
"""`key`: what his ids in drops are made of; with it goes whoever could tell that they are one's.
`normal`: the keyed hash of his address's normal form. `language`: what he is written to in,
`zone`: whose clocks he reads, '' where it is not known. `mended_ms`: when he said that letters
reach him again, 0 for never."""

DEVICES = Table(
    "person_devices",
    METADATA,
    _key("id"),
    _person(),
    _text("browser"),
    _text("how"),
    _number("since_ms"),
    _number("seen_ms"),
)
"""A person's sessions. `id`: his tickets name it. `browser`: what it calls itself. `how`: code,
link or passkey."""

PERSON_PASSKEYS = Table(
    "person_passkeys",
    METADATA,
    _key("id"),
    _person(),
    _text("label"),
    Column("public_key", LargeBinary, nullable=False),
    _number("count"),
    _number("created_ms"),
    _number("used_ms"),
)
"""As makers' accounts have them."""

SIGN_INS = Table(
    "person_sign_ins",
    METADATA,
    _key("id"),
    _text("browser"),
    _text("token", unique=True),
    _text("code"),
    _text("normal"),
    _text("address"),
    _number("tries"),
    _text("back"),
    _number("ends_ms"),
    Index(None, "browser"),
    Index(None, "normal"),
    Index(None, "ends_ms"),
)
"""Who was sent a letter to sign in by. `browser`, `token`, `code`: hashes of the secret of the
browser that asked, of the letter's link, and of its code with that secret. `tries`: wrong codes.
`back`: where he came from. A row is gone with its use."""

ERASED = Table(
    "erased_persons",
    METADATA,
    _key("normal"),
    _key("drop_id"),
    _text("fan"),
    _number("at_ms"),
)
"""Who he was in a drop, until it is over: who erases himself and comes back is one person there."""
