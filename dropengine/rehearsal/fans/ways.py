"""By which way what a simulated fan pays together comes to him."""

from __future__ import annotations

from collections.abc import Iterable

from dropengine.wire import DropView, WayView


def way_for(drop: DropView, pools: Iterable[str], taste: float = 0.0) -> str | None:
    """One that takes units of all these pools, '' in a drop without ways; None: there is none.
    taste: from 0 to 1, which of several."""
    if not drop.ways:
        return ""
    nodes = {pool.partition("@")[2] for pool in pools} - {""}
    fit = [way.id for way in drop.ways if takes(way, nodes)]
    return fit[int(taste * len(fit)) % len(fit)] if fit else None


def takes(way: WayView, nodes: Iterable[str]) -> bool:
    """Does it take what stands at these places?"""
    return not way.nodes or set(nodes) <= {*way.nodes}
