"""The rooms of one worker: one for each drop that somebody looks at, and none for the others."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dropengine import outcomes, refusals, wire
from dropengine.errors import Unavailable
from dropengine.live import hub as hubs
from dropengine.live.queued_frames import QueueConn
from dropengine.model import DropId
from dropengine.truth import scripts
from dropengine.truth.replies import ViewReply
from dropengine.truth.store import Store
from tests.kit import web_process
from tests.kit.fault_proxy import Fate, FaultProxy
from tests.kit.manifests import manifest
from tests.kit.private_server import Server
from tests.kit.web_process import WebProcess, settings

server = web_process.server
web = web_process.web


async def test_many_who_come_at_once_get_one_room(web: WebProcess) -> None:
    sale = await web.sale()
    hub = web.runtime.hub
    rooms = await asyncio.gather(*(hub.room(sale.drop) for _ in range(50)))
    assert len({id(room) for room in rooms}) == 1
    assert rooms[0] is hub.rooms[sale.drop]
    assert rooms[0].view is not None


async def test_there_is_no_room_for_a_drop_that_is_not_there(web: WebProcess) -> None:
    hub = web.runtime.hub
    before = dict(hub.rooms)
    assert await hub.room("nowhere") is None
    assert await hub.snapshot("nowhere", None) is None
    assert hub.rooms == before
    # And as soon as there is one, it is found.
    sale = await web.sale(opened=False)
    assert await hub.room(sale.drop) is not None


async def test_a_room_that_nobody_uses_is_closed_and_made_again(web: WebProcess) -> None:
    sale = await web.sale()
    hub, now = web.runtime.hub, asyncio.get_running_loop().time()
    first = await hub.room(sale.drop)
    async with web.watcher(sale.drop):
        await hub.sweep(now + 10 * hubs.IDLE_S)
        assert hub.rooms[sale.drop] is first
    await web_process.until(lambda: not hub.seats)
    await hub.sweep(asyncio.get_running_loop().time() + hubs.IDLE_S / 2)
    assert hub.rooms[sale.drop] is first
    await hub.sweep(asyncio.get_running_loop().time() + 2 * hubs.IDLE_S)
    assert sale.drop not in hub.rooms
    async with web.watcher(sale.drop) as watcher:
        assert hub.rooms[sale.drop] is not first
        await sale.held("ada")
        assert (await watcher.tick(3))["pools"]["pin"]["held"] == 1


async def test_a_snapshot_is_not_older_than_the_question(web: WebProcess) -> None:
    sale = await web.sale()
    hub = web.runtime.hub
    ada, text = web.ticket(sale.drop)
    ticket = web.runtime.identity.whose(text)
    for n in range(1, 4):
        await sale.held(ada, qty=1) if n == 1 else await sale.held(f"f{n}")
        snapshot = await hub.snapshot(sale.drop, ticket)
        assert snapshot is not None
        assert snapshot.drop.pools["pin"].held == n
        assert snapshot.you is not None
        assert [hold.id for hold in snapshot.you.holds] == ["h1"]
    nobody = await hub.snapshot(sale.drop, None)
    assert nobody is not None
    assert nobody.you is None


async def test_a_worker_watches_so_many_drops_and_no_more(server: Server, tmp_path: Path) -> None:
    async with web_process.front(settings(server.url, tmp_path, settle_ms=10_000)) as web:
        hub, store = web.runtime.hub, web.runtime.store
        drops = [f"many-{n}" for n in range(hubs.ROOMS_MAX + 1)]
        for drop in drops:
            done = await store.publish(manifest(drop), by="o1", key="publish")
            assert isinstance(done, outcomes.Changed)
        seats = []
        for drop in drops[:-1]:
            room = await hub.room(drop)
            assert room is not None
            seats.append(room.sit(QueueConn(), None))
        with pytest.raises(Unavailable):
            await hub.room(drops[-1])
        seats[0].end(wire.CloseCode.RESTART, "")
        assert await hub.room(drops[-1]) is not None


async def test_a_relay_that_dies_sends_its_seats_to_a_new_one(
    web: WebProcess, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Store):
        """The real store, with a bug on demand."""

        bugs = 0

        async def view(
            self, drop: DropId, moves_at: int = 0, mail_at: int = 0, *, clock_ms: int = 0
        ) -> ViewReply | refusals.Frozen | refusals.NotFound:
            if self.bugs:
                self.bugs -= 1
                raise RuntimeError("a bug in the relay")
            return await super().view(drop, moves_at, mail_at, clock_ms=clock_ms)

    sale = await web.sale()
    hub, store = web.runtime.hub, web.runtime.store
    broken = Broken(store.client)
    hub.store = broken
    try:
        async with web.fan(sale.drop) as fan:
            room = hub.rooms[sale.drop]
            broken.bugs = 1
            room.wake.set()
            assert await fan.closed() == wire.CloseCode.RESTART
            assert sale.drop not in hub.rooms
        assert "a bug in the relay" in caplog.text
        async with web.fan(sale.drop) as fan:
            assert hub.rooms[sale.drop] is not room
            done = await fan.ask("hold", pool="pin")
            await fan.tick(done["seq"])
    finally:
        hub.store = store


async def test_seats_are_counted_over_all_rooms(web: WebProcess) -> None:
    one, two = await web.sale(), await web.sale()
    hub = web.runtime.hub
    await web_process.until(lambda: not hub.seats)
    async with web.watcher(one.drop), web.watcher(two.drop), web.fan(two.drop):
        assert hub.seats == 3
    await web_process.until(lambda: not hub.seats)


async def test_a_room_is_closed_for_what_it_is_and_not_for_its_name(web: WebProcess) -> None:
    one, two = await web.sale(), await web.sale()
    hub, loop = web.runtime.hub, asyncio.get_running_loop()
    old = [await hub.room(one.drop), await hub.room(two.drop)]
    late = loop.time() + 2 * hubs.IDLE_S
    closing, other = asyncio.Event(), asyncio.Event()
    assert old[0] is not None
    close = old[0].pages.close

    async def slow() -> None:
        closing.set()
        await other.wait()
        await close()

    old[0].pages.close = slow  # type: ignore[method-assign]
    sweeping = asyncio.create_task(hub.sweep(late))
    await closing.wait()
    # While the first is being closed, so is the second by another, and people come to both.
    await hub.sweep(late)
    async with web.watcher(one.drop) as first, web.watcher(two.drop) as second:
        rooms = [hub.rooms[one.drop], hub.rooms[two.drop]]
        assert not set(rooms) & set(old)
        other.set()
        await sweeping
        assert [hub.rooms[one.drop], hub.rooms[two.drop]] == rooms
        for sale, watcher in ((one, first), (two, second)):
            await sale.held("ada")
            assert (await watcher.tick(3))["pools"]["pin"]["held"] == 1


async def test_a_room_that_is_closed_takes_no_nudge_from_the_next(web: WebProcess) -> None:
    sale = await web.sale()
    hub = web.runtime.hub
    old = await hub.room(sale.drop)
    assert old is not None
    await hub.sweep(asyncio.get_running_loop().time() + 2 * hubs.IDLE_S)
    new = await hub.room(sale.drop)
    assert new is not None
    nudges = hub._nudges
    assert not nudges.forget(old)
    await nudges.remove(old)
    assert list(nudges._rooms.values()).count(new) == 1
    # What still knows the old one is told the new one's state.
    assert await hub.fresh(old) is new
    await hub.fresh(new)


async def test_an_empty_room_leaves_early_when_others_want_in(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "ROOMS_MAX", 3)
    async with web_process.front(settings(server.url, tmp_path)) as web:
        hub = web.runtime.hub
        sales = [await web.sale() for _ in range(6)]
        drops = [DropId(sale.drop) for sale in sales]
        async with web.watcher(drops[0]) as watcher, web.http() as http:
            # Reads alone shut nobody out, whoever reads at once.
            for drop in drops[1:]:
                assert (await http.get(f"/api/drops/{drop}")).status_code == 200
            assert set(hub.rooms) == {drops[0], *drops[-2:]}
            answers = await asyncio.gather(*(http.get(f"/api/drops/{d}") for d in drops[1:3] * 5))
            assert {answer.status_code for answer in answers} == {200}
            assert len(hub.rooms) <= 3
            async with web.watcher(drops[4]), web.watcher(drops[5]):
                # Somebody sits in each of them.
                assert (await http.get(f"/api/drops/{drops[1]}")).status_code == 503
                await sales[0].held("ada")
                assert (await watcher.tick(3))["pools"]["pin"]["held"] == 1
            await web_process.until(lambda: hub.seats == 1)
            async with web.watcher(drops[1]):
                assert len(hub.rooms) == 3


async def test_who_was_about_to_sit_down_in_a_room_that_closes_comes_back(
    web: WebProcess,
) -> None:
    sale = await web.sale()
    hub = web.runtime.hub
    room = await hub.room(sale.drop)
    assert room is not None
    room.ended = True
    async with web.watcher(sale.drop) as watcher:
        assert hub.rooms[sale.drop] is not room
        await sale.held("ada")
        assert (await watcher.tick(3))["pools"]["pin"]["held"] == 1


async def test_who_waits_for_an_answer_when_a_worker_stops_hears_it_first(
    server: Server, tmp_path: Path
) -> None:
    async with (
        FaultProxy(server.socket, tmp_path / "proxy.sock") as proxy,
        web_process.front(settings(proxy.url, tmp_path)) as web,
    ):
        sale = await web.sale()
        async with web.fan(sale.drop) as fan:
            proxy.plan(Fate.DELAY_REPLY, holding=scripts.load()["press"].sha)
            number = await fan.say("hold", pool="pin")
            await proxy.strikes(Fate.DELAY_REPLY)
            web.runtime.hub.leave()
            proxy.go()
            answer = await fan.until("done")
            assert answer["id"] == number
            assert await fan.closed() == 1012
