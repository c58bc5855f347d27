"""A worker and a page follow places by one rule, in the base lane and in the boost lane."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from random import Random
from typing import Any

from dropengine.live.places import apply, apply_boost
from hatch_build import node

HERE = Path(__file__).parent
RANKS = (-1, 1, 2, 3, 1022)


def test_both_follow_the_same_moves_to_the_same_places() -> None:
    random = Random(18)
    asked: list[dict[str, Any]] = []
    by_worker: list[tuple[int, int] | None] = []
    for _ in range(3_000):
        rank = random.choice((0, 0, 1, 2, 3, 1022))
        n, place = random.randint(1, 12), random.randint(10, 30)
        r, r0 = random.randint(0, 8), random.randint(0, 8)
        left = [random.randint(1, 12) for _ in range(random.randint(0, 9))]
        moves = [(other, random.choice(RANKS), random.choice(RANKS)) for other in left]
        asked.append({"n": n, "rank": rank, "place": place, "r": r, "r0": r0})
        asked[-1]["moves"] = moves if rank else left
        by_worker.append(
            apply_boost(n, rank, place, r, r0, moves) if rank else apply(n, place, r, r0, left)
        )
    done = subprocess.run(
        [*node(), str(HERE / "places.js")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [place and list(place) for place in by_worker]
    assert sum(place is None for place in by_worker) > 300
