"""All orders of a drop as a file: CSV for spreadsheets, NDJSON for programs. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from dropengine.doors.studio.order_search import Bought
from dropengine.jobs.ledger.spreadsheet import plain
from dropengine.log.in_words import Terms
from dropengine.manifest.currencies import MINOR_DIGITS
from dropengine.truth import true_time


class OrderLine(msgspec.Struct, frozen=True):
    """One order. `amount`: in whole units of the currency, exact, as text. Times as RFC 3339, UTC,
    '' for never."""

    number: str
    order: str
    fan: str
    pool: str
    title: str
    qty: int
    serials: list[int]
    amount: str
    currency: str
    state: str
    bought_at: str
    refunded_at: str
    refunded_by: str
    refunded_why: str
    handed_over_at: str
    handed_over_by: str
    note: str


def lines(orders: Iterable[Bought], terms: Terms, leads: true_time.Leads) -> Iterator[OrderLine]:
    """leads: of the drop, for true times."""
    for one in orders:
        yield OrderLine(
            number=one.number,
            order=one.hold,
            fan=one.fan,
            pool=one.pool,
            title=terms.pools.get(one.pool, one.pool),
            qty=one.qty,
            serials=one.serials,
            amount=decimal(one.amount, terms.currency),
            currency=terms.currency,
            state=one.state,
            bought_at=_at(true_time.happened(one.sold_ms, leads)),
            refunded_at=_at(true_time.happened(one.refunded_ms, leads)),
            refunded_by=one.refunded_by,
            refunded_why=one.refunded_why,
            handed_over_at=_at(one.care.handed_ms),
            handed_over_by=one.care.handed_by,
            note=one.care.note,
        )


def decimal(amount: int, currency: str) -> str:
    """2400 -> `24.00`."""
    digits = MINOR_DIGITS.get(currency, 2)
    whole, rest = divmod(amount, 10**digits)
    return f"{whole}.{rest:0{digits}d}" if digits else str(whole)


def spreadsheet(orders: Iterable[OrderLine]) -> str:
    """RFC 4180, every cell in quotes; no cell that people wrote is a formula."""
    out = io.StringIO(newline="")
    rows = csv.writer(out, quoting=csv.QUOTE_ALL)
    rows.writerow(OrderLine.__struct_fields__)
    for one in orders:
        cells = msgspec.structs.astuple(one)
        rows.writerow([_cell(cell) for cell in cells])
    return out.getvalue()


def ndjson(orders: Iterable[OrderLine]) -> bytes:
    """A JSON object a line."""
    return b"".join(msgspec.json.encode(one) + b"\n" for one in orders)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return plain(value) if isinstance(value, str) else str(value)


def _at(ms: int) -> str:
    if ms <= 0:
        return ""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
