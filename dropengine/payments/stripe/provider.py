"""The provider `stripe`: what the port asks of it, asked of Stripe.

What Stripe says is never taken from the answer of a repeated call, which is as old as the first
one: how something stands is retrieved. Keys at Stripe are forgotten after a day, so a call that
gives money back looks first for what it gave before.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import jinja2
import msgspec
from starlette.routing import Route

from dropengine import errors
from dropengine.config import Settings
from dropengine.model import DropId
from dropengine.payments.port import (
    Cancellation,
    Charged,
    Failed,
    Ignored,
    Intent,
    Kept,
    Lookup,
    Nothing,
    Notice,
    Payments,
    ProviderAnswer,
    Refuse,
    Succeeded,
    Unknown,
    Unpayable,
    Unproven,
)
from dropengine.payments.stripe import sessions, webhook
from dropengine.payments.stripe.calls import MISSING, Calls, Refused
from dropengine.payments.stripe.sessions import Page
from dropengine.payments.stripe.standing import (
    DUTY,
    ON_ITS_WAY,
    PAID,
    charge_of,
    gives_back,
    returned,
    said,
    standing,
    together,
)
from dropengine.sql.database import Database

if TYPE_CHECKING:
    from stripe import PaymentIntent, Refund
    from stripe.checkout import Session

log = logging.getLogger(__name__)

PAGES = "https://checkout.stripe.com"
OPEN_S = 31 * 60
"""A page at Stripe lasts at least half an hour; ours is ended when its holds end."""
OPEN_S_MAX = 24 * 3600 - 60
WITH_CHARGE = "latest_charge.balance_transaction"
AT_ONCE = 100


def wall_ms() -> int:
    """The clock on the wall, ms since 1970."""
    return time.time_ns() // 1_000_000


class StripePay:
    """The provider `stripe`.

    calls: the account. database: where its pages are written down. secret: the shop's; a name of it
    that says nothing of it stands beside every payment, so that two shops share an account.
    webhook_secrets: what Stripe signs with. origin: of the shop, where payers come back to.
    """

    name = "stripe"
    for_practice = False

    def __init__(
        self,
        calls: Calls,
        database: Database,
        secret: bytes,
        webhook_secrets: Sequence[str],
        origin: str,
        *,
        clock: Callable[[], int] = wall_ms,
    ) -> None:
        self._calls = calls
        self._database = database
        self._shop = hmac.digest(secret, b"dropengine stripe shop v1", "sha256").hex()[:16]
        self._webhook_secrets = webhook_secrets
        self._origin = origin
        self._clock = clock

    async def begin(self, intent: Intent) -> str:
        page, cancelled = await self._database.read(lambda sql: sessions.last(sql, intent))
        if cancelled:
            return self._back(intent) if page is None or not page.url else page.url
        if page is not None and page.session:
            found = await self._session(page)
            if isinstance(found, Unknown | Refused):
                raise errors.Unavailable(f"stripe does not answer: {found}")
            if found.status == "open":
                return page.url
            if found.status == "complete":
                return self._back(intent)
        if page is None or page.session or not page.can_be_asked_for(self._clock()):
            after = 0 if page is None else page.number
            asked = msgspec.json.encode(self._asked(intent)).decode()
            now_ms = self._clock()
            page = await self._database.write(
                lambda sql: sessions.add(sql, intent, after, asked, now_ms)
            )
        made = await self._made(page)
        if isinstance(made, Unknown):
            raise errors.Unavailable(f"stripe does not answer: {made.why}")
        if isinstance(made, Refused):
            raise errors.Broken(f"stripe takes no payment of {intent.id}: {made.code}")
        return made.url

    async def lookup(self, intent: str) -> Lookup:
        try:
            pages = await self._database.read(lambda sql: sessions.of(sql, intent))
        except errors.DatabaseAway as away:
            return Unknown(str(away))
        return together([await self._stands(page) for page in pages])

    async def cancel(self, intent: str) -> Cancellation:
        now_ms = self._clock()
        try:
            pages = await self._database.write(lambda sql: sessions.cancel(sql, intent, now_ms))
        except errors.DatabaseAway as away:
            return Unknown(str(away))
        answer = together([await self._ended(page) for page in pages])
        return answer if isinstance(answer, Charged | Unknown) else Unpayable()

    async def kept(self, since_ms: int) -> Sequence[Kept] | Unknown:
        payments = await self._calls.ask(lambda v1: self._since(v1, since_ms))
        if isinstance(payments, Unknown | Refused):
            return Unknown(f"stripe does not list its payments: {payments}")
        found = []
        for payment in payments:
            told = said(payment.metadata)
            if told.get("shop") != self._shop or payment.status not in PAID:
                continue
            stands = await self._standing(payment)
            if isinstance(stands, Unknown):
                return stands
            if isinstance(stands, Charged):
                found.append(
                    Kept(
                        told.get("intent", ""),
                        DropId(told.get("drop", "")),
                        told.get("payment", ""),
                        stands,
                    )
                )
        return found

    async def capture(self, charge: str, amount: int, key: str) -> ProviderAnswer:
        payment = await self._payment(charge)
        if isinstance(payment, Unknown):
            return payment
        if payment is None:
            return Failed("no_such_charge")
        if payment.status == "requires_capture":
            if amount > payment.amount_capturable:
                return Failed("too_much")
            done = await self._calls.ask(
                lambda v1: v1.payment_intents.capture_async(
                    charge, {"amount_to_capture": amount}, {"idempotency_key": f"{key}:{amount}"}
                )
            )
            if not isinstance(done, Refused):
                return done if isinstance(done, Unknown) else Succeeded()
            payment = await self._payment(charge)
            if payment is None or isinstance(payment, Unknown):
                return payment or Failed("no_such_charge")
            if payment.status == "requires_capture":
                return Failed(done.code)
        if payment.status == "succeeded" and payment.amount_received == amount:
            return Succeeded()
        return Failed(payment.status, taken=payment.amount_received)

    async def void(self, charge: str, key: str) -> ProviderAnswer:
        payment = await self._payment(charge)
        if isinstance(payment, Unknown):
            return payment
        if payment is None:
            return Failed("no_such_charge")
        if payment.status == "requires_capture":
            done = await self._calls.ask(
                lambda v1: v1.payment_intents.cancel_async(charge, {}, {"idempotency_key": key})
            )
            if not isinstance(done, Refused):
                return done if isinstance(done, Unknown) else Succeeded()
            payment = await self._payment(charge)
            if payment is None or isinstance(payment, Unknown):
                return payment or Failed("no_such_charge")
        if payment.status == "canceled":
            return Succeeded()
        refunds = await self._refunds(charge)
        if isinstance(refunds, Unknown):
            return refunds
        if any(said(one.metadata).get(DUTY) == key for one in refunds):
            return Failed("key_reused")
        return Failed(payment.status, taken=payment.amount_received)

    async def refund(self, charge: str, amount: int, key: str) -> ProviderAnswer:
        payment = await self._payment(charge)
        if isinstance(payment, Unknown):
            return payment
        if payment is None:
            return Failed("no_such_charge", final=True)
        if payment.status in ("requires_capture", "canceled"):
            # Nothing was taken yet: all of it can be let go, a part cannot be given back.
            return await self.void(charge, key) if amount == payment.amount else _NOT_CAPTURED
        if payment.status != "succeeded":
            return Failed(payment.status)
        refunds = await self._refunds(charge)
        if isinstance(refunds, Unknown):
            return refunds
        before = [one for one in refunds if said(one.metadata).get(DUTY) == key]
        for one in before:
            if gives_back(one):
                return Succeeded() if one.amount == amount else Failed("key_reused")
        if amount > payment.amount_received - returned(payment, refunds):
            return Failed("too_much", final=True)
        done = await self._calls.ask(
            lambda v1: v1.refunds.create_async(
                {"payment_intent": charge, "amount": amount, "metadata": {DUTY: key}},
                # One that the payer's bank sent back is made anew.
                {"idempotency_key": f"{key}:{amount}:{len(before)}"},
            )
        )
        if isinstance(done, Refused):
            too_much = done.code in ("charge_already_refunded", "amount_too_large")
            return Failed("too_much", final=True) if too_much else Failed(done.code)
        return done if isinstance(done, Unknown) else Succeeded()

    def parse_webhook(
        self, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> Notice | Ignored | Unproven:
        import stripe

        secrets, now_s = self._webhook_secrets, self._clock() // 1000
        return webhook.read(stripe, secrets, self._shop, headers, body, now_s)

    def routes(self, _: Mapping[str, jinja2.Environment], __: Refuse) -> Sequence[Route]:
        return ()

    async def run(self) -> None:
        """Nothing: Stripe tells what happens, and the duties ask."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        await self._calls.close()

    def _back(self, intent: Intent) -> str:
        return intent.back if "://" in intent.back else f"{self._origin}{intent.back}"

    def _asked(self, intent: Intent) -> dict[str, Any]:
        """What Stripe is asked for: the bill line by line, to be authorised by a card."""
        now_s = self._clock() // 1000
        lines = [*intent.lines, *([intent.way] if intent.way is not None else [])]
        words = {
            "shop": self._shop,
            "intent": intent.id,
            "drop": intent.drop,
            "payment": intent.payment,
        }
        return {
            "mode": "payment",
            # Not every method can be authorised first and captured later.
            "payment_method_types": ["card"],
            "client_reference_id": hashlib.sha256(intent.id.encode()).hexdigest(),
            "success_url": self._back(intent),
            "cancel_url": self._back(intent),
            "expires_at": min(max(intent.deadline_ms // 1000, now_s + OPEN_S), now_s + OPEN_S_MAX),
            "locale": intent.language or "auto",
            "line_items": [
                {
                    "quantity": line.qty,
                    "price_data": {
                        "currency": intent.currency.lower(),
                        "unit_amount": line.unit_amount,
                        "product_data": {"name": line.what or intent.title},
                    },
                }
                for line in lines
                if line.amount
            ],
            "metadata": words,
            "payment_intent_data": {"capture_method": "manual", "metadata": words},
        }

    async def _made(self, page: Page) -> Page | Unknown | Refused:
        """A page that Stripe has, made now or before; ended at once where nobody may pay it."""
        asked = cast("Any", msgspec.json.decode(page.asked))
        key = {"idempotency_key": page.key}
        made = await self._calls.ask(
            lambda v1: v1.checkout.sessions.create_async(asked, cast("Any", key))
        )
        if isinstance(made, Unknown | Refused):
            return made
        found = msgspec.structs.replace(page, session=made.id, url=made.url or "")
        cancelled = await self._database.write(
            lambda sql: sessions.answered(sql, page, found.session, found.url)
        )
        if cancelled:
            await self._expire(found)
        return found

    async def _known(self, page: Page) -> Page | Unknown | None:
        """The page with what Stripe calls it; None where Stripe never made it."""
        if page.session:
            return page
        if not page.can_be_asked_for(self._clock()):
            # It would have ended by now, and a payment of it is found by `kept`.
            return None
        try:
            made = await self._made(page)
        except errors.DatabaseAway as away:
            return Unknown(str(away))
        return None if isinstance(made, Refused) else made

    async def _session(self, page: Page) -> Session | Refused | Unknown:
        return await self._calls.ask(
            lambda v1: v1.checkout.sessions.retrieve_async(
                page.session, {"expand": [f"payment_intent.{WITH_CHARGE}"]}
            )
        )

    async def _expire(self, page: Page) -> Session | Refused | Unknown:
        return await self._calls.ask(lambda v1: v1.checkout.sessions.expire_async(page.session))

    async def _stands(self, page: Page) -> Lookup:
        known = await self._known(page)
        if known is None:
            return Nothing()
        if isinstance(known, Unknown):
            return known
        found = await self._session(known)
        if isinstance(found, Unknown):
            return found
        if isinstance(found, Refused):
            return Unknown(f"stripe does not tell of a page: {found.code}")
        payment = found.payment_intent
        if payment is None:
            return Nothing()
        assert not isinstance(payment, str), "it was asked for with its page"
        return await self._standing(payment)

    async def _ended(self, page: Page) -> Lookup:
        """A page takes no payment any more, and what was paid there; Unknown until both are
        sure."""
        known = await self._known(page)
        if known is None:
            return Nothing()
        if isinstance(known, Unknown):
            return known
        await self._expire(known)
        found = await self._session(known)
        if isinstance(found, Unknown | Refused):
            return Unknown(f"stripe does not tell of a page: {found}")
        payment = found.payment_intent
        if found.status == "open":
            return ON_ITS_WAY
        if payment is None:
            return Nothing()
        assert not isinstance(payment, str), "it was asked for with its page"
        if payment.status in ("requires_payment_method", "requires_confirmation"):
            number = payment.id
            await self._calls.ask(lambda v1: v1.payment_intents.cancel_async(number))
            again = await self._payment(number)
            if again is None or isinstance(again, Unknown):
                return again or Nothing()
            payment = again
        return await self._standing(payment)

    async def _standing(self, payment: PaymentIntent) -> Lookup:
        charge = charge_of(payment)
        refunds: Sequence[Refund] = ()
        if payment.status == "succeeded" and (charge is None or charge.amount_refunded):
            listed = await self._refunds(payment.id)
            if isinstance(listed, Unknown):
                return listed
            refunds = listed
        return standing(payment, refunds)

    async def _payment(self, charge: str) -> PaymentIntent | Unknown | None:
        """One payment as it stands; None where Stripe has none of this id."""
        found = await self._calls.ask(
            lambda v1: v1.payment_intents.retrieve_async(charge, {"expand": [WITH_CHARGE]})
        )
        if isinstance(found, Refused):
            return None if found.code == MISSING else Unknown(f"stripe says {found.code}")
        return found

    async def _refunds(self, charge: str) -> list[Refund] | Unknown:
        async def listed(v1: Any) -> list[Refund]:
            asked = {"payment_intent": charge, "limit": AT_ONCE}
            page = await v1.refunds.list_async(asked)
            return [one async for one in page.auto_paging_iter()]

        found = await self._calls.ask(listed)
        return Unknown(f"stripe says {found.code}") if isinstance(found, Refused) else found

    async def _since(self, v1: Any, since_ms: int) -> list[PaymentIntent]:
        asked = {
            "created": {"gte": since_ms // 1000},
            "limit": AT_ONCE,
            "expand": [f"data.{WITH_CHARGE}"],
        }
        page = await v1.payment_intents.list_async(asked)
        found = [one async for one in page.auto_paging_iter()]
        return found[::-1]


_NOT_CAPTURED = Failed("not_captured")


def pages(settings: Settings) -> list[str]:
    """The origins of the pages where payers pay."""
    if settings.stripe_key is None:
        return []
    return [PAGES] if settings.stripe_api_url is None else [settings.stripe_api_url]


def build(settings: Settings, secret: bytes, database: Database) -> Payments | None:
    """The provider of a shop that has a key; None without one. Raises ConfigError."""
    if settings.stripe_key is None:
        return None
    calls = Calls(settings.stripe_key, settings.stripe_api_url)
    secrets = settings.stripe_webhook_secrets
    origin = settings.public_url.rstrip("/") if settings.public_url else ""
    return StripePay(calls, database, secret, secrets, origin)
