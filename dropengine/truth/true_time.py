"""From the drop's own time, which the truth and the log keep, to the true clock, which people read.

The drop's own time is the server's clock plus a *lead*. What is still to come is told less the
present lead; what has happened, less the one that was in force then. `leads`: since when, by the
drop's own time, which lead is in force, oldest first; before the first it is 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from dropengine.model import (
    STANDING,
    EntryRecord,
    HoldRecord,
    OrderRecord,
    PaymentRecord,
    PaymentState,
)
from dropengine.outcomes import (
    Basketed,
    EntryGranted,
    HoldGranted,
    Paying,
    PressOutcome,
    Unpaying,
)
from dropengine.truth.replies import ViewReply, YouRow

Leads = Sequence[tuple[int, int]]


def present(leads: Leads) -> int:
    """The lead that is in force now, ms."""
    return leads[-1][1] if leads else 0


def happened(at_ms: int, leads: Leads) -> int:
    """When something happened that the drop's own time dates so."""
    for since_ms, lead_ms in reversed(leads):
        if at_ms >= since_ms:
            return at_ms - lead_ms
    return at_ms


def hold(record: HoldRecord, leads: Leads) -> None:
    """Change the times of a hold, in place."""
    record.start_ms = happened(record.start_ms, leads)
    if record.looked:
        record.looked -= present(leads)
    if record.state in STANDING and not record.looked:
        record.deadline_ms -= present(leads)
    else:
        record.deadline_ms = happened(record.deadline_ms, leads)


def entry(record: EntryRecord, leads: Leads) -> None:
    """Change when an entry may be called again, in place."""
    if record.cool_ms:
        record.cool_ms -= present(leads)


def order(record: OrderRecord, leads: Leads) -> None:
    """Change when an order was made, in place."""
    record.at_ms = happened(record.at_ms, leads)


def payment(record: PaymentRecord, leads: Leads) -> None:
    """Change the times of a payment, in place."""
    record.at_ms = happened(record.at_ms, leads)
    if record.looked:
        record.looked -= present(leads)
    if record.state == PaymentState.OPEN and not record.looked:
        record.deadline_ms -= present(leads)
    else:
        record.deadline_ms = happened(record.deadline_ms, leads)


def outcomes(found: Iterable[PressOutcome], leads: Leads) -> None:
    """The same for what a batch answers. A batch without a lead costs nothing here."""
    if not leads:
        return
    for outcome in found:
        if isinstance(outcome, HoldGranted):
            hold(outcome.hold, leads)
        elif isinstance(outcome, EntryGranted):
            entry(outcome.entry, leads)
        elif isinstance(outcome, Paying | Unpaying):
            payment(outcome.payment, leads)
        if isinstance(outcome, Paying):
            for _, held in outcome.holds:
                hold(held, leads)
        elif isinstance(outcome, Basketed):
            for _, _, held in outcome.had:
                hold(held, leads)


def rows(found: Iterable[YouRow], leads: Leads) -> None:
    """The same for the states of fans."""
    if not leads:
        return
    for row in found:
        for _, held in row.holds:
            hold(held, leads)
        for _, standing, _ in row.entries:
            entry(standing, leads)
        for _, bought in row.orders:
            order(bought, leads)
        for _, paid in row.payments:
            payment(paid, leads)


def view(found: ViewReply) -> ViewReply:
    """The same for the news of a drop."""
    if not found.leads:
        return found
    news = [(seq, happened(at, found.leads), text) for seq, at, text in found.news]
    return msgspec.structs.replace(found, news=news)
