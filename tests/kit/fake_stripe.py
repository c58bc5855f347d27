"""A Stripe to test against: its HTTP API as far as we use it, with its rules and its faults.

It keeps what it was told, refuses what Stripe refuses under the same codes, repeats the first
answer of a key however old it is, and signs what it tells.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.kit.webhook_receiver import Delivery

Thing = dict[str, Any]
Fault = Literal["lost", "busy", "slow_down", "broken"]
"""`lost`: it is done, and the answer never comes; `busy`: another call has its key (409);
`slow_down`: 429 with Retry-After; `broken`: 500."""

BRING_S = 0.05
HALF_HOUR_S, DAY_S = 1_800, 86_400
WEBHOOK_SECRET = "whsec_tests"
KEY = "sk_test_tests"
CARD = "fp_tests"
STATUS = {"busy": 409, "slow_down": 429, "broken": 500}


class Refusal(Exception):
    """What Stripe answers instead."""

    def __init__(self, status: int, kind: str, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "code": code, "message": message}}


def invalid(code: str, message: str, status: int = 400) -> Refusal:
    return Refusal(status, "invalid_request_error", code, message)


class FakeStripe:
    """One account. clock: ms. `told`: every word that was signed; `tell` brings it to somebody."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._number = itertools.count(1)
        self.sessions: dict[str, Thing] = {}
        self.payments: dict[str, Thing] = {}
        self.refunds: dict[str, Thing] = {}
        self._keys: dict[str, tuple[str, int, Thing]] = {}
        self.faults: deque[Fault] = deque()
        self.key = KEY
        self.lost_at = 0
        """The answer of so manyth call from now on is lost; 0: of none."""
        self.told: list[Delivery] = []
        self.captured = asyncio.Event()
        """Something was."""
        self.refused: list[str] = []
        """Answers of the shop to words that have to come again."""
        self._later: list[tuple[int, Callable[[], None]]] = []
        self.url = ""
        self.app = Starlette(
            routes=[
                Route("/v1/{path:path}", self._door, methods=["GET", "POST", "DELETE"]),
                Route("/c/pay/{session}", self._page, methods=["GET"]),
                Route("/c/pay/{session}", self._paid, methods=["POST"]),
            ]
        )

    def at(self, due_ms: int, what: Callable[[], None]) -> None:
        """Something happens over there at that time: it has, when Stripe is asked after it."""
        self._later.append((due_ms, what))

    def _happen(self) -> None:
        due = [one for one in self._later if one[0] <= self._clock()]
        self._later = [one for one in self._later if one[0] > self._clock()]
        for _, what in sorted(due, key=lambda one: one[0]):
            what()

    def pay(
        self, session: str, card: Literal["good", "declined", "asks"] = "good", number: str = ""
    ) -> None:
        """A payer's card at a page. `asks`: his bank wants a word with him first. number: '' for
        the one that tests have when they do not say."""
        found = self.sessions[session]
        self._end_old()
        if found["status"] != "open":
            return
        payment = found["payment_intent"] and self.payments[found["payment_intent"]]
        payment = payment or self._begun(found)
        payment["_card"] = f"fp_{number}" if number else CARD
        if card == "declined":
            payment["last_payment_error"] = {"code": "card_declined", "type": "card_error"}
            self._tell("payment_intent.payment_failed", payment)
        elif card == "asks":
            payment["status"] = "requires_action"
        else:
            self._authorised(payment, found)

    def answer_bank(self, session: str) -> None:
        """The payer did what his bank asked of him."""
        found = self.sessions[session]
        payment = self.payments.get(found["payment_intent"] or "")
        if payment is not None and payment["status"] == "requires_action":
            self._authorised(payment, found)

    async def bring(self, url: str) -> None:
        """Bring each word to a shop, again and again until it is taken; until cancelled."""
        brought = 0
        async with httpx2.AsyncClient(trust_env=False) as http:
            while True:
                for headers, body in self.told[brought:]:
                    taken = await http.post(url, content=body, headers=headers)
                    if taken.is_success:
                        brought += 1
                        continue
                    self.refused.append(f"{taken.status_code} {taken.text}")
                    break
                await asyncio.sleep(BRING_S)

    def forget_keys(self) -> None:
        """A day went by."""
        self._keys.clear()

    def let_go_is_told(self, payment: str, amount: int) -> None:
        """What a part capture let go of stands among the refunds too."""
        charge = self.payments[payment]["latest_charge"]
        charge["amount_refunded"] += amount
        charge["_let_go"] = amount
        refund = {
            "id": self._id("re"),
            "object": "refund",
            "amount": amount,
            "created": self._now_s(),
            "currency": self.payments[payment]["currency"],
            "metadata": {},
            "payment_intent": payment,
            "status": "succeeded",
        }
        self.refunds[refund["id"]] = refund

    def sign(self, body: bytes, at_s: int, secret: str = WEBHOOK_SECRET) -> Delivery:
        seal = hmac.digest(secret.encode(), b"%d.%s" % (at_s, body), "sha256").hex()
        return Delivery([(b"stripe-signature", f"t={at_s},v1={seal}".encode())], body)

    def _begun(self, session: Thing) -> Thing:
        data = session["_data"]
        payment: Thing = {
            "id": self._id("pi"),
            "object": "payment_intent",
            "amount": session["amount_total"],
            "amount_capturable": 0,
            "amount_received": 0,
            "capture_method": data.get("capture_method", "automatic_async"),
            "created": self._now_s(),
            "currency": session["currency"],
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": data.get("metadata", {}),
            "status": "requires_payment_method",
        }
        self.payments[payment["id"]] = payment
        session["payment_intent"] = payment["id"]
        return payment

    def _authorised(self, payment: Thing, session: Thing) -> None:
        assert payment["capture_method"] == "manual"
        payment |= {"status": "requires_capture", "amount_capturable": payment["amount"]}
        payment["last_payment_error"] = None
        payment["latest_charge"] = {
            "id": self._id("ch"),
            "object": "charge",
            "amount": payment["amount"],
            "amount_captured": 0,
            "amount_refunded": 0,
            "balance_transaction": None,
            "payment_method_details": {"type": "card", "card": {"fingerprint": payment["_card"]}},
        }
        session |= {"status": "complete", "payment_status": "unpaid"}
        self._tell("payment_intent.amount_capturable_updated", payment)
        self._tell("checkout.session.completed", session)

    async def _door(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            refusal = Refusal(401, "invalid_request_error", "", "Invalid API Key provided")
            return JSONResponse(refusal.body, 401)
        text = (await request.body()).decode()
        pairs = parse_qsl(text or str(request.url.query), keep_blank_values=True)
        form, path = nested(pairs), request.path_params["path"]
        self._happen()
        fault = self.faults.popleft() if self.faults else None
        if self.lost_at:
            self.lost_at -= 1
            fault = fault if self.lost_at else "lost"
        if fault is not None and fault != "lost":
            kind = "rate_limit" if fault == "slow_down" else "lock_timeout"
            body = Refusal(STATUS[fault], "invalid_request_error", kind, "come back").body
            return JSONResponse(body, STATUS[fault], headers={"retry-after": "1"})
        answer = self._answer(request.method, path, form, request.headers.get("idempotency-key"))
        if fault == "lost":
            # The connection ends before the answer does.
            return Response(b"{", headers={"content-length": "100000"})
        return answer

    def _answer(self, method: str, path: str, form: Thing, key: str | None) -> Response:
        asked = hashlib.sha256(json.dumps([path, form], sort_keys=True).encode()).hexdigest()
        if method == "POST" and key is not None and key in self._keys:
            first, status, body = self._keys[key]
            if first != asked:
                said = "Keys for idempotent requests can only be used with the same parameters."
                return JSONResponse(Refusal(400, "idempotency_error", "", said).body, 400)
            return JSONResponse(body, status, headers={"idempotent-replayed": "true"})
        try:
            self._end_old()
            status, body = 200, shown(self._do(method, path.split("/"), form))
        except Refusal as refusal:
            status, body = refusal.status, refusal.body
        if method == "POST" and key is not None:
            self._keys[key] = (asked, status, body)
        expand = [str(one) for one in form.get("expand", {}).values()] if method == "GET" else []
        return JSONResponse(self._expanded(body, expand), status)

    def _do(self, method: str, path: list[str], form: Thing) -> Thing:
        match method, path:
            case "POST", ["checkout", "sessions"]:
                return self._session(form)
            case "GET", ["checkout", "sessions", one]:
                return got(self.sessions, one)
            case "POST", ["checkout", "sessions", one, "expire"]:
                return self._expire(got(self.sessions, one))
            case "GET", ["payment_intents"]:
                since = int(form["created"]["gte"])
                found = [one for one in self.payments.values() if one["created"] >= since]
                return a_list(found[::-1], form, "/v1/payment_intents")
            case "GET", ["payment_intents", one]:
                return got(self.payments, one)
            case "POST", ["payment_intents", one, "capture"]:
                return self._capture(got(self.payments, one), form)
            case "POST", ["payment_intents", one, "cancel"]:
                return self._let_go(got(self.payments, one))
            case "POST", ["refunds"]:
                return self._refund(got(self.payments, form["payment_intent"]), form)
            case "GET", ["refunds"]:
                of = form.get("payment_intent")
                found = [one for one in self.refunds.values() if one["payment_intent"] == of]
                return a_list(found[::-1], form, "/v1/refunds")
        raise invalid("resource_missing", f"Unrecognized request URL {'/'.join(path)}", 404)

    def _session(self, form: Thing) -> Thing:
        now_s = self._now_s()
        until = int(form.get("expires_at", now_s + DAY_S))
        if not now_s + HALF_HOUR_S <= until <= now_s + DAY_S:
            said = "The `expires_at` timestamp must be between 30 minutes and 24 hours from now."
            raise invalid("parameter_invalid", said)
        lines = list(form["line_items"].values())
        amounts = [int(one["price_data"]["unit_amount"]) * int(one["quantity"]) for one in lines]
        session = {
            "id": self._id("cs_test"),
            "object": "checkout.session",
            "amount_total": sum(amounts),
            "cancel_url": form.get("cancel_url"),
            "client_reference_id": form.get("client_reference_id"),
            "created": now_s,
            "currency": lines[0]["price_data"]["currency"],
            "expires_at": until,
            "livemode": False,
            "metadata": form.get("metadata", {}),
            "mode": form["mode"],
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "success_url": form["success_url"],
            "_data": form.get("payment_intent_data", {}),
            "_lines": [one["price_data"]["product_data"]["name"] for one in lines],
        }
        session["url"] = f"{self.url}/c/pay/{session['id']}"
        self.sessions[session["id"]] = session
        return session

    def _expire(self, session: Thing) -> Thing:
        if session["status"] != "open":
            said = 'Only Checkout Sessions with a status in ["open"] can be expired.'
            raise invalid("resource_invalid_state", said)
        session["status"] = "expired"
        payment = session["payment_intent"] and self.payments[session["payment_intent"]]
        if payment and payment["status"] in ("requires_payment_method", "requires_action"):
            payment["status"] = "canceled"
        self._tell("checkout.session.expired", session)
        return session

    def _capture(self, payment: Thing, form: Thing) -> Thing:
        amount = int(form.get("amount_to_capture") or payment["amount_capturable"])
        if payment["status"] != "requires_capture":
            raise unexpected("captured", payment)
        if amount > payment["amount_capturable"]:
            raise invalid("amount_too_large", "The amount is greater than what can be captured.")
        payment |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
        payment["latest_charge"]["amount_captured"] = amount
        self.captured.set()
        payment["latest_charge"]["balance_transaction"] = {
            "id": self._id("txn"),
            "object": "balance_transaction",
            "currency": payment["currency"],
            "fee": 25 + amount * 15 // 1000,
        }
        self._tell("payment_intent.succeeded", payment)
        return payment

    def _let_go(self, payment: Thing) -> Thing:
        if payment["status"] in ("succeeded", "canceled", "processing"):
            raise unexpected("canceled", payment)
        payment |= {"status": "canceled", "amount_capturable": 0}
        self._tell("payment_intent.canceled", payment)
        return payment

    def _refund(self, payment: Thing, form: Thing) -> Thing:
        if payment["status"] != "succeeded":
            raise unexpected("refunded", payment)
        charge = payment["latest_charge"]
        left = payment["amount_received"] - charge["amount_refunded"] + charge.get("_let_go", 0)
        amount = int(form.get("amount") or left)
        if left == 0:
            raise invalid("charge_already_refunded", "Charge has already been refunded.")
        if amount > left:
            said = f"Refund amount is greater than unrefunded amount on charge ({left})"
            raise invalid("amount_too_large", said)
        charge["amount_refunded"] += amount
        refund = {
            "id": self._id("re"),
            "object": "refund",
            "amount": amount,
            "created": self._now_s(),
            "currency": payment["currency"],
            "metadata": form.get("metadata", {}),
            "payment_intent": payment["id"],
            "status": "succeeded",
        }
        self.refunds[refund["id"]] = refund
        self._tell("refund.created", refund)
        return refund

    def _expanded(self, body: Thing, expand: list[str]) -> Thing:
        """Ids stand where nobody asked for the thing itself."""
        body = json.loads(json.dumps(body))
        for one in body["data"] if body.get("object") == "list" else [body]:
            if one.get("object") == "checkout.session" and one["payment_intent"]:
                if any(name.startswith("payment_intent") for name in expand):
                    one["payment_intent"] = shown(self.payments[one["payment_intent"]])
            elif one.get("object") == "payment_intent" and one["latest_charge"] and not expand:
                one["latest_charge"] = one["latest_charge"]["id"]
        return body

    def _end_old(self) -> None:
        for session in self.sessions.values():
            if session["status"] == "open" and session["expires_at"] <= self._now_s():
                self._expire(session)

    def _tell(self, kind: str, thing: Thing) -> None:
        event = {
            "id": self._id("evt"),
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": self._now_s(),
            "data": {"object": self._expanded(shown(thing), [])},
            "livemode": False,
            "type": kind,
        }
        self.told.append(self.sign(json.dumps(event).encode(), self._now_s()))

    def _id(self, kind: str) -> str:
        return f"{kind}_{next(self._number):06d}"

    def _now_s(self) -> int:
        return self._clock() // 1000

    async def _page(self, request: Request) -> Response:
        session = self.sessions.get(request.path_params["session"])
        if session is None or session["status"] != "open":
            return PlainTextResponse("This page takes no payment any more.", 410)
        rows = "".join(f"<li>{name}" for name in session["_lines"])
        total = session["amount_total"]
        page = (
            f"<!doctype html><title>Fake Stripe</title><h1>Fake Stripe</h1><ul>{rows}</ul>"
            f"<p>{total} {session['currency']}<form method=post><button>Pay</button></form>"
        )
        return Response(page, media_type="text/html")

    async def _paid(self, request: Request) -> Response:
        session = request.path_params["session"]
        self.pay(session)
        return RedirectResponse(self.sessions[session]["success_url"], 303)


def nested(pairs: list[tuple[str, str]]) -> Thing:
    """`a[b][0]=c` as Stripe's library writes it."""
    whole: Thing = {}
    for name, value in pairs:
        *outer, last = re.findall(r"[^\[\]]+", name) if not name.endswith("[]") else [name[:-2], ""]
        at = whole
        for step in outer:
            at = at.setdefault(step, {})
        at[last or str(len(at))] = value
    return whole


def shown(thing: Thing) -> Thing:
    return {name: value for name, value in thing.items() if not name.startswith("_")}


def got(things: Mapping[str, Thing], one: str) -> Thing:
    if one not in things:
        raise invalid("resource_missing", f"No such object: '{one}'", 404)
    return things[one]


def a_list(found: list[Thing], form: Thing, url: str) -> Thing:
    """The newest first, `limit` at once, those behind `starting_after`."""
    if after := form.get("starting_after"):
        found = found[[one["id"] for one in found].index(after) + 1 :]
    most = int(form.get("limit", 10))
    data = [shown(one) for one in found[:most]]
    return {"object": "list", "url": url, "has_more": len(found) > most, "data": data}


def unexpected(what: str, payment: Thing) -> Refusal:
    said = f"This PaymentIntent could not be {what} because it has a status of {payment['status']}."
    return invalid("payment_intent_unexpected_state", said)
