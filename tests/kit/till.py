"""A till for each provider: the provider with its payers, its webhooks and its time in hand.

The contract is played at every till of the table, so a new provider is listed here and nowhere
else.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Literal

from dropengine.config import Settings
from dropengine.payments.hands.bills import Bill
from dropengine.payments.local import LocalPay
from dropengine.payments.port import Charged, Payments, Succeeded
from dropengine.payments.stripe import StripePay
from dropengine.payments.stripe.calls import Calls
from dropengine.sql.database import Database
from dropengine.sql.migrate import migrate
from tests.kit.fake_stripe import KEY, WEBHOOK_SECRET, FakeStripe
from tests.kit.laid_tables import lay
from tests.kit.local_provider import SECRET, an_intent, local_pay, page_of, until_idle
from tests.kit.maker_by_hand import SwiftMaker
from tests.kit.webhook_receiver import Clock, Delivery, WebhookReceiver, serving

Choice = Literal["pay", "decline", "delay"]
"""What a payer of any provider may do: pay; be declined; pay, and it takes a while."""


class Till(ABC):
    """What the contract needs of a provider and of the world around it."""

    provider: Payments
    declines = True
    """Can a payer be declined there, so that it is told?"""
    tells = True
    """Does it tell of payments by webhooks?"""

    @abstractmethod
    async def act(self, address: str, choice: Choice) -> None:
        """A payer makes his choice on a payment page."""

    @abstractmethod
    async def deliveries(self) -> list[Delivery]:
        """Every webhook that the provider sent so far."""

    @abstractmethod
    async def pass_ms(self, ms: int) -> None:
        """The provider's time goes on, and what is due by then happens."""

    @abstractmethod
    def elsewhere(self) -> AbstractAsyncContextManager[Payments]:
        """The same provider as another process of the shop has it."""

    async def choose(self, choice: Choice, payment: str = "p1", amount: int = 2400) -> None:
        """Begin a payment and choose."""
        await self.act(await self.provider.begin(an_intent(payment, amount=amount)), choice)

    async def charged(self, payment: str = "p1", amount: int = 2400) -> Charged:
        await self.choose("pay", payment, amount)
        paid = await self.provider.lookup(f"eclipse.{payment}")
        assert isinstance(paid, Charged)
        return paid

    async def captured(self, payment: str = "p1", amount: int = 2400) -> Charged:
        paid = await self.charged(payment, amount)
        assert (
            await self.provider.capture(paid.charge, amount, f"capture:{paid.charge}")
            == Succeeded()
        )
        return paid


class LocalTill(Till):
    """The local provider; `shop` listens to it."""

    def __init__(
        self, local: LocalPay, book: Path, shop: WebhookReceiver, url: str, clock: Clock
    ) -> None:
        self.provider = local
        self._local = local
        self._book = book
        self._shop = shop
        self._url = url
        self._clock = clock

    async def act(self, address: str, choice: Choice) -> None:
        await self._local.act(page_of(address), choice)

    async def deliveries(self) -> list[Delivery]:
        await until_idle(self._local)
        return self._shop.taken

    async def pass_ms(self, ms: int) -> None:
        self._clock.pass_ms(ms)
        await until_idle(self._local)

    def elsewhere(self) -> AbstractAsyncContextManager[Payments]:
        return local_pay(self._book, self._url, self._clock)


@contextlib.asynccontextmanager
async def local_till(folder: Path) -> AsyncIterator[Till]:
    """A till of the local provider, its book in `folder`."""
    book, shop, clock = folder / "book", WebhookReceiver(), Clock()
    async with serving(shop.app) as url, local_pay(book, url, clock) as local:
        yield LocalTill(local, book, shop, url, clock)


