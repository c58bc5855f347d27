"""Payments by hand in the panel: what came, more time, cash at pickup, and what goes back."""

from __future__ import annotations

import asyncio
import re

import httpx2
import msgspec

from dropengine import outcomes
from dropengine.model import PaymentState
from dropengine.payments.hands import bills
from dropengine.payments.hands.bills import Bill
from dropengine.people import audit_trail, order_notes
from tests.doors.studio.test_night import told
from tests.kit import manifests, web_process
from tests.kit import studio as studio_kit
from tests.kit.manifests import HOUR_MS
from tests.kit.sale import Sale
from tests.kit.sale_by_ways import POST, STALL
from tests.kit.studio import Hand, Studio, new_drop
from tests.kit.web_process import key

server = web_process.server
studio = studio_kit.studio


async def by_hand(studio: Studio) -> Sale:
    """A drop of the real time that may be paid by hand."""
    sale = Sale(studio.web.runtime.store, new_drop(), now=0)
    until_ms = studio.now_ms + 100 * HOUR_MS
    stall = msgspec.structs.replace(
        STALL, nodes=(), from_ms=studio.now_ms + HOUR_MS, until_ms=until_ms
    )
    text = manifests.manifest(sale.drop)
    await sale.publish(
        msgspec.structs.replace(text, ways=(POST, stall), hand_ms=72 * HOUR_MS, hand_share=100)
    )
    await sale.creator("open")
    return sale


async def begun(studio: Studio, sale: Sale, fan: str, *, cash: bool = False) -> tuple[str, Bill]:
    """A fan begins to pay by hand; the payment and its bill."""
    runtime = studio.web.runtime
    hold = await sale.held(fan)
    word, way = ("cash", "stall") if cash else ("by_hand", "post")
    paying = await sale.pay(fan, hold, way=way, provider=word)
    assert isinstance(paying, outcomes.Paying), paying
    room = await runtime.hub.room(sale.drop)
    assert room is not None
    page = await room.pages.begin(paying.id, paying.payment, paying.holds)
    assert page.startswith("/pay/by_hand/")
    (bill,) = await runtime.database.read(lambda sql: bills.of_payment(sql, sale.drop, paying.id))
    return paying.id, bill


async def post(hand: Hand, sale: Sale, what: str, **fields: str) -> httpx2.Response:
    path = f"/studio/drops/{sale.drop}/by-hand/{what}"
    return await hand.http.post(path, data={"key": key(), **fields})


async def listed(hand: Hand, sale: Sale) -> httpx2.Response:
    return await hand.http.get(f"/studio/drops/{sale.drop}/by-hand")


async def test_what_is_short_stays_open_and_what_is_over_goes_back(studio: Studio) -> None:
    sale = await by_hand(studio)
    payment, bill = await begun(studio, sale, "a")
    async with studio.person("ben") as ben, studio.person("cyd") as cyd:
        page = await listed(ben, sale)
        assert bill.reference in page.text
        assert "no account is kept" in told(page)
        assert "Enter it" not in (await listed(cyd, sale)).text
        assert (await post(cyd, sale, "received")).status_code == 403
        assert (await post(ben, sale, "received", reference="X")).status_code == 404
        wrong = await post(ben, sale, "received", reference=bill.reference, sum="much")
        assert wrong.status_code == 400
        answer = await post(ben, sale, "received", reference=bill.reference.lower(), sum="10,00")
        assert answer.status_code == 303
        page = await listed(ben, sale)
        assert "it stays open" in told(page)
        assert "€10.00 came" in told(page)
        assert (await sale.payment(payment)).state == PaymentState.OPEN
        answer = await post(ben, sale, "received", reference=bill.reference, sum="30.00")
        assert answer.status_code == 303
        page = await listed(ben, sale)
        assert f"{bill.reference} is paid: it is sold." in told(page)
        assert (await sale.payment(payment)).state == PaymentState.PAID
        over = 4000 - bill.intent.amount
        assert f"€{over / 100:.2f}" in told(page)
        (tick,) = re.findall(r'name="id" value="([^"]+)"', page.text)
        assert (await post(ben, sale, "sent", id="none")).status_code == 404
        assert (await post(ben, sale, "sent", id=tick)).status_code == 303
        assert "Sent back" in (await listed(ben, sale)).text
    trail = await studio.web.runtime.database.read(
        lambda sql: audit_trail.page(sql, studio.lamps.id)
    )
    done = [(row.what, row.by, row.outcome) for row in trail if row.of.startswith(sale.drop)]
    assert ("received", "ben", "done") in done
    assert ("sent back", "ben", "done") in done


async def test_a_refund_waits_for_its_tick(studio: Studio) -> None:
    sale = await by_hand(studio)
    _, bill = await begun(studio, sale, "a")
    async with studio.person("ben") as ben:
        paid = f"{bill.intent.amount / 100:.2f}"
        await post(ben, sale, "received", reference=bill.reference, sum=paid)
        (hold,) = (await sale.truth()).orders
        while await sale.store.duties(sale.drop):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await sale.store.refund(sale.drop, hold, by="o1", key=key())

        while "a refund" not in (await listed(ben, sale)).text:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        page = await listed(ben, sale)
        (tick,) = re.findall(r'name="id" value="([^"]+)"', page.text)
        assert any(name.startswith("refund:") for name in await sale.store.duties(sale.drop))
        await post(ben, sale, "sent", id=tick)
        assert not any(name.startswith("refund:") for name in await sale.store.duties(sale.drop))


async def test_more_time_is_given_once_and_its_page_tells_it(studio: Studio) -> None:
    sale = await by_hand(studio)
    payment, bill = await begun(studio, sale, "a")
    async with studio.person("ben") as ben:
        assert "Give more time" in (await listed(ben, sale)).text
        assert (await post(ben, sale, "more-time", payment=payment)).status_code == 303
        assert "Give more time" not in (await listed(ben, sale)).text
        later = await studio.web.runtime.database.read(lambda sql: bills.find(sql, bill.intent.id))
        assert later is not None
        assert later.intent.deadline_ms == bill.intent.deadline_ms + 72 * HOUR_MS
        assert (await post(ben, sale, "more-time", payment=payment)).status_code >= 400


async def test_cash_is_paid_and_handed_over_in_one_tap(studio: Studio) -> None:
    sale = await by_hand(studio)
    payment, bill = await begun(studio, sale, "a", cash=True)
    async with studio.person("ben") as ben:
        assert "paid in cash, and handed over" in (await listed(ben, sale)).text
        answer = await post(ben, sale, "handed-over", reference=bill.reference)
        assert answer.status_code == 303
    assert (await sale.payment(payment)).state == PaymentState.PAID
    (hold,) = (await sale.truth()).orders
    notes = await studio.web.runtime.database.read(
        lambda sql: order_notes.of_orders(sql, sale.drop, [hold])
    )
    assert notes[hold].handed_ms > 0
