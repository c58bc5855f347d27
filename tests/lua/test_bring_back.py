"""Rows of `bring_back`: a drop that is not there is written piece by piece, and then no more."""

from __future__ import annotations

import msgspec

from dropengine import events, refusals
from dropengine.model import DropId, DropState
from dropengine.outcomes import Held
from dropengine.truth import keys, repair
from dropengine.truth.copies import Answers
from dropengine.truth.store import Store
from tests.conftest import MakeSale
from tests.kit.freezing import freeze
from tests.kit.manifests import item
from tests.kit.sale import Sale


async def copied(sale: Sale) -> tuple[list[bytes], dict[str, bytes], Answers]:
    """Log, what it does not tell, answers."""
    _, _, not_told = await sale.store.copies.fields(sale.drop)
    log = [line async for line in sale.store.log(sale.drop)]
    return log, not_told, await sale.store.copies.answers(sale.drop)


async def forget(store: Store, drop: DropId) -> None:
    """The server has lost it."""
    await store.client.delete(*keys.of(drop))


async def bring_back(sale: Sale) -> bool:
    log, not_told, answers = await copied(sale)
    await forget(sale.store, sale.drop)
    return await again(sale, log, not_told, answers)


async def again(sale: Sale, log: list[bytes], not_told: dict[str, bytes], answers: Answers) -> bool:
    truth, hole = repair.replayed(log)
    assert not hole
    return await sale.store.copies.bring_back(
        sale.drop, log, truth, not_told, answers, {"c1": "c-h1", "c9": "of a later life"}
    )


async def test_a_drop_is_what_its_log_makes_it_and_stands_still(sale: Sale) -> None:
    """BROUGHT_BACK: every record, and the answers to what was asked."""
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    await sale.succeeded(hold)
    await sale.held("ben")
    before, log = await sale.truth(), await copied(sale)
    assert await bring_back(sale)
    found = await repair.audit(sale.store, sale.drop)
    assert found is not None
    assert found.agrees
    assert (found.shown.state, found.shown.froze) == (DropState.FROZEN, "restore")
    assert await sale.truth() == before
    assert await copied(sale) == (log[0], {"manifest": log[1]["manifest"], "was": b"live"}, log[2])


async def test_it_goes_on_as_one_that_was_thawed(sale: Sale) -> None:
    assert isinstance(await sale.hold("ben", key="k"), Held)
    await bring_back(sale)
    await sale.creator("thaw", found=0)
    await sale.creator("resume")
    again = await sale.hold("ben", key="k")
    assert isinstance(again, Held)
    assert (again.id, again.was) == ("h1", 3)


async def test_a_drop_that_is_there_is_left_alone(sale: Sale) -> None:
    """IS_THERE."""
    log, not_told, answers = await copied(sale)
    await sale.held("ana")
    before = await sale.truth()
    assert not await again(sale, log, not_told, answers)
    assert await sale.truth() == before
    assert len([line async for line in sale.store.log(sale.drop)]) == before.seq


async def test_what_ended_in_the_middle_is_gone_on_with(sale: Sale) -> None:
    """IS_THERE: an entry of the log that was written is not written twice."""
    await sale.held("ana")
    log, not_told, answers = await copied(sale)
    await bring_back(sale)
    await sale.store.client.delete(keys.one(sale.drop, "drop"))
    assert await again(sale, log, not_told, answers)
    assert [line async for line in sale.store.log(sale.drop)] == log
    found = await repair.audit(sale.store, sale.drop)
    assert found is not None
    assert found.agrees


async def test_one_that_is_over_stays_so(sale: Sale) -> None:
    await sale.creator("close")
    await sale.settle()
    await bring_back(sale)
    shown = await sale.store.show(sale.drop)
    assert shown is not None
    assert (shown.state, shown.froze) == (DropState.SETTLED, "restore")


async def test_a_commit_that_ended_half_way_is_whole_again(sale: Sale) -> None:
    await sale.held("ana")
    await freeze(sale)
    assert await bring_back(sale)
    shown = await sale.store.show(sale.drop)
    assert shown is not None
    assert (shown.state, shown.froze) == (DropState.FROZEN, "restore")


async def test_broken_books_stay_what_its_log_says(sale: Sale) -> None:
    name = keys.one(sale.drop, "pools")
    pool = msgspec.msgpack.decode(await sale.store.client.hget(name, "pin"))
    pool[3] += 1
    await sale.store.client.hset(name, "pin", msgspec.msgpack.encode(pool))
    await sale.hold("ana")
    assert await bring_back(sale)
    shown = await sale.store.show(sale.drop)
    assert shown is not None
    assert (shown.state, shown.froze) == (DropState.FROZEN, "books")
    await sale.creator("thaw", found=0)
    assert (await sale.truth()).state == DropState.PAUSED


async def test_early_access_goes_on_as_it_was(make_sale: MakeSale) -> None:
    """Who is in which cohort, what counts against it, and that the others wait."""
    sale = await make_sale(item("pin", {"pin": 3}), cohorts={"club": 1, "friends": 1})
    await sale.enroll("ana", "club")
    await sale.enroll("bo", "club")
    await sale.enroll("cy", "friends")
    hold = await sale.held("ana")
    await sale.joined("bo")
    assert await bring_back(sale)
    await sale.creator("thaw", found=0)
    await sale.creator("resume")
    assert await sale.hold("di") == refusals.NotEligible(0)
    assert await sale.hold("bo") == refusals.CohortFull(0, 0)
    await sale.held("cy")
    await sale.release("ana", hold)
    offered = (await sale.log())[-1]
    assert isinstance(offered, events.Offered)
    assert (offered.fan, offered.cohort) == ("bo", "club")
