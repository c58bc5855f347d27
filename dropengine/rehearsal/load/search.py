"""Where something breaks, found by trying: higher by a factor until it does, then in between."""

from __future__ import annotations


class Search:
    """first: where to begin; most: no further. halvings: how often the gap is halved afterwards.

    held: the greatest that held, 0 for none; broke: the smallest that did not, None for none.
    """

    def __init__(self, first: float, most: float, *, factor: float, halvings: int) -> None:
        assert 0 < first <= most
        assert factor > 1
        self._first = first
        self._most = most
        self._factor = factor
        self._halvings = halvings
        self.held = 0.0
        self.broke: float | None = None

    @property
    def next(self) -> float | None:
        """What to try now; None: it is found, or nothing broke as far as one may go."""
        if self.broke is None:
            if self.held >= self._most:
                return None
            return min(self._most, self.held * self._factor) if self.held else self._first
        if self._halvings <= 0:
            return None
        return (self.held + self.broke) / 2

    def heard(self, tried: float, *, held: bool) -> None:
        """How what was tried went."""
        if self.broke is not None:
            self._halvings -= 1
        if held:
            self.held = max(self.held, tried)
        else:
            self.broke = tried if self.broke is None else min(self.broke, tried)
