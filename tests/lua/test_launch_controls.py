"""Positive controls of a list that chance orders, and of networks: without a guard the referee
names what broke; of networks no log tells, so there it is the oracle that must disagree."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
import redis.asyncio as redis

from dropengine.log import draw
from dropengine.log.referee import judge
from dropengine.truth.store import Store
from tests.kit.cuts import CUTS, Cut, mutilated
from tests.kit.faulty_machine import finds_a_fault
from tests.kit.manifests import in_mode, item, manifest
from tests.kit.private_server import Server
from tests.kit.rows import rows
from tests.kit.sale import SECRET, Sale
from tests.truth.test_launch_machine import Launch
from tests.truth.test_store_machine import Hands, Machine


@dataclass(frozen=True)
class Control:
    guard: str
    cut: Cut
    story: Callable[[Sale], Awaitable[None]]
    sentence: str


async def told(sale: Sale) -> str:
    """Sealed with three, its root and its secret told."""
    await sale.entered("ada", "ben", "cy")
    await sale.creator("seal")
    root = (await sale.sealed()).root.hex()
    await sale.store.root(sale.drop, root, clock_ms=sale.now)
    await sale.store.reveal(sale.drop, SECRET.hex(), clock_ms=sale.now)
    return root


async def an_entry_is_placed_twice(sale: Sale) -> None:
    root = await told(sale)
    listed = await sale.sealed()
    chance = draw.chance_of(sale.chance, listed.root, SECRET, sealed_ms=sale.now)
    first, *_ = draw.order(listed, chance)
    for n in (1, 2):
        await sale.store.order(sale.drop, root, n, [first], clock_ms=sale.now)


async def it_starts_too_early(sale: Sale) -> None:
    await told(sale)
    await sale.store.start(sale.drop, clock_ms=sale.now)


async def somebody_joins_after_the_seal(sale: Sale) -> None:
    await told(sale)
    await sale.join("di")


async def it_is_ordered_before_it_is_revealed(sale: Sale) -> None:
    await sale.entered("ada")
    await sale.creator("seal")
    root = (await sale.sealed()).root.hex()
    await sale.store.root(sale.drop, root, clock_ms=sale.now)
    await sale.store.order(sale.drop, root, 1, ["e1"], clock_ms=sale.now)


async def it_is_ordered_as_it_should_be(sale: Sale) -> None:
    await sale.entered(*(f"fan-{n}" for n in range(70)))
    await sale.creator("seal")
    await sale.in_order()
    await sale.hold("late")


async def who_left_stays_in_the_list(sale: Sale) -> None:
    ada, _ = await sale.entered("ada", "ben")
    await sale.leave("ada", ada)
    await sale.creator("seal")


CONTROLS = (
    Control(
        "an arrival once",
        CUTS["an arrival once"][0],
        an_entry_is_placed_twice,
        "is not in the list, or had one",
    ),
    Control(
        "the whole list",
        CUTS["the whole list"][0],
        it_starts_too_early,
        "it opens with 0 arrivals given out, 3 entered",
    ),
    Control(
        "the seal",
        Cut("line/join", "t.state ~= 'lobby'", "t.state ~= 'ordering'"),
        somebody_joins_after_the_seal,
        "joined in a drop that is ordering",
    ),
    Control(
        "revealed first",
        Cut("launch/order", "if ordering.revealed == '' then", "if false then"),
        it_is_ordered_before_it_is_revealed,
        "arrivals from 1 on are not in the order",
    ),
    Control(
        "the first round's window",
        Cut("launch/offer_window", "if not first then return", "do return"),
        it_is_ordered_as_it_should_be,
        "the deadline of offer h1",
    ),
    Control(
        "the end of the first round",
        Cut("line/serve", "if nobody and t.rules.first_offer_ms", "if false"),
        it_is_ordered_as_it_should_be,
        "before the first round is over",
    ),
    Control(
        "struck off",
        Cut("launch/leave_list", "t.entered = entered(t) - 1", "t.entered = entered(t)"),
        who_left_stays_in_the_list,
        "2 entries are sealed, 1 stand there",
    ),
)

each_control = pytest.mark.parametrize("control", CONTROLS, ids=[c.guard for c in CONTROLS])


async def found(store: Store, drop: str, control: Control) -> list[str]:
    sale = Sale(store, drop)
    await sale.publish(in_mode(manifest(drop, item("pin", {"pin": 80})), "lobby"))
    await sale.creator("open")
    await control.story(sale)
    log = [line async for line in sale.store.log(sale.drop)]
    return [violation.sentence for violation in judge(log).violations]


@each_control
async def test_with_the_guard_the_story_ends_well(
    store: Store, drop: str, control: Control
) -> None:
    assert await found(store, drop, control) == []


@each_control
async def test_without_the_guard_the_referee_names_what_broke(
    client: redis.Redis, drop: str, control: Control
) -> None:
    bare = Store(client, mutilated([control.cut]))
    sentences = await found(bare, drop, control)
    assert any(control.sentence in one for one in sentences), sentences


MACHINES: tuple[tuple[type[Machine], str], ...] = (
    (Machine, "counted once"),
    (Machine, "counted no more"),
    (Machine, "a network is full"),
    (Launch, "the whole list"),
)


@pytest.mark.parametrize(("machine", "guard"), rows(MACHINES, (0,)))
def test_without_the_guard_the_state_machine_fails(
    server: Server, machine: type[Machine], guard: str
) -> None:
    hands = Hands(server, mutilated(CUTS[guard]))
    machine.hands = hands
    try:
        finds_a_fault(machine)
    finally:
        hands.close()
