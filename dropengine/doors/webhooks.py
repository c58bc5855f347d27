"""The doors of payment: the webhooks that tell the scripts, and the pages that providers bring.

A provider is answered 2xx only after the script has decided. Whatever else happens it comes again,
and coming again is harmless. Providers are known by their names alone.
"""

from __future__ import annotations

import logging
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dropengine import errors, model, outcomes, refusals
from dropengine.doors.http_answers import problem
from dropengine.doors.page_templates import Templates
from dropengine.payments import duties
from dropengine.payments.configured import Configured
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.port import (
    WEBHOOKS,
    Charged,
    Failed,
    Ignored,
    Notice,
    Payments,
    Unknown,
    Unproven,
)
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

BODY_BYTES_MAX = 16_384
"""A webhook is a few hundred bytes."""
TOLD_BYTES_MAX = 1_000
"""So much of a webhook that cannot be read stands in the shop's log: enough to find its charge."""
NO_PAYMENT = ""
"""Money that is for no payment of ours."""


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def store(self) -> Store: ...
    @property
    def intents(self) -> IntentIds: ...
    @property
    def payments(self) -> Configured: ...
    @property
    def templates(self) -> Templates: ...


def routes(deps: Deps) -> list[Route]:
    """For each provider that was built: its webhook door, and the doors that it brings itself."""
    doors: list[Route] = []
    for name, provider in deps.payments.built.items():
        take = Webhook(deps, provider).take
        doors.append(
            Route(f"{WEBHOOKS}{name}", take, methods=["POST"], max_body_size=BODY_BYTES_MAX)
        )
        doors += provider.routes(deps.templates, problem)
    return doors


class Webhook:
    """One provider's word comes in here."""

    def __init__(self, deps: Deps, provider: Payments) -> None:
        self._deps = deps
        self._provider = provider

    async def take(self, request: Request) -> Response:
        """200 once the scripts know of it, 400 when it is unproven, 503 when it must come again."""
        body = await request.body()
        notice = self._provider.parse_webhook(request.headers.raw, body)
        match notice:
            case Unproven(why=why, signed=signed):
                if signed:
                    # Here may be money that nobody else will hear of.
                    word = body[:TOLD_BYTES_MAX]
                    log.error("the word of %s cannot be read: %r", self._provider.name, word)
                return problem(None, refusals.BadMessage(f"not the provider's word: {why}"))
            case Ignored():
                return JSONResponse({"outcome": "ignored"})
            case Notice(kind="declined"):
                # The fan was told by the provider and may try again until the deadline.
                return JSONResponse({"outcome": "declined"})
        paid = Charged(
            notice.charge, notice.amount, notice.currency, notice.captured, card=notice.card
        )
        try:
            outcome = await self._judge(notice, paid)
        except errors.Unavailable as error:
            return problem(None, refusals.Away(why=error.why))
        # A frozen drop decides nothing; its money comes again when somebody has looked at it.
        if isinstance(outcome, Unknown | Failed | refusals.Frozen):
            return problem(None, refusals.Away())
        if isinstance(outcome, refusals.BadMessage):
            return problem(None, outcome)
        return JSONResponse({"outcome": model.snake(type(outcome).__name__)})

    async def _judge(
        self, notice: Notice, paid: Charged
    ) -> outcomes.PaymentOutcome | Unknown | Failed:
        """What the money bought. A payment of the same name may be another than was paid: money
        under an id that is not the payment's is for none of ours, and goes back, unless its charge
        was judged before. Raises errors.Unavailable."""
        drop, payment = notice.drop, notice.payment
        if notice.intent not in await self._deps.intents.all(drop, payment):
            log.warning("%s: %s tells of %s, which is not its id", drop, payment, notice.intent)
            payment = NO_PAYMENT
        store, providers, intents = self._deps.store, self._deps.payments, self._deps.intents
        told = (self._provider, intents, drop, payment, paid)
        return await duties.report(store, providers, *told)
