"""Each duty is done, by one worker, and again when it was not done."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from dropengine import outcomes
from dropengine.creator_commands import EndDuty
from dropengine.doors.metrics import of_duties
from dropengine.doors.prometheus import Sample
from dropengine.jobs.duties import (
    JITTER,
    Duties,
    Patience,
    Perform,
    SetAside,
    shown,
    try_again,
    wall_ms,
)
from dropengine.jobs.order_of_work import PLACES
from dropengine.jobs.settle import Settling
from dropengine.log.replay import difference, fold
from dropengine.model import DropId, DutyRecord
from dropengine.truth import keys
from dropengine.truth.house import Claim
from dropengine.truth.store import Store
from tests.kit.jobs_at_work import at_work, conf, paid, real, rounds, settling
from tests.kit.sale import Sale
from tests.kit.web_process import LONG_S, until


class Desk:
    """Does duties by ticking them off, and keeps which about money were asked of it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[str] = []
        self.faults: list[Exception] = []

    async def __call__(self, drop: DropId, duty_id: str, duty: DutyRecord) -> None:
        if duty.kind == "cancel":
            await self.store.discharge(drop, duty_id, "done")
            return
        self.asked.append(duty_id)
        if self.faults:
            raise self.faults.pop()
        await self.store.discharge(drop, duty_id, "done")


async def empty(sale: Sale) -> None:
    async with asyncio.timeout(LONG_S):
        while await sale.store.duties(sale.drop):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


async def test_each_duty_is_done_once_though_every_worker_has_a_settler(store: Store) -> None:
    sale = await real(store)
    duties = {await paid(sale, fan) for fan in ("ada", "ben", "cleo")}
    desks = [Desk(store), Desk(store), Desk(store)]
    async with (
        settling(store, desks[0]) as one,
        settling(store, desks[1]) as two,
        settling(store, desks[2]) as three,
    ):
        await empty(sale)
        for settler in (one, two, three):
            await rounds(settler)
    asked = [duty for desk in desks for duty in desk.asked]
    assert sorted(asked) == sorted(duties)
    # And by one of them alone: the one who holds the lease.
    assert sum(bool(desk.asked) for desk in desks) == 1
    assert {order.state for order in (await sale.truth()).orders.values()} == {"done"}


async def test_when_the_one_who_does_duties_dies_another_does(store: Store) -> None:
    sale = await real(store)
    first, second = Desk(store), Desk(store)
    async with settling(store, first) as one:
        await rounds(one)
        async with settling(store, second) as two:
            duty = await paid(sale, "ada")
            await empty(sale)
            assert (first.asked, second.asked) == ([duty], [])
            # The lease of one that is gone runs out by itself.
            await store.client.set(store.house.keys.lease("duties"), "somebody who died", px=1)
            later = await paid(sale, "ben")
            await empty(sale)
            assert sorted(first.asked + second.asked) == sorted([duty, later])
            await rounds(two)


@pytest.mark.parametrize(
    "claim",
    [
        {"shop": "theirs", "run:a1": "1:9999999999999"},
        # Of the same shop, but another run; and the own run, which nobody renewed.
        {"shop": "ours", "run:b2": "1:9999999999999"},
        {"shop": "ours", "run:a1": "1:1"},
    ],
)
async def test_a_shop_that_lost_its_server_begins_no_duty_more(
    store: Store, claim: dict[str, str]
) -> None:
    """Asked for before each: what it knew of its lease is older than that."""
    sale = await real(store)
    house, key = store.house, store.house.keys.claim
    house.claim = Claim("ours", "a1")
    desk = Desk(store)
    duties = Duties(store, desk)
    try:
        await store.client.hset(key, mapping={"shop": "ours", "run:a1": "1:9999999999999"})
        await duties.round()
        await paid(sale, "ada")
        await store.client.delete(key)
        await store.client.hset(key, mapping=claim)
        duties.begin(sale.drop)
        await asyncio.gather(*duties._working.values())
        assert desk.asked == []
        # What it owes is the next one's, under the claim that holds now.
        house.claim = Claim(claim["shop"], "c3")
        await store.client.hset(key, "run:c3", "1:9999999999999")
        await store.client.delete(house.keys.lease("duties"))
        async with settling(store, desk):
            await empty(sale)
        assert len(desk.asked) == 1
    finally:
        await duties.close()
        await house.forget_claim()


