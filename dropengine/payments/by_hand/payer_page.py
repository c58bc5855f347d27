"""The payer's page: how much, where to, under which reference and until when. It needs no scripts.

It is read again and again until the money has come, so it says what came of it as well.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import jinja2
import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dropengine import errors, refusals
from dropengine.catalogue import CATALOGUES, COOKIE, DEFAULT, Catalogue, spoken
from dropengine.manifest.currencies import money
from dropengine.manifest.moments import named
from dropengine.manifest.zones import listed
from dropengine.payments.by_hand.epc import epc_qr
from dropengine.payments.by_hand.page_address import PAGES
from dropengine.payments.hands import bills
from dropengine.payments.hands.bills import Bill
from dropengine.payments.port import Refuse
from dropengine.people import bank_accounts, makers
from dropengine.people.bank_accounts import BankAccount

CASH: Final = "cash"
ZONE: Final = "zone"
"""The cookie in which a browser tells by whose clocks its reader lives."""
PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "Referrer-Policy": "same-origin",
}


class Shown(msgspec.Struct, frozen=True):
    """A bill, who is paid, and where: None while he has not said so."""

    bill: Bill
    maker: str
    account: BankAccount | None


ShowBill = Callable[[str], Awaitable[Shown | None]]
"""What a page shows; None when there is no such page."""


def shown(sql: Connection, intent: str) -> Shown | None:
    """What the page of an intent shows; None for one that nobody began."""
    bill = bills.find(sql, intent)
    if bill is None:
        return None
    whose = makers.whose(sql, bill.intent.drop)
    maker = None if whose is None else makers.by_id(sql, whose)
    account = None if whose is None else bank_accounts.of(sql, whose)
    return Shown(bill, "" if maker is None else maker.name, account)


class PayerPage:
    """Plain HTML. language: of the shop, for who asks for none."""

    def __init__(
        self,
        bill: ShowBill,
        clock: Callable[[], int],
        templates: Mapping[str, jinja2.Environment],
        refuse: Refuse,
        language: str = DEFAULT,
    ) -> None:
        self._bill = bill
        self._clock = clock
        self._templates = templates
        self._refuse = refuse
        self._language = language

    def routes(self) -> list[Route]:
        return [Route(f"{PAGES}{{intent}}", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """GET /pay/by_hand/{intent}."""
        try:
            found = await self._bill(request.path_params["intent"])
        except errors.Unavailable:
            return self._refuse(None, refusals.Away())
        accepts = request.headers.get("accept-language", "")
        drops = "" if found is None else found.bill.intent.language
        say = CATALOGUES[spoken(request.cookies.get(COOKIE, ""), accepts, drops or self._language)]
        zone = listed(request.cookies.get(ZONE, ""))
        words = {"bill": None} if found is None else _words(found, self._clock(), zone, say)
        text = self._templates[say.language].get_template("byhand.html").render(words)
        headers = PAGE_HEADERS | {"Content-Language": say.language}
        return HTMLResponse(text, 404 if found is None else 200, headers)


def standing(bill: Bill, now_ms: int) -> str:
    """How a bill stands, as a name of a sentence."""
    if bill.paid is not None:
        return "paid"
    if bill.closed:
        return "returned"
    if bill.cancelled_ms:
        return "cancelled"
    if now_ms >= bill.intent.deadline_ms:
        return "over"
    return "short" if bill.received else "open"


def _words(found: Shown, now_ms: int, zone: str, say: Catalogue) -> dict[str, object]:
    bill, intent = found.bill, found.bill.intent

    def price(amount: int) -> str:
        return money(amount, intent.currency, intent.minor_digits, say)

    stands, cash = standing(bill, now_ms), intent.word == CASH
    payable = stands in ("open", "short")
    by_code = found.account is not None and payable and not cash
    return {
        "bill": bill,
        "intent": intent,
        "maker": found.maker,
        "account": found.account,
        "cash": cash,
        "standing": stands,
        "payable": payable,
        "price": price(intent.amount),
        "received": price(bill.received),
        "to_pay": price(bill.missing),
        "rows": [
            (line.what, line.qty, price(line.unit_amount), price(line.amount))
            for line in intent.lines
        ],
        "way": None if intent.way is None else (intent.way.what, price(intent.way.amount)),
        "deadline_ms": intent.deadline_ms,
        "deadline": named(intent.deadline_ms, zone or intent.zone, say),
        "qr": epc_qr(found.account, bill.missing, intent.currency, bill.reference)
        if by_code and found.account is not None
        else "",
    }
