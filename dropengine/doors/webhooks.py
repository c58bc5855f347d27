"""The doors of payment: the webhook that tells the scripts, and the local test provider's own page.

A provider is answered 2xx only after the script has decided. Whatever else happens it comes again,
and coming again is harmless.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Protocol
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jinja2
import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from dropengine import errors, model, refusals
from dropengine.doors.problem import problem
from dropengine.payments import port
from dropengine.payments.local import AFTER_MS_MAX, Bill, Do, LocalPay
from dropengine.payments.port import Charged, Failed, Notice, Payments, Unknown, Unproven
from dropengine.truth.store import Store

BODY_BYTES_MAX = 16_384
"""A webhook or a form is a few hundred bytes."""

PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    # Not `no-referrer`: under it a browser sends `Origin: null` with the form, which is refused.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class Deps(Protocol):
    """What this door needs of the house."""

    @property
    def store(self) -> Store: ...
    @property
    def payments(self) -> Payments: ...
    @property
    def templates(self) -> jinja2.Environment: ...


def routes(deps: Deps) -> list[Route]:
    """The webhook door of the provider in use, and the page of the local one."""
    hook = Hook(deps)
    doors = [
        Route(
            f"/api/pay/webhooks/{deps.payments.name}",
            hook.take,
            methods=["POST"],
            max_body_size=BODY_BYTES_MAX,
        )
    ]
    if isinstance(deps.payments, LocalPay):
        page = Page(deps.payments, deps.templates)
        doors += [
            Route("/pay/local/{intent}", page.show, methods=["GET"]),
            Route("/pay/local/{intent}", page.act, methods=["POST"], max_body_size=BODY_BYTES_MAX),
        ]
    return doors


class Hook:
    """The provider's word comes in here."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def take(self, request: Request) -> Response:
        """200 once the scripts know of it, 400 when it is unproven, 503 when it must come again."""
        body = await request.body()
        notice = self._deps.payments.parse_webhook(request.headers.raw, body)
        match notice:
            case Unproven(why=why):
                return problem(None, refusals.BadMessage(f"not the provider's word: {why}"))
            case Notice(kind="declined"):
                # The fan was told by the provider and may try again until the deadline.
                return JSONResponse({"outcome": "declined"})
        paid = Charged(notice.charge, notice.amount, notice.currency, notice.captured)
        try:
            outcome = await port.report(
                self._deps.store, self._deps.payments, notice.drop, notice.hold, paid
            )
        except errors.Unavailable:
            return problem(None, refusals.Away())
        # A frozen drop decides nothing; its money comes again when somebody has looked at it.
        if isinstance(outcome, Unknown | Failed | refusals.Frozen):
            return problem(None, refusals.Away())
        return JSONResponse({"outcome": model.snake(type(outcome).__name__)})


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a payer sends. `key`: the same key is the same choice."""

    do: Do
    after_ms: Annotated[int, Meta(ge=0, le=AFTER_MS_MAX)] | None = None
    key: Annotated[str, Meta(max_length=64)] = ""


class Page:
    """The local provider's page: plain HTML, works without scripts; the same door takes JSON."""

    def __init__(self, provider: LocalPay, templates: jinja2.Environment) -> None:
        self._provider = provider
        self._templates = templates

    async def show(self, request: Request) -> Response:
        try:
            bill = await self._provider.bill(request.path_params["intent"])
        except errors.Unavailable:
            return problem(None, refusals.Away())
        return self._html(bill)

    async def act(self, request: Request) -> Response:
        """The payer's choice. A form is answered by a redirect, JSON by how the payment stands."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in ("application/json", "application/x-www-form-urlencoded"):
            return problem(415, refusals.BadMessage("send a form or JSON"))
        as_json = kind == "application/json"
        body = await request.body()
        try:
            choice = msgspec.json.decode(body, type=Choice) if as_json else _of_form(body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return problem(None, refusals.BadMessage(str(error)))
        try:
            bill = await self._provider.act(
                request.path_params["intent"], choice.do, choice.after_ms, choice.key
            )
        except errors.Unavailable:
            return problem(None, refusals.Away())
        if as_json:
            return _json(bill)
        if bill is None:
            return self._html(bill)
        # See other: a reload must not pay again. Who has paid goes back to the shop, as everywhere.
        done = bill.standing.paid and bill.intent.back
        return RedirectResponse(bill.intent.back if done else request.url.path, 303, PAGE_HEADERS)

    def _html(self, bill: Bill | None) -> Response:
        text = self._templates.get_template("localpay.html").render(_words(bill))
        return HTMLResponse(text, 404 if bill is None else 200, PAGE_HEADERS)


def _of_form(body: bytes) -> Choice:
    """A form's fields, the browser's spelling. Raises ValueError or msgspec.ValidationError.

    `after_s` is what people type; each button may bring a field of its own: `delay_s`, `late_s`.
    """
    fields = dict(
        parse_qsl(body.decode(), keep_blank_values=False, strict_parsing=True, max_num_fields=8)
    )
    wanted: dict[str, Any] = {"do": fields.get("do", ""), "key": fields.get("key", "")}
    seconds = fields.get(f"{wanted['do']}_s", "")
    if seconds:
        if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 5):
            raise ValueError("seconds are a whole number")
        wanted["after_ms"] = int(seconds) * 1000
    elif "after_ms" in fields:
        wanted["after_ms"] = int(fields["after_ms"])
    return msgspec.convert(wanted, Choice)


def _json(bill: Bill | None) -> Response:
    if bill is None:
        return problem(None, refusals.NotFound())
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


def _words(bill: Bill | None) -> dict[str, object]:
    if bill is None:
        return {"bill": None}
    intent = bill.intent
    left_ms = intent.deadline_ms - bill.now_ms
    zone = _zone(intent.zone)
    deadline = datetime.fromtimestamp(intent.deadline_ms / 1000, zone)
    return {
        "bill": bill,
        "intent": intent,
        "standing": str(bill.standing),
        "payable": not bill.standing.paid and bill.standing != "returned",
        "moving": bill.standing == "processing",
        "price": price(intent.amount, intent.minor_digits, intent.currency),
        "deadline_machine": deadline.isoformat(),
        "deadline": f"{deadline:%H:%M:%S} {deadline.tzname()}",
        "left": left(left_ms) if left_ms > 0 else "",
        "key": _key(bill),
    }


def _key(bill: Bill) -> str:
    """The form's key: a double click is one choice, a choice on a page loaded later is another."""
    return f"{bill.now_ms:x}"


def _zone(name: str) -> ZoneInfo | Any:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A machine without the time zone's data still tells the right moment.
        return UTC


def price(amount: int, minor_digits: int, currency: str) -> str:
    """`2400, 2, EUR` -> `24.00 EUR`. Integers all the way."""
    whole, rest = divmod(amount, 10**minor_digits)
    text = f"{whole}.{rest:0{minor_digits}d}" if minor_digits else str(whole)
    return f"{text} {currency}"


def left(ms: int) -> str:
    """`262_000` -> `4 min 22 s`."""
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
