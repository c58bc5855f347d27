"""From the truth to the screens: one tick for all, at its pace, and nothing of it is lost."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from dropengine import manifest, model, outcomes, wire
from dropengine.catalogue import ENGLISH
from dropengine.errors import Unavailable
from dropengine.live import relay
from dropengine.live.places import apply_boost
from dropengine.model import FanId
from dropengine.truth import keys, repair
from tests.conftest import MakeSale
from tests.kit import web_process
from tests.kit.freezing import leave_mark
from tests.kit.manifests import item
from tests.kit.private_server import Server
from tests.kit.room_by_hand import FrameKeeper, room_by_hand
from tests.kit.sale import Sale
from tests.kit.web_process import LONG_S, WebProcess, settings, until

server = web_process.server
web = web_process.web


async def test_words_that_are_put_right_are_shown_to_everybody(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        screens = [one.screen(), *await one.seated("ada", "ben")]
        shown = await sale.store.show(sale.drop)
        assert shown is not None
        wanted = msgspec.structs.replace(shown.manifest, story="Wash by hand.")
        command = msgspec.structs.asdict(manifest.correction(wanted))
        assert isinstance(await sale.creator("correct", **command), outcomes.Changed)
        await one.look()
        for screen in screens:
            drop = screen.last("snapshot")["drop"]
            assert (drop["story"], drop["hash"]) == ("Wash by hand.", manifest.digest(wanted))
        seen = [len(screen.frames) for screen in screens]
        await one.look()
        assert [len(screen.frames) for screen in screens] == seen


async def test_times_that_are_changed_stand_in_the_next_tick(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        screen = one.screen()
        closes_ms = sale.now + 3_600_000
        await sale.creator("reschedule", opens_ms=0, closes_ms=closes_ms)
        await one.look()
        assert screen.last("tick")["closes_ms"] == closes_ms


def joins(count: int, *, pool: str = "pin") -> list[tuple[str, wire.FanCommand]]:
    return [(f"f{n}", wire.Join(0, "join", [pool])) for n in range(count)]


async def line(sale: Sale, count: int) -> list[str]:
    """A line of so many behind a hold of somebody; their entries."""
    await sale.held("holder", qty=3)
    entries = []
    rows = joins(count)
    for at in range(0, count, 256):
        for outcome in await sale.batch(*rows[at : at + 256]):
            assert isinstance(outcome, outcomes.Joined), outcome
            entries.append(outcome.id)
    return entries


async def leave(sale: Sale, entries: list[str], who: list[int]) -> None:
    for at in range(0, len(who), 256):
        rows = [(f"f{n}", wire.Leave(0, f"leave-{n}", entries[n])) for n in who[at : at + 256]]
        assert all(isinstance(one, outcomes.Left) for one in await sale.batch(*rows))


async def test_a_tick_is_the_same_bytes_for_every_seat(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        screens = [one.screen(), *await one.seated("ada", "ben")]
        await sale.held("cleo")
        await one.look()
        frames = {id(screen.frames[-1]) for screen in screens}
        assert len(frames) == 1
        assert {screen.last("tick")["seq"] for screen in screens} == {3}


async def test_nothing_new_is_no_tick(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        screen = one.screen()
        for _ in range(5):
            await one.look()
        assert screen.all("tick") == []
        await sale.held("ada")
        for _ in range(5):
            await one.look()
        assert len(screen.all("tick")) == 1


async def test_screens_are_told_when_the_books_do_not_add_up(web: WebProcess) -> None:
    sale = await web.sale()
    async with web.fan(sale.drop) as fan:
        name = keys.one(sale.drop, "pools")
        raw = await sale.store.client.hget(name, "pin")
        record = msgspec.msgpack.decode(raw, type=model.PoolRecord)
        record.free += 1
        await sale.store.client.hset(name, "pin", msgspec.msgpack.encode(record))
        assert (await fan.ask("hold", pool="pin"))["code"] == "frozen"
        assert (await fan.shows("tick", lambda m: m["state"] == "frozen"))["seq"] == 3
        assert (await fan.ask("hold", pool="pin"))["code"] == "frozen"


async def test_screens_are_told_why_a_drop_froze_and_how_it_goes_on(web: WebProcess) -> None:
    sale = await web.sale()
    async with web.fan(sale.drop) as fan:
        await fan.ask("hold", pool="pin")
        await leave_mark(sale.store, sale.drop, sale.now)
        assert (await fan.ask("extend", hold="h1"))["code"] == "frozen"
        frozen = await fan.shows("tick", lambda m: m["state"] == "frozen")
        assert frozen["why"] == ENGLISH("stopped.half")
        found = await repair.audit(sale.store, sale.drop)
        assert found is not None
        await repair.thaw(sale.store, found, by="o1", key="thaw")
        paused = await fan.shows("tick", lambda m: m["state"] == "paused")
        assert "why" not in paused
        assert (await fan.ask("extend", hold="h1"))["t"] == "done"


async def test_no_two_ticks_are_closer_than_the_pace_whoever_asks(
    server: Server, tmp_path: Path
) -> None:
    pace_ms = 50
    async with web_process.front(settings(server.url, tmp_path, tick_ms=pace_ms)) as web:
        sale = await web.sale(item("pin", {"pin": 50_000}, most=1), limit=50_000)
        hub = web.runtime.hub
        room = await hub.room(sale.drop)
        assert room is not None
        screen = FrameKeeper()
        room.sit(screen, None)
        done = asyncio.Event()

        async def curious() -> None:
            while not done.is_set():
                await hub.fresh(room)

        asking = [asyncio.create_task(curious()) for _ in range(3)]
        count = 0
        while len(screen.all("tick")) < 8:
            count += 1
            await sale.held(f"f{count}")
        done.set()
        await asyncio.gather(*asking)
        ticks = [
            at
            for at, message in zip(screen.times, screen.heard, strict=True)
            if message["t"] == "tick"
        ]
        gaps = [after - before for before, after in pairwise(ticks)]
        # Both ends of a gap are noted a moment after the tick was made.
        assert min(gaps) > 0.9 * pace_ms / 1000
        assert count > 3 * len(ticks)


async def test_who_asks_gets_the_newest_state_before_the_screens_do(
    sale: Sale, tmp_path: Path
) -> None:
    async with room_by_hand(sale, tmp_path, tick_ms=10_000) as one:
        screen = one.screen()
        await sale.held("ada")
        await one.look()
        assert one.room.drop_view().pools["pin"].held == 1
        assert screen.all("tick") == []
        # The relay is told that it owes a tick.
        assert one.room.wake.is_set()


async def test_a_screen_hears_every_second_that_nothing_has_changed(
    server: Server, tmp_path: Path
) -> None:
    """Never sooner, and the same bytes for everybody."""
    conf = settings(server.url, tmp_path, view_ms=300)
    async with web_process.front(conf) as web:
        sale = await web.sale()
        async with web.watcher(sale.drop) as one, web.watcher(sale.drop) as other:
            beats = [await screen.until("beat") for _ in range(3) for screen in (one, other)]
            assert one.heard[0]["drop"]["beat_ms"] == 1_000
    nows = [beat["now"] for beat in beats]
    assert nows[::2] == nows[1::2]
    assert all(after - before >= 990 for before, after in pairwise(nows[::2]))


async def test_while_a_list_is_ordered_screens_get_ticks_before_anything_comes_of_it(
    make_sale: MakeSale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = await make_sale(item("pin", {"pin": 2}), mode="lobby")
    await sale.entered("ada", "ben")
    await sale.creator("seal")
    monkeypatch.setattr(relay, "ORDERING_S", 0.0)
    async with room_by_hand(sale, tmp_path) as one:
        screen = one.screen()
        for _ in range(3):
            await one.look()
        await sale.in_order()
        await one.look()
        assert screen.all("beat") == []
        states = [tick["state"] for tick in screen.all("tick")]
        assert states.count("ordering") >= 3
        assert states[-1] == "live"
        told = len(states)
        await one.look()
        assert len(screen.all("tick")) == told


async def test_nobody_hears_that_nothing_changed_while_the_truth_cannot_be_read(
    sale: Sale, tmp_path: Path
) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        screen = one.screen()
        one.room.beat_ms = 0
        await one.look()
        assert [message["t"] for message in screen.heard][-1] == "beat"
        heard = len(screen.heard)
        one.store.view_faults.append(Unavailable())
        assert await one.relay.look() is None
        assert [message["t"] for message in screen.heard[heard:]] == ["tick"]
        assert screen.heard[-1]["away"] is True


async def test_the_last_change_is_shown_by_nudges_alone(server: Server, tmp_path: Path) -> None:
    conf = settings(server.url, tmp_path, view_ms=600_000, settle_ms=10_000)
    async with web_process.front(conf) as web, web_process.front(conf) as other:
        sale = await web.sale(item("pin", {"pin": 50_000}, most=1), limit=50_000)
        async with web.watcher(sale.drop) as here, other.watcher(sale.drop) as there:
            for burst in range(20):
                for n in range(burst % 4 + 1):
                    await sale.held(f"f{burst}-{n}")
                seq = len(await sale.words())
                for screen in (here, there):
                    assert (await screen.tick(seq))["seq"] == seq


async def test_a_subscription_that_is_cut_loses_nothing(server: Server, tmp_path: Path) -> None:
    conf = settings(server.url, tmp_path, view_ms=600_000, settle_ms=10_000)
    async with web_process.front(conf) as web:
        sale = await web.sale()
        async with web.watcher(sale.drop) as screen:
            for name in ("ada", "ben"):
                assert await sale.store.client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
                hold = await sale.held(name)
                seq = len(await sale.words())
                await screen.tick(seq)
                await sale.release(name, hold)
                await screen.tick(seq + 1)


async def test_moves_are_told_in_the_order_of_the_log_and_places_stay_exact(
    sale: Sale, tmp_path: Path
) -> None:
    entries = await line(sale, 12)
    async with room_by_hand(sale, tmp_path) as one:
        last, middle = await one.seated("f11", "f6")
        assert (last.place("pin"), middle.place("pin")) == (12, 7)
        for gone in ([3, 1], [9], [8, 0, 2]):
            await leave(sale, entries, gone)
            await one.look()
        ticks = [tick["lines"]["pin"] for tick in last.all("tick") if "lines" in tick]
        assert ticks == [
            {"r0": 0, "left": [4, 2]},
            {"r0": 2, "left": [10]},
            {"r0": 3, "left": [9, 1, 3]},
        ]
        assert (last.place("pin"), middle.place("pin")) == (6, 3)
        # Nobody had to be asked for it.
        assert one.store.read == [["f11", "f6"]]
        assert one.room.drop_view().lines == {"pin": 6}


async def test_a_tick_tells_five_hundred_moves_and_the_next_one_the_rest(
    sale: Sale, tmp_path: Path
) -> None:
    entries = await line(sale, 701)
    async with room_by_hand(sale, tmp_path) as one:
        (last,) = await one.seated("f700")
        await leave(sale, entries, list(range(700)))
        await one.look()
        assert one.room.wake.is_set()
        assert last.place("pin") == 201
        # Who comes now is told what the others know.
        (late,) = await one.seated("f700")
        assert late.heard[0]["drop"]["lines"] == {"pin": 500}
        await one.look()
        told = [tick["lines"]["pin"] for tick in last.all("tick") if "lines" in tick]
        assert [(moves["r0"], len(moves["left"])) for moves in told] == [(0, 500), (500, 200)]
        assert (last.place("pin"), late.place("pin")) == (1, 1)


@pytest.mark.parametrize("rest", [0, 2])
async def test_moves_that_were_trimmed_are_made_good_by_reading_in_batches(
    make_sale: MakeSale, tmp_path: Path, rest: int
) -> None:
    """Also when what came after the hole would fit: it was another line that moved in it."""
    sale = await make_sale(item("pin", {"pin": 3}), item("mug", {"mug": 1}), limit=9)
    entries = await line(sale, 300)
    await sale.held("mug-holder", "mug")
    mugs = [await sale.joined(f"m{n}", "mug") for n in range(3)]
    async with room_by_hand(sale, tmp_path) as one:
        screens = await one.seated(*(f"f{n}" for n in range(10, 300)))
        watcher = one.screen("nobody-in-line")
        await one.look()
        one.store.read.clear()
        await leave(sale, entries, [0, 1, 2])
        await sale.store.client.xtrim(keys.one(sale.drop, "moves"), maxlen=0, approximate=False)
        await sale.leave("m0", mugs[0])
        if rest:
            await leave(sale, entries, [4, 5])
        await one.look()
        await one.look()
        assert [len(fans) for fans in one.store.read] == [256, 34]
        for n, screen in enumerate(screens, 10):
            assert screen.place("pin") == n + 1 - 3 - rest
        assert watcher.all("you") == []
        # From here on ticks fit again.
        await leave(sale, entries, [6])
        await one.look()
        assert screens[0].place("pin") == 11 - 4 - rest
        assert len(one.store.read) == 2


async def test_no_tick_shows_a_gap_before_the_places_were_told_anew(
    make_sale: MakeSale, tmp_path: Path
) -> None:
    """Or each of thousands of screens would ask, one by one, for what comes anyway."""
    sale = await make_sale(item("pin", {"pin": 3}), limit=9)
    entries = await line(sale, 10)
    async with room_by_hand(sale, tmp_path) as one:
        (screen,) = await one.seated("f9")
        await one.look()
        await leave(sale, entries, [0, 1])
        await sale.store.client.xtrim(keys.one(sale.drop, "moves"), maxlen=0, approximate=False)
        one.store.gate.clear()
        await leave(sale, entries, [2])
        assert await one.relay.look() is not None
        await leave(sale, entries, [3])
        assert await one.relay.look() is not None
        assert [tick for tick in screen.all("tick") if tick.get("lines")] == []
        one.store.gate.set()
        await one.quiet()
        await leave(sale, entries, [4])
        await one.look()
        assert screen.place("pin") == 5
        assert [tick["lines"]["pin"]["left"] for tick in screen.all("tick") if tick.get("lines")]


async def test_mail_that_was_trimmed_makes_everybody_here_be_read_again(
    make_sale: MakeSale, tmp_path: Path
) -> None:
    sale = await make_sale(item("pin", {"pin": 300}))
    async with room_by_hand(sale, tmp_path) as one:
        screens = await one.seated(*(f"f{n}" for n in range(270)))
        one.store.read.clear()
        for n in (5, 6):
            await sale.held(f"f{n}")
        await sale.store.client.xtrim(keys.one(sale.drop, "mail"), maxlen=0, approximate=False)
        await sale.held("f7")
        await one.look()
        assert [len(fans) for fans in one.store.read] == [256, 14]
        assert [screens[n].last("you")["used"] for n in (5, 6, 7)] == [1, 1, 1]


async def test_only_those_whose_state_changed_are_read(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        ada, ben = await one.seated("ada", "ben")
        one.store.read.clear()
        await sale.held("ada")
        await sale.held("somebody else")
        await one.look()
        assert one.store.read == [["ada"]]
        assert ada.last("you")["used"] == 1
        assert ben.all("you") == []


async def test_news_goes_to_every_seat_once(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        watcher = one.screen()
        (ada,) = await one.seated("ada")
        await sale.creator("message", text="one")
        await sale.creator("message", text="two")
        await one.look()
        await one.look()
        for screen in (watcher, ada):
            assert [news["text"] for news in screen.all("news")] == ["one", "two"]
        assert [n["text"] for n in one.screen().heard[0]["drop"]["news"]] == ["one", "two"]


async def test_what_moves_in_the_boost_lane_is_told_to_every_screen(
    make_sale: MakeSale, tmp_path: Path
) -> None:
    """Two make-goods; when the first goes, the second moves up, and nobody is read for it."""
    sale = await make_sale(item("pin", {"pin": 2}))
    holds = {fan: await sale.held(fan) for fan in ("ada", "ben")}
    for fan, hold in holds.items():
        await sale.pay(fan, hold)
    for _ in range(2):
        sale.now += 10 * 60_000
        await sale.settle()
    await sale.held("cleo", qty=2)
    for hold in holds.values():
        outcome = await sale.succeeded(hold)
        assert isinstance(outcome, outcomes.Voided), outcome
        assert outcome.entry
    async with room_by_hand(sale, tmp_path) as one:
        (ben,) = await one.seated("ben")
        (entry,) = ben.heard[0]["you"]["entries"]
        (second,) = entry["boost"]
        assert (entry["lane"], entry["rank"], second["place"]) == ("base", 1022, 2)
        (first,) = (await sale.you("ada")).record.entries
        await sale.leave("ada", first)
        await one.look()
        told = ben.last("tick")["boosts"]["pin"]
        moves = [tuple(move) for move in told["moves"]]
        at = second["place"], second["r"]
        assert apply_boost(entry["n"], 1022, *at, told["r0"], moves) == (1, second["r"] + 1)


async def test_a_room_without_seats_asks_nobody_in_vain(web: WebProcess) -> None:
    sale = await web.sale()
    room = await web.runtime.hub.room(sale.drop)
    assert room is not None
    view = room.view
    async with asyncio.timeout(LONG_S), web.watcher(sale.drop) as watcher:
        await sale.held("ada")
        await watcher.tick(3)
    assert room.view is not view
    assert FanId("ada") not in room.fans
    await until(lambda: not room.seats)
