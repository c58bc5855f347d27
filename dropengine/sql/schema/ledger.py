"""The books: each drop's log as it was written, what is derived from it, and what is only counted.

`ROWS`, `COUNTED` and `ARRIVALS` are kept; everything in `DERIVED` can be made anew from `ROWS`.
Times are ms since 1970, of the drop's own clock unless it says otherwise; 0 and '' stand for "not
yet", as in the log.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from dropengine.sql.schema.metadata import METADATA


def _key(name: str, kind: type[Text | BigInteger] = Text) -> Column[str | int]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


ROWS = Table(
    "ledger_rows",
    METADATA,
    _key("drop_id"),
    _key("seq", BigInteger),
    Column("line", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""The text of each event, byte for byte as the scripts wrote it."""

CURSORS = Table("ledger_cursors", METADATA, _key("drop_id"), _number("seq"))
"""How far each drop's log is in the books; it moves in the transaction of the rows."""

DROPS = Table(
    "ledger_drops",
    METADATA,
    _key("drop_id"),
    _text("state"),
    _number("layout"),
    _text("hash"),
    _text("currency"),
    _text("mode"),
    _number("practice"),
    _text("rules"),
    _text("published_by"),
    _number("published_ms"),
    _number("opened_ms"),
    _number("ended_ms"),
    _number("last_ms"),
)
"""`layout`: the records' number that decides what an event means. `rules`: as the log has them,
JSON, with the newest times. `ended_ms`: settled or cancelled."""

HOLDS = Table(
    "ledger_holds",
    METADATA,
    _key("drop_id"),
    _key("hold"),
    _text("fan"),
    _text("pool"),
    _number("qty"),
    _number("price"),
    _text("origin"),
    _text("entry"),
    _number("began_ms"),
    _number("claimed_ms"),
    _number("paying_ms"),
    _number("ended_ms"),
    _text("ended"),
)
"""Holds and offers and how they ended: sold, released, expired, cancelled, declined, lapsed, and
rescued where a payment bought after the end."""

ORDERS = Table(
    "ledger_orders",
    METADATA,
    _key("drop_id"),
    _key("hold"),
    _text("fan"),
    _text("pool"),
    _text("item"),
    _number("qty"),
    _number("amount"),
    _text("charge"),
    _text("state"),
    _number("sold_ms"),
    _number("refunded_ms"),
    _text("refunded_by"),
    _text("refunded_why"),
    Index(None, "drop_id", "fan"),
)

PAYMENTS = Table(
    "ledger_payments",
    METADATA,
    _key("drop_id"),
    _key("payment"),
    _text("fan"),
    _text("way"),
    _text("provider"),
    _number("asked"),
    _number("begun_ms"),
    _text("charge"),
    _number("amount"),
    _number("kept"),
    _number("way_kept"),
    _number("takes"),
    _number("paid_ms"),
    _number("charged_back"),
    _number("charged_back_ms"),
)
"""Payments of one or several orders. `asked`: what was to be paid. `charge`, `amount`: of the
charge that bought something. `kept`, `way_kept`: what of it is the shop's now, and the way's part.
`takes`: what its provider captures of it. `charged_back`: what a lost dispute took."""

SHARES = Table(
    "ledger_shares",
    METADATA,
    _key("drop_id"),
    _key("hold"),
    _text("payment"),
    _number("sold_seq"),
    _number("owed"),
    Index(None, "drop_id", "payment"),
)
"""Which payment an order was bought by. `owed`: refunds of it that nobody has sent yet."""

REFUNDS = Table(
    "ledger_refunds",
    METADATA,
    _key("drop_id"),
    _key("payment"),
    _key("n", BigInteger),
    _text("hold"),
    _number("amount"),
    _number("way"),
    _number("qty"),
    _text("back"),
    _number("at_ms"),
    _text("by_whom"),
    _text("why"),
    _number("duty"),
    _number("sent_ms"),
)
"""What was given back of a payment. `qty` 0: the share alone fell. `duty`: whether it had to be
sent; 0 where so much less was captured."""

UNITS = Table(
    "ledger_units",
    METADATA,
    _key("drop_id"),
    _key("item"),
    _key("serial", BigInteger),
    _text("hold"),
    _text("fan"),
    _number("since_ms"),
    Index(None, "drop_id", "hold"),
)
"""Whose each numbered unit is; '' after its order was refunded, until it is sold again."""

ENTRIES = Table(
    "ledger_entries",
    METADATA,
    _key("drop_id"),
    _key("entry"),
    _text("fan"),
    _number("n"),
    _number("qty"),
    _text("pools"),
    _text("why"),
    _number("joined_ms"),
    _number("offered_ms"),
    _number("ended_ms"),
    _text("fate"),
)
"""Places in the line. `pools`: in order of preference, with commas. `offered_ms`: the last time."""

ADOPTIONS = Table(
    "ledger_adoptions",
    METADATA,
    _key("drop_id"),
    _key("guest"),
    _text("person"),
    _number("at_ms"),
)
"""Guests who became persons: what they had stands under the person."""

OF_FANS = Table(
    "ledger_of_fans",
    METADATA,
    _key("drop_id"),
    _key("fan"),
    _key("seq", BigInteger),
    _number("beside"),
    sqlite_with_rowid=False,
)
"""Which events decide what a fan got: only their numbers, each fan's together. `beside`: the event
that had left nothing for who joins by this one, or 0."""

COURSES = Table(
    "ledger_courses",
    METADATA,
    _key("drop_id"),
    _number("seq"),
    Column("course", LargeBinary, nullable=False),
)
"""What a drop did as a whole, `log/why`'s `Course` as msgpack, up to the event `seq`; `OF_FANS`
ends there too. Books from before these tables are read once more for them."""

COUNTED = Table(
    "counted",
    METADATA,
    _key("drop_id"),
    _key("minute_ms", BigInteger),
    _key("worker"),
    _key("what"),
    _key("name"),
    _number("count"),
)
"""What no event tells, as one worker counted it in one minute of the true clock. It is in no log,
so nothing can make it anew."""

ARRIVALS = Table(
    "counted_arrivals",
    METADATA,
    _key("drop_id"),
    _key("fan"),
    _text("via"),
    _number("at_ms"),
)
"""Who opened a drop's page, once each, at a time of the true clock, and the channel that brought
him the first time: `?via=` of the address, '' without one. Counted too."""

DERIVED = (
    DROPS,
    HOLDS,
    ORDERS,
    PAYMENTS,
    SHARES,
    REFUNDS,
    UNITS,
    ENTRIES,
    ADOPTIONS,
    OF_FANS,
    COURSES,
)
