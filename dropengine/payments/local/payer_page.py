"""The payer's page: what is paid for, until when, and a button for each thing that payers do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl

import jinja2
import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from dropengine import errors, refusals
from dropengine.catalogue import CATALOGUES, COOKIE, DEFAULT, ENGLISH, Catalogue, spoken
from dropengine.manifest.currencies import money
from dropengine.manifest.zones import zone_of
from dropengine.payments.local.attempts import AFTER_MS_MAX, Do
from dropengine.payments.local.intents import Bill
from dropengine.payments.local.page_address import PAGES
from dropengine.payments.port import Refuse

BODY_BYTES_MAX = 16_384
"""A form is a few hundred bytes."""

PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    # Not `no-referrer`: under it a browser sends `Origin: null` with the form, which is refused.
    "Referrer-Policy": "same-origin",
}

ShowBill = Callable[[str], Awaitable[Bill | None]]
"""What a page shows; None when there is no such page."""
Act = Callable[[str, Do, int | None, str, str], Awaitable[Bill | None]]
"""A choice on a page, how long it takes in ms, its key, and the card; what the page shows then."""


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a payer sends. `key`: the same key is the same choice. `card`: the number of a test
    card: any digits, the same for the same card; without one nobody can tell which it was."""

    do: Do
    after_ms: Annotated[int, Meta(ge=0, le=AFTER_MS_MAX)] | None = None
    key: Annotated[str, Meta(max_length=64)] = ""
    card: Annotated[str, Meta(max_length=32, pattern=r"^[0-9 ]*(?!\n)$")] = ""


class PayerPage:
    """Plain HTML that works without scripts; the same door takes JSON."""

    def __init__(
        self,
        bill: ShowBill,
        act: Act,
        templates: Mapping[str, jinja2.Environment],
        refuse: Refuse,
        language: str = DEFAULT,
    ) -> None:
        self._language = language
        self._bill = bill
        self._act = act
        self._templates = templates
        self._refuse = refuse

    def routes(self) -> list[Route]:
        path = f"{PAGES}{{intent}}"
        return [
            Route(path, self.show, methods=["GET"]),
            Route(path, self.act, methods=["POST"], max_body_size=BODY_BYTES_MAX),
        ]

    async def show(self, request: Request) -> Response:
        try:
            bill = await self._bill(request.path_params["intent"])
        except errors.Unavailable:
            return self._refuse(None, refusals.Away())
        return self._html(request, bill)

    async def act(self, request: Request) -> Response:
        """The payer's choice. A form is answered by a redirect, JSON by how the payment stands."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in ("application/json", "application/x-www-form-urlencoded"):
            return self._refuse(415, refusals.BadMessage("send a form or JSON"))
        as_json = kind == "application/json"
        body = await request.body()
        try:
            choice = msgspec.json.decode(body, type=Choice) if as_json else _of_form(body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return self._refuse(None, refusals.BadMessage(str(error)))
        try:
            bill = await self._act(
                request.path_params["intent"],
                choice.do,
                choice.after_ms,
                choice.key,
                choice.card,
            )
        except errors.Unavailable:
            return self._refuse(None, refusals.Away())
        if as_json:
            return self._json(bill)
        if bill is None:
            return self._html(request, bill)
        # See other: a reload must not pay again. Who has paid goes back to the shop, as everywhere.
        done = bill.standing.paid and bill.intent.back
        return RedirectResponse(bill.intent.back if done else request.url.path, 303, PAGE_HEADERS)

    def _json(self, bill: Bill | None) -> Response:
        if bill is None:
            return self._refuse(None, refusals.NotFound())
        intent = bill.intent
        answer = {
            "intent": intent.id,
            "state": str(bill.standing),
            "charge": bill.charge,
            "amount": intent.amount,
            "currency": intent.currency,
            "back": intent.back,
        }
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    def _html(self, request: Request, bill: Bill | None) -> Response:
        accepts = request.headers.get("accept-language", "")
        drops = "" if bill is None else bill.intent.language
        chosen = request.cookies.get(COOKIE, "")
        say = CATALOGUES[spoken(chosen, accepts, drops or self._language)]
        template = self._templates[say.language].get_template("localpay.html")
        text = template.render(_words(bill, say))
        headers = PAGE_HEADERS | {"Content-Language": say.language}
        return HTMLResponse(text, 404 if bill is None else 200, headers)


def _of_form(body: bytes) -> Choice:
    """A form's fields, the browser's spelling. Raises ValueError or msgspec.ValidationError.

    `after_s` is what people type; each button may bring a field of its own: `delay_s`, `late_s`.
    """
    fields = dict(
        parse_qsl(body.decode(), keep_blank_values=False, strict_parsing=True, max_num_fields=8)
    )
    wanted: dict[str, Any] = {name: fields.get(name, "") for name in ("do", "key", "card")}
    seconds = fields.get(f"{wanted['do']}_s", "")
    if seconds:
        wanted["after_ms"] = _whole(seconds, 5) * 1000
    elif "after_ms" in fields:
        wanted["after_ms"] = _whole(fields["after_ms"], 7)
    return msgspec.convert(wanted, Choice)


def _whole(text: str, digits_max: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= digits_max):
        raise ValueError("times are whole numbers")
    return int(text)


def _words(bill: Bill | None, say: Catalogue) -> dict[str, object]:
    if bill is None:
        return {"bill": None, "left": ""}
    intent = bill.intent
    left_ms = intent.deadline_ms - bill.now_ms
    zone = zone_of(intent.zone)
    deadline = datetime.fromtimestamp(intent.deadline_ms / 1000, zone)

    def price(amount: int) -> str:
        return money(amount, intent.currency, intent.minor_digits, say)

    return {
        "bill": bill,
        "intent": intent,
        "standing": str(bill.standing),
        "payable": bill.standing.takes_attempts,
        "moving": bill.standing == "processing",
        "price": price(intent.amount),
        "rows": [
            (line.what, line.qty, price(line.unit_amount), price(line.amount))
            for line in intent.lines
        ],
        "way": None if intent.way is None else (intent.way.what, price(intent.way.amount)),
        "deadline_machine": deadline.isoformat(),
        "deadline": f"{deadline:%H:%M:%S} {deadline.tzname()}",
        "left": left(left_ms, say) if left_ms > 0 else "",
        "left_ms": left_ms,
        "key": _key(bill),
    }


def _key(bill: Bill) -> str:
    """The form's key: a double click is one choice, a choice on a page loaded later is another."""
    return f"{bill.now_ms:x}"


def left(ms: int, say: Catalogue = ENGLISH) -> str:
    """`262_000` -> `4 min 22 s`."""
    minutes, seconds = divmod(ms // 1000, 60)
    if not minutes:
        return say("only_seconds", seconds=seconds)
    return say("minutes_seconds", minutes=minutes, seconds=seconds)
