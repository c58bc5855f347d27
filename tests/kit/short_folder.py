"""A folder whose path is short: sockets allow no long ones."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """Gone after the test."""
    with tempfile.TemporaryDirectory(prefix="drop-") as name:
        yield Path(name)
