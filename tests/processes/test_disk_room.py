"""A start without room is refused, and room is found by writing as well."""

from pathlib import Path

import pytest

from dropengine.config import Settings
from dropengine.errors import DiskFull
from dropengine.jobs.disk_watch import disk_free_mib
from dropengine.processes.disk_room import DiskRoom
from dropengine.processes.embedded_server import EmbeddedServer


def test_a_start_without_room_on_the_disk_says_so(folder: Path) -> None:
    more_than_there_is = disk_free_mib(folder) * 2 + 1_000
    with pytest.raises(DiskFull, match="make room") as caught:
        EmbeddedServer(Settings(data_dir=folder, disk_free_mib_min=more_than_there_is)).start()
    assert caught.value.exit_code == 10
    # It let go of the directory.
    with EmbeddedServer(Settings(data_dir=folder, disk_free_mib_min=16)):
        pass


def test_looking_for_room_leaves_nothing_behind(settings: Settings, folder: Path) -> None:
    assert DiskRoom(settings, folder).enough()
    assert list(folder.iterdir()) == []


def test_a_fault_that_is_no_want_of_room_is_not_taken_for_one(
    settings: Settings, folder: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        DiskRoom(settings, folder / "nowhere").enough()
