"""What a benchmark found: medians of interleaved runs, each beside its peers, its floor and its
target.

A figure whose run broke a rule of the sale is void: it has no value, and its target is missed.
"""

from __future__ import annotations

import operator
import statistics
from collections.abc import Callable, Mapping, Sequence

import msgspec

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
}


class Figure(msgspec.Struct):
    """One line of the result. `target`: like `<= 55`, or null when nothing is promised; then `met`
    is null too. `ours` is null when the run was void or could not be made."""

    ours: float | str | None
    floor: float | None = None
    peers: dict[str, float | None] = {}
    target: str | None = None
    met: bool | None = None


Figures = dict[str, Figure]
"""Of one benchmark, by the metric's name; its unit stands last in the name."""
Results = dict[str, Figures]


def median(runs: Sequence[float]) -> float | None:
    """The median with four digits, or None of nothing."""
    return float(f"{statistics.median(runs):.4g}") if runs else None


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of them do not exceed; `values` must not be empty."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def meets(value: float, target: str) -> bool:
    """target: a comparison and a number, like `<= 1.3`."""
    compare, number = target.split()
    return _COMPARE[compare](value, float(number))


def figure(
    ours: Sequence[float],
    target: str | None = None,
    *,
    floor: Sequence[float] = (),
    peers: Mapping[str, Sequence[float]] | None = None,
) -> Figure:
    """Medians of the runs, ours held against the target."""
    value = median(ours)
    met = None if target is None or value is None else meets(value, target)
    return Figure(
        value,
        median(floor),
        {name: median(runs) for name, runs in (peers or {}).items()},
        target if value is not None else None,
        met,
    )


def ratios(ours: Sequence[float], other: Sequence[float]) -> list[float]:
    """Run by run, ours over the other's: both were measured within the same run."""
    return [mine / other for mine, other in zip(ours, other, strict=False) if other]


def void(figures: Figures) -> Figures:
    """The same figures after the referee found a violation: speed that breaks a rule is none."""
    return {
        name: Figure(None, f.floor, f.peers, f.target or "0 violations", met=False)
        for name, f in figures.items()
    }


def missed(results: Results) -> list[str]:
    """`bench.metric` of every target that was not met."""
    return [
        f"{bench}.{name}"
        for bench, figures in results.items()
        for name, f in figures.items()
        if f.met is False
    ]


def to_json(results: Results) -> bytes:
    """`{bench: {metric: {ours, floor, peers, target, met}}}`."""
    return msgspec.json.format(msgspec.json.encode(results), indent=2)


def from_json(text: bytes) -> Results:
    """Raises msgspec.ValidationError for anything else."""
    return msgspec.json.decode(text, type=Results)
