"""The doors of payment over real HTTP, in front of a live sale with a local provider."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import msgspec
from starlette.applications import Starlette

from dropengine.doors import page_templates, webhooks
from dropengine.doors.page_templates import Templates
from dropengine.payments.configured import Configured
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.local import LocalPay
from dropengine.payments.local.webhook_signature import sign, webhook_key
from dropengine.truth.store import Store
from tests.kit.local_provider import SECRET, SHOP, an_intent, local_pay, only
from tests.kit.paid_sale import PaidSale, SaleClock
from tests.kit.sale import Sale
from tests.kit.webhook_receiver import serving

Signed = tuple[dict[bytes, bytes], bytes]


@dataclass
class Deps:
    store: Store
    intents: IntentIds
    payments: Configured
    templates: Templates


class PaymentDoors(PaidSale):
    """The doors of payment, open at `http`, in front of a live sale."""

    def __init__(
        self, sale: Sale, local: LocalPay, deps: Deps, book: Path, http: httpx2.AsyncClient
    ) -> None:
        super().__init__(sale, local, book)
        self.deps = deps
        self.http = http

    async def page(self, payment: str = "p1", title: str = "Eclipse") -> str:
        return await self.local.begin(an_intent(payment, drop=self.sale.drop, title=title))

    def signed(self, body: bytes) -> Signed:
        """Bytes as this provider signs them."""
        return dict(sign(webhook_key(SECRET), self.sale.now // 1000, body)), body

    async def delivery(self, **notice: object) -> Signed:
        """A webhook as this provider signs it."""
        notice = dict(
            event="ev_1",
            kind="authorized",
            intent=await self.intents.now(self.sale.drop, str(notice["payment"]))
            or f"{self.sale.drop}.{notice['payment']}",
            drop=self.sale.drop,
            amount=2400,
            currency="EUR",
            captured=False,
            **notice,
        )
        return self.signed(msgspec.json.encode(notice))

    async def delivery_of(self, hold: str, charge: str) -> Signed:
        """The same of the payment that this hold is in."""
        return await self.delivery(payment=await self.payment(hold), charge=charge)

    async def post(self, headers: dict[bytes, bytes], body: bytes) -> httpx2.Response:
        return await self.http.post("/api/pay/webhooks/local", content=body, headers=headers)


@contextlib.asynccontextmanager
async def payment_doors(sale: Sale, book: Path) -> AsyncIterator[PaymentDoors]:
    """Serve the doors of payment for `sale`, the provider's book at `book`."""
    app = Starlette()
    async with (
        serving(app) as url,
        local_pay(book, url, SaleClock(sale)) as local,
        httpx2.AsyncClient(base_url=url, trust_env=False) as http,
    ):
        deps = Deps(
            sale.store, IntentIds(SHOP, sale.store), only(local), page_templates.templates()
        )
        app.router.routes.extend(webhooks.routes(deps))
        yield PaymentDoors(sale, local, deps, book, http)
