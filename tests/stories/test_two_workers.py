"""Two web processes, one server: whoever presses where, it is one drop on every screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dropengine import events, refusals, wire
from dropengine.rehearsal.history import Recorder
from tests.kit import web_process
from tests.kit.fault_proxy import Fate, FaultProxy
from tests.kit.manifests import item
from tests.kit.private_server import Server
from tests.kit.two_workers import crowd, judged, two_workers
from tests.kit.web_process import WebProcess

server = web_process.server

Workers = tuple[WebProcess, WebProcess]


@pytest.fixture
async def workers(server: Server, tmp_path: Path) -> AsyncIterator[Workers]:
    async with two_workers(server.url, tmp_path) as two:
        yield two


def urls(workers: Workers) -> list[str]:
    return [web.url for web in workers]


def code(answer: wire.Done | wire.Refused) -> str:
    """The refusal's word, or done."""
    return answer.code if isinstance(answer, wire.Refused) else "done"


def held(you: dict[str, Any]) -> list[tuple[str, str, int]]:
    """What a screen shows of the fan's holds."""
    return [(hold["id"], hold["state"], hold["deadline_ms"]) for hold in you["holds"]]


async def test_a_burst_over_two_workers_sells_every_unit_once(workers: Workers) -> None:
    one, _ = workers
    sale = await one.sale(item("pin", {"pin": 20}))
    history = Recorder()
    async with crowd(urls(workers), sale.drop, 49, history) as (late, *fans):
        answers = await asyncio.gather(*(fan.hold() for fan in fans))
        carts = {
            answer.hold.id: fan
            for fan, answer in zip(fans, answers, strict=True)
            if isinstance(answer, wire.Done) and answer.hold
        }
        assert len(carts) == 20
        assert {a.code for a in answers if isinstance(a, wire.Refused)} == {"all_held"}
        orders = await asyncio.gather(*(fan.buys(hold) for hold, fan in carts.items()))
        assert sorted(n for order in orders for n in order.serials) == list(range(1, 21))
        answer = await late.hold()
        assert isinstance(answer, wire.Refused)
        assert answer.code == "sold_out"
    verdict, log = await judged(one.runtime.store, sale.drop, history)
    assert (verdict.sold, verdict.oversold, verdict.distinct_serials) == (20, 0, 20)
    assert [e.hold for e in log if isinstance(e, events.Held)] == [f"h{n}" for n in range(1, 21)]


async def test_who_comes_back_at_the_other_worker_finds_the_same_on_every_device(
    workers: Workers,
) -> None:
    one, two = workers
    sale = await one.sale(item("pin", {"pin": 3}))
    who = one.ticket(sale.drop)
    async with one.fan(sale.drop, who) as phone, two.fan(sale.drop, who) as desk:
        done = await phone.ask("hold", pool="pin", qty=2)
        first = (done["hold"]["id"], "active", done["hold"]["deadline_ms"])
        assert held(await desk.shows("you", lambda m: m["holds"])) == [first]
        await phone.socket.close()
        async with two.fan(sale.drop, who) as again:
            assert held(again.heard[0]["you"]) == [first]
            await again.ask("extend", hold=first[0])
            more = await desk.shows("you", lambda m: m["holds"][0]["extended"])
            assert held(await again.shows("you", lambda m: m["holds"][0]["extended"])) == held(more)
            async with one.fan(sale.drop, who) as third:
                assert held(third.heard[0]["you"]) == held(more)
                await desk.ask("release", hold=first[0])
                for screen in (again, desk, third):
                    last = await screen.shows("you", lambda m: not m["holds"])
                    assert last["ended"]["state"] == "released"
    await judged(one.runtime.store, sale.drop)


async def test_what_the_maker_does_is_seen_on_every_screen(workers: Workers) -> None:
    one, two = workers
    sale = await one.sale(item("pin", {"pin": 5}, withheld={"pin": 2}))
    async with (
        one.watcher(sale.drop) as wall,
        two.watcher(sale.drop) as other,
        one.fan(sale.drop) as ada,
        two.fan(sale.drop) as ben,
    ):
        screens = (wall, other, ada, ben)

        async def all_see(t: str, **fields: object) -> None:
            for screen in screens:
                await screen.shows(t, lambda m: m | fields == m)

        async def all_count(free: int, withheld: int) -> None:
            def so(tick: dict[str, Any]) -> bool:
                pool = tick["pools"]["pin"]
                return bool((pool["free"], pool["withheld"]) == (free, withheld))

            for screen in screens:
                await screen.shows("tick", so)

        mine = await ben.ask("hold", pool="pin")
        await sale.creator("pause")
        await all_see("tick", state="paused")
        assert (await ada.ask("hold", pool="pin"))["code"] == "paused"
        assert (await ben.ask("extend", hold=mine["hold"]["id"]))["t"] == "done"
        assert (await ada.ask("join", pools=["pin"]))["t"] == "done"
        await sale.creator("resume")
        await all_see("tick", state="live")
        # Resuming served the line before anybody else could press.
        offer = await ada.shows("you", lambda m: m["holds"])
        assert offer["holds"][0]["origin"] == "line"
        await all_count(free=1, withheld=2)
        await sale.creator("add", pool="pin", qty=2)
        await all_count(free=3, withheld=0)
        await sale.creator("withdraw", pool="pin", qty=3)
        await all_count(free=0, withheld=3)
        refusal = await sale.creator("withdraw", pool="pin", qty=1)
        assert refusal == refusals.TooFew(free=0, held=2, sold=0, withheld=3)
        await sale.creator("message", text="Two more at noon.")
        await all_see("news", text="Two more at noon.")
    await judged(one.runtime.store, sale.drop)


