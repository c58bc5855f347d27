"""Repeating is harmless: replies are lost, requests arrive twice, and everything happens once.

A proxy in front of the server loses, cuts and doubles; the caller does what law 4 tells him: no
reply means unknown, so he sends the same again.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import redis.asyncio as redis

from dropengine import events, outcomes, refusals, wire
from dropengine.errors import Unavailable
from dropengine.events import AnyEvent
from dropengine.log.referee import judge
from dropengine.log.replay import difference, fold
from dropengine.model import FanId
from dropengine.truth import connections, scripts
from dropengine.truth.store import Store
from tests.conftest import MakeSale
from tests.kit.fault_proxy import Fate, FaultProxy
from tests.kit.manifests import HOLD_MS, item, manifest
from tests.kit.private_server import Server
from tests.kit.sale import Answer, Sale

Act = Callable[[Sale], Awaitable[object]]


@pytest.fixture
async def through(proxy: FaultProxy) -> AsyncIterator[redis.Redis]:
    """A client behind the proxy of a server that knows the scripts: faults strike the real call."""
    one = connections.client(proxy.url)
    for script in scripts.load().values():
        await one.script_load(script.text)
    yield one
    await one.aclose(close_connection_pool=True)


@pytest.fixture
async def spare(make_sale: MakeSale) -> Sale:
    """Four pins, one of them withheld."""
    return await make_sale(item("pin", {"pin": 4}, withheld={"pin": 1}))


def behind(sale: Sale, client: redis.Redis) -> Sale:
    """The same drop at the same time, seen through another client."""
    other = Sale(Store(client), sale.drop, sale.now)
    other.revision = sale.revision
    return other


async def a_hold(sale: Sale) -> Act:
    return lambda s: s.hold("ana", key="k")


async def a_join(sale: Sale) -> Act:
    await sale.held("di", qty=3)
    return lambda s: s.join("ana", key="k")


async def a_join_that_gets_units(sale: Sale) -> Act:
    return lambda s: s.join("ana", key="k")


async def a_release(sale: Sale) -> Act:
    hold = await sale.held("ana")
    return lambda s: s.release("ana", hold)


async def an_extend(sale: Sale) -> Act:
    hold = await sale.held("ana")
    return lambda s: s.extend("ana", hold)


async def a_pay(sale: Sale) -> Act:
    hold = await sale.held("ana")
    return lambda s: s.pay("ana", hold)


async def a_claim(sale: Sale) -> Act:
    entry = await sale.called("ana")
    hold = (await sale.truth()).entries[entry].hold
    return lambda s: s.claim("ana", hold)


async def a_leave(sale: Sale) -> Act:
    entry = await sale.called("ana")
    return lambda s: s.leave("ana", entry)


async def a_payment(sale: Sale) -> Act:
    hold = await sale.held("ana")
    return lambda s: s.succeeded(hold, "c1", amount=2400)


async def a_late_payment(sale: Sale) -> Act:
    hold = await sale.held("ana")
    await sale.release("ana", hold)
    return lambda s: s.succeeded(hold, "c1", amount=2400)


async def a_refund(sale: Sale) -> Act:
    order = await sale.bought("ana")
    return lambda s: s.refund(order, key="k")


async def a_duty(sale: Sale) -> Act:
    await sale.bought("ana")
    return lambda s: s.discharge("capture:p1")


async def an_expiry(sale: Sale) -> Act:
    await sale.held("ana")

    def later(s: Sale) -> Awaitable[object]:
        s.now = sale.now + HOLD_MS
        return s.settle()

    return later


async def a_pause(sale: Sale) -> Act:
    revision = sale.revision
    return lambda s: s.creator("pause", key="k", revision=revision)


async def more_stock(sale: Sale) -> Act:
    revision = sale.revision
    return lambda s: s.creator("add", key="k", revision=revision, pool="pin", qty=1)


async def less_stock(sale: Sale) -> Act:
    revision = sale.revision
    return lambda s: s.creator("withdraw", key="k", revision=revision, pool="pin", qty=1)


async def a_message(sale: Sale) -> Act:
    revision = sale.revision
    return lambda s: s.creator("message", key="k", revision=revision, text="soon")


async def a_cancelling(sale: Sale) -> Act:
    await sale.bought("ana")
    await sale.held("bo")
    revision = sale.revision
    return lambda s: s.creator("cancel", key="k", revision=revision)


COMMANDS = (
    a_hold,
    a_join,
    a_join_that_gets_units,
    a_release,
    an_extend,
    a_pay,
    a_claim,
    a_leave,
    a_payment,
    a_late_payment,
    a_refund,
    a_duty,
    an_expiry,
    a_pause,
    more_stock,
    less_stock,
    a_message,
    a_cancelling,
)

each_command = pytest.mark.parametrize("command", COMMANDS, ids=[c.__name__ for c in COMMANDS])


async def once(command: Callable[[Sale], Awaitable[Act]], sale: Sale) -> list[AnyEvent]:
    """The log as it is when the command comes once over a good line."""
    act = await command(sale)
    await act(sale)
    await sale.settle()
    return await sale.log()


@pytest.fixture
async def twin(store: Store, drop: str) -> Sale:
    """A second drop of the same rules, to see what a command does when nothing goes wrong."""
    sale = Sale(store, f"{drop}-twin")
    await sale.publish(manifest(sale.drop, item("pin", {"pin": 4}, withheld={"pin": 1})))
    await sale.creator("open")
    return sale


def carried_out(command: Callable[[Sale], Awaitable[Act]], outcome: object) -> bool:
    """A duty that is ticked off is not found again; all else is answered as the first time."""
    return not isinstance(outcome, refusals.Refusal) or (
        command is a_duty and outcome == refusals.NotFound()
    )


def told(log: list[AnyEvent]) -> list[str]:
    return [type(event).__name__ for event in log]


@each_command
@pytest.mark.parametrize("fate", [Fate.DROP_REPLY, Fate.RESET, Fate.HANG, Fate.BLACK_HOLE])
async def test_a_command_without_a_reply_is_unknown_and_may_be_sent_again(
    spare: Sale,
    twin: Sale,
    proxy: FaultProxy,
    through: redis.Redis,
    command: Callable[[Sale], Awaitable[Act]],
    fate: Fate,
) -> None:
    act = await command(spare)
    flaky = behind(spare, through)
    proxy.plan(fate)
    sent = asyncio.ensure_future(act(flaky))
    await proxy.strikes(fate)
    await proxy.cut()
    with pytest.raises(Unavailable):
        await sent
    assert carried_out(command, await act(flaky))
    await flaky.settle()
    assert told(await spare.log()) == told(await once(command, twin))
    assert proxy.struck[fate] == 1


@each_command
async def test_a_command_that_arrives_twice_happens_once(
    spare: Sale,
    twin: Sale,
    proxy: FaultProxy,
    through: redis.Redis,
    command: Callable[[Sale], Awaitable[Act]],
) -> None:
    act = await command(spare)
    proxy.plan(Fate.TWICE)
    flaky = behind(spare, through)
    assert carried_out(command, await act(flaky))
    await flaky.settle()
    assert told(await spare.log()) == told(await once(command, twin))


async def test_publishing_without_a_reply_may_be_sent_again(
    drop: str, proxy: FaultProxy, through: redis.Redis
) -> None:
    sale = Sale(Store(through), drop)
    proxy.plan(Fate.DROP_REPLY)
    with pytest.raises(Unavailable):
        await sale.publish(manifest(drop))
    assert await sale.publish(manifest(drop)) == outcomes.Changed(1, 1, "scheduled")
    assert drop in await sale.store.drops()


async def test_a_lost_reply_is_never_sold_out(sale: Sale, proxy: FaultProxy) -> None:
    hasty = connections.client(proxy.url, timeout_s=0.05)
    flaky = behind(sale, hasty)
    for fate in (Fate.RESET, Fate.DROP_REPLY, Fate.HANG, Fate.BLACK_HOLE):
        proxy.plan(fate)
        with pytest.raises(Unavailable):
            await flaky.hold("ana", qty=3)
    await hasty.aclose(close_connection_pool=True)


async def test_a_caller_who_gave_up_never_gets_the_reply_of_another(
    sale: Sale, proxy: FaultProxy, server: Server
) -> None:
    """A cancelled command leaves its connection with a reply on the way: it must not be reused."""
    one = connections.client(proxy.url, connections=1)
    flaky = behind(sale, one)
    await flaky.settle()
    proxy.plan(Fate.DELAY_REPLY)
    task = asyncio.create_task(flaky.hold("ana", key="k"))
    await proxy.strikes(Fate.DELAY_REPLY)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    proxy.go()
    held = await flaky.join("bo")
    assert isinstance(held, outcomes.Held)
    assert held.hold.fan == "bo"
    await one.aclose(close_connection_pool=True)


async def test_a_forgotten_script_is_sent_again(sale: Sale, client: redis.Redis) -> None:
    for i in range(20):
        await client.script_flush("SYNC")
        assert isinstance(await sale.hold(f"fan-{i}"), outcomes.Held | refusals.AllHeld)
    assert await sale.counts() == (0, 3, 0, 0)


async def test_twenty_clicks_at_once_are_one_hold(sale: Sale) -> None:
    answers = await asyncio.gather(*(sale.hold("ana", key="same") for _ in range(20)))
    assert {a.id for a in answers if isinstance(a, outcomes.Held)} == {"h1"}
    assert await sale.counts() == (2, 1, 0, 0)


async def test_a_hundred_presses_of_one_fan_stay_within_the_limit(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 50}), limit=2)
    quantities = [1 + i % 2 for i in range(100)]
    answers = await asyncio.gather(*(sale.hold("ana", qty=qty) for qty in quantities))
    assert sum(isinstance(a, refusals.LimitReached) for a in answers) > 0
    held = [event for event in await sale.log() if isinstance(event, events.Held)]
    assert sum(event.qty for event in held) <= 2
    assert (await sale.you("ana")).record.used <= 2


async def test_fifty_webhooks_at_once_are_one_order(sale: Sale) -> None:
    hold = await sale.held("ana")
    answers = await asyncio.gather(*(sale.succeeded(hold, "c1", amount=2400) for _ in range(50)))
    assert {type(a) for a in answers} == {outcomes.Paid}
    assert told(await sale.log()).count("Sold") == 1


async def test_expiry_and_payment_that_meet_have_one_winner(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 50}))
    holds = [await sale.held(f"fan-{i}") for i in range(50)]
    rng = random.Random(7)
    late = Sale(sale.store, sale.drop, sale.now + HOLD_MS)
    acts: list[Awaitable[object]] = []
    for i, hold in enumerate(holds):
        acts += [sale.succeeded(hold, f"c-{hold}", amount=2400), late.release(f"fan-{i}", hold)]
    rng.shuffle(acts)
    await asyncio.gather(*acts)
    log = [line async for line in sale.store.log(sale.drop)]
    assert judge(log).violations == []
    log_of_sale = await sale.log()
    sold = {event.hold for event in log_of_sale if isinstance(event, events.Sold)}
    expired = {event.hold for event in log_of_sale if isinstance(event, events.Expired)}
    assert sold | expired == set(holds)
    assert not sold & expired


async def test_a_burst_over_a_bad_line_loses_and_doubles_nothing(
    make_sale: MakeSale, proxy: FaultProxy, through: redis.Redis
) -> None:
    """Every fourth request is lost, cut or doubled; what was acknowledged is in the log, once."""
    sale = await make_sale(item("pin", {"pin": 12}), limit=2)
    rng = random.Random(11)
    flaky = behind(sale, through)
    for fate in rng.choices(
        (Fate.PASS, Fate.DROP_REPLY, Fate.RESET, Fate.TWICE), (9, 1, 1, 1), k=400
    ):
        proxy.plan(fate)
    granted: dict[tuple[str, str], str] = {}

    async def fan(name: str) -> None:
        for i in range(6):
            command = wire.Hold(id=0, key=f"{name}-{i}", pool="pin", qty=1)
            if i % 3 == 2:
                for hold in [h for (who, _), h in granted.items() if who == name]:
                    await until_answered(name, wire.Release(id=0, key="r", hold=hold))
                continue
            outcome = await until_answered(name, command)
            if isinstance(outcome, outcomes.Held):
                granted[name, command.key] = outcome.id

    async def until_answered(name: str, command: wire.FanCommand) -> Answer:
        while True:
            try:
                (outcome,) = await flaky.store.press(
                    sale.drop, [(FanId(name), command)], clock_ms=sale.now
                )
            except Unavailable:
                continue
            return outcome

    await asyncio.gather(*(fan(f"fan-{i}") for i in range(10)))
    log = [line async for line in sale.store.log(sale.drop)]
    assert judge(log).violations == []
    truth = await sale.truth()
    assert difference(fold(await sale.log()), truth) == []
    assert set(granted.values()) <= set(truth.holds)
    made = Counter(record.key for record in truth.holds.values())
    assert set(made.values()) == {1}
    assert proxy.struck[Fate.DROP_REPLY] > 0
    assert proxy.struck[Fate.TWICE] > 0


async def test_what_was_acknowledged_survives_a_kill_of_the_server(server_kind: str) -> None:
    server = Server(durable=True, kind=server_kind).start()
    try:
        one = connections.client(server.url)
        sale = Sale(Store(one), "killed")
        await sale.publish(manifest("killed"))
        await sale.creator("open")
        hold = await sale.held("ana")
        server.kill()
        with pytest.raises(Unavailable):
            await sale.hold("bo", key="k")
        server.start()
        assert (await sale.truth()).holds[hold].fan == "ana"
        assert isinstance(await sale.hold("bo", key="k"), outcomes.Held)
        assert await sale.counts() == (1, 2, 0, 0)
        await one.aclose(close_connection_pool=True)
    finally:
        server.stop()
