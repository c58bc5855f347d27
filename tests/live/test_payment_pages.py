"""Where a hold is paid: asked once for each deadline, and of nobody before the drop is known."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from dropengine import outcomes, wire
from dropengine.live import payment_pages
from dropengine.live.answers import paid_pages
from dropengine.live.payment_pages import PaymentPages
from dropengine.model import FanId
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.local import LocalPay
from dropengine.payments.port import Intent
from tests.kit import web_process
from tests.kit.local_provider import SECRET, SHOP, local_pay, page_of
from tests.kit.private_server import Server
from tests.kit.room_by_hand import RoomByHand, room_by_hand
from tests.kit.sale import Sale
from tests.kit.web_process import settings, until

server = web_process.server


async def test_a_page_tells_the_deadline_that_the_hold_has_now(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one, local_pay(tmp_path / "pages") as provider:
        known: list[wire.DropView] = []
        intents = IntentIds(SHOP, sale.store)
        pages = PaymentPages(provider, intents, sale.drop, lambda: known[0] if known else None)
        paying = await sale.pay("ada", await sale.held("ada"))
        assert isinstance(paying, outcomes.Paying)
        # Nothing is known of the drop yet, so there is nothing that a provider could show.
        await pages.begin(paying.id, paying.hold)
        assert pages.view(paying.id, paying.hold).pay == ""
        known.append(one.room.drop_view())
        await pages.begin(paying.id, paying.hold)
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
        assert one.room.pages.questions([(hold.id, hold.hold)]) == []
        assert one.room.pages.view(hold.id, hold.hold).pay == ""
        # Asked for all the same, as by somebody who pays at this moment: it is told when he does.
        page = await one.room.pages.begin(hold.id, hold.hold)
        assert page
        assert one.room.pages.view(hold.id, hold.hold).pay == ""


class Slow(LocalPay):
    """The real provider, which keeps the holds of `held_up` waiting until its gate opens."""

    held_up: frozenset[str]
    gate: asyncio.Event
    asked: list[tuple[str, int]]

    def begin_slowly(self, *holds: str) -> None:
        self.held_up, self.gate, self.asked = frozenset(holds), asyncio.Event(), []

    async def begin(self, intent: Intent) -> str:
        self.asked.append((intent.hold, intent.deadline_ms))
        if intent.hold in self.held_up:
            await self.gate.wait()
        return await super().begin(intent)


@contextlib.asynccontextmanager
async def slow_room(
    sale: Sale, folder: Path, *holds: str
) -> AsyncIterator[tuple[RoomByHand, PaymentPages, Slow]]:
    """A room whose provider is slow about these holds."""
    slow = Slow(folder / "slow", SECRET, "http://127.0.0.1:9")
    slow.begin_slowly(*holds)
    async with room_by_hand(sale, folder) as one:
        pages = one.room.pages
        pages._payments = slow
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
    async with slow_room(sale, tmp_path, "h1") as (_, pages, slow):
        stuck, quick = await begun(sale, "ada"), await begun(sale, "ben")
        waiting = asyncio.ensure_future(pages.begin(stuck.id, stuck.hold))
        assert await pages.begin(quick.id, quick.hold)
        assert not waiting.done()
        slow.gate.set()
        assert await waiting


async def test_who_waits_is_answered_in_time_and_the_page_is_there_later(
    sale: Sale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment_pages, "ANSWER_S_MAX", 0.0)
    async with slow_room(sale, tmp_path, "h1") as (one, pages, slow):
        stuck, quick = await begun(sale, "ada"), await begun(sale, "ben")
        for _ in range(3):
            assert await pages.begin(stuck.id, stuck.hold) == ""
        decided = {stuck.id: stuck}
        answer = await paid_pages(one.room, FanId("ada"), 7, decided)
        assert isinstance(answer, wire.Refused)
        assert (answer.id, answer.code) == (7, "away")
        # However often it was asked for, the provider was asked once.
        await until(lambda: slow.asked)
        assert slow.asked == [(stuck.id, stuck.hold.deadline_ms)]
        slow.gate.set()
        await until(lambda: pages.view(stuck.id, stuck.hold).pay)
        answer = await paid_pages(one.room, FanId("ada"), 8, decided)
        assert isinstance(answer, wire.Done)
        assert list(answer.pay) == [stuck.id]
        del quick


async def test_one_payment_of_a_slow_and_a_quick_hold_pays_the_quick_one(
    sale: Sale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment_pages, "ANSWER_S_MAX", 0.2)
    async with slow_room(sale, tmp_path, "h1") as (one, _, _slow):
        decided = {
            paying.id: paying for paying in (await begun(sale, "ada"), await begun(sale, "ada", 2))
        }
        answer = await paid_pages(one.room, FanId("ada"), 7, decided)
        assert isinstance(answer, wire.Done)
        assert list(answer.pay) == ["h2"]
        assert answer.refused == {"h1": "away"}


async def test_nobodys_state_waits_for_a_provider(sale: Sale, tmp_path: Path) -> None:
    async with slow_room(sale, tmp_path, "h1") as (one, _, slow):
        stuck = await begun(sale, "ada")
        ada, ben = await one.seated("ada", "ben")
        (first,) = ada.heard[0]["you"]["holds"]
        assert (first["id"], first["state"], first["pay"]) == (stuck.id, "paying", "")
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
        slow.begin_slowly("h1")
        web.runtime.hub._payments = slow
        fan, ticket = web.ticket(sale.drop)
        stuck = await begun(sale, fan)
        async with web.http(ticket) as http:
            page = await asyncio.wait_for(
                http.get(f"/drops/{sale.drop}"), payment_pages.ANSWER_S_MAX
            )
            assert page.status_code == 200
            assert stuck.id in page.text
            (hold,) = (await http.get(f"/api/drops/{sale.drop}/you")).json()["holds"]
            assert (hold["state"], hold["pay"]) == ("paying", "")
            assert not slow.gate.is_set()
            slow.gate.set()
            while not hold["pay"]:
                (hold,) = (await http.get(f"/api/drops/{sale.drop}/you")).json()["holds"]
            assert hold["pay"].startswith("/pay/local/")
        await slow.close()


async def test_a_later_deadline_is_told_last(sale: Sale, tmp_path: Path) -> None:
    async with slow_room(sale, tmp_path, "h1") as (_, pages, slow):
        paying = await begun(sale, "ada")
        later = msgspec.structs.replace(paying.hold, deadline_ms=paying.hold.deadline_ms + 5_000)
        both = [
            asyncio.ensure_future(pages.begin(paying.id, hold)) for hold in (paying.hold, later)
        ]
        await until(lambda: slow.asked)
        slow.gate.set()
        first, second = await asyncio.gather(*both)
        assert first == second != ""
        assert slow.asked == [(paying.id, h.deadline_ms) for h in (paying.hold, later)]
        bill = await slow.bill(page_of(second))
        assert bill is not None
        assert bill.intent.deadline_ms == later.deadline_ms


async def test_questions_to_a_silent_provider_have_an_end(
    sale: Sale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment_pages, "ANSWER_S_MAX", 0.0)
    monkeypatch.setattr(payment_pages, "QUESTIONS_MAX", 2)
    async with slow_room(sale, tmp_path, "h1", "h2", "h3") as (_, pages, slow):
        paying = [await begun(sale, fan) for fan in ("ada", "ben", "cleo")]
        for one in paying:
            assert await pages.begin(one.id, one.hold) == ""
        await until(lambda: len(slow.asked) == 2)
        slow.gate.set()
        await until(lambda: pages.view("h2", paying[1].hold).pay)
        await until(lambda: not pages._questions)
        monkeypatch.setattr(payment_pages, "ANSWER_S_MAX", 5.0)
        assert await pages.begin("h3", paying[2].hold)


async def test_a_provider_that_never_answers_is_asked_anew_when_somebody_wants_the_page(
    sale: Sale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment_pages, "QUESTION_S_MAX", 0.0)
    async with slow_room(sale, tmp_path, "h1") as (_, pages, slow):
        paying = await begun(sale, "ada")
        assert await pages.begin(paying.id, paying.hold) == ""
        slow.gate.set()
        monkeypatch.setattr(payment_pages, "QUESTION_S_MAX", 20.0)
        assert await pages.begin(paying.id, paying.hold)
