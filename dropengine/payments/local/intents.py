"""What is to be paid: an intent's terms, how it stands, and its end by cancelling."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from dropengine import errors
from dropengine.payments.local import older
from dropengine.payments.local.book import Tx
from dropengine.payments.port import (
    Cancellation,
    Charged,
    Declined,
    Intent,
    Kept,
    Lookup,
    Nothing,
    Unknown,
    Unpayable,
)


class IntentState(StrEnum):
    """How an intent stands: open -> processing | waiting -> authorized -> captured, or declined.

    `waiting`: the payer will pay after the deadline; to the shop that is nothing yet. `returned`:
    what was paid went back. `cancelled`: the shop wants no payment of it any more. Neither takes
    new attempts.
    """

    OPEN = "open"
    PROCESSING = "processing"
    WAITING = "waiting"
    DECLINED = "declined"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    RETURNED = "returned"
    CANCELLED = "cancelled"

    @property
    def paid(self) -> bool:
        return self in (IntentState.AUTHORIZED, IntentState.CAPTURED)

    @property
    def takes_attempts(self) -> bool:
        return not self.paid and self not in (IntentState.RETURNED, IntentState.CANCELLED)


class Bill(msgspec.Struct, frozen=True):
    """What the payer's page shows. `charge` is '' until there is one. now_ms: our clock."""

    intent: Intent
    standing: IntentState
    charge: str
    now_ms: int


def begin(tx: Tx, intent: Intent) -> None:
    """Write down what is to be paid. Raises errors.Broken when it had another price before."""
    terms = msgspec.json.encode(intent)
    price = (intent.amount, intent.currency)
    known = tx.row("SELECT amount, currency FROM intents WHERE id = ?", intent.id)
    if known is None:
        tx.sql(
            "INSERT INTO intents (id, terms, amount, currency) VALUES (?, ?, ?, ?)",
            intent.id,
            terms,
            *price,
        )
    elif known == price:
        tx.sql("UPDATE intents SET terms = ? WHERE id = ?", terms, intent.id)
    else:
        raise errors.Broken(f"payment {intent.id}: asked for {price}, but began with {known}")


def standing(tx: Tx, intent: str) -> tuple[IntentState, str]:
    """How an intent stands, and by which charge ('' without one). Money counts first."""
    charges = tx.sql(
        "SELECT id, state FROM charges WHERE intent = ? ORDER BY at_ms, rowid", intent
    ).fetchall()
    for charge, state in charges:
        if state in ("authorized", "captured"):
            return IntentState(state), charge
    on_their_way = tx.sql(
        "SELECT do FROM attempts WHERE intent = ? AND done = 0", intent
    ).fetchall()
    if any(do != "late" for (do,) in on_their_way):
        return IntentState.PROCESSING, ""
    if charges:
        return IntentState.RETURNED, charges[-1][0]
    if tx.row("SELECT 1 FROM cancellations WHERE intent = ?", intent) is not None:
        return IntentState.CANCELLED, ""
    if on_their_way:
        return IntentState.WAITING, ""
    declined = tx.row("SELECT declined FROM intents WHERE id = ?", intent)
    return (IntentState.DECLINED if declined == (1,) else IntentState.OPEN), ""


def look_up(tx: Tx, intent: str) -> Lookup:
    """How the payment of an intent stands, in the port's words."""
    match standing(tx, intent)[0]:
        case IntentState.AUTHORIZED | IntentState.CAPTURED:
            first, *more = _charges(tx, intent)
            return msgspec.structs.replace(first, also=tuple(more), pending=_on_its_way(tx, intent))
        case IntentState.PROCESSING:
            return Unknown("a payment is on its way")
        case IntentState.DECLINED:
            return Declined()
        case _:
            return Nothing()


def cancel(tx: Tx, intent: str) -> Cancellation:
    """Take no payment of an intent from now on, and stop what can still be stopped.

    Also for one that never began: somebody may be on his way to begin it. What is paid after the
    deadline is out of our hands already, as a transfer is: until it arrives nothing is known.
    """
    tx.sql("INSERT OR IGNORE INTO cancellations (intent, at_ms) VALUES (?, ?)", intent, tx.now_ms)
    tx.sql("UPDATE attempts SET done = 1 WHERE intent = ? AND done = 0 AND do != 'late'", intent)
    found = look_up(tx, intent)
    if isinstance(found, Charged):
        return found
    return Unknown("a payment is on its way") if _on_its_way(tx, intent) else Unpayable()


def _charges(tx: Tx, intent: str) -> list[Charged]:
    """Every charge that is kept, the oldest first."""
    found = tx.sql(
        "SELECT id, amount, currency, state, card, taken, refunded FROM kept WHERE intent = ?"
        " ORDER BY at_ms, nth",
        intent,
    ).fetchall()
    return [_charged(*row) for row in found]


def _charged(
    charge: str, amount: int, currency: str, state: str, card: str | None, taken: int, refunded: int
) -> Charged:
    captured = state == "captured"
    return Charged(
        charge,
        amount,
        currency,
        captured,
        card=card or "",
        taken=taken if captured else 0,
        returned=refunded,
    )


def kept(tx: Tx, since_ms: int) -> list[Kept]:
    """Every charge since then that did not go back, of whatever intent."""
    found = tx.sql(
        "SELECT terms, kept.id, kept.amount, kept.currency, state, card, taken, refunded FROM kept"
        " JOIN intents ON intents.id = intent WHERE at_ms >= ? ORDER BY at_ms, nth",
        since_ms,
    ).fetchall()
    payments = []
    for terms, *row in found:
        intent = older.intent(terms)
        payments.append(Kept(intent.id, intent.drop, intent.payment, _charged(*row)))
    return payments


def _on_its_way(tx: Tx, intent: str) -> bool:
    return tx.row("SELECT 1 FROM attempts WHERE intent = ? AND done = 0", intent) is not None


def bill(tx: Tx, intent: str) -> Bill | None:
    """What the payer's page shows; None for an intent that nobody began."""
    row = tx.row("SELECT terms FROM intents WHERE id = ?", intent)
    if row is None:
        return None
    return Bill(older.intent(row[0]), *standing(tx, intent), tx.now_ms)
