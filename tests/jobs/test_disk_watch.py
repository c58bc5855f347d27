"""Sales pause while the disk can still be written, never for want of looking, and go on by
themselves when there is room again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dropengine import events, outcomes
from dropengine.jobs.disk_watch import DiskWatch, disk_free_mib
from dropengine.jobs.emergency_pause import AGAIN_S, DANGER, WELL_S
from dropengine.truth.store import Store
from tests.kit.jobs_at_work import at_work, comes, conf, real
from tests.kit.sale import Sale

LEAST = 100


class Disk:
    """A watch over a disk that the test fills and empties, in the test's own time."""

    def __init__(self, store: Store) -> None:
        self.free = 10 * LEAST
        self.now = 0.0
        self.watch = DiskWatch(
            store, conf(disk_free_mib_min=LEAST), lambda: self.free, lambda: self.now
        )

    async def has(self, free: int, for_s: float = 0.0) -> None:
        """So much is free for so long, looked at every second and at both ends."""
        self.free = free
        end = self.now + for_s
        await self.watch.round()
        while self.now < end:
            self.now = min(self.now + 1.0, end)
            await self.watch.round()


async def told(sale: Sale) -> list[tuple[str, str]]:
    """What was done to the drop after it was opened, and by whom."""
    log = [event for event in await sale.log() if isinstance(event, events.ByCreator)]
    return [(type(event).__name__.lower(), event.by) for event in log[1:]]


ONCE = [("paused", "disk"), ("resumed", "disk")]


async def test_sales_pause_while_the_disk_can_still_be_written(store: Store) -> None:
    sale = await real(store)
    async with at_work(DiskWatch(store, conf(disk_free_mib_min=11), lambda: 10)):
        await comes(sale, "paused")
    last = (await sale.log())[-1]
    assert isinstance(last, events.Paused)
    assert last.by == "disk"


async def test_room_to_the_very_last_mib_pauses_nobody(store: Store) -> None:
    sale = await real(store)
    await DiskWatch(store, conf(disk_free_mib_min=11), lambda: 11).round()
    assert (await sale.truth()).drop["state"] == "live"


def test_room_is_told_for_a_folder_that_is_not_made_yet(tmp_path: Path) -> None:
    assert disk_free_mib(tmp_path / "not" / "yet") > 0


async def test_a_pause_ends_when_twice_the_least_was_free_for_ten_seconds(store: Store) -> None:
    sale, disk = await real(store), Disk(store)
    await disk.has(LEAST - 1, 5)
    await disk.has(2 * LEAST - 1, 30)
    assert await told(sale) == ONCE[:1]
    await disk.has(2 * LEAST, WELL_S - 1)
    # Less for a moment: the ten seconds begin anew.
    await disk.has(2 * LEAST - 1)
    await disk.has(2 * LEAST, WELL_S - 1)
    assert await told(sale) == ONCE[:1]
    await disk.has(2 * LEAST, 2)
    assert await told(sale) == ONCE
    await disk.has(10 * LEAST, 100)
    assert await told(sale) == ONCE


@pytest.mark.parametrize(
    ("verb", "more"),
    [
        ("message", {"text": "A moment, please."}),
        ("withdraw", {"pool": "pin", "qty": 1}),
    ],
)
async def test_what_a_creator_says_meanwhile_does_not_keep_it_paused(
    store: Store, verb: str, more: dict[str, Any]
) -> None:
    sale, disk = await real(store), Disk(store)
    await disk.has(0)
    sale.revision += 1
    assert isinstance(await sale.creator(verb, **more), outcomes.Changed)
    await disk.has(2 * LEAST, WELL_S)
    assert (await told(sale))[-1] == ("resumed", "disk")


@pytest.mark.parametrize(
    "verbs", [("pause",), ("resume", "pause"), ("close",), ("cancel",), ("message", "pause")]
)
async def test_what_a_creator_paused_or_ended_since_stays_so(
    store: Store, verbs: Sequence[str]
) -> None:
    sale, disk = await real(store), Disk(store)
    await disk.has(LEAST - 1)
    sale.revision += 1
    for verb in verbs:
        more: dict[str, Any] = {"text": "We stop here."} if verb == "message" else {}
        assert isinstance(await sale.creator(verb, **more), outcomes.Changed)
    before = await sale.words()
    await disk.has(2 * LEAST, 10 * WELL_S)
    assert await sale.words() == before


async def test_a_disk_that_sways_pauses_once_a_minute_at_most(store: Store) -> None:
    sale, disk = await real(store), Disk(store)
    for _ in range(20):
        await disk.has(LEAST - 1, 1)
        await disk.has(2 * LEAST, WELL_S)
    pauses = [e for e in await told(sale) if e[0] == "paused"]
    assert 2 <= len(pauses) <= disk.now / AGAIN_S + 1
    assert len(await told(sale)) <= 2 * len(pauses)


@pytest.mark.parametrize("free", [0, LEAST // 2 - 1])
async def test_a_disk_that_is_all_but_full_does_not_wait_for_the_minute(
    store: Store, free: int
) -> None:
    sale, disk = await real(store), Disk(store)
    await disk.has(LEAST - 1)
    await disk.has(2 * LEAST, WELL_S)
    await disk.has(LEAST // 2)
    assert await told(sale) == ONCE
    await disk.has(free)
    assert await told(sale) == [*ONCE, ("paused", "disk")]


async def test_many_watches_write_one_event_each(store: Store) -> None:
    sale = await real(store)
    disks = [Disk(store) for _ in range(3)]
    for free, for_s in ((LEAST - 1, 2), (2 * LEAST, WELL_S + 1)):
        for disk in disks:
            await disk.has(free, for_s)
    assert await told(sale) == ONCE
    for disk in disks:
        await disk.has(LEAST - 1)
    # None of them paused it a minute ago, though only one wrote it.
    assert await told(sale) == ONCE


async def test_a_roomy_machine_does_not_end_the_pause_of_a_full_one(store: Store) -> None:
    sale, full, roomy = await real(store), Disk(store), Disk(store)
    await full.has(LEAST - 1)
    await roomy.has(10 * LEAST, 5 * WELL_S)
    assert await told(sale) == ONCE[:1]
    # Nothing is heard any more of the one that was full.
    await store.client.delete(store.house.keys.lease(f"{DANGER}disk"))
    await roomy.has(10 * LEAST, 1)
    assert await told(sale) == ONCE


async def test_a_pause_of_before_a_restart_ends_too(store: Store) -> None:
    sale = await real(store)
    await Disk(store).has(LEAST - 1)
    await store.client.delete(store.house.keys.lease(f"{DANGER}disk"))
    after = Disk(store)
    await after.has(2 * LEAST, WELL_S - 1)
    assert await told(sale) == ONCE[:1]
    await after.has(2 * LEAST, 1)
    assert await told(sale) == ONCE


async def test_a_pause_of_before_it_was_kept_who_paused_waits_for_its_creator(
    store: Store,
) -> None:
    sale, disk = await real(store), Disk(store)
    await disk.has(LEAST - 1)
    await store.client.hdel("{sale}:drop", "paused_by")
    await disk.has(2 * LEAST, 3 * WELL_S)
    assert await told(sale) == ONCE[:1]
    assert isinstance(await sale.creator("resume", revision=3), outcomes.Changed)
