"""A drop of a whole shop, on its server's clock, and the provider that its workers have too."""

from __future__ import annotations

from dropengine import data_directory, outcomes
from dropengine.config import Settings
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.local import LocalPay, provider
from dropengine.payments.port import Charged, Intent, Line
from dropengine.truth.store import Store
from tests.kit.local_provider import only
from tests.kit.sale import Sale


class Till:
    def __init__(self, store: Store, settings: Settings, drop: str = "pin") -> None:
        self.settings = settings
        self.sale = Sale(store, drop, now=0)
        book, secret = settings.data_dir / provider.FILE, data_directory.secret(settings)
        self.provider = LocalPay(book, secret, provider.own_url(settings))
        self.providers = only(self.provider)
        self.intents = IntentIds(data_directory.shop_id(settings), store)

    async def paid(self, fan: str, *, told: bool) -> Charged:
        """A fan holds and pays; told: and the shop hears of it."""
        hold = await self.sale.held(fan)
        return await self.pays(fan, hold, told=told)

    async def pays(self, fan: str, hold: str, *, told: bool) -> Charged:
        paying = await self.sale.pay(fan, hold, provider="local")
        assert isinstance(paying, outcomes.Paying), paying
        intent = await self.intents.now(self.sale.drop, paying.id)
        assert intent is not None
        page = await self.provider.begin(
            Intent(
                id=intent,
                drop=self.sale.drop,
                payment=paying.id,
                title="Pin",
                lines=(Line("Pin", 1, 2400, 2400),),
                amount=2400,
                currency="EUR",
                minor_digits=2,
                deadline_ms=2**43,
                zone="UTC",
                back="/",
            )
        )
        await self.provider.act(page.rpartition("/")[2], "pay", 0)
        found = await self.provider.lookup(intent)
        assert isinstance(found, Charged)
        if told:
            outcome = await self.sale.succeeded(paying.id, found.charge)
            assert isinstance(outcome, outcomes.Paid)
        return found

    async def close(self) -> None:
        await self.provider.close()
