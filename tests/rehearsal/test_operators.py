"""Simulated creators on a real server: they insist where insisting helps."""

from __future__ import annotations

import asyncio

from dropengine import events, outcomes, refusals
from dropengine.creator_commands import Message, Open, Pause, Realign
from dropengine.log.referee import judge
from dropengine.log.replay import difference, fold_lines
from dropengine.rehearsal.operators import LEAP, OUTAGE, Act, Operator, Refunds, Trouble, acts
from dropengine.truth.store import Store
from tests.kit.jobs_at_work import real
from tests.kit.manifests import manifest
from tests.kit.sale import Sale


async def test_what_is_so_already_is_not_asked_for_again(sale: Sale) -> None:
    outcome = await Operator(sale.store, sale.drop, "o2").command(Open())
    assert isinstance(outcome, refusals.Already)
    assert (outcome.state, outcome.by) == ("live", "o1")


async def test_who_was_overtaken_looks_again_and_says_it_all_the_same(sale: Sale) -> None:
    """Each of them reads the same revision, and all but one are refused at first."""
    many = [Operator(sale.store, sale.drop, f"o{i}") for i in range(8)]
    said = await asyncio.gather(*(one.command(Message(f"word {i}")) for i, one in enumerate(many)))
    assert all(isinstance(outcome, outcomes.Changed) for outcome in said)
    texts = sorted(event.text for event in await sale.log() if isinstance(event, events.Message))
    assert texts == [f"word {i}" for i in range(8)]


async def test_what_became_of_each_act_is_counted(sale: Sale) -> None:
    await sale.bought("ana", qty=2)
    noa = Operator(sale.store, sale.drop, "o2")
    for what in (Refunds(2), Pause(), Pause()):
        await noa.do(Act(0, what))
    assert noa.outcomes == {"refund refunded": 1, "pause changed": 1, "pause already": 1}


async def test_the_time_of_a_drop_meets_an_outage_and_a_leap(store: Store) -> None:
    sale = await real(store, "troubled")
    noa = Operator(store, sale.drop, "o2")
    for what in (OUTAGE, Message("Hello."), LEAP, Message("Where are we?"), Realign()):
        await noa.do(Act(0, what))
    assert noa.outcomes["realign changed"] == 1
    moved = [event for event in await sale.log() if isinstance(event, events.Realigned)]
    assert [event.why for event in moved] == ["outage", "leap"]
    assert moved[0].lead <= 0 < moved[1].lead
    lines = [line async for line in store.log(sale.drop)]
    assert judge(lines).violations == []
    assert difference(fold_lines(lines), await sale.truth()) == []


def test_a_hard_evening_has_both_kinds_of_trouble() -> None:
    for seed in range(5):
        did = [act.what for act in acts(seed, manifest("a-1"))]
        assert {OUTAGE, LEAP} <= set(filter(lambda what: isinstance(what, Trouble), did))
        assert did.index(LEAP) < did.index(Realign())