class StripeTill(Till):
    """Stripe, as its fake plays it; two processes of a shop share one SQL."""

    def __init__(self, fake: FakeStripe, stripe: StripePay, folder: Path, clock: Clock) -> None:
        self.provider = stripe
        self.fake = fake
        self._folder = folder
        self._clock = clock
        self._asked: list[str] = []

    async def act(self, address: str, choice: Choice) -> None:
        session = page_of(address)
        if session not in self.fake.sessions:
            return
        cards: Mapping[Choice, Literal["good", "declined", "asks"]] = {
            "pay": "good",
            "decline": "declined",
            "delay": "asks",
        }
        self.fake.pay(session, cards[choice])
        if choice == "delay":
            self._asked.append(session)

    async def deliveries(self) -> list[Delivery]:
        kinds = (b'"payment_intent.amount_', b'"payment_intent.succeeded"')
        return [one for one in self.fake.told if any(kind in one[1] for kind in kinds)]

    async def pass_ms(self, ms: int) -> None:
        self._clock.pass_ms(ms)
        for session in self._asked:
            self.fake.answer_bank(session)

    def elsewhere(self) -> AbstractAsyncContextManager[Payments]:
        return stripe_pay(self.fake, self._folder, self._clock)


@contextlib.asynccontextmanager
async def stripe_pay(fake: FakeStripe, folder: Path, clock: Clock) -> AsyncIterator[StripePay]:
    """The provider at an account of the fake; its SQL in `folder`."""
    database = Database(Settings(data_dir=folder))
    calls = Calls(KEY, fake.url)
    try:
        yield StripePay(
            calls, database, SECRET, [WEBHOOK_SECRET], "https://shop.example", clock=clock
        )
    finally:
        await calls.close()
        await database.close()


@contextlib.asynccontextmanager
async def stripe_till(folder: Path) -> AsyncIterator[Till]:
    """A till of Stripe's fake."""
    clock = Clock()
    fake = FakeStripe(clock)
    migrate(Settings(data_dir=folder))
    async with serving(fake.app) as fake.url, stripe_pay(fake, folder, clock) as stripe:
        yield StripeTill(fake, stripe, folder, clock)


class HandTill(Till):
    """By hand: who pays sends money, and the maker enters it, at once or an hour later."""

    declines = False
    tells = False

    def __init__(self, hand: SwiftMaker, folder: Path, clock: Clock) -> None:
        self.provider = hand
        self._hand = hand
        self._folder = folder
        self._clock = clock
        self._sent = 0
        self._on_its_way: list[Bill] = []

    async def act(self, address: str, choice: Choice) -> None:
        shown = await self._hand.shown(page_of(address))
        assert shown is not None
        if choice == "delay":
            self._on_its_way.append(shown.bill)
        elif choice == "pay":
            await self._arrives(shown.bill)

    async def _arrives(self, bill: Bill) -> None:
        self._sent += 1
        await self._hand.receive(bill.intent.id, bill.intent.amount, f"sum-{self._sent}")

    async def deliveries(self) -> list[Delivery]:
        return []

    async def pass_ms(self, ms: int) -> None:
        self._clock.pass_ms(ms)
        arrived, self._on_its_way = self._on_its_way, []
        for bill in arrived:
            await self._arrives(bill)

    def elsewhere(self) -> AbstractAsyncContextManager[Payments]:
        return hand_pay(self._folder, self._clock)


@contextlib.asynccontextmanager
async def hand_pay(folder: Path, clock: Clock) -> AsyncIterator[SwiftMaker]:
    """The provider at a swift maker's, its SQL in `folder`."""
    database = Database(Settings(data_dir=folder))
    try:
        yield SwiftMaker(database, clock)
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def hand_till(folder: Path) -> AsyncIterator[Till]:
    """A till by hand."""
    clock = Clock()
    lay(Settings(data_dir=folder))
    async with hand_pay(folder, clock) as hand:
        yield HandTill(hand, folder, clock)


TILLS: Mapping[str, Callable[[Path], AbstractAsyncContextManager[Till]]] = {
    "local": local_till,
    "stripe": stripe_till,
    "by_hand": hand_till,
}
"""A provider's name -> a till of it, given a folder of its own."""
