"""What payers do: an attempt is written down when it is chosen and carried out when it is due."""

from __future__ import annotations

import hashlib
import secrets
from typing import Literal

import msgspec

from dropengine.payments.local import intents, older, webhook_deliveries
from dropengine.payments.local.book import Tx
from dropengine.payments.port import Intent, Notice

DUE_MAX = 64
"""Attempts carried out in one transaction."""

Do = Literal["pay", "decline", "delay", "late", "twice"]
"""What a payer may do: pay; be declined; pay, but it takes a while; pay after the deadline that was
told; pay, and the webhook comes twice."""
AFTER_MS: dict[Do, int] = {"pay": 0, "decline": 0, "delay": 5_000, "late": 2_000, "twice": 0}
"""How long it takes when the payer does not say. `late` counts from the deadline."""
AFTER_MS_MAX = 3_600_000


def fingerprint(number: str) -> str:
    """What tells one test card from another: of its number, however that is spaced; '' of none."""
    digits = "".join(filter(str.isdigit, number))
    told = hashlib.sha256(f"dropengine test card {digits}".encode()).hexdigest()
    return f"fp_{told[:24]}" if digits else ""


class Attempts:
    """Takes the payers' choices and turns them into charges and webhooks.

    silent: no webhook is ever sent. capture_at_once: a payment is captured when it is made, not
    only authorised.
    """

    def __init__(self, *, silent: bool, capture_at_once: bool) -> None:
        self._silent = silent
        self._capture_at_once = capture_at_once

    def choose(self, tx: Tx, intent: str, do: Do, wait_ms: int, key: str, card: str = "") -> None:
        """One more attempt, unless this choice was made under this key or the intent takes none.
        card: the number of a test card, '' for none that could be told from another."""
        bill = intents.bill(tx, intent)
        if bill is None or not bill.standing.takes_attempts:
            return
        start_ms = max(tx.now_ms, bill.intent.deadline_ms) if do == "late" else tx.now_ms
        made = tx.sql(
            "INSERT OR IGNORE INTO attempts (intent, key, do, due_ms) VALUES (?, ?, ?, ?)",
            intent,
            # Another choice under the same key (the same form, another button) is another choice.
            f"{do}:{key}",
            do,
            start_ms + wait_ms,
        )
        if made.rowcount and (known_by := fingerprint(card)):
            tx.sql("INSERT INTO attempt_cards VALUES (?, ?)", made.lastrowid, known_by)
        self.carry_out_due(tx)

    def carry_out_due(self, tx: Tx) -> None:
        """What is due by the clock of `tx`, the oldest first, at most DUE_MAX."""
        due = tx.sql(
            "SELECT attempts.id, do, terms, card FROM attempts JOIN intents ON intents.id = intent"
            " LEFT JOIN attempt_cards ON attempt = attempts.id"
            " WHERE done = 0 AND due_ms <= ? ORDER BY due_ms, attempts.id LIMIT ?",
            tx.now_ms,
            DUE_MAX,
        ).fetchall()
        for attempt, do, terms, card in due:
            tx.sql("UPDATE attempts SET done = 1 WHERE id = ?", attempt)
            self._carry_out(tx, older.intent(terms), do, card or "")

    def _carry_out(self, tx: Tx, intent: Intent, do: Do, card: str) -> None:
        declined = do == "decline"
        tx.sql("UPDATE intents SET declined = ? WHERE id = ?", int(declined), intent.id)
        captured = not declined and self._capture_at_once
        charge = "" if declined else f"ch_{secrets.token_hex(12)}"
        if charge:
            tx.sql(
                "INSERT INTO charges (id, intent, amount, currency, state, at_ms)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                charge,
                intent.id,
                intent.amount,
                intent.currency,
                "captured" if captured else "authorized",
                tx.now_ms,
            )
        if charge and card:
            tx.sql("INSERT INTO charge_cards VALUES (?, ?)", charge, card)
        if self._silent:
            return
        notice = Notice(
            event=f"ev_{secrets.token_hex(12)}",
            kind="declined" if declined else "captured" if captured else "authorized",
            intent=intent.id,
            drop=intent.drop,
            payment=intent.payment,
            charge=charge,
            amount=intent.amount,
            currency=intent.currency,
            captured=captured,
            card=card if charge else "",
        )
        webhook_deliveries.post(tx, msgspec.json.encode(notice), copies=2 if do == "twice" else 1)
