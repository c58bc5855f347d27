"""How many runs of a random test met a thing: what it never makes it cannot judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable


class Encounters:
    """Counts runs, not how often something happened in one."""

    def __init__(self, wanted: Collection[str]) -> None:
        self.runs = 0
        self._wanted = wanted
        self._met: Counter[str] = Counter()

    def add(self, met: Iterable[str]) -> None:
        """One run more, and what it met."""
        self.runs += 1
        self._met.update(set(met))

    def rare(self, share: float) -> list[str]:
        """What was wanted and met by fewer runs than that share of all."""
        return [what for what in self._wanted if self._met[what] < share * self.runs]

    def table(self) -> str:
        """A line for each thing: runs that met it, their share, and what it is."""
        lines = [
            f"{self._met[what]:6} {self._met[what] / max(self.runs, 1):7.1%}  {what}"
            for what in sorted({*self._wanted, *self._met})
        ]
        return "\n".join([f"{self.runs} runs met", *lines])
