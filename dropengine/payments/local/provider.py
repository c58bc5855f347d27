"""The provider `local`: the payments port, the payer's choices, and the task that carries them out.

Every transaction first carries out what is due, so it does not matter which process does
it, or when: switching the task off delays webhooks and changes nothing else.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import logging
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from dropengine import errors
from dropengine.payments import port
from dropengine.payments.local import charges, deliveries
from dropengine.payments.local.book import Book, Tx
from dropengine.payments.local.charges import IntentState
from dropengine.payments.port import (
    Charged,
    Declined,
    Intent,
    Lookup,
    Nothing,
    Notice,
    ProviderAnswer,
    Unknown,
    Unproven,
)

log = logging.getLogger(__name__)
T = TypeVar("T")

DUE_MAX = 64
"""Attempts carried out in one transaction."""
POLL_MS = 1_000
"""What another process wrote is noticed at least this often."""

Do = Literal["pay", "decline", "delay", "late", "twice"]
"""What a payer may do: pay; be declined; pay, but it takes a while; pay after the deadline that was
told; pay, and the webhook comes twice."""
AFTER_MS: dict[Do, int] = {"pay": 0, "decline": 0, "delay": 5_000, "late": 2_000, "twice": 0}
"""How long it takes when the payer does not say. `late` counts from the deadline."""
AFTER_MS_MAX = 3_600_000


class Bill(msgspec.Struct, frozen=True):
    """What the payer's page shows. `charge` is '' until there is one. now_ms: our clock."""

    intent: Intent
    standing: IntentState
    charge: str
    now_ms: int


def wall_ms() -> int:
    """The clock on the wall, ms since 1970."""
    return time.time_ns() // 1_000_000


