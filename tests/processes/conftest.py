"""Settings of an embedded server in a folder of the test's own."""

from pathlib import Path

import pytest

from dropengine.config import Settings
from tests.kit import short_folder

folder = short_folder.folder


@pytest.fixture
def settings(folder: Path) -> Settings:
    return Settings(data_dir=folder, maxmemory_mib=64, disk_free_mib_min=16)
