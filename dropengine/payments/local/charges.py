"""The provider's rules of money: what may be done with a charge, and once under each key."""

from __future__ import annotations

from dropengine.payments.local.book import Tx
from dropengine.payments.port import Failed, ProviderAnswer, Succeeded


def once(tx: Tx, key: str, call: str, charge: str, amount: int = 0) -> ProviderAnswer:
    """Carry out `call` under `key`: what was done under it is done, and a failure is decided again.

    Failures are not kept, as refusals of the engine are not: the caller may have waited for
    something.
    """
    asked = f"{call} {charge} {amount}"
    before = tx.row("SELECT asked FROM answers WHERE key = ?", key)
    if before is not None:
        return Succeeded() if before == (asked,) else Failed("key_reused")
    match call:
        case "capture":
            answer = _capture(tx, charge)
        case "void":
            answer = _void(tx, charge)
        case "refund":
            answer = _refund(tx, charge, amount)
        case _:
            raise AssertionError(f"no call is named {call!r}")
    if isinstance(answer, Succeeded):
        tx.sql("INSERT INTO answers (key, asked) VALUES (?, ?)", key, asked)
    return answer


def _capture(tx: Tx, charge: str) -> ProviderAnswer:
    match _charge(tx, charge)[0]:
        case "authorized":
            return _turn(tx, charge, "captured")
        case "captured":
            return Succeeded()
        case state:
            return Failed(state)


def _void(tx: Tx, charge: str) -> ProviderAnswer:
    match _charge(tx, charge)[0]:
        case "authorized":
            return _turn(tx, charge, "voided")
        case "voided":
            return Succeeded()
        case state:
            return Failed(state)


def _refund(tx: Tx, charge: str, amount: int) -> ProviderAnswer:
    state, whole, refunded = _charge(tx, charge)
    match state:
        case "authorized" | "voided":
            # Nothing was taken yet: all of it can be let go, a part cannot be given back.
            return _turn(tx, charge, "voided") if amount == whole else Failed("not_captured")
        case "captured":
            if not (0 < amount <= whole - refunded or amount == whole == 0):
                return Failed("too_much", final=True)
            refunded += amount
            tx.sql("UPDATE charges SET refunded = ? WHERE id = ?", refunded, charge)
            return _turn(tx, charge, "refunded") if refunded == whole else Succeeded()
        case _:
            return Failed(state, final=True)


def _charge(tx: Tx, charge: str) -> tuple[str, int, int]:
    """state, amount, already refunded."""
    row = tx.row("SELECT state, amount, refunded FROM charges WHERE id = ?", charge)
    return ("no_such_charge", 0, 0) if row is None else (row[0], row[1], row[2])


def _turn(tx: Tx, charge: str, state: str) -> Succeeded:
    tx.sql("UPDATE charges SET state = ? WHERE id = ?", state, charge)
    return Succeeded()
