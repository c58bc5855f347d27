"""Payments by hand: what is to be paid under which reference, what makers entered as received, and
what they owe back.

Times are ms since 1970; 0 stands for "not yet". Amounts: minor units.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from dropengine.sql.schema.metadata import METADATA


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _text(name: str, *, unique: bool = False) -> Column[str]:
    return Column(name, Text, nullable=False, unique=unique)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


BILLS = Table(
    "hand_bills",
    METADATA,
    _key("intent"),
    _text("drop_id"),
    _text("payment"),
    _text("terms"),
    _number("amount"),
    _text("currency"),
    _text("reference", unique=True),
    _number("begun_ms"),
    Index(None, "drop_id"),
)
"""`terms`: the intent as it was asked for last, JSON. `reference`: what its payer writes on it."""

CANCELLED = Table("hand_cancelled", METADATA, _key("intent"), _number("at_ms"))
"""Intents that nobody may pay any more, also such that nobody began."""

ENTRIES = Table(
    "hand_entries",
    METADATA,
    _key("key"),
    _text("intent"),
    _number("amount"),
    _number("at_ms"),
    _text("by_whom"),
    Index(None, "intent"),
)
"""What a maker entered as received, once under each key."""

CHARGES = Table(
    "hand_charges",
    METADATA,
    _key("charge"),
    _text("intent", unique=True),
    _number("nth"),
    _number("amount"),
    _text("currency"),
    _number("at_ms"),
    _text("state"),
    _number("taken"),
    _number("returned"),
)
"""Bills that were paid in full. `nth`: the order in which they were. `state`: authorized, captured,
leaving (it is to be sent back), voided, refunded."""

TICKS = Table(
    "hand_ticks",
    METADATA,
    _key("id"),
    _text("intent"),
    _text("charge"),
    _text("why"),
    _number("amount"),
    _number("asked_ms"),
    _number("sent_ms"),
    _text("by_whom"),
    Index(None, "intent"),
    Index(None, "charge"),
)
"""What a maker has to send back, until he ticks it as sent. `id`: the key it was asked for under.
`charge`: '' where it never was one. `why`: refund, void (it bought nothing), rest (of a payment
that bought a part), over (more came than was asked for), short (too little came), late."""

PLACES = Table(
    "hand_places",
    METADATA,
    _key("person"),
    _key("maker"),
    _text("drop_id"),
    _text("fan"),
    _text("key"),
    _text("payment"),
    _number("at_ms"),
)
"""The one payment by hand that a person has open at a maker. `payment`: '' while the script is
asked."""

BARS = Table("hand_bars", METADATA, _key("person"), _number("until_ms"))
"""Who let a payment by hand lapse, and until when he pays otherwise."""

ACCOUNTS = Table(
    "hand_accounts",
    METADATA,
    Column("maker", Text, ForeignKey("makers.id", ondelete="CASCADE"), primary_key=True),
    _text("name"),
    _text("iban"),
    _text("bic"),
    _text("by_whom"),
    _number("at_ms"),
)
"""Where makers are paid by transfer. `bic`: or ''."""
