"""One drop in one worker: who sits where, and what everybody sees first."""

from __future__ import annotations

from pathlib import Path

from dropengine.model import FanId
from tests.conftest import MakeSale
from tests.kit import web_process
from tests.kit.manifests import item
from tests.kit.room_by_hand import FrameKeeper, room_by_hand
from tests.kit.sale import Sale

server = web_process.server


async def test_the_first_thing_that_a_screen_gets_is_its_snapshot(
    sale: Sale, tmp_path: Path
) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        one.store.gate.clear()
        screen = one.screen("ada")
        await sale.held("ben")
        await sale.creator("message", text="hello")
        assert await one.relay.look() is not None
        assert screen.heard == []
        one.store.gate.set()
        await one.quiet()
        assert screen.heard[0]["t"] == "snapshot"
        assert [news["text"] for news in screen.heard[0]["drop"]["news"]] == ["hello"]


async def test_who_says_who_he_is_before_the_first_view_gets_one_snapshot_his_own(
    sale: Sale, tmp_path: Path
) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        one.room.view = None
        one.store.gate.clear()
        screen = one.screen()
        (seat,) = one.room.seats
        one.room.greet(seat, FanId("ada"))
        assert await one.relay.look() is not None
        one.store.gate.set()
        await one.quiet()
        assert [snapshot["you"]["fan"] for snapshot in screen.all("snapshot")] == ["ada"]


async def test_a_watcher_who_came_before_the_first_view_gets_his_snapshot_with_it(
    sale: Sale, tmp_path: Path
) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        one.room.view = None
        one.room.wake.clear()
        early = one.screen()
        assert early.heard == []
        assert one.room.wake.is_set()
        await one.look()
        assert [message["t"] for message in early.heard][:1] == ["snapshot"]
        assert len(early.all("snapshot")) == 1


async def test_leaving_twice_is_harmless_and_nobody_is_left(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        await one.seated("ada", "ada", "ben")
        first, *others = list(one.room.seats)
        one.room.leave(first)
        one.room.leave(first)
        assert set(one.room.fans) == {"ada", "ben"}
        for seat in others:
            one.room.leave(seat)
        assert not one.room.seats
        assert not one.room.fans


async def test_nothing_comes_after_a_seat_was_left(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        (screen,) = await one.seated("ada")
        (seat,) = one.room.seats
        count = len(screen.heard)
        seat.end(1000, "")
        await one.press("ada", "hold")
        await one.look()
        assert len(screen.heard) == count
        assert screen.code == 1000


async def test_a_drop_without_a_free_or_a_held_unit_is_sold_out(
    make_sale: MakeSale, tmp_path: Path
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    async with room_by_hand(sale, tmp_path) as one:
        screen: FrameKeeper = one.screen()
        hold = await sale.held("ada")
        assert (await one.look()).state == "live"
        assert screen.last("tick")["state"] == "live"
        await sale.succeeded(hold, captured=True)
        await one.look()
        assert screen.last("tick")["state"] == "sold_out"
        await sale.refund(hold)
        await one.look()
        assert screen.last("tick")["state"] == "live"
