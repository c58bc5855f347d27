"""Where the holds of one drop are paid: what the provider said, asked once for each deadline."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import msgspec

from dropengine import wire
from dropengine.live import views
from dropengine.model import DropId, HoldId, HoldRecord
from dropengine.payments.port import Payments, intend

log = logging.getLogger(__name__)


class PaymentPages:
    """The payment pages of one drop's holds, and the holds as screens read them, with their page.

    public: the drop as it stands, or None before anything is known of it.
    """

    def __init__(
        self, payments: Payments, drop: DropId, public: Callable[[], wire.DropView | None]
    ) -> None:
        self._payments = payments
        self._drop = drop
        self._public = public
        self._pages: dict[str, str] = {}
        self._told: dict[str, int] = {}
        """Hold -> the deadline that its payment page tells, ms."""

    async def begin(self, hold_id: str, hold: HoldRecord) -> str:
        """Where this hold is paid; '' while the provider does not answer."""
        page = self._pages.get(hold_id, "")
        # The page tells the deadline: more time has to be told there too.
        if self._told.get(hold_id) != hold.deadline_ms and (drop := self._public()) is not None:
            try:
                intent = intend(drop, HoldId(hold_id), hold, f"/drops/{self._drop}")
                page = await self._payments.begin(intent)
            except Exception as error:  # noqa: BLE001 - the fan may press pay again
                log.warning("%s: no payment page for %s: %s", self._drop, hold_id, error)
                return page
            self._pages[hold_id] = page
            self._told[hold_id] = hold.deadline_ms
        return page

    async def begin_all(self, holds: Iterable[tuple[str, HoldRecord]]) -> None:
        """The same for those of a fan's holds that are being paid."""
        for hold_id, hold in holds:
            if hold.state == "paying":
                await self.begin(hold_id, hold)

    def view(self, hold_id: str, hold: HoldRecord) -> wire.HoldView:
        """One hold as screens read it."""
        return views.hold_view(hold_id, hold, self._pages.get(hold_id, ""))

    def text(self, hold_id: str, hold: HoldRecord) -> msgspec.Raw:
        """The same as JSON: it goes into the answer, into `you`, and later into another `you`."""
        return msgspec.Raw(
            wire.encode(views.hold_view(hold_id, hold, self._pages.get(hold_id, "")))
        )
