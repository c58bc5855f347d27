"""The provider's courier: brings webhooks to the shop's door, again and again until they are taken.

A delivery is in the book before anybody tries it, and leaves it only when the shop took it. A
process takes it by moving its due time on; if that process dies, another finds it due again. Twice
is harmless.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple

import httpx2

from dropengine.payments.local import webhook_signature
from dropengine.payments.local.book import Tx

log = logging.getLogger(__name__)

SEND_MAX = 16
"""Deliveries on their way at once, per process."""
SEND_S_MAX = 5.0
LEASE_MS = 15_000
"""A delivery is left this long to the process that took it: longer than a send may last."""
BACKOFF_MS = 250
BACKOFF_MS_MAX = 60_000
DOUBLINGS_MAX = 8
"""After so many tries the wait has reached BACKOFF_MS_MAX."""
KEEP_MS = 3 * 24 * 3600 * 1000
"""What nobody took for this long is given up, as real providers do: `lookup` still tells."""


class Delivery(NamedTuple):
    """`tries`: how often it was tried before."""

    id: int
    body: bytes
    tries: int


class Courier:
    """Signs with `key` and sends to `url`. clock: ms since 1970."""

    def __init__(self, url: str, key: bytes, clock: Callable[[], int]) -> None:
        self._url = url
        self._key = key
        self._clock = clock
        self._client: httpx2.AsyncClient | None = None

    async def send(self, body: bytes) -> int | None:
        """None once the shop took it; else the ms that it asked us to wait, 0 without a wish."""
        if self._client is None:
            # The shop is where we were told it is: no proxy, no redirect, no .netrc.
            self._client = httpx2.AsyncClient(
                timeout=SEND_S_MAX, trust_env=False, follow_redirects=False
            )
        # Signed anew at each try: a delivery may be older than a signature is believed.
        headers = webhook_signature.sign(self._key, self._clock() // 1000, body)
        headers.append((b"content-type", b"application/json"))
        try:
            response = await self._client.post(self._url, content=body, headers=headers)
        except httpx2.HTTPError as error:
            log.info("webhook not delivered: %r", error)
            return 0
        if response.is_success:
            return None
        log.info("webhook answered with %d", response.status_code)
        wish_s: str = response.headers.get("retry-after", "")
        known = wish_s.isascii() and wish_s.isdigit() and len(wish_s) < 6
        return int(wish_s) * 1000 if known else 0

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()


def post(tx: Tx, body: bytes, copies: int) -> None:
    """Put a webhook into the book, due at once."""
    row = (body, tx.now_ms, tx.now_ms)
    tx.many("INSERT INTO deliveries (body, made_ms, due_ms) VALUES (?, ?, ?)", [row] * copies)


def take(tx: Tx) -> list[Delivery]:
    """What is to be sent now. Other processes leave it alone for LEASE_MS."""
    given_up = tx.sql("DELETE FROM deliveries WHERE made_ms <= ?", tx.now_ms - KEEP_MS).rowcount
    if given_up:
        log.warning("gave up %d webhooks that nobody took", given_up)
    found = tx.sql(
        "SELECT id, body, tries FROM deliveries WHERE due_ms <= ? ORDER BY due_ms, id LIMIT ?",
        tx.now_ms,
        SEND_MAX,
    ).fetchall()
    tx.many(
        "UPDATE deliveries SET due_ms = ?, tries = tries + 1 WHERE id = ?",
        [(tx.now_ms + LEASE_MS, delivery) for delivery, _, _ in found],
    )
    return [Delivery(*row) for row in found]


def sent(tx: Tx, delivery: Delivery, wish_ms: int | None) -> None:
    """Book how a delivery went: `wish_ms` as `Courier.send` answered."""
    if wish_ms is None:
        tx.sql("DELETE FROM deliveries WHERE id = ?", delivery.id)
        return
    backoff_ms = BACKOFF_MS * 2 ** min(delivery.tries, DOUBLINGS_MAX)
    wait_ms = min(max(backoff_ms, wish_ms), BACKOFF_MS_MAX)
    tx.sql("UPDATE deliveries SET due_ms = ? WHERE id = ?", tx.now_ms + wait_ms, delivery.id)
