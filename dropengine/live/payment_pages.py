"""Where the payments of one drop are made: what their provider said, asked once for each deadline.

Each payment is asked about by itself, and nobody waits longer than `ANSWER_S_MAX`: a slow provider
keeps neither another fan nor another payment waiting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from dropengine import wire
from dropengine.live import views
from dropengine.model import DropId, HoldRecord, PaymentRecord, PaymentState
from dropengine.payments.configured import Configured
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.port import intend

log = logging.getLogger(__name__)

ANSWER_S_MAX = 5.0
"""Who waits for a page is answered by then; the question goes on."""
QUESTION_S_MAX = 20.0
"""A provider that has not answered by then is asked anew when somebody wants the page."""
QUESTIONS_MAX = 256
"""On their way at once; beyond it a page is not there yet."""

Question = asyncio.Task[bool]
"""To the provider, about one payment: was it answered?"""
Holds = Sequence[tuple[str, HoldRecord]]
"""With their ids."""


class PaymentPages:
    """The payment pages of one drop, and its holds and payments as screens read them, with their
    page.

    providers: those of the shop. public: the drop as it stands, or None before anything is known of
    it.
    """

    def __init__(
        self,
        providers: Configured,
        intents: IntentIds,
        drop: DropId,
        public: Callable[[], wire.DropView | None],
    ) -> None:
        self._providers = providers
        self._intents = intents
        self._drop = drop
        self._public = public
        self._pages: dict[str, str] = {}
        self._told: dict[str, int] = {}
        """Payment -> the deadline that its page tells, ms."""
        self._questions: dict[str, tuple[int, Question]] = {}
        """Payment -> the deadline that is being told to the provider."""

    async def begin(self, payment_id: str, payment: PaymentRecord, holds: Holds) -> str:
        """Where this is paid; '' while the provider does not answer. holds: those of
        it that are at hand."""
        question = self._question(payment_id, payment, holds)
        if question is not None:
            await asyncio.wait({question}, timeout=ANSWER_S_MAX)
        return self.page(payment_id)

    def questions(
        self, payments: Iterable[tuple[str, PaymentRecord]], holds: Holds
    ) -> list[Question]:
        """What is on its way to the provider about a fan's payments that are open."""
        asked = (
            self._question(payment_id, payment, holds)
            for payment_id, payment in payments
            if payment.state == PaymentState.OPEN
        )
        return [question for question in asked if question is not None]

    def page(self, payment_id: str) -> str:
        """Where a payment is made, or ''."""
        return self._pages.get(payment_id, "")

    def view(self, hold_id: str, hold: HoldRecord) -> wire.HoldView:
        """One hold as screens read it."""
        return views.hold_view(hold_id, hold, self.page(hold.payment))

    def text(self, hold_id: str, hold: HoldRecord) -> msgspec.Raw:
        """The same as JSON: it goes into the answer, into `you`, and later into another `you`."""
        return msgspec.Raw(wire.encode(self.view(hold_id, hold)))

    def payment(self, payment_id: str, payment: PaymentRecord) -> wire.PaymentView:
        """One payment as screens read it."""
        page = self.page(payment_id) if payment.state == PaymentState.OPEN else ""
        return views.payment_view(payment_id, payment, page)

    async def close(self) -> None:
        """Nobody waits any more."""
        questions = [question for _, question in self._questions.values()]
        for question in questions:
            question.cancel()
        await asyncio.gather(*questions, return_exceptions=True)

    def _question(self, payment_id: str, payment: PaymentRecord, holds: Holds) -> Question | None:
        """What is on its way to the provider about this payment; None when there is nothing to wait
        for."""
        # The page tells the deadline: more time has to be told there too.
        deadline_ms = payment.deadline_ms
        if self._told.get(payment_id) == deadline_ms:
            return None
        asked_ms, before = self._questions.get(payment_id, (0, None))
        if before is not None and asked_ms == deadline_ms:
            return before
        drop = self._public()
        if drop is None or (before is None and len(self._questions) >= QUESTIONS_MAX):
            return None
        task = self._ask(drop, payment_id, payment, dict(holds), before)
        question = asyncio.get_running_loop().create_task(task)
        self._questions[payment_id] = (deadline_ms, question)
        question.add_done_callback(lambda done: self._answered(payment_id, done))
        return question

    async def _ask(
        self,
        drop: wire.DropView,
        payment_id: str,
        payment: PaymentRecord,
        known: Mapping[str, HoldRecord],
        before: Question | None,
    ) -> bool:
        if before is not None:
            # The later deadline must come last.
            await asyncio.wait({before})
        provider = self._providers.of(payment.provider)
        if provider is None or not self._providers.takes(payment.provider, practice=drop.practice):
            log.error("%s: %s cannot be paid at %r", self._drop, payment_id, payment.provider)
            return False
        try:
            async with asyncio.timeout(QUESTION_S_MAX):
                intent = await self._intents.now(self._drop, payment_id)
                if intent is None:
                    return False
                back = f"/drops/{self._drop}"
                if all(hold in known for hold in payment.holds):
                    holds = [known[hold] for hold in payment.holds]
                else:
                    # One of them has ended, and what a fan is told leaves it out.
                    holds = await self._intents.holds(self._drop, payment)
                wanted = intend(intent, drop, payment_id, payment, holds, back)
                page = await provider.begin(wanted)
        except Exception as error:  # noqa: BLE001 - the fan may press pay again
            why = str(error) or "no answer in time"
            log.warning("%s: no payment page for %s: %s", self._drop, payment_id, why)
            return False
        self._pages[payment_id] = page
        self._told[payment_id] = payment.deadline_ms
        return True

    def _answered(self, payment_id: str, question: Question) -> None:
        if self._questions.get(payment_id, (0, None))[1] is question:
            del self._questions[payment_id]
