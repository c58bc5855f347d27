"""Positive controls: each guard of the scripts is taken out once, and the checks must notice.

A test that cannot fail proves nothing. The same story is played on the real scripts, where the
referee finds nothing, and on mutilated ones, where it must name the broken invariant; and the state
machine must find by itself that something is missing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
import redis.asyncio as redis

from dropengine import outcomes, wire
from dropengine.log.referee import judge
from dropengine.truth import scripts
from dropengine.truth.store import Store
from tests.kit.cuts import CUTS, STOCK, mutilated
from tests.kit.faulty_machine import finds_a_fault
from tests.kit.manifests import CALLS, HOLD_MS, HOUR_MS, START_MS, item, manifest
from tests.kit.private_server import Server
from tests.kit.rows import rows
from tests.kit.sale import Sale
from tests.truth.test_store_machine import Hands, Machine

PACE = 4


@dataclass(frozen=True)
class Control:
    guard: str
    story: Callable[[Sale], Awaitable[None]]
    broken: str
    """The invariant that the referee must name."""

    def mutilated(self) -> dict[str, scripts.Script]:
        return mutilated(CUTS[self.guard])


async def a_fan_presses_for_more_than_his_limit(sale: Sale) -> None:
    await sale.hold("ana", qty=1)
    await sale.hold("ana", qty=2)


async def more_fans_press_than_there_are_units(sale: Sale) -> None:
    for fan in ("ana", "bo", "cy"):
        await sale.hold(fan, qty=2)


async def a_newcomer_presses_when_a_unit_comes_back(sale: Sale) -> None:
    hold = await sale.held("ana", qty=2)
    await sale.held("eva")
    await sale.joined("bo")
    await sale.batch(
        ("ana", wire.Release(id=0, key="r", hold=hold)),
        ("cy", wire.Hold(id=0, key="h", pool="pin", qty=1)),
    )


async def a_fan_pays_long_after_the_deadline(sale: Sale) -> None:
    hold = await sale.held("ana")
    sale.now += HOLD_MS + 5000
    await sale.pay("ana", hold)


async def a_fan_repeats_a_press(sale: Sale) -> None:
    hold = await sale.hold("ana", key="once")
    assert isinstance(hold, outcomes.Held)
    await sale.release("ana", hold.id)
    await sale.hold("ana", key="once")


async def a_fan_holds_and_gives_back_without_end(sale: Sale) -> None:
    for _ in range(PACE + 1):
        hold = await sale.hold("ana")
        if isinstance(hold, outcomes.Held):
            await sale.release("ana", hold.id)


async def a_payment_comes_late_while_somebody_is_ready(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    await sale.creator("pause")
    await sale.joined("bo")
    sale.now += HOLD_MS
    await sale.settle()
    await sale.unpaid(hold)
    await sale.succeeded(hold)


async def a_unit_comes_back_at_night(sale: Sale) -> None:
    await sale.held("ana", qty=2)
    hold = await sale.held("eva")
    for fan in ("bo", "cy"):
        await sale.joined(fan)
    sale.now = START_MS + 14 * HOUR_MS
    await sale.release("eva", hold)
    await sale.hold("cy")


async def two_have_more_together_than_one_may(sale: Sale) -> None:
    await sale.hold("ana", qty=2)
    await sale.hold("pia", qty=1)
    await sale.adopt("ana", "pia")


async def two_who_wait_become_one(sale: Sale) -> None:
    await sale.creator("pause")
    for fan in ("ana", "bo", "pia"):
        await sale.join(fan)
    await sale.adopt("pia", "ana")
    await sale.creator("resume")


async def who_holds_two_things_signs_in(sale: Sale) -> None:
    await sale.hold("ana")
    await sale.join("ana")
    await sale.adopt("ana", "pia")


async def somebody_signs_in_at_the_browser_of_another(sale: Sale) -> None:
    await sale.hold("ana")
    await sale.adopt("ana", "pia")
    await sale.adopt("ana", "quin")


async def somebody_becomes_a_guest(sale: Sale) -> None:
    for fan in ("ana", "bo"):
        await sale.hold(fan)
    await sale.adopt("ana", "pia")
    await sale.adopt("bo", "ana")


async def four_guests_become_one(sale: Sale) -> None:
    for fan in ("ana", "bo", "cy", "di"):
        await sale.release(fan, await sale.held(fan))
        await sale.adopt(fan, "pia")


async def a_guest_presses_after_he_signed_in(sale: Sale) -> None:
    await sale.hold("ana")
    await sale.adopt("ana", "pia")
    await sale.hold("ana", qty=2)
    await sale.hold("ana", qty=1)
    await sale.join("ana")


async def a_guests_late_payment_comes_after_he_signed_in(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    for _ in range(2):
        sale.now += HOLD_MS
        await sale.settle()
    await sale.adopt("ana", "pia")
    await sale.succeeded(hold)


async def a_key_of_the_guest_is_sent_again(sale: Sale) -> None:
    hold = await sale.hold("ana", key="once")
    assert isinstance(hold, outcomes.Held)
    await sale.release("ana", hold.id)
    await sale.adopt("ana", "pia")
    await sale.hold("pia", key="once")


CONTROLS = (
    Control("limit", a_fan_presses_for_more_than_his_limit, "INV-6"),
    Control("stock", more_fans_press_than_there_are_units, "INV-2"),
    Control("newcomer", a_newcomer_presses_when_a_unit_comes_back, "INV-11"),
    Control("settle first", a_fan_pays_long_after_the_deadline, "INV-9"),
    Control("keys", a_fan_repeats_a_press, "INV-7"),
    Control("who stands ahead", a_payment_comes_late_while_somebody_is_ready, "INV-11"),
    Control("quiet hours", a_unit_comes_back_at_night, "INV-11"),
    Control("pace", a_fan_holds_and_gives_back_without_end, "INV-6"),
    Control("both keep every limit", two_have_more_together_than_one_may, "INV-6"),
    Control("one place in line", two_who_wait_become_one, "INV-11"),
    Control("the earlier place stays", two_who_wait_become_one, "INV-11"),
    Control("all that he has", who_holds_two_things_signs_in, "INV-15"),
    Control("adopted once", somebody_signs_in_at_the_browser_of_another, "INV-15"),
    Control("no chains", somebody_becomes_a_guest, "INV-15"),
    Control("three guests", four_guests_become_one, "INV-15"),
    Control("the guest answers as the person", a_guest_presses_after_he_signed_in, "INV-15"),
    Control("a payment of the guest", a_guests_late_payment_comes_after_he_signed_in, "INV-15"),
    Control("the guest's keys", a_key_of_the_guest_is_sent_again, "INV-7"),
)

AT_ONCE = (0, 1, 3, 4, 5, 8)
"""Those whose guard the state machine misses soon; to the others it comes only after minutes."""

each_control = pytest.mark.parametrize("control", CONTROLS, ids=[c.guard for c in CONTROLS])


async def play(store: Store, drop: str, story: Callable[[Sale], Awaitable[None]]) -> Sale:
    sale = Sale(store, drop)
    rules = {"limit": 2, "pace": PACE, "pace_ms": 10_000, **CALLS}
    await sale.publish(manifest(drop, item("pin", {"pin": 3}), **rules))
    await sale.creator("open")
    await story(sale)
    return sale


async def broken(sale: Sale) -> set[str]:
    log = [line async for line in sale.store.log(sale.drop)]
    return {violation.inv for violation in judge(log).violations}


@each_control
async def test_with_the_guard_the_story_ends_well(
    store: Store, drop: str, control: Control
) -> None:
    assert await broken(await play(store, drop, control.story)) == set()


@each_control
async def test_without_the_guard_the_referee_names_what_broke(
    client: redis.Redis, drop: str, control: Control
) -> None:
    sale = await play(Store(client, control.mutilated()), drop, control.story)
    assert control.broken in await broken(sale)


async def test_without_the_stock_check_the_books_stop_the_drop(
    client: redis.Redis, drop: str
) -> None:
    """The second guard: what would be oversold is never written, and the drop is frozen."""
    store = Store(client, mutilated([STOCK]))
    sale = await play(store, drop, more_fans_press_than_there_are_units)
    assert (await sale.words())[-1] == "frozen"
    assert await sale.counts() == (1, 2, 0, 0)


@pytest.mark.parametrize("control", rows(CONTROLS, AT_ONCE), ids=lambda control: control.guard)
def test_without_the_guard_the_state_machine_fails(server: Server, control: Control) -> None:
    hands = Hands(server, control.mutilated())
    Machine.hands = hands
    try:
        finds_a_fault(Machine)
    finally:
        hands.close()
