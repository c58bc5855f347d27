"""What is due happens by itself, also where nobody is and where another drop is in trouble."""

from __future__ import annotations

from collections import Counter

import pytest

from dropengine import refusals
from dropengine.jobs import settle
from dropengine.jobs.settle import Settling
from dropengine.model import DropId
from dropengine.truth import keys, repair
from dropengine.truth.replies import Settled
from dropengine.truth.store import Store
from tests.kit.freezing import leave_mark
from tests.kit.jobs_at_work import comes, conf, paid, real, rounds, settling
from tests.kit.manifests import manifest
from tests.kit.sale import Sale


def nobody(_drop: DropId) -> None:
    """Nobody does duties."""


async def test_a_drop_opens_and_closes_by_its_clock_with_nobody_there(store: Store) -> None:
    now = await store.time_ms()
    sale = Sale(store, "clockwork", now=0)
    await sale.publish(manifest("clockwork", opens_ms=now + 50, closes_ms=now + 150))
    async with settling(store):
        await comes(sale, "settled")
    assert await sale.words() == ["published", "opened", "closed", "settled"]


async def test_a_drop_that_cannot_be_settled_keeps_no_other_from_it(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    now = await store.time_ms()
    good = Sale(store, "good", now=0)
    await good.publish(manifest("good", opens_ms=now + 1))
    # The newest comes first, and this one's books cannot be read.
    bad = await real(store, "bad")
    await store.client.hset("{bad}:pools", "pin", "no record")
    async with settling(store) as runner:
        await rounds(runner)
        assert (await good.truth()).drop["state"] == "live"
    assert "bad cannot be settled" in caplog.text
    assert bad.drop in await store.drops()


async def test_a_round_that_fails_is_followed_by_the_next(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Store):
        """The real store; asking for its drops fails at first."""

        faults: list[Exception]

        async def drops(self) -> list[DropId]:
            if self.faults:
                raise self.faults.pop()
            return await super().drops()

    sale = await real(store)
    failing = Failing(store.client)
    failing.faults = [RuntimeError("a bug in a round")]
    async with settling(failing) as runner:
        await rounds(runner)
    assert "a bug in a round" in caplog.text
    assert (await sale.truth()).drop["state"] == "live"


class Counting(Store):
    """The real store, with a count of what it was asked for."""

    def begin(self) -> None:
        self.asked: Counter[str] = Counter()

    async def drops(self) -> list[DropId]:
        self.asked["the index"] += 1
        return await super().drops()

    async def settle(
        self, drop: DropId, *, clock_ms: int = 0
    ) -> Settled | refusals.Frozen | refusals.NotFound:
        self.asked[drop] += 1
        return await super().settle(drop, clock_ms=clock_ms)


async def test_the_index_is_read_seldom_and_a_drop_that_is_over_more_seldom_still(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, over, owing = [await real(store, name) for name in ("live", "over", "owing")]
    await paid(owing, "ada")
    for sale in (over, owing):
        await sale.creator("cancel")
    counting = Counting(store.client)
    counting.begin()
    job = Settling(counting, conf(), nobody)
    for _ in range(5):
        await job.round()
    assert counting.asked == {"the index": 1, live.drop: 5, over.drop: 5, owing.drop: 5}
    monkeypatch.setattr(settle, "INDEX_S", 0.0)
    job._index_at = 0.0
    for _ in range(5):
        await job.round()
    # What is owed still can change a cancelled drop; without that only late money could.
    assert counting.asked == {"the index": 6, live.drop: 10, over.drop: 5, owing.drop: 10}
    # Late money comes also to what is over: it is looked at again.
    job._over[over.drop] -= settle.OVER_S
    await job.round()
    assert counting.asked[over.drop] == 6


async def test_every_round_tells_of_drops_that_owe_something(store: Store) -> None:
    await real(store, "even")
    owing = await real(store, "owing")
    await paid(owing, "ada")
    told: list[DropId] = []
    job = Settling(store, conf(), told.append)
    await job.round()
    await job.round()
    assert told == [owing.drop] * 2


async def test_a_drop_that_freezes_is_told_once_and_so_is_its_thaw(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", logger=settle.__name__)
    bad = await real(store, "iced")
    job = Settling(store, conf(), nobody)
    await job.round()
    assert job.frozen == {}
    await leave_mark(store, bad.drop, await store.time_ms())
    for _ in range(5):
        await job.round()
    assert job.frozen == {bad.drop: "half"}
    found = await repair.audit(store, bad.drop)
    assert found is not None
    await repair.thaw(store, found, by="o1", key="thaw")
    for _ in range(5):
        await job.round()
    assert job.frozen == {}
    assert [one.getMessage() for one in caplog.records if "iced" in one.getMessage()] == [
        "iced is frozen (half) and stands still: see `dropengine audit iced`",
        "iced is not frozen any more",
    ]


async def test_a_fault_that_stays_is_told_once_and_a_new_one_again(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    bad = await real(store, "stuck")
    name = keys.one(bad.drop, "pools")
    kept = await store.client.hget(name, "pin")
    job = Settling(store, conf(), nobody)
    for _ in range(2):
        await store.client.hset(name, "pin", "no record")
        for _ in range(3):
            await job.round()
        await store.client.hset(name, "pin", kept)
        await job.round()
    assert caplog.text.count("stuck cannot be settled") == 2
