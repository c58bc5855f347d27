"""The provider `local`: what the port asks of it, and the task that carries out what is due.

Every transaction first carries out what is due, so it does not matter which process does
it, or when: switching the task off delays webhooks and changes nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import jinja2
import msgspec
from starlette.routing import Route

from dropengine import errors
from dropengine.catalogue import DEFAULT
from dropengine.config import Settings
from dropengine.payments import port
from dropengine.payments.local import (
    charges,
    intents,
    older,
    webhook_deliveries,
    webhook_signature,
)
from dropengine.payments.local.attempts import AFTER_MS, Attempts, Do
from dropengine.payments.local.book import Book, Tx
from dropengine.payments.local.intents import Bill
from dropengine.payments.local.page_address import PageAddresses
from dropengine.payments.local.payer_page import PayerPage
from dropengine.payments.port import (
    Cancellation,
    Intent,
    Kept,
    Lookup,
    Notice,
    ProviderAnswer,
    Refuse,
    Unknown,
    Unproven,
)
from dropengine.sql.database import Database

log = logging.getLogger(__name__)
T = TypeVar("T")

FILE = "localpay.sqlite"
"""The book, in the data directory."""
POLL_MS = 1_000
"""What another process wrote is noticed at least this often."""


def wall_ms() -> int:
    """The clock on the wall, ms since 1970."""
    return time.time_ns() // 1_000_000


class LocalPay:
    """The provider `local`.

    path: the file of its book. secret: the shop's; keys are derived from it. shop_url: the origin
    that webhooks go to. silent, capture_at_once: see Attempts. busy_ms: how long to wait for
    another process that is writing. language: of the shop.
    """

    name = "local"
    for_practice = True

    def __init__(
        self,
        path: Path,
        secret: bytes,
        shop_url: str,
        *,
        clock: Callable[[], int] = wall_ms,
        silent: bool = False,
        capture_at_once: bool = False,
        busy_ms: int = 5_000,
        language: str = DEFAULT,
    ) -> None:
        self._language = language
        self._key = webhook_signature.webhook_key(secret)
        self._addresses = PageAddresses(secret)
        self._clock = clock
        self._book = Book(path, clock, busy_ms)
        self._attempts = Attempts(silent=silent, capture_at_once=capture_at_once)
        self._courier = webhook_deliveries.Courier(
            f"{shop_url}{port.WEBHOOKS}{self.name}", self._key, clock
        )
        self._wake = asyncio.Event()

    async def begin(self, intent: Intent) -> str:
        """See `port.Payments`. The address carries a seal: who has it may pay."""
        await self._transact(lambda tx: intents.begin(tx, intent))
        return self._addresses.of(intent.id)

    async def lookup(self, intent: str) -> Lookup:
        return await self._answer(lambda tx: intents.look_up(tx, intent))

    async def cancel(self, intent: str) -> Cancellation:
        return await self._answer(lambda tx: intents.cancel(tx, intent))

    async def kept(self, since_ms: int) -> Sequence[Kept] | Unknown:
        return await self._answer(lambda tx: intents.kept(tx, since_ms))

    async def capture(self, charge: str, amount: int, key: str) -> ProviderAnswer:
        return await self._answer(lambda tx: charges.once(tx, key, "capture", charge, amount))

    async def void(self, charge: str, key: str) -> ProviderAnswer:
        return await self._answer(lambda tx: charges.once(tx, key, "void", charge))

    async def refund(self, charge: str, amount: int, key: str) -> ProviderAnswer:
        return await self._answer(lambda tx: charges.once(tx, key, "refund", charge, amount))

    def parse_webhook(
        self, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> Notice | Unproven:
        unproven = webhook_signature.prove(self._key, headers, body, self._clock() // 1000)
        if unproven is not None:
            return unproven
        try:
            notice = older.notice(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Unproven("bad_body", signed=True)
        if not f"{notice.intent}.".startswith(f"{notice.drop}.{notice.payment}."):
            return Unproven("bad_body", signed=True)
        return notice

    def routes(
        self, templates: Mapping[str, jinja2.Environment], refuse: Refuse
    ) -> Sequence[Route]:
        return PayerPage(self.bill, self.act, templates, refuse, self._language).routes()

    async def bill(self, page: str) -> Bill | None:
        """What `/pay/local/<page>` shows; None when that is no address of ours.

        Raises errors.Unavailable when the book cannot be used.
        """
        intent = self._addresses.intent(page)
        return await self._transact(lambda tx: intents.bill(tx, intent))

    async def act(
        self, page: str, do: Do, after_ms: int | None = None, key: str = "", card: str = ""
    ) -> Bill | None:
        """The payer's choice. after_ms: how long it takes, AFTER_MS when None. card: the number of
        a test card, '' for one of which nothing is known.

        The same choice with the same key is made once; without a key each call is another. An
        intent that was paid takes no more, but attempts that are on their way still arrive, as they
        do in life. Raises errors.Unavailable when the book cannot be used.
        """
        intent = self._addresses.intent(page)
        wait_ms = AFTER_MS[do] if after_ms is None else after_ms
        key = key or secrets.token_urlsafe(12)

        def chosen(tx: Tx) -> Bill | None:
            self._attempts.choose(tx, intent, do, wait_ms, key, card)
            return intents.bill(tx, intent)

        bill = await self._transact(chosen)
        self._wake.set()
        return bill

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

        Raises errors.Unavailable when the book cannot be used.
        """
        taken = await self._transact(webhook_deliveries.take)
        if not taken:
            return await self._transact(_next_ms)
        await asyncio.gather(*(self._deliver(delivery) for delivery in taken))
        return 0

    async def close(self) -> None:
        """Give the file and the connections back. Nothing is lost; the object is done."""
        await self._courier.close()
        await self._book.close()

    async def _deliver(self, delivery: webhook_deliveries.Delivery) -> None:
        wish_ms = await self._courier.send(delivery.body)
        await self._transact(lambda tx: webhook_deliveries.sent(tx, delivery, wish_ms))

    async def _answer(self, work: Callable[[Tx], T]) -> T | Unknown:
        try:
            return await self._transact(work)
        except errors.Unavailable as away:
            return Unknown(str(away))

    async def _transact(self, work: Callable[[Tx], T]) -> T:
        def settled(tx: Tx) -> T:
            self._attempts.carry_out_due(tx)
            return work(tx)

        return await self._book.transact(settled)


