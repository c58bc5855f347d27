"""Late, double and lost payments, played on two workers: one server, one book, webhooks over HTTP.

At the end of every story the duties are done, the referee reads the log, and the provider's own
book is held against the orders: what was taken and not given back is exactly what was sold.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from starlette.applications import Starlette

from dropengine import model, outcomes
from dropengine.doors import webhooks
from dropengine.doors.page_templates import Templates
from dropengine.payments.configured import Configured
from dropengine.payments.duties import perform
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.local import Do, LocalPay
from dropengine.payments.port import Charged
from dropengine.truth import connections, keys
from dropengine.truth.store import Store
from tests.kit.local_provider import SHOP, local_pay, only, until_idle
from tests.kit.manifests import HOLD_MS, LOOKUP_MS
from tests.kit.paid_sale import PaidSale, SaleClock
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.webhook_receiver import serving


@dataclass
class Worker:
    """One app instance as far as money goes: a connection, a provider and a door of its own."""

    store: Store
    local: LocalPay
    intents: IntentIds
    templates: Templates

    @property
    def payments(self) -> Configured:
        return only(self.local)

    async def duties(self, sale: Sale) -> None:
        for duty_id, duty in (await self.store.duties(sale.drop)).items():
            await perform(self.store, self.payments, self.intents, sale.drop, duty_id, duty)


class Story(PaidSale):
    """A sale on two workers."""

    def __init__(self, sale: Sale, book: Path, workers: list[Worker]) -> None:
        super().__init__(sale, workers[0].local, book)
        self.workers = workers

    async def quiet(self) -> None:
        """Webhooks are delivered and duties done, by both workers at once, until all is done."""
        for _ in range(4):
            await asyncio.gather(*(until_idle(worker.local) for worker in self.workers))
            await asyncio.gather(*(worker.duties(self.sale) for worker in self.workers))

    async def end(self) -> None:
        """All is judged."""
        await self.quiet()
        await self.adds_up()

    async def choose(
        self, hold: str, do: Do, after_ms: int | None = None, *, intent: str = ""
    ) -> None:
        """Who pays late does so when he is not waited for any more."""
        if do == "late" and after_ms is None:
            after_ms = LOOKUP_MS + 2_000
        await super().choose(hold, do, after_ms, intent=intent)

    async def expire(self, hold: str) -> None:
        """The deadline passes, the provider knows of nothing, and the hold ends."""
        await self.over()
        await self.quiet()
        self.sale.now += LOOKUP_MS
        await self.sale.settle()
        record = await self.sale.store.hold(self.sale.drop, hold)
        assert record is not None
        assert record.state == "expired"


@pytest.fixture
async def story(sale: Sale, server: Server, tmp_path: Path) -> AsyncIterator[Story]:
    book, clock = tmp_path / "book", SaleClock(sale)
    one, two = Starlette(), Starlette()
    async with (
        serving(one) as first_url,
        serving(two) as second_url,
        local_pay(book, first_url, clock) as first,
        local_pay(book, second_url, clock) as second,
    ):
        client = connections.client(server.url)
        far = Store(client)
        workers = [
            Worker(sale.store, first, IntentIds(SHOP, sale.store), {}),
            Worker(far, second, IntentIds(SHOP, far), {}),
        ]
        for app, worker in zip((one, two), workers, strict=True):
            app.router.routes.extend(webhooks.routes(worker))
        yield Story(sale, book, workers)
        await client.aclose(close_connection_pool=True)


async def test_a_late_payment_still_gets_a_unit_while_one_is_free_and_nobody_waits(
    story: Story,
) -> None:
    hold = await story.begun("ada")
    await story.choose(hold, "late")
    await story.expire(hold)
    story.sale.now += 2_000
    await story.end()
    assert await story.order(hold) == "done"
    assert "rescued" in await story.sale.words()


async def test_a_late_payment_never_takes_a_unit_from_the_line(story: Story) -> None:
    hold = await story.begun("ada")
    for fan in ("ben", "cleo"):
        await story.sale.bought(fan)
    await story.sale.joined("dan")
    await story.choose(hold, "late")
    await story.expire(hold)
    story.sale.now += 2_000
    await story.quiet()
    truth = await story.sale.truth()
    assert hold not in truth.orders
    assert [h.fan for h in truth.holds.values() if h.state == "active"] == ["dan"]
    assert set((await story.charges()).values()) == {"voided"}


async def test_who_paid_too_late_gets_one_place_in_the_boost_lane_and_no_second(
    story: Story,
) -> None:
    first, second = await story.begun("ada"), ""
    await story.choose(first, "late")
    await story.expire(first)
    for fan in ("ben", "cleo", "dan"):
        await story.sale.held(fan)
    story.sale.now += 2_000
    await story.quiet()
    (entry,) = (await story.sale.truth()).entries.values()
    assert (entry.fan, entry.lane, entry.rank) == ("ada", 0, model.MADE_GOOD)
    assert (await story.sale.words()).count("voided") == 1

    # The three holds end; the place calls ada, and she is late again.
    story.sale.now += HOLD_MS
    await story.sale.settle()
    truth = await story.sale.truth()
    (second,) = (name for name, h in truth.holds.items() if h.origin == "line")
    await story.sale.claim("ada", second)
    await story.sale.pay("ada", second)
    await story.choose(second, "late")
    await story.expire(second)
    for fan in ("eve", "finn", "gus"):
        await story.sale.held(fan)
    story.sale.now += 2_000
    await story.quiet()
    words = await story.sale.words()
    assert words.count("voided") == 2
    assert words.count("joined") == 1
    await story.end()


async def test_a_late_payment_pays_the_equal_hold_that_the_fan_has_now(story: Story) -> None:
    first = await story.begun("ada")
    await story.choose(first, "late")
    await story.expire(first)
    again = await story.sale.held("ada")
    story.sale.now += 2_000
    await story.end()
    truth = await story.sale.truth()
    assert truth.orders.keys() == {again}
    assert truth.fans["ada"].used == 1


@pytest.mark.parametrize("phase", ["live", "pause", "close"])
async def test_a_late_payment_of_the_line_serves_its_own_place(story: Story, phase: str) -> None:
    sale = story.sale
    entry = await sale.called("ada")
    hold = (await sale.truth()).entries[entry].hold
    await sale.pay("ada", hold)
    await story.choose(hold, "late")
    if phase == "close":
        # Somebody keeps the drop from being settled.
        await story.begun("ben")
    if phase != "live":
        await sale.creator("pause")
    await story.over()
    if phase == "close":
        await sale.unpaid(hold)
        await sale.creator("close")
        sale.now += LOOKUP_MS
    else:
        sale.now += LOOKUP_MS
        await sale.settle()
    sale.now += 2_000
    await story.quiet()
    assert await story.order(hold) == "done"
    assert (await sale.truth()).entries[entry].state == "served"
    sale.now += LOOKUP_MS
    await sale.settle()
    await story.end()


async def test_a_late_payment_buys_the_equal_offer_that_its_fan_has_now(story: Story) -> None:
    sale = story.sale
    first = await story.begun("ada")
    await story.choose(first, "late")
    await story.expire(first)
    ben, *_ = [await sale.held(fan) for fan in ("ben", "cleo", "dan")]
    entry = await sale.joined("ada")
    await sale.release("ben", ben)
    offer = (await sale.truth()).entries[entry].hold
    sale.now += 2_000
    await story.end()
    truth = await sale.truth()
    assert truth.orders.keys() == {offer}
    assert truth.entries[entry].state == "served"
    assert "claimed" not in await sale.words()


@pytest.mark.parametrize("own", ["delay", "late", None])
async def test_a_late_payment_for_what_is_paid_for_again_makes_that_money_the_second(
    story: Story, own: Do | None
) -> None:
    sale = story.sale
    first = await story.begun("ada")
    await story.choose(first, "late")
    await story.expire(first)
    again = await story.begun("ada")
    if own is not None:
        await story.choose(again, own)
    sale.now += 2_000
    await story.quiet()
    assert await story.order(again) == "done"
    sale.now += 2 * HOLD_MS
    await story.end()
    assert (await sale.truth()).orders.keys() == {again}
    assert await story.money() == 2400


async def test_money_for_a_hold_that_was_given_back_goes_back(story: Story) -> None:
    hold = await story.begun("ada")
    await story.choose(hold, "delay", 100)
    await story.sale.release("ada", hold)
    story.sale.now += 100
    await story.end()
    assert (await story.sale.truth()).orders == {}
    assert set((await story.charges()).values()) == {"voided"}


async def test_money_for_a_cancelled_drop_goes_back(story: Story) -> None:
    paid, slow = await story.begun("ada"), await story.begun("ben")
    await story.choose(paid, "pay")
    await story.choose(slow, "delay", 100)
    await story.quiet()
    await story.sale.creator("cancel")
    await story.sale.settle()
    story.sale.now += 100
    await story.end()
    assert await story.money() == 0
    assert sorted((await story.charges()).values()) == ["refunded", "voided"]


async def test_money_that_comes_after_the_drop_is_settled_goes_back(story: Story) -> None:
    hold = await story.begun("ada")
    await story.choose(hold, "late")
    await story.expire(hold)
    await story.sale.creator("close")
    assert (await story.sale.settle()).state == "settled"
    story.sale.now += 2_000
    await story.end()
    assert (await story.sale.truth()).entries == {}
    assert set((await story.charges()).values()) == {"voided"}


@pytest.mark.parametrize("tries", range(3))
async def test_two_payments_for_one_hold_buy_one_unit(story: Story, tries: int) -> None:
    hold = await story.begun("ada")
    # Two tabs, two attempts that are both on their way, and one webhook comes twice.
    await story.choose(hold, "delay", 10)
    await story.choose(hold, "delay", 10)
    await story.choose(hold, "twice")
    story.sale.now += 10
    await story.end()
    assert await story.sale.counts() == (2, 0, 1, 0)
    assert sorted((await story.charges()).values()) == ["captured", "voided", "voided"]


async def test_a_payment_that_arrives_while_it_is_asked_about_is_sold(story: Story) -> None:
    hold = await story.begun("ada")
    await story.choose(hold, "late", LOOKUP_MS // 2)
    await story.over()
    await story.quiet()
    assert await story.sale.counts() == (2, 1, 0, 0)
    story.sale.now += LOOKUP_MS // 2
    await story.end()
    assert await story.order(hold) == "done"


async def test_a_provider_that_never_calls_is_asked_in_time(sale: Sale, tmp_path: Path) -> None:
    book = tmp_path / "silent"
    async with local_pay(book, clock=SaleClock(sale), silent=True) as silent:
        intents = IntentIds(SHOP, sale.store)
        alone = Worker(sale.store, silent, intents, {})
        story = Story(sale, book, [alone])
        paid, unpaid = await story.begun("ada"), await story.begun("ben")
        await story.choose(paid, "pay")
        await story.over()
        await story.end()
        assert await story.order(paid) == "done"
        assert await story.sale.counts() == (2, 0, 1, 0)
        assert unpaid not in (await sale.truth()).orders


async def test_a_worker_that_dies_after_the_capture_leaves_only_the_tick(story: Story) -> None:
    hold = await story.begun("ada")
    await story.choose(hold, "pay")
    await until_idle(story.workers[0].local)
    duties = await story.sale.store.duties(story.sale.drop)
    (duty_id,) = (name for name, duty in duties.items() if duty.kind == "capture")
    # The first worker captured, and was killed before it could say so.
    duty = (await story.sale.store.duties(story.sale.drop))[duty_id]
    await story.workers[0].local.capture(duty.charge, duty.amount, duty_id)
    await story.workers[1].duties(story.sale)
    await story.end()
    assert await story.money() == 2400


async def test_a_worker_that_dies_with_the_webhook_leaves_it_to_the_other(story: Story) -> None:
    hold = await story.begun("ada")
    await story.choose(hold, "pay")
    # The script ran, its answer was lost with the worker: the provider tells the other one.
    found = await story.local.lookup(await story.intent(hold))
    assert isinstance(found, Charged)
    await story.told(hold, found)
    await until_idle(story.workers[1].local)
    await story.end()
    assert (await story.sale.words()).count("sold") == 1


@pytest.mark.parametrize("do", ["pay", "delay", "late"])
async def test_money_of_a_lost_life_buys_nothing_in_the_next(story: Story, do: Do) -> None:
    """The truth is lost and restored from before ada's hold: ben's is the next, and has its id."""
    sale = story.sale
    server = sale.store.client
    kept = {name: await server.dump(name) for name in keys.of(sale.drop)[:-1]}
    lost = await story.begun("ada")
    await story.choose(lost, do, 50)
    for name, raw in kept.items():
        await server.delete(name)
        if raw is not None:
            await server.restore(name, 0, raw)
    sale.now += 20
    reborn = await story.begun("ben")
    assert reborn == lost
    sale.now += HOLD_MS + 50
    await story.quiet()
    truth = await sale.truth()
    assert truth.orders == {}
    assert set((await story.charges()).values()) == {"voided"}
    # What ben pays himself is his.
    again = await story.begun("ben")
    await story.choose(again, "pay")
    await story.end()
    assert {order.fan for order in (await sale.truth()).orders.values()} == {"ben"}


@pytest.mark.parametrize("past_ms", [-1, 0, 1])
@pytest.mark.parametrize("seed", range(8))
async def test_paying_at_the_deadline_ends_in_one_order_or_in_none_and_the_money_agrees(
    story: Story, past_ms: int, seed: int
) -> None:
    dice = Random(f"{seed} {past_ms}")
    hold = await story.begun("ada")
    record = await story.sale.store.hold(story.sale.drop, hold)
    assert record is not None
    found = await story.paid(hold)
    story.sale.now = record.deadline_ms + past_ms
    asked = [story.told(hold, found) for _ in range(3)]
    asked += [story.sale.settle() for _ in range(3)]  # type: ignore[misc]
    asked += [story.sale.hold(fan) for fan in ("ben", "cleo", "dan")]  # type: ignore[misc]
    dice.shuffle(asked)
    answers = await asyncio.gather(*asked)
    told = {type(o) for o in answers if isinstance(o, outcomes.Paid | outcomes.Voided)}
    assert len(told) == 1
    await story.end()
    assert await story.order(hold) == "done"
