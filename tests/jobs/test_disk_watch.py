"""Sales pause while the disk can still be written, and never for want of looking."""

from __future__ import annotations

from pathlib import Path

from dropengine import events
from dropengine.jobs.disk_watch import DiskWatch, disk_free_mib
from dropengine.truth.store import Store
from tests.kit.jobs_at_work import at_work, comes, conf, real


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