async def test_a_duty_that_was_not_done_is_tried_again(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    sale = await real(store)
    duty = await paid(sale, "ada")
    desk = Desk(store)
    desk.faults = [RuntimeError("a bug in a duty")]
    async with settling(store, desk):
        await empty(sale)
    assert desk.asked == [duty] * 2
    assert "a bug in a duty" in caplog.text


async def test_a_provider_that_hangs_keeps_nobody_else_waiting(store: Store) -> None:
    slow, quick = await real(store, "slow"), await real(store, "quick")
    await paid(slow, "ada")
    duty = await paid(quick, "ada")
    desk, hung = Desk(store), asyncio.Event()

    async def perform(drop: DropId, duty_id: str, record: DutyRecord) -> None:
        if drop == slow.drop:
            hung.set()
            await asyncio.Future()
        await desk(drop, duty_id, record)

    async with settling(store, perform) as settler:
        await hung.wait()
        await empty(quick)
        await rounds(settler)
        # It is asked once and waited for, not once a round.
        assert await slow.store.duties(slow.drop)
    assert desk.asked == [duty]


async def test_its_end_is_the_end_of_all_its_tasks(store: Store) -> None:
    sale = await real(store)
    await paid(sale, "ada")
    begun = asyncio.Event()

    async def slow(_drop: DropId, _id: str, _duty: DutyRecord) -> None:
        begun.set()
        await asyncio.Future()

    before = asyncio.all_tasks()
    async with settling(store, slow):
        await begun.wait()
    assert {task for task in asyncio.all_tasks() if not task.done()} <= before


@pytest.mark.parametrize(
    "raw",
    [
        # What a notice over 2^63 once left behind: its amount is a fraction to whoever reads it.
        msgspec.msgpack.encode(["void", "h1", "c9", 9.223372036854776e18, 5]),
        b"foreign bytes",
        b"",
        msgspec.msgpack.encode(["gift", "h1", "c9", 1, 5]),
    ],
)
async def test_one_entry_that_cannot_be_read_is_set_aside_and_the_others_are_done(
    store: Store, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    sale = await real(store)
    done = {await paid(sale, fan) for fan in ("ada", "ben")}
    await store.client.hset(keys.one(sale.drop, "outbox"), "void:c9", raw)
    desk = Desk(store)
    duties = Duties(store, desk)
    async with at_work(duties, Settling(store, conf(), duties.begin)) as runner:
        await empty(sale)
        await rounds(runner)
        await duties.close()
    assert set(desk.asked) == done
    # Shown once, counted as long as it is there, and never thrown away.
    assert caplog.text.count("'void:c9' is set aside, see to its money: it cannot be read") == 1
    assert {drop: set(ids) for drop, ids in duties.set_aside.items()} == {sale.drop: {"void:c9"}}
    told = Sample("dropengine_duties_set_aside", 1, (("drop", sale.drop),))
    assert list(of_duties(duties)) == [told]
    assert await store.client.hget(keys.one(sale.drop, "outbox"), "void:c9") == raw
    found = difference(fold(await sale.log()), await sale.truth())
    assert [line.split(" is stored")[0] for line in found] == ["outbox void:c9"]


async def test_what_was_set_aside_is_counted_until_somebody_saw_to_it(store: Store) -> None:
    sale = await real(store)
    await store.client.hset(keys.one(sale.drop, "outbox"), "void:c9", b"foreign")
    duties = Duties(store, Desk(store))
    async with at_work(duties, Settling(store, conf(), duties.begin)):
        await until(lambda: duties.set_aside)
        await store.client.hdel(keys.one(sale.drop, "outbox"), "void:c9")
        await paid(sale, "ada")
        await until(lambda: not duties.set_aside)
        await duties.close()


async def test_a_question_that_is_soon_too_late_waits_behind_no_crowd_of_captures(
    store: Store,
) -> None:
    """Captures fill all places, and one question comes: it is asked in the next round."""
    sale = await real(store, cap=100)
    captures = {await paid(sale, f"fan{i}") for i in range(90)}
    asked: list[str] = []
    held, gate = asyncio.Event(), asyncio.Event()

    async def perform(drop: DropId, duty_id: str, duty: DutyRecord) -> None:
        asked.append(duty_id)
        if duty.kind == "cancel":
            await store.unpaid(drop, duty.payment)
            return
        if len(asked) == PLACES:
            held.set()
        await gate.wait()
        await store.discharge(drop, duty_id, "done")

    async with settling(store, perform):
        await held.wait()
        assert set(asked) < captures
        hold = await sale.held("late")
        paying = await sale.pay("late", hold)
        assert isinstance(paying, outcomes.Paying)
        await sale.unpay("late", paying.id)
        gate.set()
        await empty(sale)
    assert asked.index(f"cancel:{paying.id}") < 2 * PLACES


async def test_what_was_owed_while_a_slow_one_is_done_is_done_beside_it(store: Store) -> None:
    """The outbox is read again though one duty of the round before still hangs."""
    sale = await real(store)
    slow = await paid(sale, "ada")
    desk, hung = Desk(store), asyncio.Event()

    async def perform(drop: DropId, duty_id: str, record: DutyRecord) -> None:
        if duty_id == slow:
            hung.set()
            await asyncio.Future()
        await desk(drop, duty_id, record)

    async with settling(store, perform):
        await hung.wait()
        later = await paid(sale, "ben")
        async with asyncio.timeout(LONG_S):
            while later in await store.duties(sale.drop):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
    assert desk.asked == [later]


DAY_MS = 24 * 3600 * 1000


async def refuses(_drop: DropId, _id: str, _duty: DutyRecord) -> str:
    return "no_such_charge"


async def forgets(_drop: DropId, _id: str, _duty: DutyRecord) -> None:
    """The provider never answers."""


@pytest.mark.parametrize(
    ("perform", "later_ms", "why"),
    [
        (refuses, 0, "the provider refuses it for good: no_such_charge"),
        (forgets, DAY_MS, "it is undone for 24 h"),
        (forgets, 5 * DAY_MS, "it is undone for 120 h"),
    ],
)
async def test_what_the_provider_does_not_do_is_tried_and_then_left_to_a_person(
    store: Store, perform: Perform, later_ms: int, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    sale = await real(store)
    duty = await paid(sale, "ada")
    asked: list[str] = []

    async def tried(drop: DropId, duty_id: str, record: DutyRecord) -> str | None:
        asked.append(duty_id)
        return await perform(drop, duty_id, record)

    duties = Duties(store, tried, clock_ms=lambda: wall_ms() + later_ms)
    async with at_work(duties, Settling(store, conf(), duties.begin)) as runner:
        await until(lambda: duties.set_aside)
        await rounds(runner)
        assert asked == [duty]
        assert list(of_duties(duties)) == [
            Sample("dropengine_duties_set_aside", 1, (("drop", sale.drop),))
        ]
        # It stays counted until a person ends it.
        ending = EndDuty(duty, "given_up", "the bank is gone")
        await store.end_duty(sale.drop, ending, by="o1", key="k")
        await until(lambda: not duties.set_aside)
        await duties.close()
    assert caplog.text.count(f"{duty!r} is set aside, see to its money: {why}") == 1
    assert (await sale.truth()).outbox == {}


async def test_what_is_undone_for_less_than_a_day_is_tried_again_by_itself(store: Store) -> None:
    sale = await real(store)
    await paid(sale, "ada")
    desk = Desk(store)
    desk.faults = [RuntimeError("once")]
    duties = Duties(store, desk, clock_ms=lambda: wall_ms() + DAY_MS - 60_000)
    async with at_work(duties, Settling(store, conf(), duties.begin)):
        await empty(sale)
        await duties.close()
    assert duties.set_aside == {}


async def test_every_worker_can_show_what_was_set_aside_its_tries_and_why(store: Store) -> None:
    sale = await real(store)
    capture = await paid(sale, "ada")
    since_ms = (await store.duties(sale.drop))[capture].at_ms

    async def perform(*_: object) -> str:
        return "no such charge"

    duties = Duties(store, perform)
    async with at_work(duties, Settling(store, conf(), duties.begin)):
        await until(lambda: duties.set_aside)
        why = "the provider refuses it for good: no such charge"
        assert await shown(store, sale.drop) == [SetAside(capture, 1, since_ms, why)]
        await sale.discharge(capture)
        await until(lambda: not duties.set_aside)
        assert await shown(store, sale.drop) == []
        await duties.close()


async def test_what_was_set_aside_is_tried_once_more_for_each_time_a_person_wants_it(
    store: Store,
) -> None:
    sale = await real(store)
    duty = await paid(sale, "ada")
    asked: list[str] = []

    async def refusing(_drop: DropId, duty_id: str, _duty: DutyRecord) -> str:
        asked.append(duty_id)
        return "no such charge"

    duties = Duties(store, refusing)
    async with at_work(duties, Settling(store, conf(), duties.begin)) as runner:
        await until(lambda: duties.set_aside)
        assert not await try_again(store, sale.drop, "capture:none", 1)
        for at_ms in (1, 2):
            await until(lambda: duties.set_aside)
            assert await try_again(store, sale.drop, duty, at_ms)
            await until(lambda at=at_ms: asked == [duty] * (1 + at))  # type: ignore[misc]
            await rounds(runner)
        assert asked == [duty] * 3
        await duties.close()


def test_a_duty_waits_twice_as_long_every_time_up_to_ten_minutes() -> None:
    patience, now = Patience(), 0.0
    pauses: list[float] = []
    while len(pauses) < 12:
        assert patience.over(now)
        patience.tried(now, grows=True)
        before = now
        while not patience.over(now):
            now += 1.0
        pauses.append(now - before)
    usual = [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]
    # What failed together is spread out.
    assert all(
        least <= pause <= least * (1 + JITTER) + 1
        for least, pause in zip(usual, pauses, strict=True)
    )
    assert patience.tries == len(pauses)


def test_a_hold_that_stands_is_asked_about_as_often_until_its_hard_stop() -> None:
    patience = Patience()
    for now in (0.0, 2.0, 4.0, 6.0):
        assert patience.over(now)
        patience.tried(now, grows=False)
        assert not patience.over(now + 1.9)
