"""By which way what is paid together comes to its buyer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from dropengine import wire
from dropengine.rehearsal.fans.ways import way_for

POST = wire.WayView("post", "ship", "Post", 690)
STALL = wire.WayView("stall", "pickup", "Stall", off=200, nodes=["berlin"])


def with_ways(*ways: wire.WayView) -> wire.DropView:
    return cast("wire.DropView", cast("Any", SimpleNamespace(ways=[*ways])))


@pytest.mark.parametrize(
    ("ways", "pools", "taste", "way"),
    [
        ((), ["pin"], 0.9, ""),
        ((POST, STALL), ["pin@berlin"], 0.0, "post"),
        ((POST, STALL), ["pin@berlin"], 0.9, "stall"),
        ((POST, STALL), ["pin@berlin", "pin@wien"], 0.9, "post"),
        ((STALL,), ["pin@wien"], 0.0, None),
        # Units of a pool without a place go any way.
        ((STALL,), ["cap", "pin@berlin"], 0.0, "stall"),
    ],
)
def test_a_way_is_one_that_takes_all_of_it(
    ways: tuple[wire.WayView, ...], pools: list[str], taste: float, way: str | None
) -> None:
    assert way_for(with_ways(*ways), pools, taste) == way
