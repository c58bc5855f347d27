"""Where a payment is made: asked once for each deadline, and of nobody before the drop is known."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from dropengine import outcomes, refusals, wire
from dropengine.live import payment_pages
from dropengine.live.paying import begun as begun_paying
from dropengine.live.payment_pages import PaymentPages
from dropengine.model import FanId, PaymentRecord
from dropengine.payments.configured import Configured
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.local import LocalPay
from dropengine.payments.port import Intent
from tests.kit import web_process
from tests.kit.local_provider import SECRET, SHOP, local_pay, only, page_of
from tests.kit.private_server import Server
from tests.kit.room_by_hand import RoomByHand, room_by_hand
from tests.kit.sale import Sale
from tests.kit.web_process import settings, until

server = web_process.server


async def test_a_page_tells_the_deadline_that_the_hold_has_now(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one, local_pay(tmp_path / "pages") as provider:
        known: list[wire.DropView] = []
        intents = IntentIds(SHOP, sale.store)
        shop = only(provider)
        pages = PaymentPages(shop, intents, sale.drop, lambda: known[0] if known else None)
        paying = await sale.pay("ada", await sale.held("ada"))
        assert isinstance(paying, outcomes.Paying)
        # Nothing is known of the drop yet, so there is nothing that a provider could show.
        await pages.begin(paying.id, paying.payment, paying.holds)
        assert pages.page(paying.id) == ""
        known.append(one.room.drop_view())
        await pages.begin(paying.id, paying.payment, paying.holds)
        page = pages.page(paying.id)
        ((hold_id, hold),) = paying.holds
        text = bytes(memoryview(pages.text(hold_id, hold)))
        assert wire.encode(pages.view(hold_id, hold)) == text
        assert pages.view(hold_id, hold).pay == page
        assert pages.payment(paying.id, paying.payment).page == page
        later = after(paying)
        assert await pages.begin(paying.id, later, paying.holds) == page
        bill = await provider.bill(page_of(page))
        assert bill is not None
        assert bill.intent.deadline_ms == later.deadline_ms


async def test_a_payment_that_is_over_is_not_asked_about(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        paying = await begun(sale, "ada")
        over = msgspec.structs.replace(paying.payment, state="ended")
        assert one.room.pages.questions([(paying.id, over)], paying.holds) == []
        assert one.room.pages.payment(paying.id, over).page == ""
        hold = await sale.hold("ben")
        assert isinstance(hold, outcomes.HoldGranted)
        assert one.room.pages.view(hold.id, hold.hold).pay == ""


async def test_what_is_for_practice_alone_gives_no_page_where_money_is_meant(
    sale: Sale, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        pages = one.room.pages
        pages._providers = Configured(pages._providers.built, "local")
        paying = await begun(sale, "ada")
        assert await pages.begin(paying.id, paying.payment, paying.holds) == ""
        assert "cannot be paid at" in caplog.text


async def test_a_page_is_there_though_not_all_of_its_holds_are_at_hand(
    sale: Sale, tmp_path: Path
) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        paying = await begun(sale, "ada")
        assert await one.room.pages.begin(paying.id, paying.payment, [])


def after(paying: outcomes.Paying) -> PaymentRecord:
    """The same with more time."""
    deadline_ms = paying.payment.deadline_ms + 5_000
    return msgspec.structs.replace(paying.payment, deadline_ms=deadline_ms)


class Slow(LocalPay):
    """The real provider, which keeps the payments of `held_up` waiting until its gate opens."""

    held_up: frozenset[str]
    gate: asyncio.Event
    asked: list[tuple[str, int]]

    def begin_slowly(self, *payments: str) -> None:
        self.held_up, self.gate, self.asked = frozenset(payments), asyncio.Event(), []

    async def begin(self, intent: Intent) -> str:
        self.asked.append((intent.payment, intent.deadline_ms))
        if intent.payment in self.held_up:
            await self.gate.wait()
        return await super().begin(intent)


@contextlib.asynccontextmanager
async def slow_room(
    sale: Sale, folder: Path, *payments: str
) -> AsyncIterator[tuple[RoomByHand, PaymentPages, Slow]]:
    """A room whose provider is slow about these."""
    slow = Slow(folder / "slow", SECRET, "http://127.0.0.1:9")
    slow.begin_slowly(*payments)
    async with room_by_hand(sale, folder) as one:
        pages = one.room.pages
        pages._providers = only(slow)
        try:
            yield one, pages, slow
        finally:
            slow.gate.set()
            await pages.close()
            await slow.close()


async def begun(sale: Sale, fan: str, qty: int = 1) -> outcomes.Paying:
    paying = await sale.pay(fan, await sale.held(fan, qty=qty))
    assert isinstance(paying, outcomes.Paying)
    return paying


async def test_a_slow_provider_keeps_no_other_hold_waiting(sale: Sale, tmp_path: Path) -> None:
    async with slow_room(sale, tmp_path, "p1") as (_, pages, slow):
        stuck, quick = await begun(sale, "ada"), await begun(sale, "ben")
        waiting = asyncio.ensure_future(pages.begin(stuck.id, stuck.payment, stuck.holds))
        assert await pages.begin(quick.id, quick.payment, quick.holds)
        assert not waiting.done()
        slow.gate.set()
        assert await waiting


async def test_who_waits_is_answered_in_time_and_the_page_is_there_later(
    sale: Sale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment_pages, "ANSWER_S_MAX", 0.0)
    async with slow_room(sale, tmp_path, "p1") as (one, pages, slow):
        stuck = await begun(sale, "ada")
        for _ in range(3):
            assert await pages.begin(stuck.id, stuck.payment, stuck.holds) == ""
        answer = await begun_paying(one.room, FanId("ada"), 7, stuck)
        assert isinstance(answer, refusals.Away)
        # However often it was asked for, the provider was asked once.
        await until(lambda: slow.asked)
        assert slow.asked == [(stuck.id, stuck.payment.deadline_ms)]
        slow.gate.set()
        await until(lambda: pages.page(stuck.id))
        answer = await begun_paying(one.room, FanId("ada"), 8, stuck)
        assert isinstance(answer, wire.Done)
        assert list(answer.pay) == stuck.payment.holds


async def test_nobodys_state_waits_for_a_provider(sale: Sale, tmp_path: Path) -> None:
    async with slow_room(sale, tmp_path, "p1") as (one, _, slow):
        stuck = await begun(sale, "ada")
        ada, ben = await one.seated("ada", "ben")
        (first,) = ada.heard[0]["you"]["holds"]
        assert (first["id"], first["state"], first["pay"]) == (stuck.payment.holds[0], "paying", "")
        await sale.held("ben")
        await one.look()
        assert ben.last("you")["holds"]
        slow.gate.set()
        # The page is told as soon as it is known, without anything else that changed.
        await until(lambda: ada.heard[-1]["t"] == "you")
        assert ada.last("you")["holds"][0]["pay"].startswith("/pay/local/")


async def test_nobody_who_asks_for_his_state_waits_for_a_provider(
    server: Server, tmp_path: Path
) -> None:
    """By GET, in a page, as a snapshot: what is there is told, with the payment page as soon as it
    is known."""
    async with web_process.front(settings(server.url, tmp_path)) as web:
        sale = await web.sale()
        slow = Slow(tmp_path / "slow", SECRET, web.url)
        slow.begin_slowly("p1")
        web.runtime.hub._payments = only(slow)
        fan, ticket = web.ticket(sale.drop)
        stuck = await begun(sale, fan)
        async with web.http(ticket) as http:
            page = await asyncio.wait_for(
                http.get(f"/drops/{sale.drop}"), payment_pages.ANSWER_S_MAX
            )
            assert page.status_code == 200
            assert stuck.payment.holds[0] in page.text
            (hold,) = (await http.get(f"/api/drops/{sale.drop}/you")).json()["holds"]
            assert (hold["state"], hold["pay"]) == ("paying", "")
            assert not slow.gate.is_set()
            slow.gate.set()
            while not hold["pay"]:
                (hold,) = (await http.get(f"/api/drops/{sale.drop}/you")).json()["holds"]
            assert hold["pay"].startswith("/pay/local/")
        await slow.close()


async def test_a_later_deadline_is_told_last(sale: Sale, tmp_path: Path) -> None:
    async with slow_room(sale, tmp_path, "p1") as (_, pages, slow):
        paying = await begun(sale, "ada")
        later = after(paying)
        both = [
            asyncio.ensure_future(pages.begin(paying.id, one, paying.holds))
            for one in (paying.payment, later)
        ]
        await until(lambda: slow.asked)
        slow.gate.set()
        first, second = await asyncio.gather(*both)
        assert first == second != ""
        assert slow.asked == [(paying.id, one.deadline_ms) for one in (paying.payment, later)]
        bill = await slow.bill(page_of(second))
        assert bill is not None
        assert bill.intent.deadline_ms == later.deadline_ms


async def test_questions_to_a_silent_provider_have_an_end(
    sale: Sale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment_pages, "ANSWER_S_MAX", 0.0)
    monkeypatch.setattr(payment_pages, "QUESTIONS_MAX", 2)
    async with slow_room(sale, tmp_path, "p1", "p2", "p3") as (_, pages, slow):
        paying = [await begun(sale, fan) for fan in ("ada", "ben", "cleo")]
        for one in paying:
            assert await pages.begin(one.id, one.payment, one.holds) == ""
        await until(lambda: len(slow.asked) == 2)
        slow.gate.set()
        await until(lambda: pages.page(paying[1].id))
        await until(lambda: not pages._questions)
        monkeypatch.setattr(payment_pages, "ANSWER_S_MAX", 5.0)
        assert await pages.begin(paying[2].id, paying[2].payment, paying[2].holds)


async def test_a_provider_that_never_answers_is_asked_anew_when_somebody_wants_the_page(
    sale: Sale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment_pages, "QUESTION_S_MAX", 0.0)
    async with slow_room(sale, tmp_path, "p1") as (_, pages, slow):
        paying = await begun(sale, "ada")
        assert await pages.begin(paying.id, paying.payment, paying.holds) == ""
        slow.gate.set()
        monkeypatch.setattr(payment_pages, "QUESTION_S_MAX", 20.0)
        assert await pages.begin(paying.id, paying.payment, paying.holds)