def _next_ms(tx: Tx) -> int:
    row = tx.row(
        "SELECT min(due_ms) FROM (SELECT min(due_ms) AS due_ms FROM deliveries"
        " UNION ALL SELECT min(due_ms) FROM attempts WHERE done = 0)"
    )
    due_ms = POLL_MS + tx.now_ms if row is None or row[0] is None else int(row[0])
    return min(max(due_ms - tx.now_ms, 0), POLL_MS)


def build(settings: Settings, secret: bytes, _: Database) -> LocalPay:
    """The provider of a shop: its book in the data directory, its webhooks to this machine."""
    return LocalPay(settings.data_dir / FILE, secret, own_url(settings), language=settings.language)


def keep(settings: Settings, folder: Path) -> list[str]:
    """Copy the book into a folder as it is now, while payments go on; its name, if there is one."""
    if not (settings.data_dir / FILE).exists():
        return []
    with (
        contextlib.closing(sqlite3.connect(settings.data_dir / FILE)) as book,
        contextlib.closing(sqlite3.connect(folder / FILE)) as copy,
    ):
        book.backup(copy)
    return [FILE]


def own_url(settings: Settings) -> str:
    """Where this very machine reaches its own doors."""
    host = settings.host
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    if ":" in host:
        host = f"[{host}]"
    return f"http://{host}:{settings.port}"