async def test_the_line_gets_what_comes_back_before_any_newcomer(workers: Workers) -> None:
    one, two = workers
    sale = await one.sale(item("pin", {"pin": 1}))
    history = Recorder()
    async with (
        crowd(urls(workers), sale.drop, 13, history) as (holder, *newcomers),
        one.fan(sale.drop) as first,
        two.fan(sale.drop) as second,
    ):
        taken = await holder.held()
        await first.ask("join", pools=["pin"])
        await second.ask("join", pools=["pin"])
        answers = await asyncio.gather(
            holder.release(taken), *(newcomer.hold() for newcomer in newcomers)
        )
        assert isinstance(answers[0], wire.Done)
        assert [code(answer) for answer in answers[1:]] == ["all_held"] * 12
        offer = (await first.shows("you", lambda m: m["holds"]))["holds"][0]
        assert (offer["origin"], offer["claimed"]) == ("line", False)
        # The first one does not want it: the second one gets it, not the crowd.
        declining = asyncio.create_task(first.ask("release", hold=offer["id"]))
        answers = await asyncio.gather(*(newcomer.hold() for newcomer in newcomers))
        await declining
        assert [code(answer) for answer in answers] == ["all_held"] * 12
        offer = (await second.shows("you", lambda m: m["holds"]))["holds"][0]
        assert (await second.ask("claim", hold=offer["id"]))["hold"]["claimed"]
    verdict, _ = await judged(one.runtime.store, sale.drop, history)
    assert (verdict.offers, verdict.overtaken, verdict.holds) == (2, 0, 1)


async def test_a_drop_that_closes_lets_holds_finish_and_is_then_settled(workers: Workers) -> None:
    one, two = workers
    sale = await one.sale(item("pin", {"pin": 3}))
    history = Recorder()
    async with (
        crowd(urls(workers), sale.drop, 3, history) as (payer, leaver, late),
        one.watcher(sale.drop) as wall,
        two.watcher(sale.drop) as other,
    ):
        paid, left = await payer.held(), await leaver.held()
        await sale.creator("close")
        for screen in (wall, other):
            await screen.shows("tick", lambda m: m["state"] == "closing")
        assert code(await late.hold()) == "closed"
        assert (await payer.buys(paid)).serials == [1]
        await leaver.release(left)
        for screen in (wall, other):
            last = await screen.shows("tick", lambda m: m["state"] == "settled")
            assert last["pools"]["pin"]["sold"] == 1
    await discharged(one, sale.drop)
    verdict, _ = await judged(one.runtime.store, sale.drop, history, closed=True)
    assert (verdict.state, verdict.sold, verdict.held, verdict.outbox) == ("settled", 1, 0, 0)


async def test_a_cancelled_drop_gives_all_money_back_and_says_so_to_everybody(
    workers: Workers,
) -> None:
    one, two = workers
    sale = await one.sale(item("pin", {"pin": 6}))
    history = Recorder()
    async with (
        crowd(urls(workers), sale.drop, 5, history) as fans,
        one.watcher(sale.drop) as wall,
        two.watcher(sale.drop) as other,
    ):
        holds = [await fan.held() for fan in fans]
        await asyncio.gather(*(fans[i].buys(holds[i]) for i in range(3)))
        await sale.creator("cancel")
        for screen in (wall, other):
            last = await screen.shows(
                "tick", lambda m: m["state"] == "cancelled" and m["pools"]["pin"]["free"] == 6
            )
            assert last["pools"]["pin"]["sold"] == last["pools"]["pin"]["held"] == 0
    await discharged(one, sale.drop)
    verdict, log = await judged(one.runtime.store, sale.drop, history, closed=True)
    assert {e.hold for e in log if isinstance(e, events.Refunded)} == set(holds[:3])
    assert {e.hold for e in log if isinstance(e, events.Released)} == set(holds[3:])
    assert verdict.captured == verdict.refunded
    assert verdict.orders_total == 0


async def discharged(web: WebProcess, drop: str) -> None:
    """Until the workers have done every duty."""
    store = web.runtime.store
    async with asyncio.timeout(web_process.LONG_S):
        while await store.duties(drop):  # type: ignore[arg-type]  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("fate", [Fate.DROP_REPLY, Fate.TWICE, Fate.RESET])
async def test_lost_and_doubled_replies_change_nothing_for_anybody(
    server: Server, proxy: FaultProxy, tmp_path: Path, fate: Fate
) -> None:
    """One worker reaches the server over a bad line, the other over a good one."""
    history = Recorder()
    async with (
        web_process.front(web_process.settings(server.url, tmp_path / "good")) as good,
        web_process.front(
            web_process.settings(proxy.url, tmp_path / "bad", settle_ms=10_000)
        ) as bad,
    ):
        sale = await good.sale(item("pin", {"pin": 12}))
        async with crowd([good.url, bad.url], sale.drop, 30, history) as fans:
            for _ in range(8):
                proxy.plan(fate)
                proxy.plan(Fate.PASS)
            answers = await asyncio.gather(*(fan.hold() for fan in fans))
        granted = [a.hold.id for a in answers if isinstance(a, wire.Done) and a.hold]
        assert len(set(granted)) == len(granted) == 12
        assert {code(a) for a in answers if isinstance(a, wire.Refused)} == {"all_held"}
        assert proxy.struck[fate] > 0
        verdict, _ = await judged(good.runtime.store, sale.drop, history)
        assert verdict.holds == 12
