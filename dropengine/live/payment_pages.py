"""Where the holds of one drop are paid: what the provider said, asked once for each deadline.

Each hold is asked about by itself, and nobody waits longer than `ANSWER_S_MAX`: a slow provider
keeps neither another fan nor another hold waiting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

import msgspec

from dropengine import wire
from dropengine.live import views
from dropengine.model import DropId, HoldId, HoldRecord
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.port import Payments, intend

log = logging.getLogger(__name__)

ANSWER_S_MAX = 5.0
"""Who waits for a page is answered by then; the question goes on."""
QUESTION_S_MAX = 20.0
"""A provider that has not answered by then is asked anew when somebody wants the page."""
QUESTIONS_MAX = 256
"""On their way at once; beyond it a page is not there yet."""

Question = asyncio.Task[bool]
"""To the provider, about one hold: was it answered?"""


class PaymentPages:
    """The payment pages of one drop's holds, and the holds as screens read them, with their page.

    public: the drop as it stands, or None before anything is known of it.
    """

    def __init__(
        self,
        payments: Payments,
        intents: IntentIds,
        drop: DropId,
        public: Callable[[], wire.DropView | None],
    ) -> None:
        self._payments = payments
        self._intents = intents
        self._drop = drop
        self._public = public
        self._pages: dict[str, str] = {}
        self._told: dict[str, int] = {}
        """Hold -> the deadline that its payment page tells, ms."""
        self._questions: dict[str, tuple[int, Question]] = {}
        """Hold -> the deadline that is being told to the provider."""

    async def begin(self, hold_id: str, hold: HoldRecord) -> str:
        """Where this hold is paid; '' while the provider does not answer."""
        question = self._question(hold_id, hold)
        if question is not None:
            await asyncio.wait({question}, timeout=ANSWER_S_MAX)
        return self._pages.get(hold_id, "")

    def questions(self, holds: Iterable[tuple[str, HoldRecord]]) -> list[Question]:
        """What is on its way to the provider about a fan's holds that are being paid."""
        paying = (one for one in holds if one[1].state == "paying")
        return [question for one in paying if (question := self._question(*one)) is not None]

    def view(self, hold_id: str, hold: HoldRecord) -> wire.HoldView:
        """One hold as screens read it."""
        return views.hold_view(hold_id, hold, self._pages.get(hold_id, ""))

    def text(self, hold_id: str, hold: HoldRecord) -> msgspec.Raw:
        """The same as JSON: it goes into the answer, into `you`, and later into another `you`."""
        return msgspec.Raw(
            wire.encode(views.hold_view(hold_id, hold, self._pages.get(hold_id, "")))
        )

    async def close(self) -> None:
        """Nobody waits any more."""
        questions = [question for _, question in self._questions.values()]
        for question in questions:
            question.cancel()
        await asyncio.gather(*questions, return_exceptions=True)

    def _question(self, hold_id: str, hold: HoldRecord) -> Question | None:
        """What is on its way to the provider about this hold; None when there is nothing to wait
        for."""
        # The page tells the deadline: more time has to be told there too.
        if self._told.get(hold_id) == hold.deadline_ms:
            return None
        deadline_ms, before = self._questions.get(hold_id, (0, None))
        if before is not None and deadline_ms == hold.deadline_ms:
            return before
        drop = self._public()
        if drop is None or (before is None and len(self._questions) >= QUESTIONS_MAX):
            return None
        question = asyncio.get_running_loop().create_task(self._ask(drop, hold_id, hold, before))
        self._questions[hold_id] = (hold.deadline_ms, question)
        question.add_done_callback(lambda done: self._answered(hold_id, done))
        return question

    async def _ask(
        self,
        drop: wire.DropView,
        hold_id: str,
        hold: HoldRecord,
        before: Question | None,
    ) -> bool:
        if before is not None:
            # The later deadline must come last.
            await asyncio.wait({before})
        try:
            async with asyncio.timeout(QUESTION_S_MAX):
                intent = await self._intents.now(self._drop, HoldId(hold_id))
                if intent is None:
                    return False
                back = f"/drops/{self._drop}"
                page = await self._payments.begin(intend(intent, drop, HoldId(hold_id), hold, back))
        except Exception as error:  # noqa: BLE001 - the fan may press pay again
            why = str(error) or "no answer in time"
            log.warning("%s: no payment page for %s: %s", self._drop, hold_id, why)
            return False
        self._pages[hold_id] = page
        self._told[hold_id] = hold.deadline_ms
        return True

    def _answered(self, hold_id: str, question: Question) -> None:
        if self._questions.get(hold_id, (0, None))[1] is question:
            del self._questions[hold_id]
