"""All orders of a drop as a file: CSV for spreadsheets, NDJSON for programs. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from dropengine.asked import FIELDS, NOTE, ORDER, Asks, Where
from dropengine.doors.studio.order_search import Bought
from dropengine.jobs.ledger.spreadsheet import plain
from dropengine.log.in_words import Terms
from dropengine.manifest.currencies import MINOR_DIGITS
from dropengine.people.answers import as_fields
from dropengine.people.receivers import Receiver
from dropengine.truth import true_time


class OrderLine(msgspec.Struct, frozen=True):
    """One order. `amount`: in whole units of the currency, exact, as text. Times as RFC 3339, UTC,
    '' for never. `given_back`: of its share, in parts or as a whole."""

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
    payment: str
    given_back: str


class ReceiverLine(msgspec.Struct, frozen=True):
    """Who receives a unit for the fan. `kind`: collects or gift; '' and `confirmed` false: nobody
    has used the link yet."""

    serial: int
    kind: str
    confirmed: bool
    label: str
    name: str
    lines: str
    postal: str
    city: str
    country: str
    phone: str

    def __str__(self) -> str:
        said = [self.label, self.name, *self.lines.splitlines(), self.postal, self.city]
        said += [self.country, self.phone, "" if self.confirmed else "not confirmed"]
        return f"#{self.serial} {self.kind}: {', '.join(one for one in said if one)}"


class AddressedLine(OrderLine, frozen=True):
    """The same for who may read where it goes. `missing`: how much must be said and is not.
    `notes`: of its units, by the order of the serials."""

    name: str
    lines: str
    postal: str
    city: str
    country: str
    phone: str
    notes: list[str]
    missing: int
    locked_at: str
    receivers: list[ReceiverLine]


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
            payment=one.payment,
            given_back=decimal(one.given_back, terms.currency),
        )


def addressed(
    orders: Sequence[Bought], terms: Terms, leads: true_time.Leads, asks: Asks | None
) -> Iterator[AddressedLine]:
    """The same, with what fans said. asks: of the drop."""
    for one, line in zip(orders, lines(orders, terms, leads), strict=True):
        said = as_fields(one.told.answers, ORDER)
        notes = [one.told.answers.get((unit, NOTE), "") for unit in range(1, one.qty + 1)]
        yield AddressedLine(
            **(msgspec.structs.asdict(line) | {field: said.get(field, "") for field in FIELDS}),
            notes=notes if any(notes) else [],
            missing=len(missing_of(one, asks)),
            locked_at=_at(one.told.locked_ms),
            receivers=[_receiver(link) for link in one.told.receivers if not link.revoked_ms],
        )


def missing_of(one: Bought, asks: Asks | None) -> list[Where]:
    """What must be said of an order and is not; of one that went back, nothing."""
    return asks.missing(one.qty, one.told.answers) if asks is not None and one.kept else []


def _receiver(link: Receiver) -> ReceiverLine:
    said = {field: link.answers.get(field, "") for field in FIELDS}
    return ReceiverLine(
        serial=link.serial, kind=link.kind, confirmed=link.taken, label=link.label, **said
    )


def decimal(amount: int, currency: str) -> str:
    """2400 -> `24.00`."""
    digits = MINOR_DIGITS.get(currency, 2)
    whole, rest = divmod(amount, 10**digits)
    return f"{whole}.{rest:0{digits}d}" if digits else str(whole)


def spreadsheet(orders: Iterable[OrderLine], kind: type[OrderLine] = OrderLine) -> str:
    """RFC 4180, every cell in quotes; no cell that people wrote is a formula."""
    out = io.StringIO(newline="")
    rows = csv.writer(out, quoting=csv.QUOTE_ALL)
    rows.writerow(kind.__struct_fields__)
    for one in orders:
        cells = msgspec.structs.astuple(one)
        rows.writerow([_cell(cell) for cell in cells])
    return out.getvalue()


def ndjson(orders: Iterable[OrderLine]) -> bytes:
    """A JSON object a line."""
    return b"".join(msgspec.json.encode(one) + b"\n" for one in orders)


def _cell(value: object) -> str:
    if isinstance(value, list):
        between = " " if all(isinstance(one, int) for one in value) else " | "
        return plain(between.join(map(str, value)))
    return plain(value) if isinstance(value, str) else str(value)


def _at(ms: int) -> str:
    if ms <= 0:
        return ""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
