"""Where a hold is paid: asked once for each deadline, and of nobody before the drop is known."""

from __future__ import annotations

from pathlib import Path

import msgspec

from dropengine import outcomes, wire
from dropengine.live.payment_pages import PaymentPages
from tests.kit.local_provider import local_pay, page_of
from tests.kit.room_by_hand import room_by_hand
from tests.kit.sale import Sale


async def test_a_page_tells_the_deadline_that_the_hold_has_now(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one, local_pay(tmp_path / "pages") as provider:
        known: list[wire.DropView] = []
        pages = PaymentPages(provider, sale.drop, lambda: known[0] if known else None)
        paying = await sale.pay("ada", await sale.held("ada"))
        assert isinstance(paying, outcomes.Paying)
        # Nothing is known of the drop yet, so there is nothing that a provider could show.
        await pages.begin_all([(paying.id, paying.hold)])
        assert pages.view(paying.id, paying.hold).pay == ""
        known.append(one.room.drop_view())
        await pages.begin_all([(paying.id, paying.hold)])
        page = pages.view(paying.id, paying.hold).pay
        text = bytes(memoryview(pages.text(paying.id, paying.hold)))
        assert wire.encode(pages.view(paying.id, paying.hold)) == text
        later = msgspec.structs.replace(paying.hold, deadline_ms=paying.hold.deadline_ms + 5_000)
        assert await pages.begin(paying.id, later) == page
        bill = await provider.bill(page_of(page))
        assert bill is not None
        assert bill.intent.deadline_ms == later.deadline_ms


async def test_a_hold_that_is_not_being_paid_has_no_page(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        hold = await sale.hold("ada")
        assert isinstance(hold, outcomes.HoldGranted)
        await one.room.pages.begin_all([(hold.id, hold.hold)])
        assert one.room.pages.view(hold.id, hold.hold).pay == ""
        # Asked for all the same, as by somebody who pays at this moment: it is told when he does.
        page = await one.room.pages.begin(hold.id, hold.hold)
        assert page
        assert one.room.pages.view(hold.id, hold.hold).pay == ""
