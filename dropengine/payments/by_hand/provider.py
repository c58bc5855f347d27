"""The provider `by_hand`: transfers to the maker's account, and cash at pickup.

No machine sees the money. Its maker says what came, and what he sent back, in the studio;
all else is asked of it as of any provider.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import jinja2
from sqlalchemy import Connection
from starlette.routing import Route

from dropengine import errors
from dropengine.catalogue import DEFAULT
from dropengine.config import Settings
from dropengine.payments.by_hand.page_address import PageAddresses
from dropengine.payments.by_hand.payer_page import PayerPage, Shown, shown
from dropengine.payments.hands import bills, charges
from dropengine.payments.port import (
    Cancellation,
    Intent,
    Kept,
    Lookup,
    Nothing,
    ProviderAnswer,
    Refuse,
    Unknown,
    Unpayable,
    Unproven,
)
from dropengine.people.one_after_another import change
from dropengine.sql.database import Database

T = TypeVar("T")


def wall_ms() -> int:
    """The clock on the wall, ms since 1970."""
    return time.time_ns() // 1_000_000


class ByHand:
    """The provider `by_hand`.

    database: the shop's SQL, where all of it stands. secret: the shop's; seals are derived from it.
    language: of the shop.
    """

    name = "by_hand"
    for_practice = False

    def __init__(
        self,
        database: Database,
        secret: bytes,
        *,
        clock: Callable[[], int] = wall_ms,
        language: str = DEFAULT,
    ) -> None:
        self._database = database
        self._addresses = PageAddresses(secret)
        self._clock = clock
        self._language = language

    async def begin(self, intent: Intent) -> str:
        now_ms = self._clock()
        try:
            await change(self._database, lambda sql: bills.begin(sql, intent, now_ms))
        except errors.DatabaseAway as away:
            raise errors.Unavailable(str(away)) from away
        return self._addresses.of(intent.id)

    async def lookup(self, intent: str) -> Lookup:
        try:
            bill = await self._database.read(lambda sql: bills.find(sql, intent))
        except errors.DatabaseAway as away:
            return Unknown(str(away))
        return Nothing() if bill is None or bill.paid is None else bill.paid

    async def cancel(self, intent: str) -> Cancellation:
        now_ms = self._clock()
        return await self._answer(lambda sql: bills.cancel(sql, intent, now_ms) or Unpayable())

    async def kept(self, since_ms: int) -> Sequence[Kept] | Unknown:
        try:
            return await self._database.read(lambda sql: bills.kept(sql, since_ms))
        except errors.DatabaseAway as away:
            return Unknown(str(away))

    async def capture(self, charge: str, amount: int, key: str) -> ProviderAnswer:  # noqa: ARG002
        """See `port.Payments`. That it was taken stands at the charge, so no key is needed."""
        now_ms = self._clock()
        return await self._answer(lambda sql: charges.capture(sql, charge, amount, now_ms))

    async def void(self, charge: str, key: str) -> ProviderAnswer:
        now_ms = self._clock()
        return await self._answer(lambda sql: charges.void(sql, charge, key, now_ms))

    async def refund(self, charge: str, amount: int, key: str) -> ProviderAnswer:
        now_ms = self._clock()
        return await self._answer(lambda sql: charges.refund(sql, charge, amount, key, now_ms))

    def parse_webhook(self, _: Iterable[tuple[bytes, bytes]], __: bytes) -> Unproven:
        """Nobody tells of transfers but their maker, in the studio."""
        return Unproven("by_hand has no webhooks")

    def routes(
        self, templates: Mapping[str, jinja2.Environment], refuse: Refuse
    ) -> Sequence[Route]:
        return PayerPage(self.shown, self._clock, templates, refuse, self._language).routes()

    async def run(self) -> None:
        """Nothing: what happens is entered by people."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Nothing of its own is open: SQL is the shop's."""

    async def shown(self, page: str) -> Shown | None:
        """What `/pay/by_hand/<page>` shows; None when that is no address of ours. Raises
        errors.Unavailable."""
        intent = self._addresses.intent(page)
        try:
            return await self._database.read(lambda sql: shown(sql, intent))
        except errors.DatabaseAway as away:
            raise errors.Unavailable(str(away)) from away

    async def _answer(self, work: Callable[[Connection], T]) -> T | Unknown:
        try:
            return await change(self._database, work)
        except errors.DatabaseAway as away:
            return Unknown(str(away))


def build(settings: Settings, secret: bytes, database: Database) -> ByHand:
    """The provider of a shop: it needs nothing but its SQL."""
    return ByHand(database, secret, language=settings.language)
