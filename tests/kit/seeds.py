"""Which seeds a simulation runs: a few by default, many or a single one when asked."""

from __future__ import annotations

import os


def seeds(few: int) -> list[int]:
    """`SIMULATION_SEED=7` plays 7 alone, `SIMULATION_SEEDS=500` the first 500, else `few`."""
    alone = os.environ.get("SIMULATION_SEED")
    if alone:
        return [int(alone)]
    return list(range(int(os.environ.get("SIMULATION_SEEDS") or few)))
