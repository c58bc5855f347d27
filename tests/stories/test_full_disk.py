"""The disk becomes full at once, faster than any watch looks: who behaves is told to come back, and
buys when there is room again."""

from __future__ import annotations

from pathlib import Path

from tests.kit import short_folder
from tests.kit.own_disk import run_on

folder = short_folder.folder


def test_a_fan_who_came_to_a_full_disk_buys_once_there_is_room(folder: Path) -> None:
    after_s = float(run_on(folder, "-m", "tests.kit.full_disk_shop"))
    print(f"had a unit {after_s:.2f} s after there was room")
