"""What a worker measures of itself while it sells: numbers that fall into buckets.

A bucket counts what was at most its bound; the last one has none. Seconds are floats of a monotonic
clock. Observing costs a search in a short list: it is done once a batch, not once a command.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
COMMANDS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Histogram:
    """How often what was met. bounds: rising, the upper ends of all buckets but the last."""

    __slots__ = ("_counts", "bounds", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.sum = 0.0
        self._counts = [0] * (len(bounds) + 1)

    def observe(self, value: float, times: int = 1) -> None:
        """One more of this value, or so many."""
        self._counts[bisect_left(self.bounds, value)] += times
        self.sum += value * times

    def take(self, other: Histogram) -> None:
        """Count what another of the same bounds has seen as well."""
        assert other.bounds == self.bounds
        self.sum += other.sum
        self._counts = [a + b for a, b in zip(self._counts, other._counts, strict=True)]

    @property
    def counts(self) -> list[int]:
        """How often each bucket was met."""
        return [*self._counts]

    def rising(self) -> Iterator[int]:
        """For each bound, then for none: how many were at most that."""
        total = 0
        for count in self._counts:
            total += count
            yield total


class Measured:
    """Of one drop in one worker, or of all its drops together.

    press_s: from the moment at which the oldest command of a batch came until the batch is decided,
    for each of its commands. batch: commands in a batch. server_s: one call of the script that
    decides them, lost ones too.
    """

    def __init__(self) -> None:
        self.press_s = Histogram(SECONDS)
        self.batch = Histogram(COMMANDS)
        self.server_s = Histogram(SECONDS)

    def take(self, other: Measured) -> None:
        """Count what was measured of another drop as well."""
        self.press_s.take(other.press_s)
        self.batch.take(other.batch)
        self.server_s.take(other.server_s)
