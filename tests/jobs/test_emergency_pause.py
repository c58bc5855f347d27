"""A pause that cannot wait reaches every live drop, also one whose creator acts at that moment."""

from __future__ import annotations

import pytest

from dropengine import events, model
from dropengine.jobs import emergency_pause
from dropengine.jobs.emergency_pause import EmergencyPause, pause_every_drop
from dropengine.model import DropId
from dropengine.truth.replies import Shown
from dropengine.truth.store import Store
from tests.kit.jobs_at_work import real
from tests.kit.manifests import manifest
from tests.kit.sale import Sale


class Busy(Store):
    """The real store of a creator who says something whenever somebody has looked."""

    sale: Sale
    times = 0

    async def show(self, drop: DropId) -> Shown | None:
        shown = await super().show(drop)
        if self.times:
            self.times -= 1
            await self.sale.creator("message", text="Look here.")
        return shown


async def test_it_reaches_what_is_live_and_nothing_else(store: Store) -> None:
    live, paused = await real(store, "live"), await real(store, "paused")
    await paused.creator("pause")
    waiting = Sale(store, "waiting", now=0)
    await waiting.publish(manifest("waiting"))
    before = [await sale.words() for sale in (paused, waiting)]
    await pause_every_drop(store, "disk", "the disk is nearly full")
    last = (await live.log())[-1]
    assert isinstance(last, events.Paused)
    assert (last.by, last.why) == ("disk", "the disk is nearly full")
    assert [await sale.words() for sale in (paused, waiting)] == before


async def test_a_creator_who_acts_at_the_same_moment_does_not_prevent_it(store: Store) -> None:
    busy = Busy(store.client)
    busy.sale, busy.times = await real(store), emergency_pause.TRIES_MAX - 1
    await pause_every_drop(busy, "clock", "the server's clock leapt")
    assert (await busy.sale.truth()).drop["state"] == "paused"


async def test_trying_again_has_an_end_and_the_other_drops_are_reached(store: Store) -> None:
    other = await real(store, "other")
    busy = Busy(store.client)
    # The newest is first in the index.
    busy.sale, busy.times = await real(store, "busy"), emergency_pause.TRIES_MAX
    await store.client.zadd("{house}:drops", {"busy": 2, "other": 1})
    await pause_every_drop(busy, "clock", "the server's clock leapt")
    assert (await busy.sale.truth()).drop["state"] == "live"
    assert (await other.truth()).drop["state"] == "paused"


async def test_a_drop_that_only_a_newer_version_knows_keeps_no_other_from_it(store: Store) -> None:
    known = await real(store, "known")
    await real(store, "lifted")
    await store.client.hset("{lifted}:drop", "schema", model.SCHEMA + 1)
    await store.client.zadd("{house}:drops", {"lifted": 2, "known": 1})
    await pause_every_drop(store, "disk", "the disk is nearly full")
    assert (await known.truth()).drop["state"] == "paused"
    assert await store.client.hget("{lifted}:drop", "state") == b"live"


@pytest.mark.parametrize("watch", sorted(model.PASSING))
async def test_a_clock_that_leapt_takes_over_a_pause_that_would_end_by_itself(
    store: Store, watch: str
) -> None:
    sale, now = await real(store), 0.0
    pause = EmergencyPause(store, watch, "for a while", lambda: now)
    await pause.begin(at_once=True)
    for _ in range(2):
        await pause_every_drop(store, "clock", "the server's clock leapt")
    for now in (0.0, 10.0, 20.0, 60.0):  # noqa: B007 - the clock of the pause
        await pause.end()
    last = (await sale.log())[-1]
    assert isinstance(last, events.Paused)
    assert (last.by, last.why) == ("clock", "the server's clock leapt")
    assert (await sale.words()).count("paused") == 2


async def test_while_one_watch_finds_danger_another_lets_nothing_go_on(store: Store) -> None:
    sale, now = await real(store), 0.0
    disk = EmergencyPause(store, "disk", "the disk is nearly full", lambda: now)
    durability = EmergencyPause(store, "durability", "it may be lost", lambda: now)
    await disk.begin(at_once=True)
    await durability.begin(at_once=True)
    for now in (0.0, 10.0, 20.0):  # noqa: B007 - the clock of the pauses
        await durability.keep()
        await disk.end()
    assert (await sale.words())[-1] == "paused"
    await store.client.delete(store.house.keys.lease(f"{emergency_pause.DANGER}durability"))
    await disk.end()
    assert (await sale.words())[-1] == "resumed"


async def test_a_creator_who_acts_at_that_moment_does_not_keep_it_from_going_on(
    store: Store,
) -> None:
    busy = Busy(store.client)
    busy.sale, now = await real(store), 0.0
    pause = EmergencyPause(busy, "disk", "the disk is nearly full", lambda: now)
    await pause.begin(at_once=True)
    busy.sale.revision += 1
    busy.times = emergency_pause.TRIES_MAX - 1
    for now in (0.0, 10.0):  # noqa: B007 - the clock of the pause
        await pause.end()
    assert (await busy.sale.truth()).drop["state"] == "live"
