"""Rows of `thaw`: a frozen drop comes back, and its own time goes on from where it froze."""

from __future__ import annotations

import msgspec
import pytest

from dropengine import events, outcomes, refusals
from dropengine.log import replay
from dropengine.log.referee import judge
from dropengine.truth import keys
from tests.conftest import MakeSale
from tests.kit.freezing import freeze, restore
from tests.kit.manifests import HOLD_MS, START_MS, item
from tests.kit.sale import Sale
from tests.lua.test_common_rows import tamper

HOUR_MS = 3_600_000


async def check(sale: Sale, *blamed: str) -> None:
    lines = [line async for line in sale.store.log(sale.drop)]
    assert [one.inv for one in judge(lines).violations] == list(blamed)
    assert replay.difference(replay.fold_lines(lines), await sale.truth()) == []


async def thaw(sale: Sale, **more: object) -> outcomes.CreatorOutcome:
    return await sale.creator("thaw", found=0, **more)  # type: ignore[arg-type]


async def test_a_live_drop_comes_back_paused_and_says_what_happened(sale: Sale) -> None:
    await freeze(sale)
    sale.now += HOUR_MS
    outcome = await thaw(sale, by="o2")
    assert isinstance(outcome, outcomes.Changed)
    assert outcome.state == "paused"
    event = (await sale.log())[-1]
    assert event == events.Thawed(
        seq=3, at=START_MS, by="o2", key=event.key, revision=3,  # type: ignore[union-attr]
        lead=-HOUR_MS, why="half", state="paused", found=0, lost_ms=HOUR_MS,
    )  # fmt: skip
    assert await sale.hold("ana") == refusals.Paused()
    await sale.creator("resume")
    await sale.held("ana")
    await check(sale, "INV-3")


async def test_no_hold_loses_the_time_in_which_the_drop_was_frozen(sale: Sale) -> None:
    hold = await sale.held("ana")
    sale.now += 1000
    await freeze(sale)
    sale.now += HOUR_MS
    await thaw(sale)
    ((_, record),) = (await sale.you("ana")).holds
    assert record.deadline_ms == sale.now + HOLD_MS - 1000
    sale.now += HOLD_MS - 1001
    assert (await sale.settle()).state == "paused"
    assert isinstance(await sale.release("ana", hold), outcomes.Released)
    await check(sale, "INV-3")


@pytest.mark.parametrize("state", ["scheduled", "paused", "closing"])
async def test_a_drop_that_sold_nothing_new_comes_back_as_it_was(
    make_sale: MakeSale, state: str
) -> None:
    sale = await make_sale(opened=False)
    if state != "scheduled":
        await sale.creator("open")
        await sale.held("ana")
        await sale.creator({"paused": "pause", "closing": "close"}[state])
    await freeze(sale)
    outcome = await thaw(sale)
    assert isinstance(outcome, outcomes.Changed)
    assert outcome.state == state
    await check(sale, "INV-3")


@pytest.mark.parametrize("verb", ["close", "cancel"])
async def test_a_drop_that_was_over_stays_over_and_is_looked_at_all_the_same(
    sale: Sale, verb: str
) -> None:
    await sale.bought("ana")
    await sale.creator(verb)
    state = (await sale.settle()).state
    assert state in ("settled", "cancelled")
    await freeze(sale)
    assert (await sale.settle()).state == state
    outcome = await thaw(sale)
    assert isinstance(outcome, outcomes.Changed)
    assert outcome.state == state
    assert isinstance(await thaw(sale), refusals.Already)
    await check(sale, "INV-3")


async def test_the_opening_it_waits_for_means_the_true_clock(make_sale: MakeSale) -> None:
    opens_ms = START_MS + 2 * HOUR_MS
    sale = await make_sale(opened=False, opens_ms=opens_ms)
    await freeze(sale)
    sale.now += HOUR_MS
    await thaw(sale)
    sale.now = opens_ms - 1
    assert (await sale.settle()).state == "scheduled"
    sale.now = opens_ms
    assert (await sale.settle()).state == "live"
    await check(sale, "INV-3")


async def test_a_clock_in_doubt_stays_in_doubt(make_sale: MakeSale) -> None:
    sale = await make_sale(opened=False, opens_ms=START_MS + 1000)
    await sale.store.doubt_clock(sale.drop, clock_ms=sale.now)
    await freeze(sale)
    await thaw(sale)
    sale.now += 1000
    assert (await sale.settle()).state == "scheduled"


async def test_no_watch_ends_the_pause_of_a_thaw(sale: Sale) -> None:
    await sale.creator("pause", by="disk", why="the disk is nearly full")
    await freeze(sale)
    await thaw(sale)
    assert isinstance(await sale.creator("resume", by="disk"), refusals.StaleRevision)
    assert isinstance(await sale.creator("resume"), outcomes.Changed)
    await check(sale, "INV-3")


async def test_what_was_frozen_is_no_outage(sale: Sale) -> None:
    await sale.store.client.hset(keys.one(sale.drop, "wake"), "ran", sale.now)
    await freeze(sale)
    sale.now += HOUR_MS
    await thaw(sale)
    await sale.settle()
    assert (await sale.words())[-1] == "thawed"


async def test_after_a_restore_nobody_is_blamed(sale: Sale) -> None:
    await restore(sale)
    assert await sale.hold("ana") == refusals.Frozen()
    await thaw(sale)
    assert (await sale.log())[-1].why == "restore"  # type: ignore[union-attr]
    await check(sale)


async def test_books_that_do_not_add_up_stay_frozen(sale: Sale) -> None:
    await tamper(sale)
    await sale.hold("ana")
    assert await thaw(sale) == refusals.Frozen()
    record = (await sale.truth()).pools["pin"]
    record.free -= 1
    await sale.store.rewrite(
        sale.drop, "pools", "hash", ["pin", msgspec.msgpack.encode(record)], []
    )
    assert isinstance(await thaw(sale), outcomes.Changed)
    assert (await sale.log())[-1].why == "books"  # type: ignore[union-attr]
    await check(sale, "INV-1")


async def test_a_drop_that_goes_on_is_not_thawed(sale: Sale) -> None:
    before = await sale.log()
    assert isinstance(await thaw(sale), refusals.Already)
    assert await sale.log() == before


async def test_its_key_belongs_to_one_command(sale: Sale) -> None:
    await sale.creator("message", key="mine", text="another command")
    await freeze(sale)
    assert await thaw(sale, key="mine") == refusals.KeyReused()


async def test_a_second_freeze_is_a_new_one(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 3}))
    for at in range(2):
        await freeze(sale)
        sale.now += HOUR_MS
        await thaw(sale)
        await sale.creator("resume")
        assert (await sale.truth()).drop["lead"] == str(-HOUR_MS * (at + 1))
    await check(sale, "INV-3", "INV-3")


async def test_who_calls_a_frozen_drop_off_ends_the_freeze(sale: Sale) -> None:
    await freeze(sale)
    await sale.creator("cancel")
    shown = await sale.store.show(sale.drop)
    assert shown is not None
    assert (shown.state, shown.froze) == ("cancelled", "")
    assert isinstance(await thaw(sale), refusals.Already)


async def test_a_sale_that_is_over_cannot_be_called_off_because_its_books_broke(
    sale: Sale,
) -> None:
    await sale.bought("ana")
    await sale.creator("close")
    await sale.settle()
    await tamper(sale)
    await sale.refund("h1")
    assert (await sale.settle()).state == "frozen"
    assert await sale.creator("cancel") == refusals.Closed()
