"""The provider's rules of money: what may be done with a charge, and once under each key."""

from __future__ import annotations

from typing import NamedTuple

from dropengine.payments.local.book import Tx
from dropengine.payments.port import Failed, ProviderAnswer, Succeeded


def once(tx: Tx, key: str, call: str, charge: str, amount: int = 0) -> ProviderAnswer:
    """Carry out `call` under `key`: what was done under it is done, and a failure is decided again.

    Failures are not kept, as refusals of the engine are not: the caller may have waited for
    something.
    """
    if call == "capture" and amount == _charge(tx, charge).whole:
        # As books say it that knew no other captures.
        amount = 0
    asked = f"{call} {charge} {amount}"
    before = tx.row("SELECT asked FROM answers WHERE key = ?", key)
    if before is not None:
        return Succeeded() if before == (asked,) else Failed("key_reused")
    match call:
        case "capture":
            answer = _capture(tx, charge, amount)
        case "void":
            answer = _void(tx, charge)
        case "refund":
            answer = _refund(tx, charge, amount)
        case _:
            raise AssertionError(f"no call is named {call!r}")
    if isinstance(answer, Succeeded):
        tx.sql("INSERT INTO answers (key, asked) VALUES (?, ?)", key, asked)
    return answer


def _capture(tx: Tx, charge: str, amount: int) -> ProviderAnswer:
    """amount: 0 for all of it."""
    found = _charge(tx, charge)
    amount = amount or found.whole
    match found.state:
        case "authorized" if amount > found.whole:
            return Failed("too_much", final=True)
        case "authorized":
            if amount < found.whole:
                tx.sql("INSERT INTO captures (charge, amount) VALUES (?, ?)", charge, amount)
            return _turn(tx, charge, "captured")
        case "captured" if amount == found.taken:
            return Succeeded()
        case state:
            return Failed(state, taken=found.taken)


def _void(tx: Tx, charge: str) -> ProviderAnswer:
    found = _charge(tx, charge)
    match found.state:
        case "authorized":
            return _turn(tx, charge, "voided")
        case "voided":
            return Succeeded()
        case state:
            return Failed(state, taken=found.taken)


def _refund(tx: Tx, charge: str, amount: int) -> ProviderAnswer:
    state, whole, taken, refunded = _charge(tx, charge)
    match state:
        case "authorized" | "voided":
            # Nothing was taken yet: all of it can be let go, a part cannot be given back.
            return _turn(tx, charge, "voided") if amount == whole else Failed("not_captured")
        case "captured":
            if not (0 < amount <= taken - refunded or amount == taken == 0):
                return Failed("too_much", final=True)
            refunded += amount
            tx.sql("UPDATE charges SET refunded = ? WHERE id = ?", refunded, charge)
            return _turn(tx, charge, "refunded") if refunded == taken else Succeeded()
        case _:
            return Failed(state, final=True)


class _Charge(NamedTuple):
    """taken: what of the whole was captured; refunded: what of that went back."""

    state: str
    whole: int
    taken: int
    refunded: int


def _charge(tx: Tx, charge: str) -> _Charge:
    row = tx.row(
        "SELECT state, charges.amount, coalesce(captures.amount, charges.amount), refunded"
        " FROM charges LEFT JOIN captures ON charge = id WHERE id = ?",
        charge,
    )
    if row is None:
        return _Charge("no_such_charge", 0, 0, 0)
    state, whole, taken, refunded = row
    return _Charge(state, whole, taken if state in ("captured", "refunded") else 0, refunded)


def _turn(tx: Tx, charge: str, state: str) -> Succeeded:
    tx.sql("UPDATE charges SET state = ? WHERE id = ?", state, charge)
    return Succeeded()
