"""Rows of tests that need a browser or long waits: some always, all with `EVERY_ROW`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TypeVar

Row = TypeVar("Row")

EVERY = bool(os.environ.get("EVERY_ROW"))


def rows(every: Iterable[Row], some: Sequence[int]) -> list[Row]:
    """some: the places of those that always run."""
    found = list(every)
    return found if EVERY else [found[place] for place in some]