class LocalPay:
    """The provider `local`.

    path: the file of its book. secret: the shop's; keys are derived from it. shop_url: the origin
    that webhooks go to. page_url: the origin of the payment page; '' gives a path of this shop.
    silent: no webhook is ever sent. capture_at_once: a payment is captured when it is made, not
    only authorised. busy_ms: how long to wait for another process that is writing.
    """

    name = "local"

    def __init__(
        self,
        path: Path,
        secret: bytes,
        shop_url: str,
        *,
        page_url: str = "",
        clock: Callable[[], int] = wall_ms,
        silent: bool = False,
        capture_at_once: bool = False,
        busy_ms: int = 5_000,
    ) -> None:
        # One key per purpose: a signed webhook is never a page's seal, and neither is a ticket.
        self._hook_key = hmac.digest(secret, b"dropengine localpay webhook v1", "sha256")
        self._page_key = hmac.digest(secret, b"dropengine localpay page v1", "sha256")
        self._page_url = page_url
        self._clock = clock
        self._silent = silent
        self._capture_at_once = capture_at_once
        self._book = Book(path, clock, busy_ms)
        hook_url = f"{shop_url}/api/pay/webhooks/{self.name}"
        self._courier = deliveries.Courier(hook_url, self._hook_key, clock)
        self._wake = asyncio.Event()

    async def begin(self, intent: Intent) -> str:
        """See `payments.Payments`. The address carries a seal: who has it may pay."""
        await self._transact(lambda tx: _begin(tx, intent))
        return f"{self._page_url}/pay/{self.name}/{intent.id}.{self._seal(intent.id)}"

    async def lookup(self, intent: str) -> Lookup:
        try:
            return await self._transact(lambda tx: _look_up(tx, intent))
        except errors.Unavailable as away:
            return Unknown(str(away))

    async def capture(self, charge: str, key: str) -> ProviderAnswer:
        return await self._once(lambda tx: charges.once(tx, key, "capture", charge))

    async def void(self, charge: str, key: str) -> ProviderAnswer:
        return await self._once(lambda tx: charges.once(tx, key, "void", charge))

    async def refund(self, charge: str, amount: int, key: str) -> ProviderAnswer:
        return await self._once(lambda tx: charges.once(tx, key, "refund", charge, amount))

    def parse_webhook(
        self, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> Notice | Unproven:
        unproven = port.prove(self._hook_key, headers, body, self._clock() // 1000)
        if unproven is not None:
            return unproven
        try:
            notice = msgspec.json.decode(body, type=Notice)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Unproven("bad_body")
        if notice.intent != port.intent_id(notice.drop, notice.hold):
            return Unproven("bad_body")
        return notice

    async def _once(self, work: Callable[[Tx], ProviderAnswer]) -> ProviderAnswer:
        try:
            return await self._transact(work)
        except errors.Unavailable as away:
            return Unknown(str(away))

    async def bill(self, page: str) -> Bill | None:
        """What `/pay/local/<page>` shows; None when that is no address of ours.

        Raises errors.Away when the book cannot be used.
        """
        intent = self._unsealed(page)
        return await self._transact(lambda tx: _bill(tx, intent))

    async def act(
        self, page: str, do: Do, after_ms: int | None = None, key: str = ""
    ) -> Bill | None:
        """The payer's choice. after_ms: how long it takes, AFTER_MS when None.

        The same choice with the same key is made once; without a key each call is another. An
        intent that was paid takes no more, but attempts that are on their way still arrive, as they
        do in life. Raises errors.Away when the book cannot be used.
        """
        intent = self._unsealed(page)
        wait_ms = AFTER_MS[do] if after_ms is None else after_ms
        bill = await self._transact(
            lambda tx: self._choose(tx, intent, do, wait_ms, key or secrets.token_urlsafe(12))
        )
        self._wake.set()
        return bill

    def _choose(self, tx: Tx, intent: str, do: Do, wait_ms: int, key: str) -> Bill | None:
        bill = _bill(tx, intent)
        if bill is None or bill.standing.paid or bill.standing == IntentState.RETURNED:
            return bill
        start_ms = max(tx.now_ms, bill.intent.deadline_ms) if do == "late" else tx.now_ms
        tx.sql(
            "INSERT OR IGNORE INTO attempts (intent, key, do, due_ms) VALUES (?, ?, ?, ?)",
            intent,
            # Another choice under the same key (the same form, another button) is another choice.
            f"{do}:{key}",
            do,
            start_ms + wait_ms,
        )
        self._carry_out_due(tx)
        return _bill(tx, intent)

    def _seal(self, intent: str) -> str:
        """128 bits that cannot be guessed: holds are counted, so the rest of an address can be."""
        seal = hmac.digest(self._page_key, intent.encode(), "sha256")[:16]
        return base64.urlsafe_b64encode(seal).rstrip(b"=").decode()

    def _unsealed(self, page: str) -> str:
        """The intent of a page; '' (which is no intent) when the seal is not ours."""
        intent, _, seal = page.rpartition(".")
        ours = self._seal(intent)
        return intent if hmac.compare_digest(seal.encode(), ours.encode()) else ""

    async def run(self) -> None:
        """Carry out what is due and bring the webhooks, until cancelled. One task per process."""
        while True:
            try:
                wait_ms = await self.step()
            except errors.Unavailable as away:
                log.warning("payments wait: %s", away)
                wait_ms = POLL_MS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_ms / 1000):
                    await self._wake.wait()
            self._wake.clear()

    async def step(self) -> int:
        """One round over what is due now. Returns in how many ms to come back, at most POLL_MS.

        Raises errors.Away when the book cannot be used.
        """
        taken = await self._transact(deliveries.take)
        if not taken:
            return await self._transact(_next_ms)
        await asyncio.gather(*(self._deliver(delivery) for delivery in taken))
        return 0

    async def close(self) -> None:
        """Give the file and the connections back. Nothing is lost; the object is done."""
        await self._courier.close()
        await self._book.close()

    async def _deliver(self, delivery: deliveries.Delivery) -> None:
        wish_ms = await self._courier.send(delivery.body)
        await self._transact(lambda tx: deliveries.sent(tx, delivery, wish_ms))

    async def _transact(self, work: Callable[[Tx], T]) -> T:
        def settled(tx: Tx) -> T:
            self._carry_out_due(tx)
            return work(tx)

        return await self._book.transact(settled)

    def _carry_out_due(self, tx: Tx) -> None:
        due = tx.sql(
            "SELECT attempts.id, do, terms FROM attempts JOIN intents ON intents.id = intent"
            " WHERE done = 0 AND due_ms <= ? ORDER BY due_ms, attempts.id LIMIT ?",
            tx.now_ms,
            DUE_MAX,
        ).fetchall()
        for attempt, do, terms in due:
            tx.sql("UPDATE attempts SET done = 1 WHERE id = ?", attempt)
            self._carry_out(tx, msgspec.json.decode(terms, type=Intent), do)

    def _carry_out(self, tx: Tx, intent: Intent, do: Do) -> None:
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
        if self._silent:
            return
        notice = Notice(
            event=f"ev_{secrets.token_hex(12)}",
            kind="declined" if declined else "captured" if captured else "authorized",
            intent=intent.id,
            drop=intent.drop,
            hold=intent.hold,
            charge=charge,
            amount=intent.amount,
            currency=intent.currency,
            captured=captured,
        )
        deliveries.post(tx, msgspec.json.encode(notice), copies=2 if do == "twice" else 1)


def _begin(tx: Tx, intent: Intent) -> None:
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


def _look_up(tx: Tx, intent: str) -> Lookup:
    standing, charge = charges.standing(tx, intent)
    match standing:
        case IntentState.AUTHORIZED | IntentState.CAPTURED:
            row = tx.row("SELECT amount, currency FROM charges WHERE id = ?", charge)
            assert row is not None
            return Charged(charge, row[0], row[1], standing == IntentState.CAPTURED)
        case IntentState.PROCESSING:
            return Unknown("a payment is on its way")
        case IntentState.DECLINED:
            return Declined()
        case _:
            return Nothing()


def _bill(tx: Tx, intent: str) -> Bill | None:
    row = tx.row("SELECT terms FROM intents WHERE id = ?", intent)
    if row is None:
        return None
    standing, charge = charges.standing(tx, intent)
    return Bill(msgspec.json.decode(row[0], type=Intent), standing, charge, tx.now_ms)


def _next_ms(tx: Tx) -> int:
    row = tx.row(
        "SELECT min(due_ms) FROM (SELECT min(due_ms) AS due_ms FROM deliveries"
        " UNION ALL SELECT min(due_ms) FROM attempts WHERE done = 0)"
    )
    due_ms = POLL_MS + tx.now_ms if row is None or row[0] is None else int(row[0])
    return min(max(due_ms - tx.now_ms, 0), POLL_MS)
